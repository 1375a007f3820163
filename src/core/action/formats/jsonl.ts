// Our own trajectory form: one tool call a line, {"id","role","tool","arguments"}. A line gives one call or one error.

import { err, ok, type JsonObject, type JsonValue, type Result } from "../../shared/index.js";
import type { ToolCall } from "../action.js";
import { field, fieldProblem, isLabel, isObject, LABEL_RULE, parseObject, unknownField } from "./fields.js";
import { formatError, type FormatError, type Problem } from "./format-error.js";

const FIELDS: readonly string[] = ["id", "role", "tool", "arguments", "note"];
const HOW_TO = 'Answer with one JSON object: {"id":"1","role":"bugfixer","tool":"bash","arguments":{"command":"ls"}}.';

/**
 * One line as a tool call. `arguments` is an object, or a text that holds one, as function calling sends it; left out it is
 * empty. `role` may be left out or null. `note` is for readers of the file and is not part of the call.
 * @param line its number in the trajectory, from 1
 */
export function parseJsonlLine(text: string, line: number): Result<ToolCall, FormatError> {
  const parsed = parseObject(text);
  const call = parsed.ok ? readCall(parsed.value) : parsed;
  return call.ok ? call : err(formatError(line, call.error, HOW_TO));
}

/** The call that a parsed line holds. */
export function readCall(line: JsonObject): Result<ToolCall, Problem> {
  const extra = unknownField(line, FIELDS);
  if (extra !== null) return err(extra);
  const id = field(line, "id");
  const tool = field(line, "tool");
  const role = field(line, "role") ?? null;
  const note = field(line, "note");
  if (!isLabel(id)) return err(fieldProblem(`\`id\` must be ${LABEL_RULE}`));
  if (!isLabel(tool)) return err(fieldProblem(`\`tool\` must be ${LABEL_RULE}`));
  if (role !== null && !isLabel(role)) return err(fieldProblem(`\`role\` must be ${LABEL_RULE}, or null`));
  if (note !== undefined && typeof note !== "string") return err(fieldProblem("`note` must be a text"));
  const values = readArgumentsField(field(line, "arguments"));
  return values.ok ? ok({ id, role, tool, arguments: values.value }) : values;
}

function readArgumentsField(value: JsonValue | undefined): Result<JsonObject, Problem> {
  if (value === undefined) return ok({});
  if (typeof value === "string") {
    const inner = parseObject(value);
    return inner.ok ? inner : err({ ...inner.error, message: inner.error.message.replace("the line", "the text of `arguments`") });
  }
  return isObject(value) ? ok(value) : err(fieldProblem("`arguments` must be an object"));
}
