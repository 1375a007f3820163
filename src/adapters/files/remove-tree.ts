// Removes a session's layers, whatever an agent left in them: paths longer than the kernel takes, folders without rights,
// the engine's own empty work folder. Never follows a link, never leaves the folder it is given.

import { chmodSync, closeSync, constants, lstatSync, openSync, readdirSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { rawBytes, rawFromText, type Raw } from "./raw-path.js";
import { errorCode, isMissing } from "./system-error.js";

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Removes `path` and all below it; a missing path is fine. Long paths are shortened by moving folders up to the top,
 * which only happens inside `path`. Throws the system's error for the first name that cannot be removed.
 */
export function removeTree(path: string): void {
  const top = rawFromText(path);
  const stats = lstatSync(rawBytes(top), { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    unlinkSync(rawBytes(top));
    return;
  }
  let moved = 0;
  const pending: Raw[] = [""];
  const done: Raw[] = [];
  // Parents are met before their children; folders are removed in the opposite order.
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    done.push(folder);
    for (const name of namesIn(`${top}${folder}`)) {
      const child = `${folder}/${name}`;
      const full = `${top}${child}`;
      const found = lstatSync(rawBytes(full), { throwIfNoEntry: false });
      if (found === undefined) continue;
      if (!found.isDirectory()) {
        unlinkSync(rawBytes(full));
      } else if (!removeEmpty(full)) {
        if (full.length < 2_048) pending.push(child);
        else {
          moved += 1;
          const near = `/.moved-${process.pid}-${moved}`;
          renameSync(rawBytes(full), rawBytes(`${top}${near}`));
          pending.push(near);
        }
      }
    }
  }
  for (const folder of done.reverse()) rmdirSync(rawBytes(`${top}${folder}`));
}

function removeEmpty(path: Raw): boolean {
  try {
    rmdirSync(rawBytes(path));
    return true;
  } catch (error) {
    if (isMissing(error)) return true;
    if (errorCode(error) === "ENOTEMPTY" || errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

function namesIn(path: Raw): readonly Raw[] {
  let fd: number;
  try {
    fd = openSync(rawBytes(path), FOLDER);
  } catch (error) {
    if (errorCode(error) !== "EACCES") throw error;
    // A folder the agent shut against its own user: the owner may open it again.
    chmodSync(rawBytes(path), 0o700);
    fd = openSync(rawBytes(path), FOLDER);
  }
  try {
    return readdirSync(`/proc/self/fd/${fd}`, { encoding: "latin1" });
  } finally {
    closeSync(fd);
  }
}
