// `npm run bench -- --start [--part NAME[,NAME…]] [--check] [--json]`: what a start costs, with a sandbox that stands ready and without, on ten
// files and on 100,000 of together 1 GB, with and without the kernel's caches, with and without names kept from an earlier session; what
// looking after a call costs that changed ten files; a folder with a file of 1 GiB. Ratios are against a baseline of the same run, taken in
// turns: the median of the rounds' own ratios. Under two minutes.

import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { composeEngine } from "../../dist/lib/index.js";

const IMAGE = "ringfence/kimi-dev:latest";
const STARTS = 9;
const COLD = 7;
const READY = 12;
const CALLS = 40;
const WARM_UP = 5;
const LARGE = 3;
const FOLDERS = 1000;
const FILES = 100;
const BYTES = 10_486;
const LARGE_MIB = 1024;
/** A folder that changed less than two seconds before it was listed is listed again: the names of what was just made are not settled. */
const SETTLE_MS = 2_500;
/** What stands ready is drained in the end: the pool makes no more then. */
const PARTS = ["starts", "cold", "calls", "large", "ready"];

const args = process.argv.slice(2);
const wanted = args.includes("--part") ? (args[args.indexOf("--part") + 1] ?? "").split(",") : PARTS;
const unknown = wanted.find((part) => !PARTS.includes(part));
if (unknown !== undefined) throw new Error(`there is no part \`${unknown}\`; there are ${PARTS.join(", ")}`);
const needsBig = wanted.some((part) => ["starts", "cold", "calls"].includes(part));
const base = mkdtempSync(join(tmpdir(), "ringfence-bench-start-"));
const state = join(base, "state");
const ending = new AbortController();
const { signal } = ending;
for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => ending.abort());
const folders = { small: join(base, "small"), big: join(base, "big"), large: join(base, "large") };
/** What was measured, in milliseconds, by name; equal places of two lists are of one round. */
const samples = {};
const notes = [];

const NAMES = {
  run: "docker run --rm of the same image",
  start: "start, 10 files",
  big: "start, 100,000 files of 1 GB, names kept",
  bigAnew: "start, 100,000 files of 1 GB",
  coldRun: "caches dropped: docker run",
  coldStart: "caches dropped: start, 10 files",
  coldBig: "caches dropped: start, 100,000, names kept",
  coldBigAnew: "caches dropped: start, 100,000",
  ready: "start, a sandbox stands ready",
  ten: "a call that changed 10 files, of 10",
  tenBig: "a call that changed 10 files, of 100,000",
  beside: "start, beside the next one",
  startLarge: "start, a file of 1 GiB among 11",
  largeFirst: "one byte of it changed",
  largeAgain: "another byte of it changed",
  largeNext: "the call after that",
};

try {
  const begun = performance.now();
  layOut();
  await measure().catch((error) => {
    if (!signal.aborted) throw error;
    notes.push("what came after it was told to end");
  });
  const missed = report((performance.now() - begun) / 1000);
  process.exitCode = signal.aborted ? 130 : missed && args.includes("--check") ? 1 : 0;
} finally {
  rmSync(base, { recursive: true, force: true });
}

/** The same top and git folder in all; the big one has 100,000 files of 10 KiB in 1,000 folders besides, the large one a file of 1 GiB. */
function layOut() {
  const content = Buffer.alloc(BYTES, "x = 1\n");
  for (const folder of Object.values(folders)) {
    mkdirSync(folder);
    for (let file = 0; file < 10; file += 1) writeFileSync(join(folder, `f${file}.py`), content);
    execFileSync("git", ["init", "-q", folder]);
  }
  for (let index = 0; needsBig && index < FOLDERS; index += 1) {
    const folder = join(folders.big, "src", `p${Math.floor(index / 40)}`, `d${index}`);
    mkdirSync(folder, { recursive: true });
    for (let file = 0; file < FILES; file += 1) writeFileSync(join(folder, `f${file}.py`), content);
  }
  if (!wanted.includes("large")) return;
  const fd = openSync(join(folders.large, "data.bin"), "w");
  for (let index = 0; index < LARGE_MIB; index += 1) writeSync(fd, Buffer.alloc(1024 * 1024, String(index)));
  closeSync(fd);
}

async function measure() {
  const orchestrator = await composeEngine({ env: { ...process.env, RINGFENCE_HOME: state }, approver: { terminal: null } });
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  // The first compiles the policy and keeps it; the second finds everything kept.
  for (const folder of needsBig ? [folders.small, folders.big, folders.small, folders.big] : [folders.small, folders.small]) await started(orchestrator, folder);
  const parts = { starts: () => starts(orchestrator), cold: () => coldStarts(orchestrator), ready: () => ready(orchestrator), calls: () => calls(orchestrator), large: () => large(orchestrator) };
  try {
    for (const part of PARTS) if (wanted.includes(part)) await parts[part]();
  } finally {
    await orchestrator.drain();
  }
}

async function starts(orchestrator) {
  for (let round = 0; round < STARTS; round += 1) {
    add("run", dockerRun());
    add("start", await started(orchestrator, folders.small));
    add("big", await started(orchestrator, folders.big));
    forgetNames();
    add("bigAnew", await started(orchestrator, folders.big));
  }
}

async function coldStarts(orchestrator) {
  if (!canDrop()) return void notes.push("nothing with the kernel's caches dropped: that needs root, and a kernel of one's own");
  for (let round = 0; round < COLD; round += 1) {
    await cold("coldRun", async () => dockerRun());
    await cold("coldStart", () => started(orchestrator, folders.small));
    await cold("coldBig", () => started(orchestrator, folders.big));
    forgetNames();
    await cold("coldBigAnew", () => started(orchestrator, folders.big));
  }
}

