// A batch of events with the score it moves, as it goes on record. Pure; the state is that of the record after the batch.

import { reduceRisk, riskEvent, type RiskState } from "../core/risk/index.js";
import type { EventDraft } from "../core/session/event.js";
import type { CallId } from "../core/shared/index.js";

/** Where the record stands before the batch. */
export interface ScorePlace {
  readonly risk: RiskState;
  /** Is the score of the start on record. */
  readonly isScored: boolean;
  readonly nextSeq: number;
}

export interface ScoredBatch {
  readonly drafts: readonly EventDraft[];
  readonly risk: RiskState;
  /** The last event that was evidence, whether or not it moved the score. */
  readonly cause: number;
}

/**
 * Adds a `risk.updated` where the score moved. The end of a call closes its records, so the score comes before it, unless
 * the end itself moves the score; else it comes last. `cause` is the event that moved the score, not one that was only noted.
 */
export function scoreBatch(drafts: readonly EventDraft[], place: ScorePlace): ScoredBatch {
  const scored: EventDraft[] = [];
  let risk = place.risk;
  let told: RiskState | null = place.isScored ? place.risk : null;
  let cause = 0;
  let noted = 0;
  const seq = (): number => place.nextSeq + scored.length;
  const report = (call: CallId | null): void => {
    const data = riskEvent(told, risk, cause);
    if (data === null) return;
    scored.push({ call, type: "risk.updated", data });
    told = risk;
  };
  for (const [index, draft] of drafts.entries()) {
    const closes = draft.type === "call.closed" && reduceRisk(risk, { ...draft, seq: seq() }) === risk;
    if (closes) report(draft.call);
    const next = reduceRisk(risk, { ...draft, seq: seq() });
    if (next.changes.length !== risk.changes.length) cause = seq();
    if (next !== risk) noted = seq();
    risk = next;
    scored.push(draft);
    if (index === drafts.length - 1 && !closes) report(draft.call);
  }
  return { drafts: scored, risk, cause: noted };
}
