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
  const sorted = sortedCopy(value, 0);
  if (sorted !== UNUSUAL) return JSON.stringify(sorted);
  const refused = findRefused(value, "$", 0);
  if (refused !== null) throw new GuardError("INTERNAL_BUG", `value has no canonical form: ${refused}`);
  const text = canonicalize(value);
  if (text === undefined) throw new GuardError("INTERNAL_BUG", "value has no canonical form");
  return text;
}

/** With the flag `u`, a surrogate matches only where it stands alone. */
const LONE_SURROGATE = /\p{Surrogate}/u;

const UNUSUAL = Symbol("unusual");
/** Keys that an object of the engine keeps in an order of its own, or takes for something else. */
const ODD_KEY = /^(?:\d+|__proto__)$/u;

/**
 * The same value with the keys of each object in the order of RFC 8785, which the engine's own output keeps: strings and numbers it writes as
 * the RFC says. `UNUSUAL` for whatever is refused or odd: that is told, or written, the slow way.
 */
function sortedCopy(value: unknown, depth: number): unknown {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return LONE_SURROGATE.test(value) ? UNUSUAL : value;
  if (typeof value === "number") return Number.isFinite(value) ? value : UNUSUAL;
  if (typeof value !== "object" || depth >= LIMITS.recordDepth) return UNUSUAL;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (let i = 0; i < value.length; i++) {
      const item = sortedCopy(value[i], depth + 1);
      if (item === UNUSUAL) return UNUSUAL;
      items.push(item);
    }
    return items;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || Object.getOwnPropertySymbols(value).length > 0) return UNUSUAL;
  const members: Record<string, unknown> = {};
  for (const key of Object.keys(value).sort()) {
    if (LONE_SURROGATE.test(key) || ODD_KEY.test(key)) return UNUSUAL;
    const member = sortedCopy((value as Readonly<Record<string, unknown>>)[key], depth + 1);
    if (member === UNUSUAL) return UNUSUAL;
    members[key] = member;
  }
  return members;
}

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
