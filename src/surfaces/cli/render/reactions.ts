// What policy did because of the score, as it happens.

import type { AuditEvent } from "../../../core/session/index.js";
import { count, printable } from "../../../core/shared/index.js";
import { paragraph, type Sheet } from "./step.js";

export type ReactionEvent = Extract<AuditEvent, { type: "session.tightened" | "session.copied" }>;

const WORDS = { "ask-writes": "changes need a person from here on", ask: "every call needs a person from here on", pause: "paused", stop: "stopped" } as const;

/** One event in a line or two. */
export function reactionLines(sheet: Sheet, event: ReactionEvent): readonly string[] {
  const { paint } = sheet;
  if (event.type === "session.copied") {
    const { place, files, left } = event.data;
    return paragraph(sheet, [{ text: "■ ", paint: paint.red }, { text: `forensic copy of ${count(files, "file")}${left === 0 ? "" : `, ${left} left out`}: ` }, { text: printable(place), paint: paint.dim }]);
  }
  const { reason, reaction = "", action = "ask" } = event.data;
  return paragraph(sheet, [{ text: "■ ", paint: paint.red }, { text: `${WORDS[action]} `, paint: paint.bold }, { text: `${printable(reaction, 80)} `, paint: paint.red }, { text: printable(reason, 600), paint: paint.dim }]);
}
