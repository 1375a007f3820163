// Counts the tasks of this container against the guard's own: the proof that no process of the agent is left.
// Never by listing /proc alone: a process that keeps forking is gone before it is read.

import { closeSync, existsSync, openSync, readFileSync, readSync, readdirSync, statSync } from "node:fs";
import { GUARD_UID } from "./paths.js";

/** Process 1, the spawner, the killer's manager and the killer that waits: one task each. Node's own are counted. */
const HELPER_TASKS = 4;

export interface Tasks {
  /** True when the kernel counts nothing but the guard. */
  readonly quiet: () => boolean;
  /** Processes in the container that are not the guard's, the dead ones left out. For the record, never as a proof. */
  readonly strangers: () => number;
  /** The kernel's limit on tasks, as seen inside; null when there is none. */
  readonly limit: number | null;
}

/** Opens the counter of the container's control group, version 1 or 2; null when neither is there. */
export function openTasks(): Tasks | null {
  const folder = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"].find((path) => existsSync(`${path}/pids.current`));
  if (folder === undefined) return null;
  const counter = openSync(`${folder}/pids.current`, "r");
  const bytes = Buffer.alloc(32);
  let own = HELPER_TASKS + ownThreads();
  const current = (): number => Number.parseInt(bytes.toString("latin1", 0, readSync(counter, bytes, 0, bytes.length, 0)), 10);
  const limit = Number.parseInt(readFileSync(`${folder}/pids.max`, "latin1"), 10);
  return {
    quiet: () => {
      if (current() === own) return true;
      // Node may have started a thread of its own since.
      own = HELPER_TASKS + ownThreads();
      return current() === own;
    },
    strangers,
    limit: Number.isNaN(limit) ? null : limit,
  };
}

function ownThreads(): number {
  return readdirSync("/proc/self/task").length;
}

function strangers(): number {
  return readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name) && isStranger(name)).length;
}

function isStranger(pid: string): boolean {
  try {
    if (statSync(`/proc/${pid}`).uid === GUARD_UID) return false;
    const text = readProc(`/proc/${pid}/stat`);
    return text.slice(text.lastIndexOf(")") + 2, text.lastIndexOf(")") + 3) !== "Z";
  } catch {
    // it ended meanwhile
    return false;
  }
}

function readProc(path: string): string {
  const fd = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(512);
    return bytes.toString("latin1", 0, readSync(fd, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(fd);
  }
}
