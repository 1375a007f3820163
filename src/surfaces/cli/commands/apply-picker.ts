// The picker of `apply --interactive`: files first, then the hunks of each text file that has several. What is shown is
// escaped; what runs later on this machine starts unticked.

import type { Review } from "../../../compose.js";
import { runsLater, type HunkChoice } from "../../../core/reconcile/index.js";
import { count, printable } from "../../../core/shared/index.js";
import type { Io } from "../io.js";
import { patchLine } from "../render/patch.js";

export interface Picked {
  readonly paths: readonly string[];
  readonly hunks: readonly HunkChoice[];
}

const LETTER = { create: "A", modify: "M", delete: "D", metadata: "m" } as const;
/** Lines of the terminal that a list takes. */
const ROWS = 14;
/** Most lines of one hunk printed before it is asked for. */
const HUNK_LINES = 60;

/** Asks on standard error. Null when it was broken off. */
export async function pickChanges(review: Review, offered: ReadonlySet<string>, io: Io): Promise<Picked | null> {
  const { multiselect, isCancel } = await import("@clack/prompts");
  const changes = review.changes.filter(({ path }) => offered.has(path));
  const files = await multiselect({
    message: `Which changes shall be written to ${printable(review.workspace)}? (space ticks, enter goes on)`,
    options: changes.map((change) => ({ value: change.path, label: `${LETTER[change.operation]} ${printable(change.path)}`, ...(runsLater(change) ? { hint: "runs later on this machine" } : {}) })),
    initialValues: changes.filter((change) => !runsLater(change)).map(({ path }) => path),
    required: false,
    maxItems: ROWS,
    output: process.stderr,
  });
  if (isCancel(files)) return null;
  const paths: string[] = [];
  const hunks: HunkChoice[] = [];
  for (const path of files) {
    const found = await review.hunks(path);
    if (found.length < 2) {
      paths.push(path);
      continue;
    }
    io.note(`${printable(path)}, ${count(found.length, "hunk")}`);
    for (const hunk of found) {
      process.stderr.write(`${io.paintErr.cyan(`hunk ${hunk.number}`)}\n`);
      for (const line of hunk.lines.slice(0, HUNK_LINES)) process.stderr.write(`${patchLine(line, io.paintErr)}\n`);
      if (hunk.lines.length > HUNK_LINES) process.stderr.write(io.paintErr.dim(`and ${count(hunk.lines.length - HUNK_LINES, "more line")}\n`));
    }
    const numbers = await multiselect({
      message: `Which hunks of ${printable(path)}?`,
      options: found.map(({ number, added, removed }) => ({ value: number, label: `hunk ${number}`, hint: `+${added} -${removed}` })),
      initialValues: found.map(({ number }) => number),
      required: false,
      maxItems: ROWS,
      output: process.stderr,
    });
    if (isCancel(numbers)) return null;
    if (numbers.length === found.length) paths.push(path);
    else if (numbers.length > 0) hunks.push({ path, numbers });
  }
  return { paths, hunks };
}
