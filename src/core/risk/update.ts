// The data of a `risk.updated` event: what moved between two states, why, and the inputs it came from.

import type { EventData } from "../session/event.js";
import type { JsonObject } from "../shared/index.js";
import { RISK_MODEL } from "./catalogue.js";
import { compare, formatExact } from "./decimal.js";
import type { RiskChange, RiskState } from "./state.js";
import { changeLine, contribution, postureLines, riskSummary, shownScore } from "./summary.js";

/** Most findings listed in one event, highest first; the count of all is beside them. */
const LISTED = 20;

/**
 * Data for a `risk.updated` event, or null when nothing moved.
 * @param before state that was last reported; null for the first report of a session
 * @param causeSeq the event that made the difference
 */
export function riskEvent(before: RiskState | null, after: RiskState, causeSeq: number): EventData["risk.updated"] | null {
  const fresh = after.changes.slice(before?.changes.length ?? 0);
  if (before !== null && fresh.length === 0 && compare(before.headline.score.raw, after.headline.score.raw) === 0) return null;
  const { score, band } = shownScore(after.headline.score);
  return {
    formula: after.profile.formula,
    score,
    band,
    peak: shownScore(after.peak).score,
    cause: causeSeq,
    reasons: [...(before === null ? postureLines(after) : []), ...fresh.map(changeLine)],
    detail: detailOf(before, after, fresh),
  };
}

function detailOf(before: RiskState | null, after: RiskState, fresh: readonly RiskChange[]): JsonObject {
  const summary = riskSummary(after);
  return {
    model: RISK_MODEL,
    profile: summary.profile.id,
    exact: summary.live.exact,
    before: before === null ? null : formatExact(before.headline.score.raw),
    driver: summary.live.driver,
    static: { score: summary.static.score, band: summary.static.band },
    posture: { vector: summary.posture.vector, cvss: summary.posture.cvss, score: summary.posture.score },
    factorSum: { base: summary.factorSum.base, live: summary.factorSum.live },
    factors: Object.fromEntries(summary.factors.map(({ key, base, live }) => [key, { base, live }])),
    layers: Object.fromEntries(summary.layers.map(({ layer, score }) => [layer, score === null ? null : score.score])),
    findings: summary.findings.slice(0, LISTED).map(({ rule, layer, threats, severity, outcome, count, cvss, score }) => ({ rule, layer, threats: [...threats], severity, outcome, count, cvss, score: score === null ? null : score.score })),
    findingCount: summary.findings.length,
    changes: fresh.map((change) => ({
      event: change.seq,
      rule: change.rule,
      layer: change.layer,
      threats: [...change.threats],
      severity: change.severity,
      outcome: change.outcome,
      inputs: change.inputs.map(({ name, before: was, after: is }) => ({ name, before: was, after: is })),
      before: formatExact(change.before),
      after: formatExact(change.after),
      contribution: contribution(change),
    })),
  };
}
