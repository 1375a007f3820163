// `ringfence pause` and `ringfence resume`: a session that another process runs stops where it stands, and goes on.

import type { Command } from "commander";
import { printable } from "../../../core/shared/index.js";
import type { AuditEvent } from "../../../core/session/index.js";
import type { CliContext } from "../main.js";
import type { Io } from "../io.js";
import { recoverFirst } from "../recovered.js";

type Order = "pause" | "resume";

export function registerPause(program: Command, context: CliContext): void {
  program
    .command("pause")
    .description("freeze a running session where it stands; nothing of it runs until `resume`")
    .argument("<session>", "session id, a unique beginning of it, or `last`")
    .option("--reason <text>", "why; recorded")
    .addHelpText("after", `
The running command is frozen from outside, with everything it started, and nothing inside can undo it; calls that come wait.
Paused time does not count for the time limit of the call. Recorded as session.paused and session.resumed.

Exit codes: 0 paused, 2 no such session or it has ended, 75 it did not answer.

Examples:
  ringfence pause last
  ringfence pause ses_abc --reason 'looking at what it wrote'
  ringfence resume last`)
    .action(async (id: string, flags: { readonly reason?: string }, command: Command) => give("pause", id, flags.reason ?? null, context.ioOf(command)));
  program
    .command("resume")
    .description("let a session go on that `pause` or policy paused")
    .argument("<session>", "session id, a unique beginning of it, or `last`")
    .addHelpText("after", "\nOf a session that policy paused this is the yes that it waits for: who gave it is on record, and the session goes on under the same\npolicy. It is asked once for each such rule.\n\nExit codes: 0 it goes on, 2 no such session or it has ended, 75 it did not answer.\n\nExamples:\n  ringfence resume last\n  ringfence resume ses_abc --json")
    .action(async (id: string, _flags: object, command: Command) => give("resume", id, null, context.ioOf(command)));
}

async function give(order: Order, wanted: string, reason: string | null, io: Io): Promise<void> {
  await recoverFirst(io);
  const { steerSession } = await import("../../../compose-control.js");
  const { userName } = await import("../open-session.js");
  const session = await steerSession(wanted, userName(), io.env);
  try {
    tell(session.id, order, await (order === "pause" ? session.pause(reason) : session.resume()), io);
  } finally {
    await session.close();
  }
}

function tell(id: string, order: Order, event: AuditEvent | null, io: Io): void {
  if (io.options.json) return io.json({ session: id, state: order === "pause" ? "paused" : "running", event });
  if (event === null) return io.note(`session ${id} is ${order === "pause" ? "paused already" : "not paused"}`);
  const call = event.type === "session.paused" ? event.data.call : null;
  io.note(event.type === "session.resumed" ? `session ${id} goes on after ${String(Math.round(event.data.pausedMs / 1000))} s` : `session ${id} is paused${call === null ? "" : `, ${printable(call)} frozen`}; \`ringfence resume ${id}\` lets it go on`);
}
