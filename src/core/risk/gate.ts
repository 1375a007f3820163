// Gates: a session's score held against what a pipeline accepts. Pure; the answer is the list of what was passed.

import { printable } from "../shared/index.js";
import { SEVERITIES, type Severity } from "./catalogue.js";
import { compare, parseDecimal, type Decimal } from "./decimal.js";
import type { RiskSummary } from "./summary.js";

/** What a caller accepts. Both left out: everything. */
export interface RiskGate {
  /** Highest AIVSS accepted, 0 to 10. The peak of the session counts, so that a score that fell again is not forgotten. */
  readonly maxAivss?: Decimal;
  /** Least severity of a finding that is not accepted, whether it was blocked, undone or stayed. */
  readonly failOn?: Severity;
}

/** A score of 0 to 10 with at most one decimal; null for anything else. */
export function parseMaxAivss(text: string): Decimal | null {
  if (!/^(?:10(?:\.0)?|[0-9](?:\.[0-9])?)$/u.test(text)) return null;
  const parsed = parseDecimal(text, "score", 1);
  return parsed.ok ? parsed.value : null;
}

/** A severity's name; null for anything else. */
export function parseSeverity(text: string): Severity | null {
  return SEVERITIES.find((name) => name === text) ?? null;
}

/** Why a session does not pass, one line a reason; empty when it passes. A score is compared as it is shown, rounded to one decimal. */
export function gateReasons(gate: RiskGate, summary: RiskSummary): readonly string[] {
  return [...scoreReason(gate.maxAivss, summary), ...findingReasons(gate.failOn, summary)];
}

function scoreReason(most: Decimal | undefined, { peak }: RiskSummary): readonly string[] {
  if (most === undefined) return [];
  const reached = parseMaxAivss(peak.score);
  // A score that cannot be read is not one that passed.
  const isHeld = reached !== null && compare(reached, most) <= 0;
  return isHeld ? [] : [`AIVSS reached ${peak.score} ${peak.band}, above what --max-aivss accepts`];
}

function findingReasons(least: Severity | undefined, { findings }: RiskSummary): readonly string[] {
  if (least === undefined) return [];
  const from = SEVERITIES.indexOf(least);
  return findings
    .filter(({ severity }) => SEVERITIES.indexOf(severity) >= from)
    .map(({ rule, severity, outcome, count }) => `finding ${printable(rule)}: ${severity}, ${outcome}${count > 1 ? ` ${count} times` : ""}`);
}
