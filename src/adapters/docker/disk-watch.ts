// Watches from outside what a call adds to its workspace. Where the kernel has no limit for it, its size: cheap while nothing
// grows, because the disk's own count of free space says when the layer has to be measured. Where the session has a disk of its
// own, only that the disk behind it has room. Follows no link; a tree it cannot measure is full.

import { statfsSync } from "node:fs";
import { lstat, readdir, stat, statfs } from "node:fs/promises";
import type { OverlayMount, SessionDisk } from "../../ports/sandbox.js";

/** How often free space is asked for while a call runs. */
const LOOK_MS = 100;
/** Others may free space while the agent takes it: the layer is measured at least this often in a long call. */
const MEASURE_MS = 10_000;
/** A disk with less room than this is as good as full, whoever filled it. */
const FLOOR_BYTES = 512 * 1024 * 1024;
/** Growth below this is not the call's doing for sure, so a call that only removes can always run. */
const NOISE_BYTES = 4 * 1024 * 1024;
/** The same behind a disk of the session's own, which was never made larger than leaves twice as much. */
const BEHIND_BYTES = FLOOR_BYTES / 2;
const FULL = "the disk that holds the workspace is full";
const SLASH = Buffer.from("/");

export interface DiskUse {
  readonly bytes: number;
  readonly files: number;
}

export interface DiskWatch {
  /**
   * Watches until the returned function is called; `onFull` is called at most once, with what was found.
   * @param addedBytes most bytes this call may add; looked at only on a disk of the session's own, where nobody else takes room
   */
  readonly start: (onFull: (detail: string) => void, addedBytes?: number) => () => void;
}

interface Free {
  readonly bytes: number;
  readonly files: number;
}

type Look = (atStart: Free) => Promise<string | null>;

/**
 * Watches the writable layer of one session.
 * @param most what all calls together may add, where nothing else limits it
 */
export function createDiskWatch({ upper, disk }: Pick<OverlayMount, "upper" | "disk">, most: DiskUse): DiskWatch {
  return watching(upper, disk === undefined ? lookAtLayer(upper, most) : lookBehind(upper, disk), disk !== undefined);
}

/** What is written into a disk of the session's own finds room later: it must be there for all that is in memory, and some more. */
function lookBehind(upper: string, { image }: SessionDisk): Look {
  return async (atStart) => {
    const [inside, behind, file] = await Promise.all([statfs(upper), statfs(image), stat(image)]);
    const grown = atStart.bytes - inside.bavail * inside.bsize;
    const unwritten = Math.max(0, (inside.blocks - inside.bfree) * inside.bsize - file.blocks * 512);
    return grown > NOISE_BYTES && behind.bavail * behind.bsize - unwritten < BEHIND_BYTES ? FULL : null;
  };
}

function lookAtLayer(upper: string, most: DiskUse): Look {
  // The last measurement, and how much was free then: what was freed less since then is at most what was added.
  const known: { use: DiskUse; free: Free | null; at: number } = { use: { bytes: 0, files: 0 }, free: null, at: 0 };

  return async (atStart) => {
    const free = await freeSpace(upper);
    known.free ??= atStart;
    const grown = atStart.bytes - free.bytes;
    if (free.bytes < FLOOR_BYTES && grown > NOISE_BYTES) return FULL;
    const suspect = known.use.bytes + (known.free.bytes - free.bytes) > most.bytes || known.use.files + (known.free.files - free.files) > most.files;
    const due = performance.now() - known.at > MEASURE_MS && grown > NOISE_BYTES;
    if (!suspect && !due) return null;
    const before = known.use;
    const use = await measure(upper, most);
    if (use === null) return "the workspace cannot be measured";
    Object.assign(known, { use, free, at: performance.now() });
    if (use.bytes <= most.bytes && use.files <= most.files) return null;
    // Past the limit already: only what still grows is ended, so that the agent can make room.
    return use.bytes > before.bytes || use.files > before.files ? `more than ${most.bytes} bytes or ${most.files} files` : null;
  };
}

function watching(upper: string, look: Look, isOwn: boolean): DiskWatch {
  return {
    start: (onFull, addedBytes = Number.POSITIVE_INFINITY) => {
      const passed: Look = async (atStart) => (isOwn && Number.isFinite(addedBytes) && atStart.bytes - (await freeSpace(upper)).bytes > addedBytes ? `the call added more than ${addedBytes} bytes` : null);
      const state: { over: boolean; timer: NodeJS.Timeout | null } = { over: false, timer: null };
      // At once and on this thread: it takes microseconds, and a thread of its own would be in the way of the command's start.
      const begun = (async () => freeNow(upper))();
      begun.catch(() => undefined);
      const turn = async (): Promise<void> => {
        // A layer that cannot be looked at is no reason to go on as if it could.
        const found = await begun.then(async (atStart) => (await passed(atStart)) ?? look(atStart)).catch(() => "the workspace cannot be measured");
        if (state.over) return;
        if (found !== null) return onFull(found);
        state.timer = setTimeout(() => void turn(), LOOK_MS);
      };
      state.timer = setTimeout(() => void turn(), LOOK_MS);
      return () => {
        state.over = true;
        if (state.timer !== null) clearTimeout(state.timer);
      };
    },
  };
}

function freeNow(path: string): Free {
  const { bavail, bsize, ffree } = statfsSync(path);
  return { bytes: bavail * bsize, files: ffree };
}

async function freeSpace(path: string): Promise<Free> {
  const { bavail, bsize, ffree } = await statfs(path);
  return { bytes: bavail * bsize, files: ffree };
}

/** What the layer takes on the disk, counted until it is past the limit; null when a part of it cannot be read. */
export async function measure(folder: string, most: DiskUse): Promise<DiskUse | null> {
  const use = { bytes: 0, files: 0 };
  const linked = new Set<number>();
  const open = [Buffer.from(folder)];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    try {
      for (const entry of await readdir(next, { withFileTypes: true, encoding: "buffer" })) {
        // Names are bytes, and need not be text.
        const path = Buffer.concat([next, SLASH, entry.name]);
        const { blocks, nlink, ino } = await lstat(path);
        use.files += 1;
        if (entry.isDirectory()) open.push(path);
        else if (nlink > 1 && linked.has(ino)) continue;
        else if (nlink > 1) linked.add(ino);
        use.bytes += blocks * 512;
        if (use.bytes > most.bytes || use.files > most.files) return use;
      }
    } catch (error) {
      // Gone meanwhile is fine; too deep for a path, or shut to us, is not.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") return null;
    }
  }
  return use;
}
