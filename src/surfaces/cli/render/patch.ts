// Lines of a patch, coloured and escaped.

import { printable } from "../../../core/shared/index.js";
import type { Palette } from "../io.js";

/** One line of a unified diff. Tabs are kept: they are part of what is read. */
export function patchLine(line: string, paint: Palette): string {
  const safe = line.split("\t").map((part) => printable(part, Number.MAX_SAFE_INTEGER)).join("\t");
  if (/^(?:diff |\+\+\+|---)/u.test(line)) return paint.bold(safe);
  if (line.startsWith("+")) return paint.green(safe);
  if (line.startsWith("-")) return paint.red(safe);
  return line.startsWith("@@") ? paint.cyan(safe) : safe;
}
