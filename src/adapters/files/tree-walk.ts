// Walks a folder tree by lstat alone, parents before children, without following a link, and past the kernel's limit on
// path length. Never opens a file.

import { closeSync, constants, lstatSync, openSync, readdirSync, type Stats } from "node:fs";
import { GuardError, LIMITS, printable } from "../../core/shared/index.js";
import type { Breath } from "./breath.js";
import { joinRaw, pathOfRaw, rawBytes, type Raw } from "./raw-path.js";
import { errorCode } from "./system-error.js";

/** Past this length a folder is held open and reached through its descriptor; the kernel's limit is 4096. */
const LONG_PREFIX = 2_048;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** One name met. `system` is a path for system calls, valid only until the visitor has returned. */
export interface Visit {
  readonly raw: Raw;
  readonly system: Raw;
  readonly stats: Stats;
}

/** Says whether to go on below a folder. */
export type Visitor = (visit: Visit) => Promise<"enter" | "skip"> | "enter" | "skip";

type Pending = { readonly raw: Raw; readonly system: Raw } | { readonly close: number };

/**
 * Visits every name below `root`, which is itself not visited. Names that vanish meanwhile are left out.
 * Throws WORKSPACE_LIMIT past `LIMITS.scanNames` or `LIMITS.pathBytes`, WORKSPACE_UNREADABLE for a folder that cannot be listed.
 */
export async function walkTree(root: Raw, base: Raw, breath: Breath, visit: Visitor): Promise<void> {
  const pending: Pending[] = [{ raw: base, system: root }];
  let names = 0;
  try {
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if ("close" in next) {
        closeSync(next.close);
        continue;
      }
      const folder = next.system.length > LONG_PREFIX ? reanchor(next.system, pending) : next.system;
      if (folder === null) continue;
      for (const name of listNames(folder, next.raw)) {
        const raw = joinRaw(next.raw, name);
        names += 1;
        if (names > LIMITS.scanNames) throw new GuardError("WORKSPACE_LIMIT", `more than ${LIMITS.scanNames} names to look at`);
        if (raw.length > LIMITS.pathBytes) throw new GuardError("WORKSPACE_LIMIT", `a path is longer than ${LIMITS.pathBytes} bytes: \`${printable(pathOfRaw(raw), 80)}\``);
        const system = `${folder}/${name}`;
        const stats = lstatSync(rawBytes(system), { throwIfNoEntry: false });
        if (stats === undefined) continue;
        const answer = visit({ raw, system, stats });
        const below = typeof answer === "string" ? answer : await answer;
        if (stats.isDirectory() && below === "enter") pending.push({ raw, system });
        if (breath.due()) await breath.pause();
      }
    }
  } finally {
    for (const left of pending) if ("close" in left) closeSync(left.close);
  }
}

function reanchor(system: Raw, pending: Pending[]): Raw | null {
  try {
    const fd = openSync(rawBytes(system), FOLDER);
    pending.push({ close: fd });
    return `/proc/self/fd/${fd}`;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw unreadable(system, error);
  }
}

function listNames(folder: Raw, raw: Raw): readonly Raw[] {
  try {
    return readdirSync(rawBytes(folder), { encoding: "latin1" });
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return [];
    throw unreadable(raw, error);
  }
}

function unreadable(raw: Raw, cause: unknown): GuardError {
  return new GuardError("WORKSPACE_UNREADABLE", `cannot list \`${printable(pathOfRaw(raw))}\`: ${errorCode(cause)}`, { cause });
}
