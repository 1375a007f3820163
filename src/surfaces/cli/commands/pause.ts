// `ringfence pause` and `ringfence resume`: a session that another process runs stops where it stands, and goes on.

import type { Command } from "commander";
import { GuardError, printable } from "../../../core/shared/index.js";
import { sessionState, type AuditEvent } from "../../../core/session/index.js";
import type { CliContext } from "../main.js";
import type { Io } from "../io.js";
import { recoverFirst } from "../recovered.js";

/** How long the session may take to do it, and how often its record is looked at. */
const ANSWER_MS = 30_000;
const LOOK_MS = 50;

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
    .description("let a paused session go on")
    .argument("<session>", "session id, a unique beginning of it, or `last`")
    .addHelpText("after", "\nExit codes: 0 it goes on, 2 no such session or it has ended, 75 it did not answer.\n\nExamples:\n  ringfence resume last\n  ringfence resume ses_abc --json")
    .action(async (id: string, _flags: object, command: Command) => give("resume", id, null, context.ioOf(command)));
}

async function give(order: Order, wanted: string, reason: string | null, io: Io): Promise<void> {
  await recoverFirst(io);
  const { openStore, resolveSession } = await import("../../../compose.js");
  const { createSessionControl } = await import("../../../compose-control.js");
  const { userName } = await import("../open-session.js");
  const { store, stateDir, close } = await openStore(io.env);
  try {
    const id = await resolveSession(store, wanted);
    const state = sessionState(await store.read(id));
    if (state === null || state.closed !== null) throw new GuardError("USAGE_INVALID", `session ${id} has ended`, { hint: "`ringfence sessions` lists them" });
    const is = state.paused !== null;
    if (is === (order === "pause")) return tell(id, order, null, io);
    createSessionControl(stateDir).give(id, { order, by: userName(), reason });
    const limit = performance.now() + ANSWER_MS;
    for (;;) {
      const events = await store.read(id);
      const done = events.findLast((event) => event.type === "session.paused" || event.type === "session.resumed" || event.type === "session.closed");
      if (done?.type === (order === "pause" ? "session.paused" : "session.resumed") && done.seq >= state.events) return tell(id, order, done, io);
      if (done?.type === "session.closed") throw new GuardError("USAGE_INVALID", `session ${id} has ended`);
      if (performance.now() > limit) throw new GuardError("SESSION_BUSY", `session ${id} did not answer`, { hint: "the process that runs it may be stopped" });
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  } finally {
    await close();
  }
}

function tell(id: string, order: Order, event: AuditEvent | null, io: Io): void {
  if (io.options.json) return io.json({ session: id, state: order === "pause" ? "paused" : "running", event });
  if (event === null) return io.note(`session ${id} is ${order === "pause" ? "paused" : "not paused"}`);
  const call = event.type === "session.paused" ? event.data.call : null;
  io.note(event.type === "session.resumed" ? `session ${id} goes on after ${String(Math.round(event.data.pausedMs / 1000))} s` : `session ${id} is paused${call === null ? "" : `, ${printable(call)} frozen`}; \`ringfence resume ${id}\` lets it go on`);
}
