// Opens what lies below a folder one component at a time, none of them through a link, however long the path is. The
// kernel's /proc/self/fd links stand in for openat(2), which Node does not have. Never opens a FIFO, socket or device.

import { closeSync, constants, fstatSync, openSync, type Stats } from "node:fs";
import { rawBytes, type Raw } from "./raw-path.js";
import { errorCode, isMissing } from "./system-error.js";

/** Linux's O_PATH: a handle on a name, without a right to read. */
const O_PATH = 0o10000000;
const FOLDER = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A folder held open. `prefix` is a path through which its names are reached; valid until `close`. */
export interface HeldFolder {
  readonly prefix: Raw;
  readonly fd: number;
  close(): void;
}

/** Holds a folder by its own path; the last component may be a link of ours. Throws the system's error. */
export function holdFolder(path: Raw): HeldFolder {
  return held(openSync(rawBytes(path), O_PATH | constants.O_DIRECTORY));
}

/** Holds the folder `below` under `root`, or null when a component is missing or is no folder. `""` is the root again. */
export function holdBelow(root: HeldFolder, below: Raw): HeldFolder | null {
  let current = held(openSync(rawBytes(`${root.prefix}/.`), O_PATH | constants.O_DIRECTORY));
  if (below === "") return current;
  for (const part of below.split("/")) {
    const next = tryOpen(`${current.prefix}/${part}`, part, current);
    current.close();
    if (next === null) return null;
    current = next;
  }
  return current;
}

/**
 * Opens a regular file for reading, or returns null when the name is no regular file any more. `expected` must be the
 * very inode that was looked at. Does not touch the access time where the system permits that.
 */
export function openRegular(path: Raw, expected: Pick<Stats, "ino" | "dev">): number | null {
  const fd = openQuietly(path);
  if (fd === null) return null;
  const found = fstatSync(fd);
  if (found.isFile() && found.ino === expected.ino && found.dev === expected.dev) return fd;
  closeSync(fd);
  return null;
}

function openQuietly(path: Raw): number | null {
  const bytes = rawBytes(path);
  try {
    return openSync(bytes, FILE | constants.O_NOATIME);
  } catch (error) {
    if (isMissing(error) || errorCode(error) === "ENXIO") return null;
    if (errorCode(error) !== "EPERM") throw error;
    return openSync(bytes, FILE);
  }
}

function tryOpen(path: Raw, part: Raw, current: HeldFolder): HeldFolder | null {
  try {
    if (part === "" || part === "." || part === "..") return null;
    return held(openSync(rawBytes(path), FOLDER));
  } catch (error) {
    if (isMissing(error)) return null;
    current.close();
    throw error;
  }
}

function held(fd: number): HeldFolder {
  let open = true;
  const close = (): void => {
    if (open) closeSync(fd);
    open = false;
  };
  return { prefix: `/proc/self/fd/${fd}`, fd, close };
}
