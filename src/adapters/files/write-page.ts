// A page or report written where the user said: whole or not at all, never through a link, never over something that is no file.

import { closeSync, constants, lstatSync, openSync, renameSync, rmSync, writeSync, fsyncSync } from "node:fs";
import { dirname, join } from "node:path";
import { GuardError, printable } from "../../core/shared/index.js";
import { errorCode } from "./system-error.js";

/** Writes a text as a file only its owner may read. @returns its bytes @throws GuardError USAGE_INVALID when it cannot be written */
export function writePage(path: string, text: string): number {
  const bytes = Buffer.from(text, "utf8");
  const beside = join(dirname(path), `.ringfence-${process.pid}-${Date.now().toString(36)}.tmp`);
  try {
    const before = lstatSync(path, { throwIfNoEntry: false });
    if (before !== undefined && !before.isFile()) throw new GuardError("USAGE_INVALID", `\`${printable(path)}\` is there and is no regular file`);
    const fd = openSync(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, path);
    return bytes.length;
  } catch (cause) {
    rmSync(beside, { force: true });
    if (cause instanceof GuardError) throw cause;
    throw new GuardError("USAGE_INVALID", `\`${printable(path)}\` cannot be written: ${printable(errorCode(cause))}`, { cause, hint: "name a file in a folder that is there" });
  }
}
