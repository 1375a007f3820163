// `npm run bench -- --start [--check] [--json]`: what a start costs, with a sandbox that stands ready and without, on ten files and on
// 100,000 of together 1 GB, with and without the kernel's caches; what looking after a call costs that changed ten files; one that
// changed a file of 1 GB. Ratios are against a baseline of the same run, taken in turns.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { composeEngine } from "../../dist/lib/index.js";

const IMAGE = "ringfence/kimi-dev:latest";
const STARTS = 7;
const COLD = 5;
const CALLS = 25;
const WARM_UP = 5;
const FOLDERS = 1000;
const FILES = 100;
const BYTES = 10_486;
const args = new Set(process.argv.slice(2));
const base = mkdtempSync(join(tmpdir(), "ringfence-bench-start-"));
const signal = new AbortController().signal;
const folders = { small: join(base, "small"), big: join(base, "big") };

try {
  layOut();
  const result = await measure();
  process.exitCode = report(result) && args.has("--check") ? 1 : 0;
} finally {
  rmSync(base, { recursive: true, force: true });
}

/** The same top, README and git folder in both; the big one has 100,000 files of 10 KiB in 1,000 folders besides. */
function layOut() {
  const content = Buffer.alloc(BYTES, "x = 1\n");
  for (const folder of Object.values(folders)) {
    mkdirSync(folder);
    for (let file = 0; file < 10; file += 1) writeFileSync(join(folder, `f${file}.py`), content);
    execFileSync("git", ["init", "-q", folder]);
  }
  for (let index = 0; index < FOLDERS; index += 1) {
    const folder = join(folders.big, "src", `p${Math.floor(index / 40)}`, `d${index}`);
    mkdirSync(folder, { recursive: true });
    for (let file = 0; file < FILES; file += 1) writeFileSync(join(folder, `f${file}.py`), content);
  }
}

async function measure() {
  const orchestrator = await composeEngine({ env: { ...process.env, RINGFENCE_HOME: join(base, "state") }, approver: { terminal: null } });
  const samples = { run: [], start: [], big: [], ready: [], coldRun: [], cold: [], coldBig: [], ten: [], tenBig: [] };
  const cold = canDrop();
  for (const folder of Object.values(folders)) await started(orchestrator, folder);
  for (let round = 0; round < STARTS; round += 1) {
    samples.run.push(dockerRun());
    samples.start.push(await started(orchestrator, folders.small));
    samples.big.push(await started(orchestrator, folders.big));
  }
  for (let round = 0; cold && round < COLD; round += 1) {
    for (const [into, work] of [["coldRun", async () => dockerRun()], ["cold", () => started(orchestrator, folders.small)], ["coldBig", () => started(orchestrator, folders.big)]]) {
      drop();
      samples[into].push(await work());
    }
  }
  // What was taken is made anew before the next is timed: a start that waits for nothing else.
  for (let round = 0; round < STARTS + 1; round += 1) {
    await orchestrator.keepReady({ workspace: folders.small }, 1, signal);
    const took = await started(orchestrator, folders.small);
    if (round > 0) samples.ready.push(took);
  }
  await orchestrator.drain();
  const small = await orchestrator.open({ workspace: folders.small }, signal);
  const big = await orchestrator.open({ workspace: folders.big }, signal);
  let huge;
  try {
    for (let round = 0; round < WARM_UP + CALLS; round += 1) {
      for (const [into, session, where] of [["ten", small, ""], ["tenBig", big, "src/p0/d0/"]]) {
        const took = await timed(() => call(session, Array.from({ length: 10 }, (_, index) => `echo ${round} > ${where}f${index}.py`).join("; ")));
        if (round >= WARM_UP) samples[into].push(took);
      }
    }
    huge = { first: await timed(() => call(big, "head -c 1073741824 /dev/zero > huge.bin")), bare: await timed(() => call(big, "true")), findings: 0 };
    const again = await big.call({ id: "bench", role: null, tool: "bash", arguments: { command: "printf x | dd of=huge.bin bs=1 seek=5 conv=notrunc status=none" } }, {}, signal);
    huge.findings = again.findings.length;
  } finally {
    await small.close("finished");
    await big.close("finished");
  }
  return { samples, cold, huge };
}

/** From nothing to the answer of the first command. */
async function started(orchestrator, workspace) {
  const begun = performance.now();
  const session = await orchestrator.open({ workspace }, signal);
  try {
    await call(session, "true");
    return performance.now() - begun;
  } finally {
    await session.close("finished");
  }
}

async function call(session, command) {
  const observation = await session.call({ id: "bench", role: null, tool: "bash", arguments: { command } }, {}, signal);
  if (observation.exitCode !== 0) throw new Error(`\`${command.slice(0, 80)}\` ended with ${observation.exitCode}: ${observation.message}`);
}

function dockerRun() {
  const begun = performance.now();
  execFileSync("docker", ["run", "--rm", "--network", "none", "--label", "dev.ringfence.bench=start", IMAGE, "bash", "-c", "true"]);
  return performance.now() - begun;
}

async function timed(work) {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

function canDrop() {
  try {
    drop();
    return true;
  } catch {
    return false;
  }
}

/** Needs root, and a kernel of one's own. */
function drop() {
  execFileSync("sync");
  writeFileSync("/proc/sys/vm/drop_caches", "3");
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Prints figures and bars; tells whether a bar was missed. */
function report({ samples, cold, huge }) {
  const at = Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, median(values)]));
  const bars = [
    { name: "start with a sandbox that stands ready, in ms", value: at.ready, bar: 50 },
    { name: "start / `docker run` of the same image", value: at.start / at.run, bar: 1.3 },
    { name: "start on 100,000 files / on 10, names in the kernel's cache", value: at.big / at.start, bar: 1.2, aim: true },
    ...(cold ? [{ name: "start on 100,000 files / on 10, nothing in the kernel's caches", value: at.coldBig / at.cold, bar: 1.4, aim: true }] : []),
    { name: "a call that changed 10 files, on 100,000 / on 10", value: at.tenBig / at.ten, bar: 1.2 },
  ].map((row) => ({ ...row, held: row.value <= row.bar }));
  if (args.has("--json")) process.stdout.write(`${JSON.stringify({ median: at, samples, huge, bars })}\n`);
  else {
    const rows = [["docker run --rm of the same image", "run"], ["start, 10 files", "start"], ["start, 100,000 files of 1 GB", "big"], ["start, a sandbox stands ready", "ready"], ["caches dropped: docker run", "coldRun"], ["caches dropped: start, 10 files", "cold"], ["caches dropped: start, 100,000 files", "coldBig"], ["a call that changed 10 files, of 10", "ten"], ["a call that changed 10 files, of 100,000", "tenBig"]];
    for (const [name, key] of rows) if (samples[key].length > 0) process.stdout.write(`  ${name.padEnd(44)} ${at[key].toFixed(1).padStart(8)} ms  ${Math.min(...samples[key]).toFixed(0)} to ${Math.max(...samples[key]).toFixed(0)}  n ${samples[key].length}\n`);
    process.stdout.write(`  a call that wrote a file of 1 GB             ${huge.first.toFixed(0).padStart(8)} ms; the next call ${huge.bare.toFixed(1)} ms; one byte of it changed: ${huge.findings} findings\n\n`);
    for (const { name, value, bar, held, aim } of bars) process.stdout.write(`  ${held ? "held  " : aim ? "aim   " : "MISSED"}  ${name}: ${value.toFixed(2)} (${aim ? "aim" : "bar"}: at most ${bar})\n`);
  }
  return bars.some((row) => !row.held && row.aim !== true);
}
