// Which limit a call ran into, as the kernel counted it: never from what the agent printed.

import { existsSync, readFileSync, statfsSync } from "node:fs";
import { constants } from "node:os";

export type Limit = "memory" | "processes" | "disk";

export interface LimitWatch {
  /** Remembers the counters at the start of a call. */
  readonly mark: () => void;
  /** The limit that was reached since then; null when none was. `signal` is what ended the program, if one did. */
  readonly reached: (signal: number | null) => Limit | null;
}

/** Folders in memory that the agent may fill. */
const PLACES = ["/tmp", "/var/tmp", "/run", "/dev/shm", "/home/agent"];
/** A folder with less room than this is full: writes of a block fail. */
const FULL_BYTES = 16 * 1024;

/**
 * Counters of the container's control group, version 1 or 2; one that is not there never counts.
 * @param root the workspace, which may be a disk of its own
 */
export function openLimitWatch(root: string): LimitWatch {
  const memory = counter(["/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events"], /^oom_kill (\d+)$/m);
  const processes = counter(["/sys/fs/cgroup/pids/pids.events", "/sys/fs/cgroup/pids.events"], /^max (\d+)$/m);
  const before = { memory: 0, processes: 0, full: new Set<string>() };
  return {
    mark: () => {
      before.memory = memory();
      before.processes = processes();
      before.full = fullPlaces(root);
    },
    reached: (signal) => {
      if (memory() > before.memory) return "memory";
      if (signal === constants.signals.SIGXFSZ) return "disk";
      if ([...fullPlaces(root)].some((place) => !before.full.has(place))) return "disk";
      return processes() > before.processes ? "processes" : null;
    },
  };
}

function counter(paths: readonly string[], line: RegExp): () => number {
  const path = paths.find((name) => existsSync(name));
  if (path === undefined) return () => 0;
  return () => Number(line.exec(readFileSync(path, "latin1"))?.[1] ?? 0);
}

function fullPlaces(root: string): Set<string> {
  const full = new Set<string>();
  for (const place of [root, ...PLACES]) {
    try {
      const { bavail, bsize, files, ffree } = statfsSync(place);
      if (bavail * bsize < FULL_BYTES) full.add(`${place} bytes`);
      if (files > 0 && ffree === 0) full.add(`${place} files`);
    } catch {
      // not in this container
    }
  }
  return full;
}
