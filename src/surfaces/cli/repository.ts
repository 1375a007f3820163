// What a codec may know of the repository: which files there are, as the session has them now. Reads names only, follows no link.

import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Repository } from "../../core/action/index.js";
import type { Change } from "../../core/reconcile/change.js";

export interface SessionRepository extends Repository {
  /** Takes in what a call changed. */
  note(changes: readonly Change[]): void;
}

/** The folder as a repository mounted at `root`, with what the session made and deleted. Paths handed in are plain and relative. */
export function repositoryOf(folder: string, root: string): SessionRepository {
  const changed = new Map<string, boolean>();
  return {
    root,
    fileExists: (path) => changed.get(path) ?? isPlainFile(folder, path),
    topFolders: topFolders(folder),
    note: (changes) => {
      for (const { path, after } of changes) changed.set(path, after?.kind === "file");
    },
  };
}

function isPlainFile(folder: string, path: string): boolean {
  let at = folder;
  const parts = path.split("/");
  for (const [index, part] of parts.entries()) {
    if (part === "" || part === "." || part === "..") return false;
    at = join(at, part);
    const stats = lookAt(at);
    if (stats === null) return false;
    const last = index === parts.length - 1;
    if (last ? !stats.isFile() : !stats.isDirectory()) return false;
  }
  return true;
}

/** The name itself; null when there is none or the system refuses it (too long, not permitted). */
function lookAt(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

function topFolders(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    // An unreadable folder is refused with its own error when the session opens.
    return [];
  }
}
