// `ringfence diff`, `apply`, `undo` and `discard`: reviewing what a session did, and taking it over, back or throwing it away.

import type { Command } from "commander";
import { patchLine } from "../render/patch.js";
import { runsLater } from "../../../core/reconcile/index.js";
import { count, printable } from "../../../core/shared/index.js";
import type { CliContext } from "../main.js";
import type { Io } from "../io.js";
import { recoverFirst } from "../recovered.js";
import { changeLine, findingLine } from "../render/text.js";
import { collect } from "../session-options.js";
import { apply, type ApplyFlags } from "./apply.js";

/** Most files named one by one in a note. */
const NAMED = 40;
const SESSION = "session id, a unique beginning of it, or `last`";

export function registerReview(program: Command, context: CliContext): void {
  program
    .command("diff")
    .description("print what a session changed, as a patch that `git apply` takes")
    .argument("<session>", SESSION)
    .option("--stat", "names only")
    .addHelpText("after", "\nExamples:\n  ringfence diff last\n  ringfence diff last --stat\n  ringfence diff ses_abc > change.patch")
    .action(async (id: string, flags: { readonly stat?: boolean }, command: Command) => diff(id, flags.stat === true, context.ioOf(command)));
  program
    .command("apply")
    .description("take a session's changes over into the folder it worked on a copy of")
    .argument("<session>", SESSION)
    .option("--path <glob>", "only this path, all below this folder, or what this glob matches (may be repeated)", collect, [])
    .option("--hunk <file:n>", "only these hunks of a file, numbered as `diff` shows them: FILE:2, FILE:1,3-5 (may be repeated)", collect, [])
    .option("-i, --interactive", "pick files and hunks on the terminal")
    .option("-y, --yes", "do not ask whether to write")
    .option("--accept-runs-later", "also take over files that something on this machine runs by itself: hooks, build files, CI, settings, programs")
    .addHelpText(
      "after",
      `
All or nothing: nothing is written when one of the files is neither as it was before the session nor as the session left it.
Files that this machine runs later need a yes of their own: on a terminal you are asked, elsewhere --accept-runs-later says it,
and without it nothing is written and the exit code is 1. --yes does not say it.

Examples:
  ringfence apply last
  ringfence apply last --interactive
  ringfence apply ses_abc --path 'src/**' --hunk package.json:2 --accept-runs-later --yes`,
    )
    .action(async (id: string, flags: ApplyFlags, command: Command) => {
      context.exit(await apply(id, flags, context.ioOf(command)));
    });
  program
    .command("undo")
    .description("take a session back to one of its steps, or forward again; your folder is not touched")
    .argument("<session>", SESSION)
    .option("--to <step>", "step to go to: the number of a call from 1, 0 for before the first, or a call id (default: the step before the last change)")
    .addHelpText(
      "after",
      `
Nothing is lost: what was taken back is kept, and a later step can be named as well. \`diff\` and \`apply\` then see that step.
Not kept are files over 64 MiB, and more than 2 GiB in all; a step that needs one is refused, and nothing changes.

Examples:
  ringfence undo last
  ringfence undo last --to 3
  ringfence undo ses_abc --to 0`,
    )
    .action(async (id: string, flags: { readonly to?: string }, command: Command) => undo(id, flags.to ?? null, context.ioOf(command)));
  program
    .command("discard")
    .description("throw a session's changes away; its record stays")
    .argument("<session>", SESSION)
    .addHelpText("after", "\nExamples:\n  ringfence discard last")
    .action(async (id: string, _flags: unknown, command: Command) => discard(id, context.ioOf(command)));
}

async function diff(id: string, statOnly: boolean, io: Io): Promise<void> {
  await recoverFirst(io);
  const { openReview } = await import("../../../compose.js");
  const review = await openReview(id, io.env);
  try {
    if (io.options.json) {
      const changes = [];
      for (const change of review.changes) changes.push({ ...change, runsLater: runsLater(change), hunks: (await review.hunks(change.path)).length });
      io.json({ session: review.id, changes, refused: review.refused });
      return;
    }
    if (statOnly) for (const change of review.changes) io.out(changeLine(change, io.paint) + (runsLater(change) ? io.paint.yellow("  runs later") : ""));
    else {
      const { bytes, omitted } = await review.patch();
      io.command("stdout", io.isTerminal.out ? paintPatch(bytes, io) : bytes);
      for (const { path, reason } of omitted) io.note(`not in the patch: ${printable(path)}: ${reason}`);
    }
    const later = review.changes.filter(runsLater);
    for (const { path } of later.slice(0, NAMED)) io.note(`${io.paintErr.yellow("runs later on this machine")} once taken over: ${printable(path)}`);
    if (later.length > NAMED) io.note(`and ${later.length - NAMED} more that run later`);
    for (const finding of review.refused) io.note(`left out: ${findingLine(finding, io.paintErr)}`);
    if (review.changes.length === 0) io.note("no changes");
  } finally {
    await review.close();
  }
}

async function undo(id: string, step: string | null, io: Io): Promise<void> {
  await recoverFirst(io);
  const { undoSession } = await import("../../../compose.js");
  const undone = await undoSession(id, step, io.env);
  if (io.options.json) return io.json({ session: undone.id, step: undone.step, call: undone.to, moved: undone.moved, changes: undone.changes });
  for (const change of undone.moved.slice(0, NAMED)) io.out(changeLine(change, io.paint));
  if (undone.moved.length > NAMED) io.note(`and ${String(undone.moved.length - NAMED)} more`);
  const place = undone.to === null ? "before its first call" : `after step ${String(undone.step)} (${undone.to})`;
  io.note(`${undone.id} is as it was ${place}: ${count(undone.moved.length, "path")} moved, ${count(undone.changes.length, "change")} ${undone.changes.length === 1 ? "stands" : "stand"}`);
  if (undone.applied.length > 0) io.note("what was taken over into your folder before stays there");
}

async function discard(id: string, io: Io): Promise<void> {
  await recoverFirst(io);
  const { discardSession } = await import("../../../compose.js");
  const session = await discardSession(id, io.env);
  if (io.options.json) io.json({ session, discarded: true });
  else io.note(`changes of ${session} are gone; the record stays`);
}

/** Colours for a terminal; the text is escaped line by line. */
function paintPatch(patch: Uint8Array, io: Io): Uint8Array {
  return new TextEncoder().encode(new TextDecoder().decode(patch).split("\n").map((line) => patchLine(line, io.paint)).join("\n"));
}
