// A session as an AIVSS v0.8 assessment in the form of its Appendix A: one entry a finding that has a score of its own. Strict v0.8: base
// vectors without environment, factors on the rubric, the published threat multipliers, no mitigation. It is a report beside the live score.

import type { EventData } from "../session/event.js";
import { scoreAivss } from "./aivss.js";
import { THM_ATTEMPTED, THM_SUCCEEDED } from "./catalogue.js";
import { cvssOf } from "./cvss.js";
import { decimal, formatExact, formatFixed, multiply, ONE, roundHalfUp, toNumber, type Decimal } from "./decimal.js";
import { factorSum, FACTOR_KEYS, type FactorKey } from "./factors.js";
import type { RiskFinding } from "./finding.js";
import { standingOutcome, type RiskState } from "./state.js";

/** The ten categories of v0.8, by the first id of the OWASP list for 2026 that a finding names (its Appendix B); tool misuse for any other. */
const CATEGORIES: Readonly<Record<string, string>> = {
  ASI01: "Agent Goal & Instruction Manipulation",
  ASI02: "Agentic AI Tool Misuse",
  ASI03: "Agent Access Control Violation",
  ASI04: "Agent Supply Chain & Dependency Risk",
  ASI05: "Insecure Agent Critical Systems Interaction",
  ASI06: "Agent Memory & Context Manipulation",
  ASI07: "Agent Orchestration & Multi-Agent Exploitation",
  ASI08: "Agent Cascading Failures",
  ASI09: "Agent Identity Impersonation",
  ASI10: "Agent Untraceability",
};

export interface AssessedVulnerability {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly owasp_category: string;
  readonly cvss_base: { readonly vector_string: string; readonly score: number };
  readonly amplification_factors: Readonly<Record<FactorKey, number>>;
  readonly threat_multiplier: number;
  readonly scores: { readonly factor_sum: number; readonly aars: number; readonly mitigation_factor: number; readonly aivss: number; readonly severity: string };
}

export interface Assessment {
  readonly metadata: { readonly system_name: string; readonly system_version: string; readonly assessment_date: string; readonly assessor_id: string; readonly notes: string };
  readonly vulnerabilities: readonly AssessedVulnerability[];
}

/** The assessment of a session. @param opened its first event's data @param date the day it was opened, `2026-01-01` */
export function assessment(state: RiskState, opened: Pick<EventData["session.opened"], "agent" | "product">, date: string): Assessment {
  const factors = new Map(FACTOR_KEYS.map((key): [FactorKey, Decimal] => [key, onRubric(state.profile.factors.get(key) ?? ONE)]));
  const vulnerabilities = [...state.findings.values()]
    .sort((a, b) => (a.rule < b.rule ? -1 : 1))
    .flatMap((finding) => assessed(state, finding, factors));
  return {
    metadata: {
      system_name: opened.agent.name ?? state.profile.id,
      system_version: opened.agent.version ?? "unknown",
      assessment_date: date,
      assessor_id: opened.product,
      notes: `factors of the profile ${state.profile.id} rounded to the rubric's halves, published ones added up to ${formatExact(factorSum(state.profile.factors))}; the live score is ${formatFixed(state.headline.score.aivss, 1)}`,
    },
    vulnerabilities,
  };
}

/** The nearest half, halves of a half up. */
function onRubric(value: Decimal): Decimal {
  const doubled = roundHalfUp(multiply(value, decimal("2")), 0);
  return { units: doubled.units * 5n, scale: 1 };
}

function assessed(state: RiskState, finding: RiskFinding, factors: ReadonlyMap<FactorKey, Decimal>): readonly AssessedVulnerability[] {
  const scored = finding.cvss === null ? null : cvssOf(baseOf(finding.cvss.vector));
  const outcome = standingOutcome(finding, state.discarded);
  if (scored?.ok !== true || outcome === "asked" || outcome === "approved") return [];
  const { vector, score } = scored.value;
  const thm = outcome === "succeeded" ? THM_SUCCEEDED : THM_ATTEMPTED;
  const sum = factorSum(factors);
  const { aars, aivss, band } = scoreAivss("0.8", { cvss: score, factorSum: sum, thm, mf: ONE });
  const asi = finding.threats.find((threat) => threat.startsWith("asi-2026:"))?.slice("asi-2026:".length) ?? "ASI02";
  return [
    {
      id: finding.rule,
      title: finding.rule,
      description: `${outcome}, ${finding.severity}; ${finding.threats.join(", ") || "no threat named"}`,
      owasp_category: CATEGORIES[asi] ?? "Agentic AI Tool Misuse",
      cvss_base: { vector_string: vector.text, score: toNumber(score) },
      amplification_factors: Object.fromEntries([...factors].map(([key, value]) => [key, toNumber(value)])) as Record<FactorKey, number>,
      threat_multiplier: toNumber(thm),
      scores: { factor_sum: toNumber(sum), aars: toNumber(aars), mitigation_factor: 1, aivss: toNumber(aivss), severity: band },
    },
  ];
}

/** The base group of a vector. */
function baseOf(vector: string): string {
  return vector.split("/").slice(0, 12).join("/");
}
