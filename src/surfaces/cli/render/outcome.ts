// What became of one command, in lines on standard error: why it was refused, what was undone, that it took too long.

import { printable } from "../../../core/shared/index.js";
import type { Observation } from "../../../engine/observation.js";
import type { Io } from "../io.js";
import { findingLine, reasonLines } from "./text.js";

/** Prints all that a person must know of a command besides its own output. */
export function tellOutcome(observation: Observation, io: Io): void {
  const paint = io.paintErr;
  if (observation.outcome === "denied" || observation.outcome === "rejected") {
    const word = observation.outcome === "denied" ? "denied" : `needs approval (${observation.approval?.outcome ?? "rejected"})`;
    const [first = "default-deny", ...more] = reasonLines(observation.decision, paint);
    io.fail(`${paint.red(word)} ${first}`);
    for (const line of more) io.fail(`${" ".repeat(word.length)} ${line}`);
    const allowed = observation.decision.reasons.find((reason) => reason.allowed !== null)?.allowed;
    if (allowed !== undefined && allowed !== null) io.fail(paint.dim(`allowed: ${allowed}`));
  }
  for (const finding of observation.findings) io.fail(findingLine(finding, paint));
  if (observation.ended === "timeout") io.fail(`${paint.red("timed out")} after ${Math.round(observation.durationMs)} ms; every process was ended`);
}

/** What the tool `process` says of the process at the end of a call's message, if anything: its last line of that kind. */
export function processNote(message: string): string | null {
  const [, note] = message.split("\n").findLast((one) => PROCESS_NOTE.test(one))?.match(PROCESS_NOTE) ?? [];
  return note === undefined ? null : printable(`[${note}`, 400);
}

/** Where it could not be done, the call's exit code stands before it. */
const PROCESS_NOTE = /^\[(?:exit code \d+; )?((?:the )?process .*)$/u;
