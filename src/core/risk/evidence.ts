// Factor evidence: `f = f0 + (1 − f0) × (1 − ∏(1 − w))`, in fixed point, rounded so that lost digits can only raise it.
// Bounded by 1 without clamping, never lowered by more evidence, the same in any order.

import { OUTCOME_ROWS, OUTCOMES, REPEAT_SHARES, type Outcome } from "./catalogue.js";
import { add, multiply, ONE, roundDown, roundUp, subtract, ZERO, type Decimal } from "./decimal.js";
import { FACTOR_KEYS, type FactorKey, type Factors } from "./factors.js";
import type { RiskFinding } from "./finding.js";

/** Digits kept of the product, and of a factor. */
const PRODUCT_PLACES = 12;
const FACTOR_PLACES = 6;

/** A factor as published and as the evidence leaves it. */
export interface FactorLevel {
  readonly base: Decimal;
  readonly live: Decimal;
}

/** The ten factors under the evidence of all findings. */
export function liveFactors(base: Factors, findings: ReadonlyMap<string, RiskFinding>): ReadonlyMap<FactorKey, FactorLevel> {
  const ordered = [...findings.values()].sort((a, b) => (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0));
  return new Map(
    FACTOR_KEYS.map((key): [FactorKey, FactorLevel] => {
      const start = base.get(key) ?? ONE;
      const left = ordered.reduce((product, finding) => remaining(product, finding, key), ONE);
      const raised = add(start, multiply(subtract(ONE, start), subtract(ONE, left)));
      return [key, { base: start, live: roundUp(raised, FACTOR_PLACES) }];
    }),
  );
}

/** Multiplies what is left of a factor by `1 − w` for each counted occurrence, strongest first. */
function remaining(product: Decimal, finding: RiskFinding, key: FactorKey): Decimal {
  const weight = finding.weights.get(key);
  if (weight === undefined) return product;
  let left = product;
  for (const [index, outcome] of strongest(finding.counts).entries()) {
    const share = multiply(weight, REPEAT_SHARES[index] ?? ZERO);
    for (const part of OUTCOME_ROWS[outcome].parts) left = roundDown(multiply(left, subtract(ONE, multiply(share, part))), PRODUCT_PLACES);
  }
  return left;
}

/** The counted occurrences of a finding, strongest outcome first, at most as many as there are repeat shares. */
function strongest(counts: Readonly<Record<Outcome, number>>): readonly Outcome[] {
  return OUTCOMES.toReversed()
    .flatMap((outcome) => Array.from({ length: Math.min(counts[outcome], REPEAT_SHARES.length) }, () => outcome))
    .slice(0, REPEAT_SHARES.length);
}
