// A risk finding: everything one rule has evidenced in a session. Merging is order-free and never weakens it.

import type { MaestroLayer, RuleRisk } from "../policy/decision.js";
import type { ThreatId } from "../shared/index.js";
import { LAYER_FACTORS, OUTCOMES, SEVERITIES, SEVERITY_ROWS, type Outcome, type Severity } from "./catalogue.js";
import { cvssOf, scoreCvss } from "./cvss.js";
import { compare, max, min, ONE, parseDecimal, ZERO, type Decimal } from "./decimal.js";
import { leftOf, type Left } from "./evidence.js";
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

const NO_COUNTS: Readonly<Record<Outcome, number>> = { asked: 0, approved: 0, rejected: 0, blocked: 0, undone: 0, succeeded: 0 };

const NOTHING_LEFT_OUT: Left = new Map();

/** A finding that a signal opens, or the known one with the signal added. */
export function recordSignal(known: RiskFinding | undefined, signal: Signal, credits: readonly PostureCredit[]): RiskFinding {
  const opened = openFinding(known, signal, credits);
  return known === undefined ? opened : mergeFindings(known, opened);
}

function openFinding(known: RiskFinding | undefined, signal: Signal, credits: readonly PostureCredit[]): RiskFinding {
  const vector = signal.risk.cvss ?? SEVERITY_ROWS[signal.risk.severity].cvss;
  const same = known !== undefined && known.cvss !== null && known.cvss.vector === vector;
  const weights = weightsOf(signal);
  const counts = { ...NO_COUNTS, [signal.outcome]: 1 };
  return {
    rule: signal.rule,
    layer: signal.layer,
    threats: sortedUnique(signal.threats),
    severity: signal.risk.severity,
    cvss: same ? known.cvss : findingCvss(signal.risk, credits),
    weights,
    left: known === undefined ? leftOf(weights, counts) : NOTHING_LEFT_OUT,
    counts,
  };
}

/** Adds the second finding's evidence to the first's; both of one rule. Each part takes the worse. */
function mergeFindings(a: RiskFinding, b: RiskFinding): RiskFinding {
  const weights = new Map(a.weights);
  for (const [key, weight] of b.weights) weights.set(key, max(weights.get(key) ?? ZERO, weight));
  const counts: Record<Outcome, number> = { ...NO_COUNTS };
  for (const outcome of OUTCOMES) counts[outcome] = a.counts[outcome] + b.counts[outcome];
  return {
    rule: a.rule,
    layer: firstLayer(a.layer, b.layer),
    threats: sortedUnique([...a.threats, ...b.threats]),
    severity: SEVERITIES.indexOf(a.severity) >= SEVERITIES.indexOf(b.severity) ? a.severity : b.severity,
    cvss: worseCvss(a.cvss, b.cvss),
    weights,
    left: leftOf(weights, counts),
    counts,
  };
}

/** Turns one `asked` occurrence into what the approver answered. A finding that has none gets the answer added. */
export function answerFinding(finding: RiskFinding, outcome: "approved" | "rejected"): RiskFinding {
  const { asked } = finding.counts;
  const counts = { ...finding.counts, asked: Math.max(asked - 1, 0), [outcome]: finding.counts[outcome] + 1 };
  return { ...finding, counts, left: leftOf(finding.weights, counts) };
}

/** The furthest any occurrence came. */
export function worstOutcome(finding: RiskFinding): Outcome {
  return OUTCOMES.findLast((outcome) => finding.counts[outcome] > 0) ?? "asked";
}

function findingCvss(risk: RuleRisk, credits: readonly PostureCredit[]): FindingCvss | null {
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
