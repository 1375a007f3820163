// The fields of one line: which are there, and of which type. Shared by the codecs whose lines are JSON objects.

import { err, LIMITS, ok, type JsonObject, type JsonValue, type Result } from "../../shared/index.js";
import { isWellFormed } from "../well-formed.js";
import { quoted, type Problem } from "./format-error.js";
import { parseStrictJson } from "./strict-json.js";

const MAX_NAME = 200;

/** Tells whether a value is an object and not a list. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses a line that must be one object. */
export function parseObject(text: string): Result<JsonObject, Problem> {
  const parsed = parseStrictJson(text);
  if (!parsed.ok) return parsed;
  return isObject(parsed.value) ? ok(parsed.value) : err({ code: "LINE_NOT_OBJECT", message: "the line is JSON, but not an object" });
}

/** The value of an own field; a name such as `constructor` is never found by inheritance. */
export function field(line: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(line, name) ? line[name] : undefined;
}

/** The first field that is not one of the names, as a problem. */
export function unknownField(line: JsonObject, names: readonly string[]): Problem | null {
  const extra = Object.keys(line).find((key) => !names.includes(key));
  return extra === undefined ? null : fieldProblem(`the field ${quoted(extra)} is not known`, `known are ${names.map((name) => `\`${name}\``).join(", ")}`);
}

/** A short label: the id, tool or role of a call. Visible characters only. */
export function isLabel(value: JsonValue | undefined): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_NAME && isWellFormed(value) && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value);
}

/** A problem with a field. */
export function fieldProblem(message: string, hint?: string): Problem {
  return hint === undefined ? { code: "LINE_FIELD", message } : { code: "LINE_FIELD", message, hint };
}

/** Longest label, for messages. */
export const LABEL_RULE = `a text of 1 to ${MAX_NAME} visible characters`;

/** Splits a trajectory at line feeds; stops one past the limit, so that the caller can tell. */
export function splitLines(text: string): readonly string[] {
  return text.split("\n", LIMITS.trajectoryLines + 1);
}