async function cold(name, work) {
  drop();
  add(name, await work());
}

/** What was taken is made anew before the next is timed: a start that waits for nothing else. */
async function ready(orchestrator) {
  for (let round = 0; round < READY + 1; round += 1) {
    await orchestrator.keepReady({ workspace: folders.small }, 1, signal);
    const took = await started(orchestrator, folders.small);
    if (round > 0) add("ready", took);
  }
}

async function calls(orchestrator) {
  const small = await orchestrator.open({ workspace: folders.small }, signal);
  const big = await orchestrator.open({ workspace: folders.big }, signal);
  try {
    for (let round = 0; round < WARM_UP + CALLS; round += 1) {
      for (const [into, session, where] of [["ten", small, ""], ["tenBig", big, "src/p0/d0/"]]) {
        const took = await timed(() => call(session, Array.from({ length: 10 }, (_, index) => `echo ${round} > ${where}f${index}.py`).join("; "), 10));
        if (round >= WARM_UP) add(into, took);
      }
    }
  } finally {
    await small.close("finished");
    await big.close("finished");
  }
}

/** A file of the user's of 1 GiB: a start on it, one byte of it changed, and again, and the call after that. */
async function large(orchestrator) {
  for (let round = 0; round < LARGE; round += 1) {
    add("beside", await started(orchestrator, folders.small));
    add("startLarge", await started(orchestrator, folders.large));
    const session = await orchestrator.open({ workspace: folders.large }, signal);
    const change = (at) => call(session, `printf x | dd of=data.bin bs=1 seek=${at} conv=notrunc status=none`, 1);
    try {
      add("largeFirst", await timed(() => change(5)));
      add("largeAgain", await timed(() => change(7)));
      add("largeNext", await timed(() => call(session, "true", 0)));
    } finally {
      await session.close("finished");
    }
  }
}

/** From nothing to the answer of the first command. */
async function started(orchestrator, workspace) {
  const begun = performance.now();
  const session = await orchestrator.open({ workspace }, signal);
  try {
    await call(session, "true", 0);
    return performance.now() - begun;
  } finally {
    await session.close("finished");
  }
}

/** @param changes how many the call must be found to have made */
async function call(session, command, changes) {
  const observation = await session.call({ id: "bench", role: null, tool: "bash", arguments: { command } }, {}, signal);
  if (observation.exitCode !== 0) throw new Error(`\`${command.slice(0, 80)}\` ended with ${observation.exitCode}: ${observation.message}`);
  if (observation.changes.length !== changes) throw new Error(`\`${command.slice(0, 80)}\` changed ${observation.changes.length} files and not ${changes}`);
}

function dockerRun() {
  const begun = performance.now();
  execFileSync("docker", ["run", "--rm", "--network", "none", "--label", "dev.ringfence.bench=start", IMAGE, "bash", "-c", "true"]);
  return performance.now() - begun;
}

/** As before the first session on a folder. */
function forgetNames() {
  rmSync(join(state, "cache", "names"), { recursive: true, force: true });
}

function add(name, value) {
  (samples[name] ??= []).push(value);
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

/** The ratio of two lists, round by round; null where they were not measured. */
function ratios(over, under) {
  return samples[over] === undefined || samples[under] === undefined ? null : samples[over].slice(0, samples[under].length).map((value, round) => value / samples[under][round]);
}

/** A bar of null: shown only. */
function rowsOf() {
  return [
    ["start with a sandbox that stands ready, in ms", samples.ready ?? null, 50],
    ["start / `docker run` of the same image", ratios("start", "run"), 1.3],
    ["the same, nothing in the kernel's caches", ratios("coldStart", "coldRun"), null],
    ["start on 100,000 files / on 10, names kept", ratios("big", "start"), 1.2],
    ["the same, names not kept", ratios("bigAnew", "start"), null],
    ["nothing in the kernel's caches: start on 100,000 files / on 10, names kept", ratios("coldBig", "coldStart"), 1.2],
    ["the same, names not kept", ratios("coldBigAnew", "coldStart"), 1.4],
    ["a call that changed 10 files, of 100,000 / of 10", ratios("tenBig", "ten"), 1.2],
    ["start on a folder with a file of 1 GiB / without", ratios("startLarge", "beside"), null],
  ].flatMap(([name, values, bar]) => (values === null ? [] : [{ name, value: median(values), values, bar, held: bar === null ? null : median(values) <= bar }]));
}

/** Prints figures and bars; tells whether a bar was missed. */
function report(seconds) {
  const rows = rowsOf();
  const write = (text) => process.stdout.write(text);
  if (args.includes("--json")) write(`${JSON.stringify({ seconds, samples, rows, notes })}\n`);
  else {
    for (const [key, name] of Object.entries(NAMES)) {
      const values = samples[key];
      if (values !== undefined) write(`  ${name.padEnd(44)} ${median(values).toFixed(1).padStart(8)} ms  ${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)}  n ${values.length}\n`);
    }
    write("\n");
    for (const { name, value, values, bar, held } of rows) write(`  ${held === null ? "      " : held ? "held  " : "MISSED"}  ${name}: ${value.toFixed(2)} (${bar === null ? "shown" : `bar: at most ${bar}`}; ${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})\n`);
    for (const note of notes) write(`  not measured: ${note}\n`);
    write(`  ${seconds.toFixed(0)} s\n`);
  }
  return rows.some(({ held }) => held === false);
}
