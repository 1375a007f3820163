// A change of one file as a unified diff, for people and for the record. Bounded work; never applied to a file.

import { createTwoFilesPatch, OMIT_HEADERS } from "diff";
import { LIMITS, count, printable } from "../../shared/index.js";

const CONTEXT_LINES = 3;

/**
 * The change as a unified diff with `a/` and `b/` names, empty when nothing changed.
 *
 * Work is bounded by edit length and not by time, so the same change always gives the same text. A change of more than
 * `LIMITS.diffEdits` lines is shown as the whole text before removed and the whole text after added; of a text of more than
 * `LIMITS.diffChars` only the sizes are named.
 * @param path relative to the workspace root; hostile characters are escaped
 * @param before the text before, null when the file did not exist
 * @param after the text after, null when the file is gone
 */
export function unifiedDiff(path: string, before: string | null, after: string | null): string {
  if (before === after) return "";
  const name = printable(path, LIMITS.pathChars);
  const header = `--- ${before === null ? "/dev/null" : `a/${name}`}\n+++ ${after === null ? "/dev/null" : `b/${name}`}\n`;
  const sizes = [before?.length ?? 0, after?.length ?? 0] as const;
  if (Math.max(...sizes) > LIMITS.diffChars) {
    return `${header}# ${count(sizes[0], "character")} before, ${sizes[1]} after: too large to show\n`;
  }
  const options = { context: CONTEXT_LINES, maxEditLength: LIMITS.diffEdits, headerOptions: OMIT_HEADERS };
  const patch = createTwoFilesPatch("a", "b", before ?? "", after ?? "", undefined, undefined, options);
  return header + (patch ?? wholeFile(before ?? "", after ?? ""));
}

function wholeFile(before: string, after: string): string {
  const removed = prefixed("-", before);
  const added = prefixed("+", after);
  const range = (count: number): string => (count === 0 ? "0,0" : `1,${count}`);
  return `@@ -${range(removed.count)} +${range(added.count)} @@\n${removed.text}${added.text}`;
}

function prefixed(sign: string, text: string): { readonly count: number; readonly text: string } {
  if (text === "") return { count: 0, text: "" };
  const complete = text.endsWith("\n");
  const lines = (complete ? text.slice(0, -1) : text).split("\n");
  const body = lines.map((line) => `${sign}${line}\n`).join("");
  return { count: lines.length, text: complete ? body : `${body}\\ No newline at end of file\n` };
}
