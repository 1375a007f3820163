// Canonical JSON (RFC 8785): one text for one value. Refuses what JSON cannot carry instead of dropping it silently.

import canonicalize from "canonicalize";
import { GuardError, LIMITS, printable } from "../shared/index.js";

/**
 * The RFC 8785 text of a value. Refused: undefined, functions, symbols, bigints, NaN and infinities, holes, objects that
 * are not plain, lone surrogates in texts or keys, and nesting deeper than `LIMITS.recordDepth`.
 * @throws GuardError INTERNAL_BUG naming the place of what was refused; untrusted values go through `redactJson` or
 * `wellFormedJson` first
 */
export function canonicalJson(value: unknown): string {
  const refused = findRefused(value, "$", 0);
  if (refused !== null) throw new GuardError("INTERNAL_BUG", `value has no canonical form: ${refused}`);
  const text = canonicalize(value);
  if (text === undefined) throw new GuardError("INTERNAL_BUG", "value has no canonical form");
  return text;
}

/** With the flag `u`, a surrogate matches only where it stands alone. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Says what at which place cannot be recorded; null when nothing. */
function findRefused(value: unknown, path: string, depth: number): string | null {
  if (value === null || typeof value === "boolean") return null;
  if (typeof value === "string") return LONE_SURROGATE.test(value) ? `lone surrogate at ${printable(path)}` : null;
  if (typeof value === "number") return Number.isFinite(value) ? null : `${value} at ${printable(path)}`;
  if (typeof value !== "object") return `${typeof value} at ${printable(path)}`;
  if (depth >= LIMITS.recordDepth) return `nesting deeper than ${LIMITS.recordDepth}`;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const refused = findRefused(value[i], `${path}[${i}]`, depth + 1);
      if (refused !== null) return refused;
    }
    return null;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `object that is not plain at ${printable(path)}`;
  if (Object.getOwnPropertySymbols(value).length > 0) return `symbol key at ${printable(path)}`;
  for (const [key, member] of Object.entries(value)) {
    if (LONE_SURROGATE.test(key)) return `lone surrogate in a key at ${printable(path)}`;
    const refused = findRefused(member, `${path}.${key}`, depth + 1);
    if (refused !== null) return refused;
  }
  return null;
}

const ESCAPED_SURROGATE = /\\u[dD][89a-fA-F]/;

/**
 * Tells whether `text`, which parsed to `value`, is the canonical form of it. The quick way holds for almost all records:
 * an engine's own output of a parsed text differs from RFC 8785 only in the order of keys.
 */
export function isCanonicalText(text: string, value: unknown): boolean {
  try {
    if (JSON.stringify(value) === text && !ESCAPED_SURROGATE.test(text) && keysAreSorted(value)) return true;
    return canonicalJson(value) === text;
  } catch {
    return false; // no canonical form at all, or nested too deep to be looked at
  }
}

function keysAreSorted(value: unknown): boolean {
  if (value === null || typeof value !== "object") return true;
  if (Array.isArray(value)) return value.every(keysAreSorted);
  let before: string | null = null;
  for (const [key, member] of Object.entries(value)) {
    if (before !== null && before >= key) return false;
    if (!keysAreSorted(member)) return false;
    before = key;
  }
  return true;
}
