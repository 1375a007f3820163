// Where Ringfence keeps its state, and the rules for its folders. Never follows a link into a folder of somebody else.

import { chmodSync, lstatSync, mkdirSync, realpathSync, statSync, type Stats } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, normalize } from "node:path";
import { GuardError, printable } from "../../core/shared/index.js";

const PRIVATE = 0o700;

function unusable(path: string, why: string, cause?: unknown): GuardError {
  return new GuardError("STATE_UNUSABLE", `state folder \`${printable(path)}\` ${why}`, { cause });
}

/**
 * The state folder: `$RINGFENCE_HOME`, else `$XDG_STATE_HOME/ringfence`, else `~/.local/state/ringfence`. Made with mode 0700
 * when it is not there; given back as a real path.
 * @throws GuardError STATE_UNUSABLE when it is not absolute, cannot be made, is not ours, or others can write to it
 */
export function resolveStateDir(env: Readonly<Record<string, string | undefined>>): string {
  const named = env["RINGFENCE_HOME"] ?? "";
  const xdg = env["XDG_STATE_HOME"] ?? "";
  // The XDG specification says to leave a relative path aside.
  const base = isAbsolute(xdg) ? xdg : join(env["HOME"] === undefined || env["HOME"] === "" ? homedir() : env["HOME"], ".local", "state");
  return openStateDir(named === "" ? join(base, "ringfence") : named);
}

/** Makes or checks a state folder at a given path; see `resolveStateDir`. */
export function openStateDir(path: string): string {
  if (!isAbsolute(path)) throw unusable(path, "is not an absolute path");
  // Nothing can be kept there, and making folders below /proc never returns on some versions of Node.
  if (/^\/(?:proc|sys)(?:\/|$)/u.test(normalize(path))) throw unusable(path, "lies in a folder of the kernel");
  let real: string;
  try {
    mkdirSync(path, { recursive: true, mode: PRIVATE });
    real = realpathSync(path);
  } catch (cause) {
    throw unusable(path, "cannot be made or opened", cause);
  }
  ensurePrivateDir(real);
  for (let parent = dirname(real), below = real; parent !== below; below = parent, parent = dirname(parent)) {
    const { mode } = statSync(parent);
    if ((mode & 0o002) !== 0 && (mode & 0o1000) === 0) throw unusable(path, `lies in \`${printable(parent)}\`, where anybody can replace it`);
  }
  return real;
}

/**
 * Makes one folder of the state, 0700, or checks the one that is there: a real folder of ours that nobody else can write
 * to. Modes that only let others read are tightened.
 * @throws GuardError STATE_UNUSABLE
 */
export function ensurePrivateDir(path: string): void {
  let stats: Stats;
  try {
    mkdirSync(path, { recursive: true, mode: PRIVATE });
    stats = lstatSync(path);
  } catch (cause) {
    throw unusable(path, "cannot be made or opened", cause);
  }
  if (!stats.isDirectory()) throw unusable(path, "is not a folder");
  if (process.getuid !== undefined && stats.uid !== process.getuid()) throw unusable(path, "belongs to another user");
  if ((stats.mode & 0o022) !== 0) throw unusable(path, "can be written by other users");
  if ((stats.mode & 0o777) !== PRIVATE) chmodSync(path, PRIVATE);
}
