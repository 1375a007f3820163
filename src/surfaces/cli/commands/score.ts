// `ringfence score`: the live AIVSS score of a session, recomputed from its record.

import type { Command } from "commander";
import type { CliContext } from "../main.js";
import { addGateOptions, gateSaysNo, type GateFlags } from "../gate-options.js";
import type { Io } from "../io.js";
import { recoverFirst } from "../recovered.js";
import { columnsOf } from "../render/layout.js";
import { scoreLines, sessionScore } from "../render/score.js";

interface ScoreFlags extends GateFlags {
  readonly explain?: boolean;
}

export function registerScore(program: Command, context: CliContext): void {
  addGateOptions(program.command("score"))
    .description("recompute a session's live AIVSS score from its record")
    .argument("<session>", "session id, a unique beginning of it, or `last`")
    .option("--explain", "each change of the score: event, rule, before and after")
    .addHelpText("after", "\nExamples:\n  ringfence score last\n  ringfence score last --explain\n  ringfence score last --max-aivss 8.9 --fail-on critical\n  ringfence score last --json\n\nExit codes: 0 ok; 1 a gate said no.")
    .action(async (id: string, flags: ScoreFlags, command: Command) => context.exit(await score(id, flags, context.ioOf(command))));
}

async function score(wanted: string, flags: ScoreFlags, io: Io): Promise<number> {
  await recoverFirst(io);
  const { openStore, resolveSession } = await import("../../../compose.js");
  const { store, close } = await openStore(io.env);
  try {
    const id = await resolveSession(store, wanted);
    const events = await store.read(id);
    const summary = sessionScore(events);
    if (io.options.json) io.json({ session: id, ...summary });
    else {
      io.out(`${io.paint.bold(id)}  AIVSS ${summary.live.score} ${summary.live.band}`);
      for (const line of scoreLines(events, flags.explain === true, columnsOf(process.stdout), io.paint)) io.out(line);
    }
    return gateSaysNo(flags, summary, io) ? 1 : 0;
  } finally {
    await close();
  }
}
