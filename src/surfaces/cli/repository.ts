// What a codec may know of the user's folder: which files there are. Reads names only, follows no link.

import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Repository } from "../../core/action/index.js";

/** The folder as a repository mounted at `root`. Paths handed in are already checked to be plain and relative. */
export function repositoryOf(folder: string, root: string): Repository {
  return {
    root,
    fileExists: (path) => isPlainFile(folder, path),
    topFolders: topFolders(folder),
  };
}

function isPlainFile(folder: string, path: string): boolean {
  let at = folder;
  const parts = path.split("/");
  for (const [index, part] of parts.entries()) {
    if (part === "" || part === "." || part === "..") return false;
    at = join(at, part);
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (stats === undefined) return false;
    const last = index === parts.length - 1;
    if (last ? !stats.isFile() : !stats.isDirectory()) return false;
  }
  return true;
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
