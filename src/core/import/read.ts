// Reading values of unknown shape: own properties only, no exception, no assumption.

import { err, LIMITS, type JsonObject, type JsonValue, type Result } from "../shared/index.js";
import { parseStrictJson } from "../action/formats/strict-json.js";

/** Tells whether a value is an object and not a list. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path of own properties; undefined where it ends. */
export function at(value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  let here = value;
  for (const key of path) {
    if (!isObject(here) || !Object.hasOwn(here, key)) return undefined;
    here = here[key];
  }
  return here;
}

/** The text at a path; null for anything else and for an empty one. */
export function textAt(value: JsonValue | undefined, ...path: readonly string[]): string | null {
  const found = at(value, ...path);
  return typeof found === "string" && found !== "" ? found : null;
}

/** The number at a path, also of a text that is one; null for anything else. */
export function numberAt(value: JsonValue | undefined, ...path: readonly string[]): number | null {
  const found = at(value, ...path);
  if (typeof found === "number") return Number.isFinite(found) ? found : null;
  return typeof found === "string" && /^-?\d{1,9}$/u.test(found) ? Number(found) : null;
}

/** A whole number that can be an exit status; -1, which some use for unknown, is none. */
export function exitAt(value: JsonValue | undefined, ...path: readonly string[]): number | null {
  const found = numberAt(value, ...path);
  return found !== null && Number.isInteger(found) && found >= 0 && found <= 255 ? found : null;
}

/** The list at a path; empty for anything else. */
export function listAt(value: JsonValue | undefined, ...path: readonly string[]): readonly JsonValue[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? (found as readonly JsonValue[]) : [];
}

/** A time as the source wrote it: text, or a number of seconds. */
export function timeAt(value: JsonValue | undefined, ...path: readonly string[]): string | null {
  const found = at(value, ...path);
  return typeof found === "number" ? String(found) : textAt(found);
}

/** The text of a content that is a text, a list of pieces with `text` or `content`, or something else, which is shown as JSON. */
export function flatText(value: JsonValue | undefined, depth: number = 0): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((item) => flatText(item, depth + 1)).join("\n");
  if (depth < 4 && isObject(value)) {
    const inner = at(value, "text") ?? at(value, "content") ?? at(value, "output");
    if (inner !== undefined) return flatText(inner, depth + 1);
  }
  return JSON.stringify(value);
}

/**
 * Arguments of a call: an object, or a text that holds one, as function calling sends it. A text with two readings (a key given
 * twice, nesting past the limit) or none is kept as `unparsed`, which no tool takes.
 */
export function argumentsOf(value: JsonValue | undefined): JsonObject {
  if (isObject(value)) return value;
  if (value === undefined || value === null || value === "") return {};
  if (typeof value !== "string") return { unparsed: value };
  const parsed = parseStrictJson(value);
  return parsed.ok && isObject(parsed.value) ? parsed.value : { unparsed: value };
}

/** Tells whether a value holds a number that JSON cannot carry on, such as what `1e999` is read as. */
export function hasUnbounded(value: JsonValue): boolean {
  if (typeof value === "number") return !Number.isFinite(value);
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(hasUnbounded);
}

const BOUNDS = { chars: LIMITS.trajectoryBytes, depth: LIMITS.callDepth * 4 };

/** A document or a line of one: strict, with more room than a call has. A call inside has limits of its own. */
export function parseImported(text: string): Result<JsonValue, string> {
  const parsed = parseStrictJson(text, BOUNDS);
  return parsed.ok ? parsed : err(parsed.error.message);
}
