// Blobs of a session: bytes under their digest. Durable before the next record is, so that no record points at nothing.

import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { GuardError, type Digest, type Hasher } from "../../core/shared/index.js";
import { ensurePrivateDir } from "../system/state-dir.js";
import { dataSync, openOwnFile, readUpTo, syncFolderSoon, systemCode, writeWhole } from "./files.js";
import { blobPath } from "./paths.js";

/** Files kept open until they are synced; past it, they are synced at once. */
const MAX_OPEN = 64;

export interface BlobWriter {
  readonly put: (bytes: Uint8Array) => Digest;
  /** Files waiting to be made durable. */
  readonly waiting: () => number;
  /** Makes all that was put durable. */
  readonly sync: () => Promise<void>;
}

/** Writes blobs below a folder. Errors are those of the system. */
export function createBlobWriter(blobs: string, hasher: Hasher): BlobWriter {
  let open: number[] = [];
  let folders = new Set<string>();

  const put = (bytes: Uint8Array): Digest => {
    const digest = hasher(bytes);
    const { folder, file } = blobPath(blobs, digest);
    const there = openWhole(file, digest, bytes.length, hasher);
    if (there !== null) {
      open.push(there);
      return digest;
    }
    makeFolder(folder);
    const temporary = `${file}.${randomBytes(6).toString("hex")}`;
    const fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
    open.push(fd);
    writeWhole(fd, bytes, null);
    renameSync(temporary, file);
    folders.add(folder);
    return digest;
  };

  const made = new Set<string>();
  const makeFolder = (folder: string): void => {
    if (made.has(folder)) return;
    ensurePrivateDir(blobs);
    ensurePrivateDir(folder);
    made.add(folder);
    folders.add(blobs).add(dirname(blobs));
  };

  const sync = async (): Promise<void> => {
    const files = open;
    const names = folders;
    open = [];
    folders = new Set();
    try {
      const steps = [...files.map((fd) => dataSync(fd)), ...[...names].map((name) => syncFolderSoon(name))];
      // All have to end before a descriptor is closed, also when one fails.
      for (const step of await Promise.allSettled(steps)) if (step.status === "rejected") throw step.reason;
    } finally {
      for (const fd of files) closeSync(fd);
    }
  };

  return { put, waiting: () => open.length, sync };
}

/** Tells whether so many files wait that they should be synced now. */
export function shouldSyncBlobs(writer: BlobWriter): boolean {
  return writer.waiting() >= MAX_OPEN;
}

/** An open file that already holds these very bytes; null when there is none, or a torn one. */
function openWhole(file: string, digest: Digest, length: number, hasher: Hasher): number | null {
  let fd: number;
  try {
    fd = openOwnFile(file, constants.O_RDWR);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw error;
  }
  if (hasher(readUpTo(fd, length + 1)) === digest) return fd;
  closeSync(fd);
  return null;
}

/**
 * Reads a blob and checks it against its digest.
 * @throws GuardError LEDGER_INVALID when it is absent, too large, or not what its name says
 */
export function readBlobFile(blobs: string, digest: Digest, hasher: Hasher, limit: number): Uint8Array {
  const { file } = blobPath(blobs, digest);
  let fd: number;
  try {
    fd = openOwnFile(file, constants.O_RDONLY);
  } catch (cause) {
    if (cause instanceof GuardError) throw cause;
    throw new GuardError("LEDGER_INVALID", `blob ${digest} cannot be read`, { cause });
  }
  try {
    const bytes = readUpTo(fd, limit + 1);
    if (bytes.length > limit) throw new GuardError("LEDGER_INVALID", `blob ${digest} is larger than ${limit} bytes`);
    if (hasher(bytes) !== digest) throw new GuardError("LEDGER_INVALID", `blob ${digest} is not what its name says`);
    return bytes;
  } finally {
    closeSync(fd);
  }
}
