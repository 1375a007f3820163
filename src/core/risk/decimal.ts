// Exact decimal numbers as scaled integers. Nothing here ever passes through a binary fraction.

import { err, ok, printable, type Issue, type Result } from "../shared/index.js";

/** The number `units / 10^scale`. Exact; never negative unless made by `subtract`. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

/** Most digits after the point that are read from outside. */
export const MAX_DECIMALS = 6;

export const ZERO: Decimal = { units: 0n, scale: 0 };
export const ONE: Decimal = { units: 1n, scale: 0 };
export const TEN: Decimal = { units: 10n, scale: 0 };

const PLAIN = /^(0|[1-9][0-9]{0,5})(?:\.([0-9]+))?$/;

/**
 * Reads an unsigned plain decimal: digits, at most one point, no sign, exponent, blank or leading zero.
 * A JSON number is read through its shortest text, so `0.1` is one tenth and `1e-7` is refused.
 * @param what name of the input, for messages
 */
export function parseDecimal(input: string | number, what: string, maxDecimals: number = MAX_DECIMALS): Result<Decimal, Issue> {
  const text = typeof input === "number" ? String(input) : input;
  const shown = printable(text, 40);
  const match = PLAIN.exec(text);
  if (match === null) {
    return err({ code: "number-invalid", message: `${what} \`${shown}\` is not a plain decimal number`, hint: "write digits with a point, such as 0.97; no sign, exponent or unit" });
  }
  const fraction = match[2] ?? "";
  if (fraction.length > maxDecimals) {
    return err({ code: "number-too-long", message: `${what} \`${shown}\` has more than ${maxDecimals} decimal${maxDecimals === 1 ? "" : "s"}` });
  }
  return ok({ units: BigInt((match[1] ?? "") + fraction), scale: fraction.length });
}

/** A decimal written in the source of this project. Throws on a text that `parseDecimal` refuses. */
export function decimal(text: string): Decimal {
  const parsed = parseDecimal(text, "constant");
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
}

const POWERS: readonly bigint[] = Array.from({ length: 64 }, (_, exponent) => 10n ** BigInt(exponent));

function power(exponent: number): bigint {
  return POWERS[exponent] ?? 10n ** BigInt(exponent);
}

function unitsAt(value: Decimal, scale: number): bigint {
  if (value.scale === scale) return value.units;
  return value.units * power(scale - value.scale);
}

export function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { units: unitsAt(a, scale) + unitsAt(b, scale), scale };
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { units: unitsAt(a, scale) - unitsAt(b, scale), scale };
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return { units: a.units * b.units, scale: a.scale + b.scale };
}

/** `a / 10`, exact. */
export function tenth(a: Decimal): Decimal {
  return { units: a.units, scale: a.scale + 1 };
}

/** `a / 2`, exact. */
export function half(a: Decimal): Decimal {
  return { units: a.units * 5n, scale: a.scale + 1 };
}

/** Negative, zero or positive, like `a - b`. */
export function compare(a: Decimal, b: Decimal): -1 | 0 | 1 {
  const difference = subtract(a, b).units;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function max(a: Decimal, b: Decimal): Decimal {
  return compare(a, b) >= 0 ? a : b;
}

export function min(a: Decimal, b: Decimal): Decimal {
  return compare(a, b) <= 0 ? a : b;
}

/** Rounds a number that is not negative to `places` decimals, halves away from zero. */
export function roundHalfUp(value: Decimal, places: number): Decimal {
  if (value.scale <= places) return { units: unitsAt(value, places), scale: places };
  const step = power(value.scale - places);
  return { units: (value.units * 2n + step) / (step * 2n), scale: places };
}

/** Cuts a number that is not negative after `places` decimals. */
export function roundDown(value: Decimal, places: number): Decimal {
  if (value.scale <= places) return value;
  return { units: value.units / power(value.scale - places), scale: places };
}

/** Raises a number that is not negative to the next of `places` decimals. */
export function roundUp(value: Decimal, places: number): Decimal {
  if (value.scale <= places) return value;
  const step = power(value.scale - places);
  return { units: (value.units + step - 1n) / step, scale: places };
}

/** Every digit there is, without trailing zeros: `0.5238`, `9`, `-0.02`. */
export function formatExact(value: Decimal): string {
  const digits = (value.units < 0n ? -value.units : value.units).toString().padStart(value.scale + 1, "0");
  const whole = digits.slice(0, digits.length - value.scale);
  const fraction = digits.slice(digits.length - value.scale).replace(/0+$/, "");
  const sign = value.units < 0n ? "-" : "";
  return fraction === "" ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** Exactly `places` decimals, halves rounded away from zero. */
export function formatFixed(value: Decimal, places: number): string {
  if (value.units < 0n) return `-${formatFixed({ ...value, units: -value.units }, places)}`;
  const digits = roundHalfUp(value, places).units.toString().padStart(places + 1, "0");
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** The nearest JSON number, for output only. */
export function toNumber(value: Decimal): number {
  return Number(formatExact(value));
}
