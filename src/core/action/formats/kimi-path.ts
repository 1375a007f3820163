// Paths as Kimi-Dev writes them: relative to the repository, complete, of a file that is there. A path is never mended.

import { err, ok, type Result } from "../../shared/index.js";
import { pathProblem } from "../well-formed.js";
import { quoted, type Problem } from "./format-error.js";

const MAX_CANDIDATES = 5;

/** What a codec may know of the repository, before any of the answer's calls ran. Paths are relative to its root. */
export interface Repository {
  /** Where it is mounted, absolute, without a trailing slash. */
  readonly root: string;
  readonly fileExists: (path: string) => boolean;
  /** Names of the top-level folders; only used to name candidates for a path that is not complete. */
  readonly topFolders?: readonly string[];
}

/** Why a path is not one inside the repository in its plain form, or null. Does not ask whether the file exists. */
export function pathFormProblem(path: string): Problem | null {
  const parts = path.split(/[/\\]/);
  if (path.startsWith("/") || path.startsWith("~") || leavesRoot(parts)) {
    return { code: "KIMI_PATH_ESCAPE", message: `the path ${quoted(path)} leads out of the repository`, escape: true };
  }
  const hidden = pathProblem(path);
  if (hidden !== null) return { code: "KIMI_PATH_FORM", message: hidden };
  if (path.includes("\\") || parts.some((part) => part === "" || part === "." || part === "..")) {
    return {
      code: "KIMI_PATH_FORM",
      message: `the path ${quoted(path)} is not in its plain form`,
      hint: "write folders and file name with single slashes, without `.`, `..` or a backslash",
    };
  }
  return null;
}

/**
 * A path of an existing file. The original program tries each top-level folder for a path that is not complete; that is a
 * guess, so here such folders are only named.
 */
export function knownFile(path: string, repository: Repository): Result<string, Problem> {
  const problem = pathFormProblem(path);
  if (problem !== null) return err(problem);
  if (repository.fileExists(path)) return ok(path);
  const candidates = (repository.topFolders ?? []).map((folder) => `${folder}/${path}`).filter(repository.fileExists);
  const named = candidates.slice(0, MAX_CANDIDATES).map(quoted).join(", ");
  return err({
    code: "KIMI_PATH_UNKNOWN",
    message: `there is no file ${quoted(path)} in the repository`,
    hint: named === "" ? "give the full path from the repository's root" : `files with that ending: ${named}; give the full path`,
  });
}

function leavesRoot(parts: readonly string[]): boolean {
  let depth = 0;
  for (const part of parts) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}
