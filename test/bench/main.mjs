// `npm run bench [-- --check] [--json] [--no-neighbours]`: every figure that the docs state, as ratios against a baseline of the same
// run. Absolute milliseconds are printed too, but machines are noisy: only the ratios are compared with the bars.

import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import Docker from "dockerode";
import { agentOf, call, containerOf, leadIn, spawnLoop, timed, withSessions } from "./guarded.mjs";
import { openNeighbours } from "./neighbours.mjs";

const ROUNDS = 6;
const CALLS = 40;
const SPAWNS = 40;
const API_EXECS = 8;
const CLI_EXECS = 4;
const NEIGHBOUR_RUNS = 2;
const STARTS = 5;
const NAMES = 100;
/** Calls, and bare starts, that are not counted: what the platform compiles on the way is compiled after some hundreds. */
const WARM_UP = 1000;
/** How many of them are told apart: what the first calls of a process take. */
const FIRST = 100;
const IMAGE = "ringfence/kimi-dev:latest";

const args = new Set(process.argv.slice(2));

await withSessions(async (bench) => {
  const failed = report(await measure(bench));
  process.exitCode = args.has("--check") && failed ? 1 : 0;
});

async function measure({ open, close, signal }) {
  const samples = { firstCalls: [], guarded: [], named: [], spawn: [], api: [], cli: [], start: [], dockerRun: [] };
  // The first start compiles the policy and keeps it; a start is measured as it is from then on.
  const first = await timed(async () => close(await open()));
  for (let round = 0; round < STARTS; round += 1) {
    samples.dockerRun.push(await timed(async () => execFileSync("docker", ["run", "--rm", "--network", "none", "--label", "dev.ringfence.bench=start", IMAGE, "bash", "-c", "true"])));
    samples.start.push(await startOnce({ open, close, signal }));
  }
  const neighbours = args.has("--no-neighbours") ? { present: [], absent: [], close: () => undefined } : await openNeighbours();
  for (const { name } of neighbours.present) samples[name] = [];
  const session = await open();
  const named = await open();
  const docker = new Docker();
  try {
    const container = await containerOf(session);
    await call(named, `touch ${Array.from({ length: NAMES }, (_, index) => `/tmp/name${index}`).join(" ")}`, signal);
    for (let i = 0; i < WARM_UP; i += 1) {
      const took = await timed(() => call(session, "true", signal));
      if (i < FIRST) samples.firstCalls.push(took);
    }
    for (let i = 0; i < WARM_UP; i += 1) await call(named, "true", signal);
    const agent = await agentOf(session, container, signal);
    spawnLoop(agent, WARM_UP);
    // By turns, so that a slow spell of the machine meets all of them; each kind in a row, as the bare starts are: what another session did
    // just before has taken the processor's caches.
    for (let round = 0; round < ROUNDS; round += 1) {
      await leadIn(session, signal);
      for (let i = 0; i < CALLS; i += 1) samples.guarded.push(await timed(() => call(session, "true", signal)));
      await leadIn(named, signal);
      for (let i = 0; i < CALLS; i += 1) samples.named.push(await timed(() => call(named, "true", signal)));
      samples.spawn.push(...spawnLoop(agent, SPAWNS));
    }
    // After those: the engine goes on clearing up behind an exec for a while, beside whoever comes next.
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let i = 0; i < API_EXECS; i += 1) samples.api.push(await timed(() => execByApi(docker, container)));
      for (let i = 0; i < CLI_EXECS; i += 1) samples.cli.push(await timed(async () => execFileSync("docker", ["exec", container, "bash", "-c", "true"])));
      for (const { name, run } of neighbours.present) for (let i = 0; i < NEIGHBOUR_RUNS; i += 1) samples[name].push(await run());
    }
    const median = Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, quantile(values, 0.5)]));
    const p95 = Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, quantile(values, 0.95)]));
    const counts = Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, values.length]));
    return { first, median, p95, counts, absent: neighbours.absent, neighbours: neighbours.present.map(({ name }) => name) };
  } finally {
    for (const one of [session, named]) await close(one);
    neighbours.close();
  }
}

/** A session from nothing to the answer of its first command: policy, workspace, container, self-test, record, command. */
async function startOnce({ open, close, signal }) {
  const begun = performance.now();
  const session = await open();
  await call(session, "true", signal);
  const took = performance.now() - begun;
  await close(session);
  return took;
}

async function execByApi(docker, id) {
  const exec = await docker.getContainer(id).exec({ Cmd: ["bash", "-c", "true"], AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({ hijack: true, stdin: false });
  await new Promise((resolve, reject) => stream.on("end", resolve).on("error", reject).resume());
  for (;;) {
    const { Running } = await exec.inspect();
    if (!Running) return;
  }
}

function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

function barsOf({ median, neighbours }) {
  const bars = [
    { name: "guarded `bash -c true` / bare posix_spawn in the same container", value: median.guarded / median.spawn, bar: 2.5, atMost: true },
    { name: `more for ${NAMES} names in /tmp, in ms`, value: median.named - median.guarded, bar: 1.5, atMost: true },
    { name: "`docker exec` by API / guarded", value: median.api / median.guarded, bar: 8, atMost: false },
    { name: "`docker exec` by CLI / guarded", value: median.cli / median.guarded, bar: 8, atMost: false },
    ...neighbours.map((name) => ({ name: `${name} / guarded`, value: median[name] / median.guarded, bar: 8, atMost: false })),
    { name: "start to first answer / `docker run` of the same image", value: median.start / median.dockerRun, bar: 1.3, atMost: true },
  ];
  return bars.map((row) => ({ ...row, held: row.atMost ? row.value <= row.bar : row.value >= row.bar }));
}

/** Prints the figures and the bars; tells whether a bar was missed. */
function report({ first, median, p95, counts, absent, neighbours }) {
  const bars = barsOf({ median, neighbours });
  if (args.has("--json")) {
    process.stdout.write(`${JSON.stringify({ cpus: cpus().length, node: process.version, first, median, p95, counts, absent, bars })}\n`);
  } else {
    const ms = (value) => `${value.toFixed(2)} ms`.padStart(10);
    const line = (name, key) => process.stdout.write(`  ${name.padEnd(56)} ${ms(median[key])}  p95 ${ms(p95[key])}  n ${counts[key]}\n`);
    process.stdout.write(`${cpus().length} processors, Node ${process.version}\n\nOne call of \`bash -c true\`, median\n`);
    line("guarded, through the library", "guarded");
    line(`the first ${FIRST} of a process`, "firstCalls");
    line(`guarded, with ${NAMES} names in /tmp`, "named");
    line("bare posix_spawn from a resident process, same user", "spawn");
    line("docker exec by API", "api");
    line("docker exec by CLI", "cli");
    for (const name of neighbours) line(name, name);
    for (const { name, why } of absent) process.stdout.write(`  ${name.padEnd(56)} absent: ${why}\n`);
    process.stdout.write("\nFrom nothing to the first answer\n");
    line("a session opened and `bash -c true` guarded", "start");
    line("docker run --rm of the same image, `bash -c true`", "dockerRun");
    process.stdout.write(`  the first session of a state folder, which compiles the policy, opened and closed: ${ms(first).trim()}\n\n`);
    for (const { name, value, bar, atMost, held } of bars) process.stdout.write(`  ${held ? "held  " : "MISSED"}  ${name}: ${value.toFixed(2)} (bar: at ${atMost ? "most" : "least"} ${bar})\n`);
  }
  return bars.some((row) => !row.held);
}
