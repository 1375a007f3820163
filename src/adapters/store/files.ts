// Small file steps of the store: no link followed, regular files of ours only, whole writes.

import { closeSync, constants, fdatasync, fstatSync, fsync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { GuardError, printable } from "../../core/shared/index.js";

/** The code of a system error, such as `ENOENT`; empty for anything else. */
export function systemCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/**
 * Opens a regular file of ours that nobody else can write to and that has one name only.
 * @throws the system's error when it cannot be opened; GuardError STATE_UNUSABLE when it is not such a file
 */
export function openOwnFile(path: string, flags: number): number {
  // O_NONBLOCK: a FIFO put in its place must not hold us.
  const fd = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  const stats = fstatSync(fd);
  const ours = process.getuid === undefined || stats.uid === process.getuid();
  if (stats.isFile() && ours && stats.nlink === 1 && (stats.mode & 0o022) === 0) return fd;
  closeSync(fd);
  throw new GuardError("STATE_UNUSABLE", `\`${printable(path)}\` is not a regular file of yours with one name`);
}

/** Writes all of the bytes, or throws. `position` null is the end of a file opened for appending. */
export function writeWhole(fd: number, bytes: Uint8Array, position: number | null): void {
  for (let at = 0; at < bytes.length; ) {
    const count = writeSync(fd, bytes, at, bytes.length - at, position === null ? null : position + at);
    if (count === 0) throw new Error("the system wrote nothing");
    at += count;
  }
}

/** Reads a file from its beginning, at most `limit` bytes. */
export function readUpTo(fd: number, limit: number): Uint8Array {
  const size = Math.min(fstatSync(fd).size, limit);
  const buffer = Buffer.alloc(size);
  let at = 0;
  while (at < size) {
    const count = readSync(fd, buffer, at, size - at, at);
    if (count === 0) break;
    at += count;
  }
  return buffer.subarray(0, at);
}

/** Makes the names in a folder durable. */
export function syncFolder(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Like `syncFolder`, without holding up the process. */
export async function syncFolderSoon(path: string): Promise<void> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await new Promise<void>((resolve, reject) => {
      fsync(fd, (error) => (error === null ? resolve() : reject(error)));
    });
  } finally {
    closeSync(fd);
  }
}

/** Makes the bytes of a file durable without holding up the process. */
export function dataSync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(fd, (error) => (error === null ? resolve() : reject(error)));
  });
}
