// Names of files that a program takes from a list: from its input, or from a file that holds one name a line or between NULs.

import { isDash, touch } from "./files.js";
import type { Call } from "./run.js";
import { exact, globbed, type Field } from "./value.js";
import { writtenText } from "./written.js";

/** Most names taken from one list. */
const MAX_NAMES = 200;

/** What a list of names holds, as far as it can be seen: standard input for `-` or none. */
export function listText(call: Call, list: Field | null): string | null {
  if (list === null || isDash(list) || list.text === "/dev/stdin") return call.frame.stdin.text;
  if (list.text === null) return null;
  const pipe = call.run.pipes.get(list.text);
  return pipe === undefined ? writtenText(call, list) : pipe.text;
}

/** Reads the files that a list names. A list that cannot be seen names nothing that text could tell. */
export function touchListed(call: Call, list: Field | null, recursive: boolean): void {
  const text = listText(call, list);
  const stream = list === null || isDash(list) ? call.frame.stdin : list.text === null ? undefined : call.run.pipes.get(list.text);
  const names: readonly Field[] = text !== null ? text.split(/[\n\0]/).filter((name) => name !== "").map(exact) : (stream?.globs ?? []).map((glob) => globbed(glob, "", true));
  for (const name of names.slice(0, MAX_NAMES)) touch(call, "read", name, recursive);
}

/** Options whose value is such a list, by every program that has them. */
export const LISTS = new Set(["--files0-from", "--files-from"]);
