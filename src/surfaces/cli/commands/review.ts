// `ringfence diff`, `apply` and `discard`: reviewing what a session did, and taking it over or throwing it away.

import type { Command } from "commander";
import { patchLine } from "../render/patch.js";
import { GuardError, printable } from "../../../core/shared/index.js";
import type { CliContext } from "../main.js";
import type { Io } from "../io.js";
import { recoverFirst } from "../recovered.js";
import { changeLine, count, findingLine } from "../render/text.js";
import { collect } from "../session-options.js";

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
    .option("--path <path>", "only this path (may be repeated)", collect, [])
    .option("-y, --yes", "do not ask")
    .addHelpText("after", "\nNothing is written when any of the files changed in the folder since the session.\n\nExamples:\n  ringfence apply last\n  ringfence apply ses_abc --path src/index.js --yes")
    .action(async (id: string, flags: { readonly path: readonly string[]; readonly yes?: boolean }, command: Command) => {
      context.exit(await apply(id, flags.path, flags.yes === true, context.ioOf(command)));
    });
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
      io.json({ session: review.id, changes: review.changes, refused: review.refused });
      return;
    }
    if (statOnly) for (const change of review.changes) io.out(changeLine(change, io.paint));
    else {
      const { bytes, omitted } = await review.patch();
      io.command("stdout", io.isTerminal.out ? paintPatch(bytes, io) : bytes);
      for (const { path, reason } of omitted) io.note(`not in the patch: ${printable(path)}: ${reason}`);
    }
    for (const finding of review.refused) io.note(`left out: ${findingLine(finding, io.paintErr)}`);
    if (review.changes.length === 0) io.note("no changes");
  } finally {
    await review.close();
  }
}

async function apply(id: string, paths: readonly string[], yes: boolean, io: Io): Promise<number> {
  await recoverFirst(io);
  const { openReview } = await import("../../../compose.js");
  const review = await openReview(id, io.env);
  try {
    const selected = paths.length === 0 ? review.changes : review.changes.filter((change) => paths.some((path) => change.path === path || change.path.startsWith(`${path.replace(/\/+$/u, "")}/`)));
    for (const finding of review.refused) io.note(`left out: ${findingLine(finding, io.paintErr)}`);
    if (selected.length === 0) {
      if (paths.length > 0) throw new GuardError("USAGE_INVALID", "no changed path matches --path", { hint: "`ringfence diff --stat` lists them" });
      io.note("nothing to apply");
      return 0;
    }
    if (!yes && io.isTerminal.in && io.isTerminal.err && !io.options.json) {
      for (const change of selected.slice(0, 40)) io.note(changeLine(change, io.paintErr));
      const { confirm, isCancel } = await import("@clack/prompts");
      const answer = await confirm({ message: `Write ${count(selected.length, "change")} to ${printable(review.workspace)}?`, initialValue: false });
      if (isCancel(answer) || !answer) {
        io.note("nothing was written");
        return 1;
      }
    }
    const { applied, skipped } = await review.apply(selected.map((change) => change.path));
    if (io.options.json) io.json({ session: review.id, applied, skipped });
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
