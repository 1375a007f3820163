// The AIVSS formulas, exact. Source: OWASP AIVSS v0.5 (2025) and v0.8 (2026); the floored form is a published amendment proposal.
// This file knows numbers only: no events, no vectors, no profile.

import { assertNever } from "../shared/index.js";
import { add, compare, decimal, half, max, multiply, roundHalfUp, subtract, TEN, tenth, type Decimal } from "./decimal.js";

export const FORMULAS = ["0.5", "0.8", "0.8-floor"] as const;
export type Formula = (typeof FORMULAS)[number];

export type Band = "None" | "Low" | "Medium" | "High" | "Critical";

/** What every formula takes. `cvss` 0..10 in tenths, `factorSum` 0..10, `thm` and `mf` 0..1. */
export interface AivssTerms {
  readonly cvss: Decimal;
  readonly factorSum: Decimal;
  readonly thm: Decimal;
  /** Mitigation factor; v0.5 has none and ignores it. */
  readonly mf: Decimal;
}

export interface AivssScore {
  /** Agentic uplift, exact. For v0.5 this is the factor sum itself. */
  readonly aars: Decimal;
  /** Before rounding, exact. */
  readonly raw: Decimal;
  /** One decimal, rounded half up. */
  readonly aivss: Decimal;
  readonly band: Band;
}

/**
 * Computes a score.
 * - `0.5`: `((cvss + sum) / 2) × thm`
 * - `0.8`: `(cvss + aars) × mf` with `aars = (10 − cvss) × sum / 10 × thm`
 * - `0.8-floor`: `cvss + aars × mf`, which stays in `cvss..10` by construction
 */
export function scoreAivss(formula: Formula, terms: AivssTerms): AivssScore {
  const { cvss, factorSum, thm, mf } = terms;
  switch (formula) {
    case "0.5":
      return finish(factorSum, multiply(half(add(cvss, factorSum)), thm));
    case "0.8": {
      const aars = uplift(terms);
      return finish(aars, multiply(add(cvss, aars), mf));
    }
    case "0.8-floor": {
      const aars = uplift(terms);
      return finish(aars, add(cvss, multiply(aars, mf)));
    }
    default:
      return assertNever(formula);
  }
}

function uplift({ cvss, factorSum, thm }: AivssTerms): Decimal {
  return multiply(multiply(subtract(TEN, cvss), tenth(factorSum)), thm);
}

function finish(aars: Decimal, raw: Decimal): AivssScore {
  const aivss = roundHalfUp(raw, 1);
  return { aars, raw, aivss, band: bandOf(aivss) };
}

const BANDS: readonly (readonly [Decimal, Band])[] = [
  [decimal("9"), "Critical"],
  [decimal("7"), "High"],
  [decimal("4"), "Medium"],
  [decimal("0.1"), "Low"],
];

/** Band of a score, taken from its rounded value: Critical from 9.0, High from 7.0, Medium from 4.0, Low from 0.1. */
export function bandOf(score: Decimal): Band {
  const rounded = roundHalfUp(score, 1);
  return BANDS.find(([from]) => compare(rounded, from) >= 0)?.[1] ?? "None";
}

/** The higher of two scores. */
export function higher(a: AivssScore, b: AivssScore): AivssScore {
  return max(a.raw, b.raw) === a.raw ? a : b;
}
