// OpenHands: events of V0 (`action`, `observation`) and of V1 (`kind`), as a list, as lines, or one file an event; and the resolver's
// document, whose `history` holds events without ids.

import type { JsonObject, JsonValue } from "../shared/index.js";
import type { Collector, FormatReader } from "./collector.js";
import { argumentsOf, at, exitAt, flatText, isObject, listAt, textAt, timeAt } from "./read.js";

/** Events of V0 that are said, not done. */
const SAID: ReadonlySet<string> = new Set(["message", "system"]);
/** Events of V0 that steer the agent itself. */
const STEERING: ReadonlySet<string> = new Set(["change_agent_state", "null", "recall", "condensation", "condensation_request", "pause", "resume", "start", "agent_state_changed", "loop_recovery", ""]);
/** Classes of V1 that hold no call and no result. */
const V1_SAID: ReadonlySet<string> = new Set(["MessageEvent", "SystemPromptEvent"]);
const V1_STEERING: ReadonlySet<string> = new Set(["ConversationStateUpdateEvent", "PauseEvent", "Condensation", "CondensationRequest", "CondensationSummaryEvent", "TokenEvent", "LLMCompletionLogEvent"]);

/** Reads events, one a line or one a file, or a document that holds a list of them. */
export function openHandsReader(collector: Collector): FormatReader {
  const one = eventReader(collector);
  collector.about({ name: "OpenHands" });
  return {
    take: (value, place) => {
      const history = listAt(value, "history");
      const list = Array.isArray(value) ? (value as readonly JsonValue[]) : history;
      if (history.length > 0) collector.about({ format: "V0 resolver", root: "/workspace" });
      if (list.length === 0) return one(value, place);
      for (const [index, event] of list.entries()) one(event, `event ${index + 1}`);
    },
    finish: () => undefined,
  };
}

function eventReader(collector: Collector): (event: JsonValue, place: string) => void {
  return (event, place) => {
    const kind = textAt(event, "kind");
    if (!isObject(event)) return collector.skip("event that is no object", place);
    if (kind !== null && at(event, "action") === undefined && at(event, "observation") === undefined) return otherV1(event, kind, place, collector);
    if (kind !== null) return eventV1(event, kind, place, collector);
    if (typeof at(event, "action") === "string") return actionV0(event, place, collector);
    if (typeof at(event, "observation") === "string") return observationV0(event, place, collector);
    collector.skip("event that is neither action nor observation", place);
  };
}

function idOf(event: JsonValue, place: string): string {
  const id = at(event, "id");
  return typeof id === "number" ? String(id) : (textAt(id) ?? place.replaceAll(" ", "-"));
}

function actionV0(event: JsonObject, place: string, collector: Collector): void {
  const action = textAt(event, "action") ?? "";
  // The resolver's own events have their arguments beside the name.
  const args = isObject(at(event, "args")) ? (at(event, "args") as JsonObject) : event;
  if (SAID.has(action)) return collector.record("messages");
  if (STEERING.has(action)) return collector.record("metadata");
  collector.about({ format: "V0", model: textAt(event, "tool_call_metadata", "model_response", "model") });
  collector.record("calls");
  collector.call({ id: idOf(event, place), ...callV0(action, args, event), place, time: timeAt(event, "timestamp"), thought: textAt(args, "thought") ?? textAt(event, "message") });
  if (textAt(args, "confirmation_state") === "rejected" || textAt(args, "is_confirmed") === "rejected") collector.answer(idOf(event, place), { output: "", ran: false });
}

/** The call behind an action. Edits are told by the model's own call, because the event keeps only their path. */
function callV0(action: string, args: JsonObject, event: JsonObject): { readonly tool: string; readonly arguments: JsonObject } {
  if (action === "run") return { tool: "execute_bash", arguments: { command: textAt(args, "command") ?? "", ...(at(args, "is_input") === true ? { is_input: true } : {}) } };
  if (action === "run_ipython") return { tool: "execute_ipython_cell", arguments: { code: textAt(args, "code") ?? "" } };
  const named = modelCall(event);
  const path = textAt(args, "path");
  if (named !== null && (path === null || textAt(named.arguments, "path") === path)) return named;
  const plain: Record<string, JsonValue> = {};
  for (const key of ["path", "content", "url", "code", "command", "old_str", "new_str", "file_text", "name", "arguments", "browser_actions", "outputs"]) {
    const value = at(args, key);
    if (value !== undefined && value !== null && value !== "") plain[key] = value;
  }
  return { tool: action, arguments: plain };
}

