// Factor evidence: `f = f0 + (1 − f0) × (1 − ∏(1 − w))`, in fixed point, rounded so that lost digits can only raise it.
// Bounded by 1 without clamping, never lowered by more evidence, the same in any order. What one finding leaves of a factor is
// kept with it, and products of findings in sixteen groups, so that one more event costs the same after ten thousand.

import { OUTCOME_ROWS, OUTCOMES, REPEAT_SHARES, type Outcome } from "./catalogue.js";
import { add, max, multiply, ONE, roundUp, subtract, ZERO, type Decimal } from "./decimal.js";
import { FACTOR_KEYS, type FactorKey, type Factors } from "./factors.js";
import type { RiskFinding } from "./finding.js";
import { groupOf } from "./finding-map.js";
import type { RaisedFactor } from "./posture.js";

/** Digits kept of the product, and of a factor. */
const PRODUCT_PLACES = 12;
const FACTOR_PLACES = 6;
const WHOLE = 10n ** BigInt(PRODUCT_PLACES);
const GROUPS = 16;

/** A factor as published and as the evidence leaves it. */
export interface FactorLevel {
  readonly base: Decimal;
  readonly live: Decimal;
}

/** What a finding leaves of each factor that it is evidence of, in units of 10^-12. */
export type Left = ReadonlyMap<FactorKey, bigint>;

/** Products by group: the rules of each, sorted, and what they leave together of each factor. */
export interface Evidence {
  readonly rules: readonly (readonly string[])[];
  readonly products: ReadonlyMap<FactorKey, readonly bigint[]>;
}

export const NO_EVIDENCE: Evidence = {
  rules: Array.from({ length: GROUPS }, () => []),
  products: new Map(FACTOR_KEYS.map((key): [FactorKey, readonly bigint[]] => [key, Array.from({ length: GROUPS }, () => WHOLE)])),
};

/** What a finding's weights and counts leave: `1 − w` for each counted occurrence, strongest first. */
export function leftOf(weights: ReadonlyMap<FactorKey, Decimal>, counts: Readonly<Record<Outcome, number>>): Left {
  const counted = strongest(counts);
  return new Map([...weights].map(([key, weight]): [FactorKey, bigint] => [key, remaining(weight, counted)]));
}

/** Tells whether the same occurrences of two counts are counted. */
export function isCountedAlike(a: Readonly<Record<Outcome, number>>, b: Readonly<Record<Outcome, number>>): boolean {
  let room = REPEAT_SHARES.length;
  for (let index = OUTCOMES.length - 1; index >= 0 && room > 0; index -= 1) {
    const outcome = OUTCOMES[index] ?? "asked";
    const counted = Math.min(a[outcome], room);
    if (counted !== Math.min(b[outcome], room)) return false;
    room -= counted;
  }
  return true;
}

/** Tells whether two findings leave the same. */
export function isSameLeft(a: Left | undefined, b: Left): boolean {
  if (a === b) return true;
  if (a === undefined || a.size !== b.size) return false;
  for (const [key, left] of b) if (a.get(key) !== left) return false;
  return true;
}

/** The evidence with one finding of `findings` as it now is. */
export function withEvidence(evidence: Evidence, findings: ReadonlyMap<string, RiskFinding>, finding: RiskFinding): Evidence {
  const group = groupOf(finding.rule);
  const known = evidence.rules[group] ?? [];
  const members = known.includes(finding.rule) ? known : [...known, finding.rule].sort();
  const rules = members === known ? evidence.rules : evidence.rules.with(group, members);
  const products = new Map(evidence.products);
  for (const key of finding.left.keys()) {
    const product = members.reduce((left, rule) => times(left, findings.get(rule)?.left.get(key) ?? WHOLE), WHOLE);
    const groups = products.get(key) ?? [];
    if (groups[group] !== product) products.set(key, groups.with(group, product));
  }
  return { rules, products };
}

/** The ten factors under the evidence, none below what the posture puts it at. @param known factors under earlier evidence and the same posture */
export function liveFactors(base: Factors, evidence: Evidence, raised: readonly RaisedFactor[], known?: { readonly evidence: Evidence; readonly factors: ReadonlyMap<FactorKey, FactorLevel> }): ReadonlyMap<FactorKey, FactorLevel> {
  return new Map(
    FACTOR_KEYS.map((key): [FactorKey, FactorLevel] => {
      const before = known?.evidence.products.get(key) === evidence.products.get(key) ? known?.factors.get(key) : undefined;
      if (before !== undefined) return [key, before];
      const start = base.get(key) ?? ONE;
      const units = (evidence.products.get(key) ?? []).reduce(times, WHOLE);
      const grown = units === WHOLE ? start : roundUp(add(start, multiply(subtract(ONE, start), subtract(ONE, { units, scale: PRODUCT_PLACES }))), FACTOR_PLACES);
      return [key, { base: start, live: raised.reduce((level, { factor, at }) => (factor === key ? max(level, at) : level), grown) }];
    }),
  );
}

function times(a: bigint, b: bigint): bigint {
  return b === WHOLE ? a : (a * b) / WHOLE;
}

function remaining(weight: Decimal, counted: readonly Outcome[]): bigint {
  let left = WHOLE;
  for (const [index, outcome] of counted.entries()) {
    const share = multiply(weight, REPEAT_SHARES[index] ?? ZERO);
    for (const part of OUTCOME_ROWS[outcome].parts) {
      const kept = multiply({ units: left, scale: PRODUCT_PLACES }, subtract(ONE, multiply(share, part)));
      left = kept.units / 10n ** BigInt(kept.scale - PRODUCT_PLACES);
    }
  }
  return left;
}

/** The counted occurrences of a finding, strongest outcome first, at most as many as there are repeat shares. */
function strongest(counts: Readonly<Record<Outcome, number>>): readonly Outcome[] {
  return OUTCOMES.toReversed()
    .flatMap((outcome) => Array.from({ length: Math.min(counts[outcome], REPEAT_SHARES.length) }, () => outcome))
    .slice(0, REPEAT_SHARES.length);
}
