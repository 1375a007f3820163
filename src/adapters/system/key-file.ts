// Secret keys in the state folder: made once, whoever comes first, mode 0600; never printed, never sent anywhere.

import { closeSync, constants, fstatSync, fsyncSync, linkSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { GuardError, printable } from "../../core/shared/index.js";
import { ensurePrivateDir } from "./state-dir.js";

const LIMIT = 16_384;

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/**
 * The content of `keys/<name>`; made by `make` when it is not there. Two processes that make it at once end with one key.
 * @throws GuardError STATE_UNUSABLE when the file is not a private regular file of ours
 */
export function openKeyFile(stateDir: string, name: string, make: () => string): string {
  const path = join(stateDir, "keys", name);
  ensurePrivateDir(dirname(path));
  return readKey(path) ?? makeKey(path, make());
}

function readKey(path: string): string | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return null;
    throw new GuardError("STATE_UNUSABLE", `key file \`${printable(path)}\` cannot be opened`, { cause });
  }
  try {
    const stats = fstatSync(fd);
    const ours = process.getuid === undefined || stats.uid === process.getuid();
    if (!stats.isFile() || !ours || (stats.mode & 0o077) !== 0 || stats.size > LIMIT) {
      throw new GuardError("STATE_UNUSABLE", `key file \`${printable(path)}\` must be a regular file of yours with mode 0600`);
    }
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

/** Written whole under another name, then linked: the name is never seen with half a key. */
function makeKey(path: string, content: string): string {
  const temporary = `${path}.${process.pid}.${randomBytes(6).toString("hex")}`;
  try {
    const fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
    try {
      writeSync(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    try {
      linkSync(temporary, path);
    } catch (cause) {
      if (errorCode(cause) !== "EEXIST") throw cause;
    } finally {
      unlinkSync(temporary);
    }
    const dir = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      fsyncSync(dir);
    } finally {
      closeSync(dir);
    }
  } catch (cause) {
    throw new GuardError("STATE_UNUSABLE", `key file \`${printable(path)}\` cannot be made`, { cause });
  }
  const key = readKey(path);
  if (key === null) throw new GuardError("STATE_UNUSABLE", `key file \`${printable(path)}\` vanished`);
  return key;
}
