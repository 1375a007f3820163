// `npm run bench [-- --check] [--json]`: every figure that the docs state, as ratios against a baseline of the same run.
// Absolute milliseconds are printed too, but machines are noisy: only the ratios are compared with the bars.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { composeEngine } from "../../dist/lib/index.js";

const ROUNDS = 6;
const CALLS = 40;
const SPAWNS = 40;
const API_EXECS = 8;
const CLI_EXECS = 4;
const WARM_UP = 200;

const args = new Set(process.argv.slice(2));
const state = mkdtempSync(join(tmpdir(), "ringfence-bench-"));
const workspace = mkdtempSync(join(tmpdir(), "ringfence-bench-work-"));
writeFileSync(join(workspace, "README.md"), "bench\n");

try {
  const result = await measure();
  const failed = report(result);
  process.exitCode = args.has("--check") && failed ? 1 : 0;
} finally {
  rmSync(state, { recursive: true, force: true });
  rmSync(workspace, { recursive: true, force: true });
}

async function measure() {
  const orchestrator = await composeEngine({ env: { ...process.env, RINGFENCE_HOME: state }, approver: { terminal: null } });
  const signal = new AbortController().signal;
  const begun = performance.now();
  const session = await orchestrator.open({ workspace }, signal);
  const firstBegun = performance.now();
  await call(session, "true", signal);
  const cold = { openMs: firstBegun - begun, firstCallMs: performance.now() - firstBegun };
  const docker = new Docker();
  try {
    const [container] = await docker.listContainers({ filters: { label: [`dev.ringfence.session=${session.id}`] } });
    if (container === undefined) throw new Error("the session's container is not found by its label");
    for (let i = 0; i < WARM_UP; i += 1) await call(session, "true", signal);
    await spawnLoop(session, signal, WARM_UP);
    const samples = { guarded: [], spawn: [], api: [], cli: [] };
    // Interleaved, so that a slow spell of the machine meets all of them.
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let i = 0; i < CALLS; i += 1) samples.guarded.push(await timed(() => call(session, "true", signal)));
      samples.spawn.push(...(await spawnLoop(session, signal, SPAWNS)));
      for (let i = 0; i < API_EXECS; i += 1) samples.api.push(await timed(() => execByApi(docker, container.Id)));
      for (let i = 0; i < CLI_EXECS; i += 1) samples.cli.push(await timed(async () => execFileSync("docker", ["exec", container.Id, "bash", "-c", "true"])));
    }
    const median = Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, quantile(values, 0.5)]));
    const p95 = Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, quantile(values, 0.95)]));
    return { cold, median, p95, counts: Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, values.length])) };
  } finally {
    await session.close("finished");
  }
}

async function call(session, command, signal) {
  const observation = await session.call({ id: "bench", role: null, tool: "bash", arguments: { command } }, {}, signal);
  if (observation.exitCode !== 0) throw new Error(`\`${command}\` ended with ${observation.exitCode}: ${observation.message}`);
  return observation;
}

/** A resident process in the same container, as the same user, spawns `bash -c true` and waits for it. */
async function spawnLoop(session, signal, count) {
  const program = [
    "import os, time, sys",
    "env = dict(os.environ)",
    `for _ in range(${count}):`,
    "    t = time.perf_counter()",
    "    pid = os.posix_spawn('/bin/bash', ['bash', '--noprofile', '--norc', '-c', 'true'], env)",
    "    os.waitpid(pid, 0)",
    "    print((time.perf_counter() - t) * 1000)",
  ].join("\n");
  const observation = await call(session, `python3 -c "${program}"`, signal);
  return observation.stdout.trim().split("\n").map(Number);
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

async function timed(work) {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** Prints the figures and the bars; tells whether a bar was missed. */
function report({ cold, median, p95, counts }) {
  const bars = [
    { name: "guarded `bash -c true` / bare posix_spawn in the same container", ratio: median.guarded / median.spawn, bar: 3, atMost: true },
    { name: "`docker exec` by API / guarded", ratio: median.api / median.guarded, bar: 5, atMost: false },
    { name: "`docker exec` by CLI / guarded", ratio: median.cli / median.guarded, bar: 5, atMost: false },
  ].map((row) => ({ ...row, held: row.atMost ? row.ratio <= row.bar : row.ratio >= row.bar }));
  if (args.has("--json")) {
    process.stdout.write(`${JSON.stringify({ cpus: cpus().length, node: process.version, cold, median, p95, counts, bars })}\n`);
  } else {
    const ms = (value) => `${value.toFixed(2)} ms`.padStart(10);
    const line = (name, key) => process.stdout.write(`  ${name.padEnd(52)} ${ms(median[key])}  p95 ${ms(p95[key])}  n ${counts[key]}\n`);
    process.stdout.write(`${cpus().length} processors, Node ${process.version}\n\nOne call of \`bash -c true\`, median\n`);
    line("guarded, through the library", "guarded");
    line("bare posix_spawn from a resident process, same user", "spawn");
    line("docker exec by API", "api");
    line("docker exec by CLI", "cli");
    process.stdout.write(`\nCold start: session opened in ${ms(cold.openMs).trim()}, first call ${ms(cold.firstCallMs).trim()}\n\n`);
    for (const { name, ratio, bar, atMost, held } of bars) process.stdout.write(`  ${held ? "held  " : "MISSED"}  ${name}: ${ratio.toFixed(2)} (bar: at ${atMost ? "most" : "least"} ${bar})\n`);
  }
  return bars.some((row) => !row.held);
}
