// Checks on single texts that an agent chose, before anything reads a meaning into them. Never repairs one.

import { LIMITS, printable } from "../shared/index.js";
import { utf8Length } from "./edit/text.js";

/** Longest file name on Linux, in bytes; `NAME_MAX`. */
const NAME_BYTES = 255;

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Tells whether a text has an exact UTF-8 form. One with half a surrogate pair does not: what is written to disk would
 * differ from what was judged.
 */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/**
 * Why a text cannot be a path of a file tool, or null when it can. Control, bidi and invisible characters are refused,
 * because a person could not see which file is meant.
 */
export function pathProblem(path: string): string | null {
  if (path === "") return "the path is empty";
  if (path.length > LIMITS.pathChars) return `the path is longer than ${LIMITS.pathChars} characters`;
  if (printable(path, path.length * 10) !== path) return `the path \`${printable(path)}\` has control or invisible characters`;
  if (path.split("/").some((name) => utf8Length(name) > NAME_BYTES)) return `the path has a name of more than ${NAME_BYTES} bytes`;
  return null;
}
