// `npm run bench -- --exec [--check] [--json] [--calls-only]`: what recording the programs of a call costs, in ratios of one run. A single
// `bash -c true` beside a bare posix_spawn of it; a thousand programs in a row; a real test suite of over 30 seconds: this project's own.

import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { agentOf, call, containerOf, leadIn, spawnLoop, timed, withSessions } from "./guarded.mjs";

const SETTINGS = ["off", "exec", "full"];
const ROUNDS = 4;
const CALLS = 80;
/** Calls after a rest, as an agent makes that thinks; and how long it thinks. */
const RESTED = 60;
const REST_MS = 20;
/** Calls that are not counted: what the platform compiles on the way is compiled after some hundreds. */
const WARM_UP = 1000;
const PROGRAMS = 1000;
const LOOPS = 3;
const SUITE_ROUNDS = 2;
const SUITE = "node node_modules/vitest/vitest.mjs run --project unit --isolate --testTimeout 60000 test/unit --exclude test/unit/session/event-shape.test.ts";
const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

const args = new Set(process.argv.slice(2));

await withSessions(async (bench) => {
  const calls = await measureCalls(bench);
  const suite = args.has("--calls-only") ? null : await measureSuite(bench);
  process.exitCode = report(calls, suite) && args.has("--check") ? 1 : 0;
});

/** Each setting in a session of its own, beside bare starts in the same container; then calls of many programs, by turns. */
async function measureCalls({ open, close, signal }) {
  const calls = {};
  for (const name of SETTINGS) calls[name] = await measureOne({ open, close, signal }, name);
  const sessions = {};
  const many = Object.fromEntries(SETTINGS.map((name) => [name, []]));
  for (const name of SETTINGS) sessions[name] = await open({ recordExec: name });
  for (let round = 0; round < LOOPS; round += 1) for (const name of SETTINGS) many[name].push(await timed(() => call(sessions[name], `for i in $(seq ${PROGRAMS}); do /bin/true; done`, signal)));
  for (const name of SETTINGS) await close(sessions[name]);
  return { calls, many: Object.fromEntries(SETTINGS.map((name) => [name, median(many[name])])) };
}

/** Calls in a row and bare starts in a row, by turns, so that a slow spell of the machine meets both. */
async function measureOne({ open, close, signal }, recordExec) {
  const session = await open({ recordExec });
  const agent = await agentOf(session, await containerOf(session), signal);
  const samples = { guarded: [], bare: [], ratio: [], rested: [], bareRested: [] };
  for (let i = 0; i < WARM_UP; i += 1) await call(session, "true", signal);
  for (let round = 0; round < ROUNDS; round += 1) {
    const [guarded, bare] = [[], spawnLoop(agent, CALLS)];
    await leadIn(session, signal);
    for (let i = 0; i < CALLS; i += 1) guarded.push(await timed(() => call(session, "true", signal)));
    samples.guarded.push(...guarded);
    samples.bare.push(...bare);
    samples.ratio.push(median(guarded) / median(bare));
  }
  for (let i = 0; i < RESTED; i += 1) {
    await new Promise((resolve) => void setTimeout(resolve, REST_MS));
    samples.rested.push(await timed(() => call(session, "true", signal)));
  }
  samples.bareRested.push(...spawnLoop(agent, RESTED, REST_MS));
  await close(session);
  return Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, median(values)]));
}

/** The suite under each setting in turn, each time in a session of its own; the least of the rounds counts. */
async function measureSuite({ open, close, signal }) {
  const took = Object.fromEntries(SETTINGS.map((name) => [name, []]));
  const seen = {};
  for (let round = 0; round < SUITE_ROUNDS; round += 1) {
    for (const name of SETTINGS) {
      const events = [];
      const session = await open({ workspace: PROJECT, recordExec: name, onEvent: (event) => events.push(event) });
      took[name].push((await call(session, SUITE, signal)).durationMs);
      await close(session);
      const recorded = events.find(({ type }) => type === "programs.recorded")?.data;
      seen[name] = recorded === undefined ? null : { programs: recorded.programs.length + recorded.dropped.programs, writes: recorded.writes.length + recorded.dropped.writes };
    }
  }
  return { took: Object.fromEntries(SETTINGS.map((name) => [name, Math.min(...took[name])])), seen };
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Bars: `--check` holds those of recording; what recording is added to is held by the main benchmark. */
function barsOf({ calls }, suite) {
  return [
    { name: "`bash -c true` with `exec` / bare posix_spawn", value: calls.exec.ratio, bar: 2.5 },
    { name: "`bash -c true` with `off` / bare posix_spawn", value: calls.off.ratio, bar: 1.5, aim: true },
    { name: "`bash -c true` with `exec` / with `off`", value: calls.exec.ratio / calls.off.ratio, bar: 1.25 },
    ...(suite === null ? [] : [{ name: "test suite with `exec` / with `off`", value: suite.took.exec / suite.took.off, bar: 1.1 }]),
  ].map((row) => ({ ...row, held: row.value <= row.bar }));
}

/** Prints the figures and the bars; tells whether a bar was missed. */
function report(measured, suite) {
  const { calls, many } = measured;
  const bars = barsOf(measured, suite);
  if (args.has("--json")) process.stdout.write(`${JSON.stringify({ cpus: cpus().length, node: process.version, calls, many, suite, bars })}\n`);
  else {
    const line = (name, value, unit = "ms") => process.stdout.write(`  ${name.padEnd(56)} ${value.toFixed(2).padStart(10)} ${unit}\n`);
    process.stdout.write(`${cpus().length} processors, Node ${process.version}\n\nOne call of \`bash -c true\`, ${ROUNDS} times ${CALLS} in a row, median; beside a bare posix_spawn from a resident process, same user\n`);
    for (const name of SETTINGS) {
      const { guarded, bare, ratio, rested, bareRested } = calls[name];
      line(name, guarded, `ms, bare ${bare.toFixed(2)} ms: ${ratio.toFixed(2)}; each after ${REST_MS} ms of rest ${rested.toFixed(2)}, bare ${bareRested.toFixed(2)} ms`);
    }
    process.stdout.write(`\nA call that runs ${PROGRAMS} programs, median of ${LOOPS}\n`);
    for (const name of SETTINGS) line(name, many[name]);
    if (suite !== null) {
      process.stdout.write(`\nA test suite, best of ${SUITE_ROUNDS}: ${SUITE}\n`);
      for (const name of SETTINGS) {
        line(`${name}${suite.seen[name] === null ? "" : `: ${suite.seen[name].programs} programs, ${suite.seen[name].writes} files written`}`, suite.took[name] / 1000, "s");
      }
      process.stdout.write(`  exec / off ${(suite.took.exec / suite.took.off).toFixed(3)}, full / off ${(suite.took.full / suite.took.off).toFixed(3)}\n`);
    }
    process.stdout.write("\n");
    for (const { name, value, bar, held, aim } of bars) process.stdout.write(`  ${held ? "held  " : aim ? "aim   " : "MISSED"}  ${name}: ${value.toFixed(2)} (${aim ? "aim" : "bar"}: at most ${bar})\n`);
  }
  return bars.some((row) => !row.held && !row.aim);
}
