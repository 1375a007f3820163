// Canonical JSON (RFC 8785): one text for one value. Refuses what JSON cannot carry instead of dropping it silently.

import { GuardError, LIMITS, printable } from "../shared/index.js";

/**
 * The RFC 8785 text of a value. Refused: undefined, functions, symbols, bigints, NaN and infinities, holes, objects that
 * are not plain, lone surrogates in texts or keys, and nesting deeper than `LIMITS.recordDepth`.
 * @throws GuardError INTERNAL_BUG naming the place of what was refused; untrusted values go through `redactJson` or
 * `wellFormedJson` first
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalText(value, 0);
  // The platform writes a lone surrogate as an escape. A text that only looks like one is looked at, and is taken.
  if (text !== null && !ESCAPED_SURROGATE.test(text)) return text;
  const refused = findRefused(value, "$", 0);
  if (refused === null && text !== null) return text;
  throw new GuardError("INTERNAL_BUG", `value has no canonical form: ${refused ?? "it changed while it was read"}`);
}

const ESCAPED_SURROGATE = /\\u[dD][89a-fA-F]/;

/** Texts that stand for themselves between quotes. Longer ones are looked at by the platform, which is quicker there. */
const PLAIN = /^[ !#-[\]-~]*$/;
const PLAIN_CHARS = 64;
/** Up to so many keys are put in order by hand: for a few it takes a fraction of what the platform's sort takes to begin. */
const FEW_KEYS = 16;

/**
 * One pass: strings and numbers as RFC 8785 takes them over from ECMAScript, keys in the order of their UTF-16 units. Null where there
 * is no such text; lone surrogates come out escaped.
 */
function canonicalText(value: unknown, depth: number): string | null {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number") return Number.isFinite(value) ? JSON.stringify(value) : null;
  if (typeof value === "boolean") return value ? "true" : "false";
  if (value === null) return "null";
  if (typeof value !== "object" || depth >= LIMITS.recordDepth) return null;
  return Array.isArray(value) ? arrayText(value, depth + 1) : objectText(value as Readonly<Record<string, unknown>>, depth + 1);
}

function quoted(text: string): string {
  return text.length <= PLAIN_CHARS && PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function arrayText(items: readonly unknown[], depth: number): string | null {
  let out = "[";
  for (let i = 0; i < items.length; i++) {
    const text = canonicalText(items[i], depth);
    if (text === null) return null;
    out += i === 0 ? text : `,${text}`;
  }
  return `${out}]`;
}

function objectText(value: Readonly<Record<string, unknown>>, depth: number): string | null {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return null;
  if (Object.getOwnPropertySymbols(value).length > 0) return null;
  let out = "{";
  for (const key of inOrder(Object.keys(value))) {
    const text = canonicalText(value[key], depth);
    if (text === null) return null;
    out += out.length === 1 ? `${quoted(key)}:${text}` : `,${quoted(key)}:${text}`;
  }
  return `${out}}`;
}

/** Sorts keys in place by their UTF-16 units, the order of `<` and of a sort without a comparison. */
function inOrder(keys: string[]): readonly string[] {
  if (keys.length > FEW_KEYS) return keys.sort();
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] ?? "";
    let at = i - 1;
    for (let other = keys[at]; other !== undefined && other > key; other = keys[at]) {
      keys[at + 1] = other;
      at -= 1;
    }
    keys[at + 1] = key;
  }
  return keys;
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
