// Can the state folder hold overlay layers? Its path goes into mount options and its file system must carry the overlay's
// marks. Says so before anything is made.

import { lstatSync, mkdirSync, realpathSync, statfsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { GuardError, printable } from "../../core/shared/index.js";
import { errorCode } from "./system-error.js";

/** File systems whose folders cannot be the upper layer of an overlay, by `statfs` type. */
const UNFIT = new Map<number, string>([
  [0x794c7630, "overlay"],
  [0x6969, "NFS"],
  [0x65735546, "FUSE"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x01021997, "9p"],
  [0x4d44, "FAT"],
  [0x2011bab0, "exFAT"],
  [0x5346544e, "NTFS"],
  [0x7366746e, "NTFS"],
  [0x858458f6, "ramfs"],
  [0xf15f, "eCryptfs"],
]);

/** Tells what keeps a path out of mount options: `:`, `,`, `\`, a quote, white space or a control character; null when it is clean. */
export function uncleanCharacter(path: string): string | null {
  const found = /[:,\\"'\s\p{Cc}]/u.exec(path);
  return found === null ? null : printable(found[0]);
}

/**
 * Makes the state folder (mode 0700) where it is missing and returns its real path. Throws STATE_UNUSABLE when it is
 * another user's, open to others, under an unclean path, or on a file system that cannot hold the layers.
 */
export function prepareStateFolder(stateDir: string): string {
  const asked = resolve(stateDir);
  if (uncleanCharacter(asked) !== null) throw uncleanPath(asked);
  const real = makeFolder(asked);
  if (uncleanCharacter(real) !== null) throw uncleanPath(real);
  const stats = statSync(real);
  const uid = process.getuid?.() ?? stats.uid;
  if (stats.uid !== uid) throw unusable(real, "it belongs to another user", undefined);
  if ((stats.mode & 0o022) !== 0) throw unusable(real, "others may write in it", `run \`chmod 700\` on it, or set RINGFENCE_HOME to another folder`);
  const unfit = UNFIT.get(statfsSync(real).type);
  if (unfit !== undefined) {
    const hint = unfit === "overlay" ? "mount a volume there, or set RINGFENCE_HOME to a folder on one" : undefined;
    throw unusable(real, `its file system (${unfit}) cannot hold a copy-on-write layer`, hint);
  }
  return real;
}

function uncleanPath(path: string): GuardError {
  const why = `its path contains \`${uncleanCharacter(path) ?? ""}\`, which mount options cannot carry`;
  return unusable(path, why, "set RINGFENCE_HOME to a path without `:`, `,`, `\\`, quotes and spaces");
}

function makeFolder(stateDir: string): string {
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const real = realpathSync(stateDir);
    if (!lstatSync(real).isDirectory()) throw unusable(stateDir, "it is no folder", undefined);
    return real;
  } catch (error) {
    if (error instanceof GuardError) throw error;
    throw unusable(stateDir, `cannot be made: ${errorCode(error)}`, undefined, error);
  }
}

function unusable(path: string, why: string, hint: string | undefined, cause?: unknown): GuardError {
  return new GuardError("STATE_UNUSABLE", `the state folder \`${printable(path)}\` cannot be used: ${why}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}
