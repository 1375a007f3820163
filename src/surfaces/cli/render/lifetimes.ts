// How a process that was handed over stands, and when the session stood still, in a few words.

import type { AuditEvent, EventData, ProcessState } from "../../../core/session/index.js";
import { printable } from "../../../core/shared/index.js";

/** How one ended, where the word on record says too little alone. */
const HOW: Readonly<Record<string, string>> = { session: "ended with session", lease: "lease was over", recovered: "ended by a crash", limit: "reached a limit", fault: "sandbox was lost" };

export function processText(closed: ProcessState["closed"]): string {
  if (closed === null) return "lives";
  if (closed.reason === "exit") return `exit ${printable(String(closed.exitCode ?? closed.signal ?? "?"), 20)}`;
  return HOW[closed.reason] ?? printable(closed.reason, 40);
}

/** One text for each time that the session stood still and went on: for how long, who said so and why. */
export function pauseTexts(events: readonly AuditEvent[]): readonly string[] {
  const texts: string[] = [];
  let paused: EventData["session.paused"] | null = null;
  for (const event of events) {
    if (event.type === "session.paused") paused = event.data;
    else if (event.type === "session.resumed" && paused !== null) {
      const { by, reason, call } = paused;
      texts.push(`${String(Math.round(event.data.pausedMs / 1000))} s by ${printable(by, 100)}${call === null ? ", between two calls" : `, in ${printable(call)}`}${reason === null ? "" : `: ${printable(reason, 200)}`}`);
      paused = null;
    }
  }
  return texts;
}
