// A risk finding: everything one rule has evidenced in a session. Merging is order-free and never weakens it.

import type { MaestroLayer, RuleRisk } from "../policy/decision.js";
import type { ThreatId } from "../shared/index.js";
import { LAYER_FACTORS, OUTCOMES, SEVERITIES, SEVERITY_ROWS, type Outcome, type Severity } from "./catalogue.js";
import { cvssOf, scoreCvss } from "./cvss.js";
import { compare, max, min, ONE, parseDecimal, ZERO, type Decimal } from "./decimal.js";
import { isCountedAlike, leftOf, type Left } from "./evidence.js";
import { factorKey, type FactorKey } from "./factors.js";
import { contained, type PostureCredit } from "./posture.js";

/** One occurrence of a rule in one event. */
export interface Signal {
  readonly rule: string;
  readonly layer: MaestroLayer | null;
  readonly threats: readonly ThreatId[];
  readonly risk: RuleRisk;
  readonly outcome: Outcome;
}

/** The finding's CVSS, in the open and under the session's posture. */
export interface FindingCvss {
  /** As scored: the rule's own vector, or the catalogue's for its severity. */
  readonly vector: string;
  readonly open: Decimal;
  readonly contained: Decimal;
}

export interface RiskFinding {
  readonly rule: string;
  readonly layer: MaestroLayer | null;
  readonly threats: readonly ThreatId[];
  readonly severity: Severity;
  readonly cvss: FindingCvss | null;
  /** Evidence weight of one occurrence, by factor. */
  readonly weights: ReadonlyMap<FactorKey, Decimal>;
  /** What that leaves of each factor, derived from weights and counts. */
  readonly left: Left;
  /** How often each outcome was seen. */
  readonly counts: Readonly<Record<Outcome, number>>;
}

/** Most threats named of one finding; the first in code unit order are kept. */
const MAX_THREATS = 32;

const NO_COUNTS: Readonly<Record<Outcome, number>> = { asked: 0, approved: 0, contained: 0, rejected: 0, blocked: 0, undone: 0, succeeded: 0 };

const NOTHING_LEFT_OUT: Left = new Map();

/** A finding that a signal opens, or the known one with the signal added. @param cvss of the signal, from `findingCvss` */
export function recordSignal(known: RiskFinding | undefined, signal: Signal, cvss: FindingCvss | null): RiskFinding {
  const opened = openFinding(known, signal, cvss);
  return known === undefined ? opened : mergeFindings(known, opened);
}

/** Names what a finding's CVSS hangs on besides the posture. */
export function cvssKey({ severity, cvss }: RuleRisk): string {
  return `${severity} ${cvss ?? ""}`;
}

function openFinding(known: RiskFinding | undefined, signal: Signal, cvss: FindingCvss | null): RiskFinding {
  const weights = weightsOf(signal);
  const counts = { ...NO_COUNTS, [signal.outcome]: 1 };
  return {
    rule: signal.rule,
    layer: signal.layer,
    threats: sortedUnique(signal.threats),
    severity: signal.risk.severity,
    cvss,
    weights,
    left: known === undefined ? leftOf(weights, counts) : NOTHING_LEFT_OUT,
    counts,
  };
}

/** Adds the second finding's evidence to the first's; both of one rule. Each part takes the worse. */
function mergeFindings(a: RiskFinding, b: RiskFinding): RiskFinding {
  const weights = heavier(a.weights, b.weights);
  const counts: Record<Outcome, number> = { ...NO_COUNTS };
  for (const outcome of OUTCOMES) counts[outcome] = a.counts[outcome] + b.counts[outcome];
  return {
    rule: a.rule,
    layer: firstLayer(a.layer, b.layer),
    threats: b.threats.every((threat) => a.threats.includes(threat)) ? a.threats : sortedUnique([...a.threats, ...b.threats]),
    severity: SEVERITIES.indexOf(a.severity) >= SEVERITIES.indexOf(b.severity) ? a.severity : b.severity,
    cvss: worseCvss(a.cvss, b.cvss),
    weights,
    left: isSameEvidence(a, weights, counts) ? a.left : leftOf(weights, counts),
    counts,
  };
}

