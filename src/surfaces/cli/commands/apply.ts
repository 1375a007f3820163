// `ringfence apply`: which changes, a yes where one is needed, and what was written.

import type { Review } from "../../../compose.js";
import type { Change } from "../../../core/reconcile/change.js";
import { joinSelection, parseHunkChoice, runsLater, selectPaths, type Selection } from "../../../core/reconcile/index.js";
import { GuardError, count, printable } from "../../../core/shared/index.js";
import type { Io } from "../io.js";
import { recoverFirst } from "../recovered.js";
import { changeLine, findingLine } from "../render/text.js";

export interface ApplyFlags {
  readonly path: readonly string[];
  readonly hunk: readonly string[];
  readonly interactive?: boolean;
  readonly yes?: boolean;
  readonly acceptRunsLater?: boolean;
}

/** Most changes listed before a question. */
const LISTED = 40;

/** Gives the exit code: 1 when the answer was no, or a yes that was needed could not be had. */
export async function apply(id: string, flags: ApplyFlags, io: Io): Promise<number> {
  const canAsk = io.isTerminal.in && io.isTerminal.err && !io.options.json;
  if (flags.interactive === true && !canAsk) throw new GuardError("USAGE_INVALID", "--interactive needs a terminal", { hint: "name files with --path and hunks with --hunk" });
  await recoverFirst(io);
  const { openReview } = await import("../../../compose.js");
  const review = await openReview(id, io.env);
  try {
    for (const finding of review.refused) io.note(`left out: ${findingLine(finding, io.paintErr)}`);
    const selection = await select(review, flags, io);
    if (selection === null || selection.paths.length + selection.hunks.length === 0) {
      if (io.options.json) io.json({ session: review.id, applied: [], skipped: [] });
      io.note(selection === null ? "nothing was written" : "nothing to apply");
      return selection === null ? 1 : 0;
    }
    const chosen = new Set([...selection.paths, ...selection.hunks.map(({ path }) => path)]);
    const changes = review.changes.filter(({ path }) => chosen.has(path));
    const isSure = await confirmed(review, changes, flags, canAsk, io);
    if (!isSure) return 1;
    const { applied, skipped } = await review.apply(selection);
    if (io.options.json) io.json({ session: review.id, applied, skipped, hunks: selection.hunks });
    else {
      for (const entry of skipped) io.note(`left out: ${printable(entry.path)}: ${printable(entry.reason)}`);
      for (const entry of applied) io.out(`${printable(entry.path)}${entry.runsLater ? io.paint.yellow("  runs later on this machine: look at it") : ""}`);
      io.note(`${count(applied.length, "path")} written to ${printable(review.workspace)}`);
    }
    return 0;
  } finally {
    await review.close();
  }
}

/** What the words of the command name, or what is picked; null when the picking was broken off. */
async function select(review: Review, flags: ApplyFlags, io: Io): Promise<Selection | null> {
  const isNamed = flags.path.length + flags.hunk.length > 0;
  const paths = isNamed ? selectPaths(review.changes, flags.path) : review.changes.map(({ path }) => path);
  const named = joinSelection(review.changes, paths, flags.hunk.map(parseHunkChoice));
  if (flags.interactive !== true || paths.length === 0) return named;
  const { pickChanges } = await import("./apply-picker.js");
  const picked = await pickChanges(review, new Set(paths), io);
  return picked === null ? null : joinSelection(review.changes, picked.paths, [...named.hunks, ...picked.hunks]);
}

/** Asks where it can. A file that runs later needs a yes of its own, which no `--yes` gives. */
async function confirmed(review: Review, changes: readonly Change[], flags: ApplyFlags, canAsk: boolean, io: Io): Promise<boolean> {
  const later = flags.acceptRunsLater === true ? [] : changes.filter(runsLater);
  if (flags.yes === true || !canAsk) {
    if (later.length === 0) return true;
    if (io.options.json) io.json({ session: review.id, applied: [], skipped: [], runsLater: later.map(({ path }) => path) });
    const names = later.slice(0, 5).map(({ path }) => `\`${printable(path)}\``).join(", ");
    io.fail(`nothing was written: this machine would run ${names}${later.length > 5 ? ` and ${later.length - 5} more` : ""} later, without being asked`, "look at them with `ringfence diff`, then say --accept-runs-later, or leave them out with --path");
    return false;
  }
  const { confirm, isCancel } = await import("@clack/prompts");
  const ask = async (message: string): Promise<boolean> => {
    const answer = await confirm({ message, initialValue: false, output: process.stderr });
    if (!isCancel(answer) && answer) return true;
    io.note("nothing was written");
    return false;
  };
  for (const change of changes.slice(0, LISTED)) io.note(changeLine(change, io.paintErr) + (runsLater(change) ? io.paintErr.yellow("  runs later on this machine") : ""));
  if (changes.length > LISTED) io.note(`and ${changes.length - LISTED} more`);
  if (!(await ask(`Write ${count(changes.length, "change")} to ${printable(review.workspace)}?`))) return false;
  if (later.length === 0) return true;
  const names = later.slice(0, 5).map(({ path }) => printable(path)).join(", ");
  return ask(`This machine runs ${later.length > 5 ? `${names} and ${later.length - 5} more` : names} without being asked. Also these?`);
}
