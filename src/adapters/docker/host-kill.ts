// Ends a container from this machine, past the engine: when the engine is gone nobody else does, and the agent's programs would
// run on without a guard. Works where the container's processes are seen from here and may be signalled, as root is.

import { readFileSync } from "node:fs";
import { processStart } from "../system/process-start.js";

/** Process 1 of a container, by what tells it from a later process of the same number. */
export interface HostProcess {
  readonly pid: number;
  /** In clock ticks since boot. */
  readonly started: string;
}

/**
 * The process as this machine sees it; null when it is not in the container's control group: then the engine counts
 * processes of another machine or another space, and the number means somebody else here.
 */
export function findHostProcess(pid: number, containerId: string): HostProcess | null {
  const started = processStart(pid);
  return started !== null && pid > 1 && read(`/proc/${pid}/cgroup`)?.includes(containerId) === true ? { pid, started } : null;
}

/** Is it still the same process? */
export function isRunning({ pid, started }: HostProcess): boolean {
  return processStart(pid) === started;
}

/** Ends process 1, and the kernel with it every process of the container. What is gone, or may not be signalled, is left. */
export function killHostProcess(first: HostProcess): void {
  if (!isRunning(first)) return;
  try {
    process.kill(first.pid, "SIGKILL");
  } catch {
    // it ended meanwhile, or belongs to somebody we may not signal: sandboxd ends by itself when it hears nothing
  }
}

/** Most processes of one container; its limit of tasks is far below. */
const MOST = 65_536;

/**
 * Sends every process of a frozen container its end, which it meets before it runs another instruction: an engine that removes one thaws it
 * first, and ends only process 1. Where the control group is not seen from here, nothing is done.
 */
export function killFrozen(first: HostProcess): void {
  const own = isRunning(first) ? read(`/proc/${first.pid}/cgroup`) : null;
  const group = own?.split("\n").map((line) => line.split(":")).find(([, names]) => names === "freezer" || names === "");
  const path = group?.slice(2).join(":");
  if (path === undefined || path === "/" || path.includes("..")) return;
  const pids = read(`/sys/fs/cgroup${group?.[1] === "freezer" ? "/freezer" : ""}${path}/cgroup.procs`)?.split("\n").slice(0, MOST) ?? [];
  for (const text of pids) {
    const pid = Number(text);
    if (!Number.isInteger(pid) || pid <= 1) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it ended meanwhile, or may not be signalled: process 1 takes it along
    }
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // no such process
    return null;
  }
}
