// `ringfence score`: the live AIVSS score of a session, recomputed from its record.

import type { Command } from "commander";
import type { CliContext } from "../main.js";
import type { Io } from "../io.js";
import { recoverFirst } from "../recovered.js";
import { columnsOf } from "../render/layout.js";
import { scoreLines, sessionScore } from "../render/score.js";

export function registerScore(program: Command, context: CliContext): void {
  program
    .command("score")
    .description("recompute a session's live AIVSS score from its record")
    .argument("<session>", "session id, a unique beginning of it, or `last`")
    .option("--explain", "each change of the score: event, rule, before and after")
    .addHelpText("after", "\nExamples:\n  ringfence score last\n  ringfence score last --explain\n  ringfence score last --json")
    .action(async (id: string, flags: { readonly explain?: boolean }, command: Command) => score(id, flags.explain === true, context.ioOf(command)));
}

async function score(wanted: string, explain: boolean, io: Io): Promise<void> {
  await recoverFirst(io);
  const { openStore, resolveSession } = await import("../../../compose.js");
  const { store, close } = await openStore(io.env);
  try {
    const id = await resolveSession(store, wanted);
    const events = await store.read(id);
    if (io.options.json) {
      io.json({ session: id, ...sessionScore(events) });
      return;
    }
    const { live } = sessionScore(events);
    io.out(`${io.paint.bold(id)}  AIVSS ${live.score} ${live.band}`);
    for (const line of scoreLines(events, explain, columnsOf(process.stdout), io.paint)) io.out(line);
  } finally {
    await close();
  }
}
