// Asserted numbers of the live score, in one place and with a version: severities, outcomes, repeats, default factors.
// They are judgements, not measurements. Changing one changes `RISK_MODEL`.

import type { MaestroLayer, RuleRisk } from "../policy/decision.js";
import { decimal, type Decimal } from "./decimal.js";
import type { FactorKey } from "./factors.js";

/** Name and version of this set of weights; printed with every live score. */
export const RISK_MODEL = "ringfence-risk/3";

export type Severity = RuleRisk["severity"];
export const SEVERITIES = ["info", "low", "medium", "high", "critical"] as const satisfies readonly Severity[];

/** What a severity stands for when a rule says no more. */
export interface SeverityRow {
  /** CVSS v4.0 vector of the finding, scored at the agent's own credential (PR:L) and without user interaction; null: no score of its own. */
  readonly cvss: string | null;
  /** Factor evidence of one occurrence, in (0,1). */
  readonly weight: Decimal;
}

export const SEVERITY_ROWS: Readonly<Record<Severity, SeverityRow>> = {
  info: { cvss: null, weight: decimal("0.01") },
  low: { cvss: "CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:N/VC:N/VI:L/VA:L/SC:N/SI:N/SA:N", weight: decimal("0.03") },
  medium: { cvss: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:L/VA:L/SC:N/SI:N/SA:N", weight: decimal("0.08") },
  high: { cvss: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", weight: decimal("0.15") },
  critical: { cvss: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", weight: decimal("0.25") },
};

/** How far an occurrence came, weakest first. */
export const OUTCOMES = ["asked", "approved", "contained", "rejected", "blocked", "undone", "succeeded"] as const;
/**
 * `asked`: waits for a person, or nobody answered; `approved`: a person let it run;
 * `contained`: it ran where a tested container holds it, and its text says what a rule is against or watches for; `rejected`: a person refused it;
 * `blocked`: policy refused it or a limit ended it; `undone`: it happened and was reverted; `succeeded`: it happened and stayed.
 */
export type Outcome = (typeof OUTCOMES)[number];

export interface OutcomeRow {
  /** Parts of the weight that are applied one after the other; more and larger parts are stronger evidence. */
  readonly parts: readonly Decimal[];
  /** Does the finding get a score of its own. */
  readonly scored: boolean;
  /** Do the attested controls still count for it. */
  readonly contained: boolean;
}

export const OUTCOME_ROWS: Readonly<Record<Outcome, OutcomeRow>> = {
  asked: { parts: [decimal("0.25")], scored: false, contained: true },
  approved: { parts: [decimal("0.25")], scored: false, contained: true },
  contained: { parts: [decimal("0.5")], scored: true, contained: true },
  rejected: { parts: [decimal("0.5")], scored: true, contained: true },
  blocked: { parts: [decimal("1")], scored: true, contained: true },
  undone: { parts: [decimal("1"), decimal("0.5")], scored: true, contained: true },
  succeeded: { parts: [decimal("1"), decimal("1")], scored: true, contained: false },
};

/** Share of its weight that the first, second … occurrence of one rule adds; later ones add nothing. */
export const REPEAT_SHARES: readonly Decimal[] = [decimal("1"), decimal("0.25"), decimal("0.0625"), decimal("0.015625")];

/** Threat multipliers of AIVSS v0.8: proof of concept, and attacked. */
export const THM_ATTEMPTED = decimal("0.97");
export const THM_SUCCEEDED = decimal("1");

/** Factors that a rule without any of its own raises, by its layer; after AIVSS v0.8 tables 3 and 8, cut to two. */
export const LAYER_FACTORS: Readonly<Record<MaestroLayer, readonly FactorKey[]>> = {
  L1: ["language", "context"],
  L2: ["persistence", "context"],
  L3: ["autonomy", "non_determinism"],
  L4: ["tools", "autonomy"],
  L5: ["opacity"],
  L6: ["identity", "tools"],
  L7: ["autonomy", "tools"],
  X: ["tools", "identity"],
};

/** What the run itself tells, apart from any policy rule. */
export const RUN_SIGNALS = {
  "run.default-deny": { layer: "L3", risk: { severity: "info", cvss: null, factors: { tools: 0.01, autonomy: 0.01 } } },
  "run.rule-without-risk": { layer: null, risk: { severity: "info", cvss: null, factors: { tools: 0.01, autonomy: 0.01 } } },
  "run.timeout": { layer: "L4", risk: { severity: "info", cvss: null, factors: { non_determinism: 0.02 } } },
  "run.limit": { layer: "L4", risk: { severity: "low", cvss: "CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:N/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N", factors: { non_determinism: 0.05, autonomy: 0.03 } } },
  "run.left-processes": { layer: "L4", risk: { severity: "info", cvss: null, factors: { autonomy: 0.02 } } },
  "run.reported-refusal": { layer: "L4", risk: { severity: "info", cvss: null, factors: { tools: 0.01, autonomy: 0.01 } } },
  "run.not-quiescent": { layer: "L4", risk: { severity: "high", cvss: null, factors: { autonomy: 0.15, tools: 0.15 } } },
  "run.in-doubt": { layer: "L5", risk: { severity: "low", cvss: "CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N", factors: { opacity: 0.1 } } },
} as const satisfies Readonly<Record<string, { readonly layer: MaestroLayer | null; readonly risk: RuleRisk }>>;

export type RunSignal = keyof typeof RUN_SIGNALS;

/** A change that policy forbids or nobody can explain, when its rule asserts no risk. */
export const UNEXPLAINED_CHANGE: RuleRisk = { severity: "medium", cvss: null, factors: {} };
