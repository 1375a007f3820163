// Sessions one after the other in one orchestrator: nothing of them is left on the engine or the machine, and the orchestrator
// keeps nothing of them either.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { composeEngine } from "../../../src/compose.js";
import { leftInTheEnd, whyNotHere } from "../../e2e/rig.js";
import type { Suite, Task } from "../suite.js";

export const suite: Suite = {
  name: "in-a-row",
  law: "sessions one after the other leave no container, volume, network, mount, loop device, open file or memory in use behind",
  unit: "sessions in a row",
  needs: "engine",
  full: 1000,
  sample: 4,
  run,
};

/** Sessions after which what the process holds is taken for its normal state. */
const WARM = 3;
/** Files a process may have open more than then: those of timers and caches that come late. */
const SLACK = 8;
/** Sessions after which memory in use is taken, and what each later one may add to it, in bytes: what is compiled late is in there too. */
const SETTLED = 100;
const HELD = 8 * 1024;
const openFiles = (): number => readdirSync("/proc/self/fd").length;

/** Memory in use once everything that can be given back was. */
function memoryInUse(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function run({ count, report, signal }: Task): Promise<void> {
  const missing = whyNotHere();
  if (missing !== null) throw new Error(missing);
  const base = mkdtempSync(join(tmpdir(), "ringfence-in-a-row-"));
  const state = join(base, "state");
  const folder = join(base, "folder");
  mkdirSync(folder);
  writeFileSync(join(folder, "a.txt"), "one\n");
  const never = new AbortController().signal;
  const ids: string[] = [];
  const times: number[] = [];
  try {
    const orchestrator = await composeEngine({ env: { ...process.env, RINGFENCE_HOME: state }, approver: { terminal: null } });
    const normal = { files: 0, resident: 0, inUse: 0 };
    for (let index = 0; index < count && !signal.aborted; index += 1) {
      const begun = performance.now();
      const session = await orchestrator.open({ workspace: folder }, never);
      ids.push(session.id);
      const { exitCode, stdout } = await session.call({ id: "1", role: null, tool: "bash", arguments: { command: `echo ${String(index)} | tee -a a.txt` } }, {}, never);
      await session.close("finished");
      if (exitCode !== 0 || stdout !== `${String(index)}\n`) report.fail(session.id, `ended with ${String(exitCode)}: ${stdout.slice(0, 200)}`);
      times.push(performance.now() - begun);
      if (index === WARM - 1) Object.assign(normal, { files: openFiles(), resident: process.memoryUsage().rss });
      if (index === SETTLED - 1) normal.inUse = memoryInUse();
      report.done();
    }
    if (openFiles() > normal.files + SLACK) report.fail("in the end", `${String(openFiles())} open files, ${String(normal.files)} after ${String(WARM)} sessions`);
    const left = await leftInTheEnd(ids, state);
    if (left.length > 0) report.fail("in the end", left.join("\n"));
    if (ids.length > SETTLED) {
      const each = (memoryInUse() - normal.inUse) / (ids.length - SETTLED);
      report.figure(`bytes in use more, a session after the first ${String(SETTLED)}`, Math.round(each));
      if (each > HELD && ids.length >= 2 * SETTLED) report.fail("in the end", `each session leaves ${String(Math.round(each))} bytes in use`);
    }
    report.figure("ms a session, median", Math.round(times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0));
    report.figure("orchestrator, KiB more than in the beginning", Math.round((process.memoryUsage().rss - normal.resident) / 1024));
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}