/** What the model itself asked for, by the id of its call. */
function modelCall(event: JsonObject): { readonly tool: string; readonly arguments: JsonObject } | null {
  const id = textAt(event, "tool_call_metadata", "tool_call_id");
  for (const choice of listAt(event, "tool_call_metadata", "model_response", "choices").slice(0, 4)) {
    for (const call of listAt(choice, "message", "tool_calls").slice(0, 64)) {
      const name = textAt(call, "function", "name");
      if (name !== null && textAt(call, "id") === id) return { tool: name, arguments: argumentsOf(at(call, "function", "arguments")) };
    }
  }
  return null;
}

function observationV0(event: JsonObject, place: string, collector: Collector): void {
  const name = textAt(event, "observation") ?? "";
  const metadata = at(event, "extras", "metadata");
  if (STEERING.has(name)) return collector.record("metadata");
  const cause = at(event, "cause");
  const id = typeof cause === "number" ? String(cause) : textAt(cause);
  if (name === "system" || name === "message") return collector.record("messages");
  const exitCode = exitAt(metadata, "exit_code") ?? exitAt(event, "extras", "exit_code") ?? exitAt(event, "exit_code");
  const isError = name === "error" || at(event, "success") === false;
  collector.about({ root: textAt(metadata, "working_dir") });
  const result = { output: flatText(at(event, "content")), exitCode, failed: isError ? true : exitCode === null ? null : exitCode !== 0, ran: name !== "user_rejected" };
  if (!collector.answer(id, result)) return collector.skip("result of a call that is not there", place);
  collector.record("results");
}

function eventV1(event: JsonObject, kind: string, place: string, collector: Collector): void {
  collector.about({ format: "V1" });
  const id = textAt(event, "tool_call_id") ?? idOf(event, place);
  if (kind === "ActionEvent") {
    const told = at(event, "tool_call", "arguments");
    const action = at(event, "action");
    collector.record("calls");
    collector.call({ id, tool: textAt(event, "tool_name") ?? textAt(event, "tool_call", "name") ?? "", arguments: isObject(action) ? withoutKind(action) : argumentsOf(told), place, time: timeAt(event, "timestamp"), thought: flatText(at(event, "thought")) || textAt(event, "reasoning_content") });
    return;
  }
  const observation = at(event, "observation");
  if (kind !== "ObservationEvent" && kind !== "UserRejectObservation" && kind !== "AgentErrorEvent") return collector.skip(`event of class \`${kind}\``, place);
  const exitCode = exitAt(observation, "metadata", "exit_code") ?? exitAt(observation, "exit_code");
  const isError = at(observation, "is_error");
  const output = flatText(at(observation, "content") ?? at(observation, "output") ?? observation ?? at(event, "rejection_reason") ?? at(event, "error"));
  collector.about({ root: textAt(observation, "metadata", "working_dir") });
  const isKnown = collector.answer(id, { output, exitCode, failed: typeof isError === "boolean" ? isError : null, ran: kind !== "UserRejectObservation" });
  if (isKnown) return collector.record("results");
  collector.skip("result of a call that is not there", place);
}

function otherV1(event: JsonObject, kind: string, place: string, collector: Collector): void {
  if (kind === "UserRejectObservation" || kind === "AgentErrorEvent") return eventV1(event, kind, place, collector);
  collector.about({ format: "V1" });
  if (V1_SAID.has(kind)) return collector.record("messages");
  if (!V1_STEERING.has(kind)) return collector.skip(`event of class \`${kind}\``, place);
  collector.about({ model: textAt(event, "value", "usage_to_metrics", "default", "model_name") });
  collector.record("metadata");
}

/** The fields of an action without the name of its class and without what was left out. */
function withoutKind(action: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(action).filter(([key, value]) => key !== "kind" && value !== null && !(key === "reset" && value === false) && !(key === "is_input" && value === false)));
}
