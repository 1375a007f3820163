// What a person picked of a session's changes: whole paths by glob, and single hunks of files. Pure; names are only compared.

import { expandBraces, pathTest } from "../policy/match-path-test.js";
import { GuardError, printable } from "../shared/index.js";
import type { Change } from "./change.js";
import { isRunLater } from "./runs-later.js";

/** Hunks of one file, by the numbers `diff` shows. */
export interface HunkChoice {
  readonly path: string;
  readonly numbers: readonly number[];
}

/** What is to be taken over. Empty lists are nothing. */
export interface Selection {
  /** Paths of changes, taken as a whole. */
  readonly paths: readonly string[];
  readonly hunks: readonly HunkChoice[];
}

/** Most hunks that one choice may name. */
const MOST_NUMBERS = 10_000;

/** The paths that globs name: a path itself, all below a folder, or what a pattern matches. Throws USAGE_INVALID for one that names none. */
export function selectPaths(changes: readonly Change[], globs: readonly string[]): readonly string[] {
  const chosen = new Set<string>();
  for (const glob of globs) {
    const clean = glob.replace(/^(?:\.\/)+/u, "").replace(/\/+$/u, "");
    const tests = expandBraces(`/${clean}`).map(pathTest);
    const named = changes.filter(({ path }) => path === clean || path.startsWith(`${clean}/`) || tests.some((test) => test(`/${path}`)));
    if (clean === "" || named.length === 0) throw new GuardError("USAGE_INVALID", `no changed path matches \`${printable(glob)}\``, { hint: "`ringfence diff --stat` lists them" });
    for (const { path } of named) chosen.add(path);
  }
  return changes.map(({ path }) => path).filter((path) => chosen.has(path));
}

/** Reads `FILE:2`, `FILE:1,3-5`. The last colon parts them. Throws USAGE_INVALID. */
export function parseHunkChoice(text: string): HunkChoice {
  const match = /^(.+):([0-9]{1,6}(?:-[0-9]{1,6})?(?:,[0-9]{1,6}(?:-[0-9]{1,6})?)*)$/su.exec(text);
  const numbers = new Set<number>();
  for (const part of (match?.[2] ?? "").split(",")) {
    const [first = 0, last = first] = part.split("-").map(Number);
    for (let number = first; number <= last && numbers.size <= MOST_NUMBERS; number += 1) numbers.add(number);
    if (last < first || first < 1) numbers.clear();
  }
  if (match === null || numbers.size === 0 || numbers.size > MOST_NUMBERS) throw new GuardError("USAGE_INVALID", `\`${printable(text)}\` names no hunk`, { hint: "`FILE:2` or `FILE:1,3-5`, numbered as `ringfence diff` shows them" });
  return { path: match[1]?.replace(/^(?:\.\/)+/u, "") ?? "", numbers: [...numbers].sort((a, b) => a - b) };
}

/** Puts choices of the same file together. Throws USAGE_INVALID where a file is chosen as a whole too, or is no change. */
export function joinSelection(changes: readonly Change[], paths: readonly string[], choices: readonly HunkChoice[]): Selection {
  const known = new Set(changes.map(({ path }) => path));
  const whole = new Set(paths);
  const hunks = new Map<string, Set<number>>();
  for (const { path, numbers } of choices) {
    if (!known.has(path)) throw new GuardError("USAGE_INVALID", `the session has no change at \`${printable(path)}\``, { hint: "`ringfence diff --stat` lists the changed paths" });
    if (whole.has(path)) throw new GuardError("USAGE_INVALID", `\`${printable(path)}\` is named as a whole and by hunk`, { hint: "leave one of them out" });
    hunks.set(path, new Set([...(hunks.get(path) ?? []), ...numbers]));
  }
  return { paths, hunks: [...hunks].map(([path, numbers]) => ({ path, numbers: [...numbers].sort((a, b) => a - b) })) };
}

/** Would taking a change over give something that this machine runs without being asked for it: a hook, a build file, CI, settings. */
export function runsLater({ path, after }: Change): boolean {
  return after !== null && after.kind !== "directory" && isRunLater(path, after);
}