/** The greater weight of each factor; the first map itself where the second adds nothing. */
function heavier(a: ReadonlyMap<FactorKey, Decimal>, b: ReadonlyMap<FactorKey, Decimal>): ReadonlyMap<FactorKey, Decimal> {
  let made: Map<FactorKey, Decimal> | null = null;
  for (const [key, weight] of b) {
    const known = a.get(key);
    if (known !== undefined && compare(known, weight) >= 0) continue;
    made ??= new Map(a);
    made.set(key, weight);
  }
  return made ?? a;
}

/** A repeat past those that count, with no greater weight, leaves what was left. */
function isSameEvidence(known: RiskFinding, weights: ReadonlyMap<FactorKey, Decimal>, counts: Readonly<Record<Outcome, number>>): boolean {
  if (!isCountedAlike(known.counts, counts) || weights.size !== known.weights.size) return false;
  for (const [key, weight] of weights) if (known.weights.get(key) !== weight) return false;
  return true;
}

/** Turns one `asked` occurrence into what the approver answered. A finding that has none gets the answer added. */
export function answerFinding(finding: RiskFinding, outcome: "approved" | "rejected"): RiskFinding {
  const { asked } = finding.counts;
  const counts = { ...finding.counts, asked: Math.max(asked - 1, 0), [outcome]: finding.counts[outcome] + 1 };
  return { ...finding, counts, left: leftOf(finding.weights, counts) };
}

/** The furthest any occurrence came. */
export function worstOutcome(finding: RiskFinding): Outcome {
  for (let index = OUTCOMES.length - 1; index > 0; index -= 1) {
    const outcome = OUTCOMES[index];
    if (outcome !== undefined && finding.counts[outcome] > 0) return outcome;
  }
  return "asked";
}

/** CVSS of what a rule evidences, in the open and under the posture; null where it has none. */
export function findingCvss(risk: RuleRisk, credits: readonly PostureCredit[]): FindingCvss | null {
  const row = SEVERITY_ROWS[risk.severity].cvss;
  const own = risk.cvss === null ? null : cvssOf(risk.cvss);
  const scored = own?.ok === true ? own : row === null ? null : cvssOf(row);
  if (scored?.ok !== true) return null;
  const { vector, score } = scored.value;
  const inside = contained(vector, credits);
  return { vector: vector.text, open: score, contained: inside.text === vector.text ? score : min(score, scoreCvss(inside)) };
}

/** A finding under a posture that has become worse. It never gets better by it. */
export function underPosture(finding: RiskFinding, credits: readonly PostureCredit[]): RiskFinding {
  const { cvss } = finding;
  const parsed = cvss === null ? null : cvssOf(cvss.vector);
  if (cvss === null || parsed?.ok !== true) return finding;
  const now = min(cvss.open, scoreCvss(contained(parsed.value.vector, credits)));
  return { ...finding, cvss: { ...cvss, contained: max(cvss.contained, now) } };
}

function worseCvss(a: FindingCvss | null, b: FindingCvss | null): FindingCvss | null {
  if (a === null || b === null) return a ?? b;
  const order = compare(a.open, b.open);
  const first = order > 0 || (order === 0 && a.vector <= b.vector) ? a : b;
  return { vector: first.vector, open: first.open, contained: max(a.contained, b.contained) };
}

/** Valid weights of a signal. Unknown factors are left out; a weight that is no decimal in (0,1] becomes that of the severity. */
function weightsOf({ risk, layer }: Signal): ReadonlyMap<FactorKey, Decimal> {
  const fallback = SEVERITY_ROWS[risk.severity].weight;
  const weights = new Map<FactorKey, Decimal>();
  for (const [name, raw] of Object.entries(risk.factors)) {
    const key = factorKey(name);
    if (key === null) continue;
    const parsed = parseDecimal(raw, "weight");
    const usable = parsed.ok && parsed.value.units > 0n && compare(parsed.value, ONE) <= 0;
    weights.set(key, max(weights.get(key) ?? ZERO, usable ? parsed.value : fallback));
  }
  if (weights.size > 0) return weights;
  return new Map(LAYER_FACTORS[layer ?? "L7"].map((key): [FactorKey, Decimal] => [key, fallback]));
}

function firstLayer(a: MaestroLayer | null, b: MaestroLayer | null): MaestroLayer | null {
  if (a === null || b === null) return a ?? b;
  return a <= b ? a : b;
}

function sortedUnique(threats: readonly ThreatId[]): readonly ThreatId[] {
  return [...new Set(threats)].sort().slice(0, MAX_THREATS);
}
