// Gemini CLI: older versions write one document with `messages`, newer ones lines, in which a message may come again with more in it,
// `$set` changes the head and `$rewindTo` takes the conversation back. What ran before a rewind ran: its calls stay.

import type { JsonObject, JsonValue } from "../shared/index.js";
import type { Collector, FormatReader } from "./collector.js";
import { argumentsOf, at, exitAt, flatText, isObject, listAt, textAt, timeAt } from "./read.js";

const EXIT = /(?:^|\n)Exit Code: (\d{1,3})\b/u;

/** Reads one document, or the lines of one session. */
export function geminiCliReader(collector: Collector): FormatReader {
  const messages = new Map<string, { readonly message: JsonObject; readonly place: string }>();
  let unnamed = 0;
  const keep = (message: JsonValue, place: string): void => {
    if (!isObject(message)) return collector.skip("message that is no object", place);
    const id = textAt(message, "id") ?? `unnamed ${(unnamed += 1)}`;
    const before = messages.get(id);
    if (before !== undefined) collector.skip("message that a later record of it replaces", before.place);
    // A call that an older record names and the newer one does not is not lost.
    messages.set(id, { message: before === undefined ? message : withCalls(message, before.message), place });
  };
  return {
    take: (value, place) => {
      collector.about({ name: "Gemini CLI", session: textAt(value, "sessionId") ?? textAt(value, "$set", "sessionId") });
      const list = listAt(value, "messages");
      if (list.length > 0 || (Array.isArray(at(value, "messages")) && textAt(value, "sessionId") !== null)) {
        collector.about({ format: "one document" });
        for (const [index, message] of list.entries()) keep(message, `message ${index + 1}`);
      } else if (!isObject(value)) collector.skip("line that is no object", place);
      else if (at(value, "$set") !== undefined || textAt(value, "projectHash") !== null) {
        collector.about({ format: "lines" });
        collector.record("metadata");
      } else if (at(value, "$rewindTo") !== undefined) {
        collector.record("metadata");
        collector.part("rewind: what came before it ran all the same and is kept", place);
      } else if (textAt(value, "type") !== null) {
        collector.about({ format: "lines" });
        keep(value, place);
      } else collector.skip("record without a type", place);
    },
    finish: () => {
      for (const { message, place } of messages.values()) readMessage(message, place, collector);
    },
  };
}

function withCalls(message: JsonObject, before: JsonObject): JsonObject {
  const ids = new Set(listAt(message, "toolCalls").map((call) => textAt(call, "id")));
  const missing = listAt(before, "toolCalls").filter((call) => !ids.has(textAt(call, "id")));
  return missing.length === 0 ? message : { ...message, toolCalls: [...missing, ...listAt(message, "toolCalls")] };
}

function readMessage(message: JsonObject, place: string, collector: Collector): void {
  const type = textAt(message, "type");
  if (type === "gemini") collector.about({ model: textAt(message, "model") });
  const calls = listAt(message, "toolCalls");
  if (type !== "gemini" && calls.length === 0) {
    if (type === "user") return collector.record("messages");
    return type === "info" || type === "error" || type === "warning" ? collector.record("metadata") : collector.skip(`message of type \`${type ?? ""}\``, place);
  }
  collector.record(calls.length > 0 ? "calls" : "messages");
  const thoughts = listAt(message, "thoughts").map((thought) => textAt(thought, "description") ?? textAt(thought, "subject")).filter((text) => text !== null);
  const thought = [...thoughts, flatText(at(message, "content"))].filter((text) => text !== "").join("\n");
  for (const [index, call] of calls.entries()) {
    const id = textAt(call, "id") ?? `${place.replaceAll(" ", "-")}-${index + 1}`;
    collector.call({ id, tool: textAt(call, "name") ?? "", arguments: argumentsOf(at(call, "args")), place, time: timeAt(call, "timestamp") ?? timeAt(message, "timestamp"), thought: thought === "" ? null : thought });
    const status = textAt(call, "status");
    const responses = listAt(call, "result").map((part) => at(part, "functionResponse", "response") ?? part);
    const output = responses.map((response) => textAt(response, "output") ?? textAt(response, "error") ?? flatText(response)).join("\n");
    if (status === null && responses.length === 0) continue;
    const [, code = null] = EXIT.exec(output) ?? [];
    collector.answer(id, { output, exitCode: exitAt({ code }, "code"), failed: status === null ? null : status === "error", ran: status !== "cancelled" });
  }
}
