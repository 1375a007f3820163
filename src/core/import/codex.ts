// Codex rollouts: lines of `{timestamp, type, payload}`; older ones have the payload's fields in the line itself. Outputs carry no
// error flag; what `event_msg` says of calls and answers is said twice.

import type { JsonObject, JsonValue } from "../shared/index.js";
import type { Collector, FormatReader } from "./collector.js";
import { argumentsOf, at, exitAt, flatText, isObject, listAt, numberAt, textAt, timeAt } from "./read.js";
import { parseStrictJson } from "../action/formats/strict-json.js";

const CALLS: ReadonlySet<string> = new Set(["function_call", "custom_tool_call", "local_shell_call", "web_search_call", "tool_search_call", "image_generation_call"]);
const OUTPUTS: ReadonlySet<string> = new Set(["function_call_output", "custom_tool_call_output", "local_shell_call_output", "tool_search_output"]);
const METADATA: ReadonlySet<string> = new Set(["event_msg", "compacted", "turn_context", "session_meta", "session_state", "ghost_snapshot", "compaction", "world_state"]);
const EXIT = /(?:^|\n)(?:Exit code:|Process exited with code) (\d{1,3})\b/u;
const REFUSED = /^(?:exec command rejected by user|rejected by user|patch rejected by user|aborted by user)/u;

/** Reads the lines of one rollout. */
export function codexReader(collector: Collector): FormatReader {
  return { take: (value, place) => readLine(value, place, collector), finish: () => undefined };
}

function readLine(line: JsonValue, place: string, collector: Collector): void {
  if (!isObject(line)) return collector.skip("line that is no object", place);
  const type = textAt(line, "type") ?? "";
  const payload = at(line, "payload");
  const time = timeAt(line, "timestamp");
  collector.about({ name: "Codex" });
  if (type === "session_meta") collector.about({ version: textAt(payload, "cli_version"), format: textAt(payload, "cli_version"), session: textAt(payload, "id"), root: textAt(payload, "cwd") });
  if (type === "turn_context") collector.about({ model: textAt(payload, "model"), root: textAt(payload, "cwd") });
  if (METADATA.has(type)) return collector.record("metadata");
  if (type === "response_item") return isObject(payload) ? readItem(payload, time, place, collector) : collector.skip("record without a payload", place);
  if (payload === undefined && type !== "") return readItem(line, time, place, collector);
  if (textAt(line, "id") !== null && textAt(line, "timestamp") !== null && type === "") {
    collector.about({ format: "before `session_meta`", session: textAt(line, "id") });
    return collector.record("metadata");
  }
  if (textAt(line, "record_type") === "state") return collector.record("metadata");
  collector.skip(type === "" ? "record without a type" : `record of type \`${type}\``, place);
}

function readItem(item: JsonObject, time: string | null, place: string, collector: Collector): void {
  const type = textAt(item, "type") ?? "";
  if (type === "message" || type === "reasoning" || type === "agent_message") return collector.record("messages");
  if (METADATA.has(type)) return collector.record("metadata");
  if (CALLS.has(type)) {
    collector.record("calls");
    const tool = textAt(item, "name") ?? type.replace(/_call$/u, "");
    const cwd = textAt(callArguments(item), "workdir");
    return collector.call({ id: textAt(item, "call_id") ?? textAt(item, "id") ?? place.replaceAll(" ", "-"), tool: prefixed(item, tool), arguments: callArguments(item), place, time, cwd });
  }
  if (OUTPUTS.has(type)) {
    if (!collector.answer(textAt(item, "call_id") ?? "", resultOf(at(item, "output")))) return collector.skip("result of a call that is not there", place);
    return collector.record("results");
  }
  collector.skip(type === "" ? "item without a type" : `item of type \`${type}\``, place);
}

/** A call of another server's tool is told by its namespace. */
function prefixed(item: JsonObject, tool: string): string {
  const namespace = textAt(item, "namespace");
  return namespace === null ? tool : `${namespace}__${tool}`;
}

function callArguments(item: JsonObject): JsonObject {
  const action = at(item, "action");
  if (isObject(action)) return action;
  const input = at(item, "input");
  return input === undefined ? argumentsOf(at(item, "arguments")) : isObject(input) ? input : { input };
}

/** Output is a text, a list of pieces, or a text that holds JSON with the exit status beside. */
function resultOf(output: JsonValue | undefined): { readonly output: string; readonly exitCode: number | null; readonly failed: boolean | null; readonly ran: boolean; readonly durationMs: number | null } {
  const parsed = typeof output === "string" && output.startsWith("{") ? parseStrictJson(output) : null;
  const inner = parsed?.ok === true && typeof at(parsed.value, "output") === "string" ? parsed.value : null;
  const metadata = inner === null ? undefined : at(inner, "metadata");
  const text = inner === null ? flatText(listAt(output).length > 0 ? output : (at(output, "content") ?? output)) : (textAt(inner, "output") ?? "");
  const [, code = null] = EXIT.exec(text.slice(0, 400)) ?? [];
  const exitCode = exitAt(metadata, "exit_code") ?? exitAt({ code }, "code");
  const success = at(output, "success");
  const seconds = numberAt(metadata, "duration_seconds");
  return { output: text, exitCode, failed: exitCode === null ? (typeof success === "boolean" ? !success : null) : exitCode !== 0, ran: !REFUSED.test(text), durationMs: seconds === null ? null : seconds * 1000 };
}
