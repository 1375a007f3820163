// Kimi Code `wire.jsonl`: a line of metadata, then `{timestamp, message: {type, payload}}`. The arguments of a call may come in parts.
// `/clear` empties the model's context; what ran before it ran all the same, so its calls stay.

import type { JsonValue } from "../shared/index.js";
import type { Collector, FormatReader } from "./collector.js";
import { argumentsOf, at, flatText, isObject, textAt, timeAt } from "./read.js";

const SAID: ReadonlySet<string> = new Set(["TurnBegin", "TextPart", "ThinkPart", "ContentPart", "ImageURLPart", "AudioURLPart", "VideoURLPart", "SteerInput"]);
const STEERING: ReadonlySet<string> = new Set(["StepBegin", "StepInterrupted", "TurnEnd", "StatusUpdate", "CompactionBegin", "CompactionEnd", "MCPLoadingBegin", "MCPLoadingEnd", "ApprovalRequest", "ApprovalResponse", "ApprovalRequestResolved", "QuestionRequest", "PlanDisplay", "Notification", "HookTriggered", "HookResolved", "StepRetry", "BtwBegin", "BtwEnd"]);
const SUB_DEPTH = 8;

/** A call whose arguments are still coming. */
interface OpenCall {
  readonly id: string;
  readonly tool: string;
  readonly place: string;
  readonly time: string | null;
  readonly thought: string | null;
  readonly sidechain: boolean;
  text: string | JsonValue;
}

/** Reads the lines of one session. */
export function kimiWireReader(collector: Collector): FormatReader {
  let open: OpenCall | null = null;
  let thought = "";
  const flush = (): void => {
    if (open === null) return;
    const { text, ...rest } = open;
    open = null;
    collector.call({ ...rest, arguments: argumentsOf(text) });
  };
  const message = (value: JsonValue | undefined, place: string, time: string | null, depth: number): void => {
    const type = textAt(value, "type");
    const payload = at(value, "payload");
    if (type === null) return collector.skip("record without a type", place);
    if (type === "ToolCallPart") {
      const part = textAt(payload, "arguments_part") ?? "";
      if (open === null || typeof open.text !== "string") return collector.skip("part of a call that is not there", place);
      open.text += part;
      return collector.record("calls");
    }
    if (type === "SubagentEvent") {
      if (depth >= SUB_DEPTH) return collector.skip("event of a sub-agent nested too deep", place);
      return message(at(payload, "event"), place, time, depth + 1);
    }
    flush();
    if (type === "ToolCall") {
      open = { id: textAt(payload, "id") ?? place.replaceAll(" ", "-"), tool: textAt(payload, "function", "name") ?? "", place, time, thought: thought === "" ? null : thought, sidechain: depth > 0, text: at(payload, "function", "arguments") ?? "" };
      return collector.record("calls");
    }
    if (type === "ToolResult") {
      const value2 = at(payload, "return_value") ?? at(payload, "result");
      const isError = at(value2, "is_error");
      const output = flatText(at(value2, "output")) || flatText(at(value2, "message"));
      const ran = !(isError === true && /rejected by the user/iu.test(`${textAt(value2, "brief") ?? ""} ${textAt(value2, "message") ?? ""}`));
      if (!collector.answer(textAt(payload, "tool_call_id") ?? "", { output, failed: typeof isError === "boolean" ? isError : null, ran })) return collector.skip("result of a call that is not there", place);
      thought = "";
      return collector.record("results");
    }
    if (type === "StepBegin" || type === "TurnBegin") thought = "";
    if (type === "TextPart" || type === "ThinkPart" || type === "ContentPart") thought = `${thought}${textAt(payload, "text") ?? textAt(payload, "think") ?? ""}`.slice(0, 20_000);
    if (SAID.has(type)) return collector.record("messages");
    if (STEERING.has(type)) return collector.record("metadata");
    collector.skip(`record of type \`${type}\``, place);
  };
  return {
    take: (value, place) => {
      if (!isObject(value)) return collector.skip("line that is no object", place);
      collector.about({ name: "Kimi Code" });
      if (textAt(value, "type") === "metadata") {
        collector.about({ format: textAt(value, "protocol_version") });
        return collector.record("metadata");
      }
      message(at(value, "message"), place, timeAt(value, "timestamp"), 0);
    },
    finish: flush,
  };
}
