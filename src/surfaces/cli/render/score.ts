// A session's score, recomputed from its events: what a person reads and what a program gets.

import { replayRisk, riskExplanation, riskLines, riskSummary, type RiskSummary } from "../../../core/risk/index.js";
import type { AuditEvent } from "../../../core/session/index.js";

/** Summary of the live score after the last event. */
export function sessionScore(events: readonly AuditEvent[]): RiskSummary {
  return riskSummary(replayRisk(events));
}

/** A few lines, or all of it with every reason. */
export function scoreLines(summary: RiskSummary, explain: boolean): readonly string[] {
  return explain ? riskExplanation(summary) : riskLines(summary);
}
