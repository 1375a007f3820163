// Testing the controls again while a session runs: after something forbidden was found to have happened, and after so many calls. It is
// done between two calls, when the answer of the last one has left; a call that finds nothing costs nothing here.

import type { AuditEvent } from "../core/session/event.js";
import { breakSession, faultOf } from "./break-off.js";
import { within } from "./deadline.js";
import type { LiveSession } from "./live.js";

/** So many calls after the last test they are tested again, whatever happened. */
export const ATTEST_EVERY = 250;

/** Notes what a batch on record makes due. */
export function noteAttest(live: LiveSession, events: readonly AuditEvent[]): void {
  const happened = events.find((event) => event.type === "reconciliation.done" && event.data.findings.some(({ about }) => about === undefined));
  if (happened !== undefined) live.attest = { trigger: "finding", cause: happened.seq };
  else if (live.attest === null && live.calls - live.attestedAt >= ATTEST_EVERY) live.attest = { trigger: "schedule", cause: null };
}

/** Does what is due, on record. Where the sandbox cannot say, the session is broken. Never rejects. */
export async function attestAgain(live: LiveSession): Promise<void> {
  const due = live.attest;
  live.attest = null;
  if (due === null || live.sandbox.attest === undefined || live.broken !== null || live.stopped !== null) return;
  live.attestedAt = live.calls;
  try {
    const { filesMs } = live.deadlines;
    const controls = await within(live.sandbox.attest(AbortSignal.timeout(filesMs)), filesMs, "testing the controls again");
    await live.append([{ call: null, type: "controls.attested", data: { controls, ...due } }]);
  } catch (error) {
    await breakSession(live, faultOf(error, "the controls could not be tested again").message);
  }
}
