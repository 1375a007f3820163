// What is known of one name on disk: its kind, mode, size and digest. Reads regular files only, links as text, and never
// opens anything else.

import { createHash } from "node:crypto";
import { closeSync, readlinkSync, readSync, type Stats } from "node:fs";
import type { Entry, FileKind } from "../../core/reconcile/change.js";
import { GuardError, LIMITS, printable, type Digest } from "../../core/shared/index.js";
import type { Breath } from "./breath.js";
import { openRegular } from "./open-below.js";
import { pathOfRaw, rawBytes, type Raw } from "./raw-path.js";
import { errorCode, isMissing } from "./system-error.js";

const CHUNK = 1024 * 1024;

/** Counts what one look through the workspace has read, against `LIMITS.scanBytes`. */
export interface ReadBudget {
  left: number;
  readonly buffer: Buffer;
}

export function createReadBudget(): ReadBudget {
  return { left: LIMITS.scanBytes, buffer: Buffer.allocUnsafe(CHUNK) };
}

export function kindOf(stats: Stats): FileKind {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  return stats.isSocket() ? "socket" : "device";
}

/**
 * The entry of a name that was just looked at. The digest is null for files larger than `LIMITS.digestBytes` or not
 * readable by us; null instead of an entry when the name changed under the look.
 */
export async function readEntry(path: Raw, stats: Stats, budget: ReadBudget, breath: Breath): Promise<Entry | null> {
  const kind = kindOf(stats);
  const mode = stats.mode & 0o7777;
  switch (kind) {
    case "file":
      return readFileEntry(path, stats, budget, breath);
    case "symlink": {
      const target = readLink(path);
      if (target === null) return null;
      return { kind, mode, bytes: target.length, digest: digestOf(target), target: pathOfRaw(target.toString("latin1")) };
    }
    case "directory":
    case "fifo":
    case "socket":
    case "device":
      return { kind, mode, bytes: 0, digest: null, target: null };
  }
}

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function readLink(path: Raw): Buffer | null {
  try {
    return readlinkSync(rawBytes(path), { encoding: "buffer" });
  } catch (error) {
    if (isMissing(error) || errorCode(error) === "EINVAL") return null;
    throw error;
  }
}

async function readFileEntry(path: Raw, stats: Stats, budget: ReadBudget, breath: Breath): Promise<Entry | null> {
  const entry = { kind: "file" as const, mode: stats.mode & 0o7777, bytes: stats.size, digest: null, target: null };
  if (stats.size > LIMITS.digestBytes) return entry;
  let fd: number | null;
  try {
    fd = openRegular(path, stats);
  } catch (error) {
    if (errorCode(error) === "EACCES") return entry;
    throw error;
  }
  if (fd === null) return null;
  try {
    const hash = createHash("sha256");
    let bytes = 0;
    for (;;) {
      const count = readSync(fd, budget.buffer, 0, CHUNK, bytes);
      if (count === 0) break;
      hash.update(budget.buffer.subarray(0, count));
      bytes += count;
      budget.left -= count;
      if (budget.left < 0) throw new GuardError("WORKSPACE_LIMIT", `the session changed more than ${LIMITS.scanBytes} bytes, reached at \`${printable(pathOfRaw(path))}\``);
      if (bytes > LIMITS.digestBytes) return entry;
      if (breath.due()) await breath.pause();
    }
    return { ...entry, bytes, digest: `sha256:${hash.digest("hex")}` };
  } finally {
    closeSync(fd);
  }
}
