// What really ran in a call, as a tree of lines.

import { programTree } from "../../../core/replay/index.js";
import type { CallState } from "../../../core/session/index.js";
import { count, printable } from "../../../core/shared/index.js";
import type { Palette } from "../io.js";

/** At most `most` programs and files; nothing where it was one program alone, which the summary says. */
export function programLines(programs: NonNullable<CallState["programs"]>, most: number, paint: Palette): readonly string[] {
  const { lines, more, written, cwd } = programTree(programs, most);
  if (lines.length + more <= 1 && written.length === 0) return [];
  const shown = lines.map(({ depth, text, end, cwd: folder, against }) => `    ${"  ".repeat(depth)}${text}  ${paint.dim([...(folder === null ? [] : [`in ${folder}`]), end].join(", "))}${against === null ? "" : `  ${paint.red(`✗ ${against}`)}`}`);
  const rest = more > 0 ? [paint.dim(`    … ${count(more, "more program")}`)] : [];
  const files = written.length === 0 ? [] : [`  ${paint.dim("opened for writing")}`, ...written.slice(0, most).map((path) => `    ${printable(path, 300)}`), ...(written.length > most ? [paint.dim(`    … ${count(written.length - most, "more file")}`)] : [])];
  return [`  ${paint.dim(`ran${cwd === null ? "" : ` in ${cwd}`}`)}`, ...shown, ...rest, ...files];
}
