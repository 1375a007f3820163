// A file's text with line numbers, as a view call shows it. The numbers are those that an insert call takes.

import { LIMITS, count, err, ok, printable, type Issue, type Result } from "../../shared/index.js";
import { toLf } from "./line-endings.js";

const NUMBER_WIDTH = 6;

/**
 * The lines of a range, each as `number<tab>text`; all lines without a range. Line endings are shown as LF.
 * @param range first and last line, from 1; -1 is the end
 * @returns the text, or an issue `VIEW_RANGE` that names how many lines there are
 */
export function renderView(path: string, text: string, range: readonly [number, number] | null): Result<string, Issue> {
  const lines = toLf(text).split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (lines.length === 0) return ok(`${printable(path, LIMITS.pathChars)} is empty\n`);
  const [first, end] = range ?? [1, -1];
  const last = end === -1 ? lines.length : end;
  if (first < 1 || first > lines.length || last < first || last > lines.length) {
    return err({ code: "VIEW_RANGE", message: `the file has ${count(lines.length, "line")}; the range ${first} to ${end} is not within it` });
  }
  const shown = lines.slice(first - 1, last);
  return ok(shown.map((line, index) => `${String(first + index).padStart(NUMBER_WIDTH)}\t${line}\n`).join(""));
}
