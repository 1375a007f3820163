// Every name of the user's folder, for planning what of it is hidden or protected. Lists folders and reads links as text;
// opens no file, follows no link.

import { lstatSync, readdirSync, readlinkSync, type Dirent } from "node:fs";
import { GuardError, LIMITS, printable } from "../../core/shared/index.js";
import type { IndexedName } from "../../core/policy/enforce-links.js";
import type { Breath } from "./breath.js";
import { joinRaw, pathOfRaw, rawBytes, type Raw } from "./raw-path.js";
import { errorCode, isMissing } from "./system-error.js";

/** Past this a name cannot be reached by its path alone; no such name can be a mount. */
export const LONGEST_PATH = 3_500;

/**
 * Names below `root`, parents first; `onFolder` hears of a folder before it is listed. A folder that cannot be listed by us is named without what is in it: the agent, who is
 * its owner, is not us, so that is an error. Throws WORKSPACE_LIMIT past `LIMITS.protectNames`, WORKSPACE_UNREADABLE.
 */
export async function listNames(root: Raw, breath: Breath, onFolder: (path: string) => void = () => undefined): Promise<readonly IndexedName[]> {
  const names: IndexedName[] = [];
  const pending: Raw[] = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    onFolder(pathOfRaw(folder));
    for (const entry of entriesOf(root, folder)) {
      const raw = joinRaw(folder, entry.name);
      const kind = kindOf(entry);
      if (names.length >= LIMITS.protectNames) throw new GuardError("WORKSPACE_LIMIT", `the folder holds more than ${LIMITS.protectNames} names`, { hint: "choose a smaller folder: not every name could be looked at" });
      const path = pathOfRaw(raw);
      if (kind === "symlink") names.push({ path, kind, target: linkText(joinRaw(root, raw)) });
      else names.push({ path, kind });
      if (kind !== "directory") continue;
      if (root.length + raw.length > LONGEST_PATH) throw new GuardError("WORKSPACE_LIMIT", `a path is too long to be looked at: \`${printable(path, 80)}\``);
      pending.push(raw);
    }
    if (breath.due()) await breath.pause();
  }
  return names;
}

/** The other names of these files, by device and inode: a secret under a second name is the same secret. */
export async function otherNames(root: Raw, files: readonly Raw[], breath: Breath): Promise<readonly Raw[]> {
  const wanted = new Set<string>();
  for (const raw of files) {
    const stats = lstatSync(rawBytes(joinRaw(root, raw)), { throwIfNoEntry: false });
    if (stats?.isFile() === true && stats.nlink > 1) wanted.add(`${stats.dev}:${stats.ino}`);
  }
  if (wanted.size === 0) return [];
  const known = new Set(files);
  const found: Raw[] = [];
  const pending: Raw[] = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of entriesOf(root, folder)) {
      const raw = joinRaw(folder, entry.name);
      if (kindOf(entry) === "directory") pending.push(raw);
      else if (!known.has(raw)) {
        const stats = lstatSync(rawBytes(joinRaw(root, raw)), { throwIfNoEntry: false });
        if (stats?.isFile() === true && stats.nlink > 1 && wanted.has(`${stats.dev}:${stats.ino}`)) found.push(raw);
      }
      if (breath.due()) await breath.pause();
    }
  }
  return found;
}

interface RawEntry extends Pick<Dirent, "isDirectory" | "isFile" | "isSymbolicLink"> {
  readonly name: Raw;
}

function entriesOf(root: Raw, folder: Raw): readonly RawEntry[] {
  try {
    return readdirSync(rawBytes(joinRaw(root, folder)), { encoding: "latin1", withFileTypes: true }) as unknown as readonly RawEntry[];
  } catch (error) {
    if (isMissing(error)) return [];
    throw new GuardError("WORKSPACE_UNREADABLE", `cannot list \`${printable(pathOfRaw(folder))}\`: ${errorCode(error)}`, { cause: error });
  }
}

function kindOf(entry: RawEntry): IndexedName["kind"] {
  if (entry.isDirectory()) return "directory";
  if (entry.isFile()) return "file";
  return entry.isSymbolicLink() ? "symlink" : "other";
}

function linkText(path: Raw): string {
  try {
    return pathOfRaw(readlinkSync(rawBytes(path), { encoding: "buffer" }).toString("latin1"));
  } catch {
    // Gone meanwhile: it leads nowhere.
    return "";
  }
}
