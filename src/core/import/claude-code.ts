// Claude Code JSONL: one record a line; calls are `tool_use` pieces of an answer, results `tool_result` pieces of a later message.
// Whether a person was asked before a call is not in it.

import type { JsonObject, JsonValue } from "../shared/index.js";
import type { Collector, FormatReader } from "./collector.js";
import { argumentsOf, at, exitAt, flatText, isObject, listAt, numberAt, textAt, timeAt } from "./read.js";

/** Records about the session, not of it. */
const METADATA: ReadonlySet<string> = new Set(["summary", "system", "file-history-snapshot", "queue-operation", "progress", "attachment", "custom-title", "ai-title", "agent-name", "agent-color", "agent-setting", "last-prompt", "pr-link", "tag", "mode", "permission-mode", "worktree-state", "content-replacement", "result"]);
/** Pieces of a message that are said. */
const SAID: ReadonlySet<string> = new Set(["text", "thinking", "redacted_thinking", "image", "document"]);
const EXIT = /^(?:Error: )?Exit code (\d{1,3})\b/u;
const REFUSED = "The user doesn't want to";

/** Reads the lines of one session. */
export function claudeCodeReader(collector: Collector): FormatReader {
  return { take: (value, place) => readLine(value, place, collector), finish: () => undefined };
}

function readLine(line: JsonValue, place: string, collector: Collector): void {
  if (!isObject(line)) return collector.skip("line that is no object", place);
  const type = textAt(line, "type");
  if (type === null) return collector.skip("record without a type", place);
  if (type !== "user" && type !== "assistant") return METADATA.has(type) ? collector.record("metadata") : collector.skip(`record of type \`${type}\``, place);
  const version = textAt(line, "version");
  collector.about({ name: "Claude Code", version, format: version, session: textAt(line, "sessionId"), root: textAt(line, "cwd"), model: type === "assistant" ? textAt(line, "message", "model") : null });
  const content = at(line, "message", "content");
  if (typeof content === "string") return collector.record("messages");
  if (!Array.isArray(content)) return collector.skip("message without content", place);
  readPieces(line, content as readonly JsonValue[], place, collector);
}

function readPieces(line: JsonObject, pieces: readonly JsonValue[], place: string, collector: Collector): void {
  const seen = { calls: 0, results: 0, said: 0 };
  const thought = pieces.map((piece) => textAt(piece, "type") === "text" ? textAt(piece, "text") : textAt(piece, "type") === "thinking" ? textAt(piece, "thinking") : null).filter((text) => text !== null).join("\n");
  for (const [index, piece] of pieces.entries()) {
    const type = textAt(piece, "type") ?? "";
    if (type === "tool_use" || type === "server_tool_use") {
      seen.calls += 1;
      collector.call({ id: textAt(piece, "id") ?? `${place.replaceAll(" ", "-")}-${index + 1}`, tool: textAt(piece, "name") ?? "", arguments: argumentsOf(at(piece, "input")), place, time: timeAt(line, "timestamp"), thought: thought === "" ? null : thought, cwd: textAt(line, "cwd"), sidechain: at(line, "isSidechain") === true });
    } else if (type === "tool_result" || type.endsWith("_tool_result")) {
      if (collector.answer(textAt(piece, "tool_use_id") ?? "", resultOf(line, piece))) seen.results += 1;
      else collector.part("result of a call that is not there", place);
    } else if (SAID.has(type)) seen.said += 1;
    else collector.part(type === "" ? "piece of a message without a type" : `piece of a message of type \`${type}\``, place);
  }
  if (seen.calls > 0) return collector.record("calls");
  if (seen.results > 0) return collector.record("results");
  if (seen.said > 0 || pieces.length === 0) return collector.record("messages");
  collector.skip("message of which nothing could be read", place);
}

function resultOf(line: JsonObject, piece: JsonValue): { readonly output: string; readonly exitCode: number | null; readonly failed: boolean | null; readonly ran: boolean; readonly durationMs: number | null } {
  const output = flatText(at(piece, "content"));
  const isError = at(piece, "is_error");
  const [, code = null] = EXIT.exec(output) ?? [];
  const told = at(line, "toolUseResult");
  const durationMs = isObject(told) ? (numberAt(told, "durationMs") ?? numberAt(told, "totalDurationMs")) : null;
  // Two lists of results in one line would share one `toolUseResult`; the piece is what the model saw, so the piece counts.
  return { output, exitCode: exitAt({ code }, "code"), failed: typeof isError === "boolean" ? isError : null, ran: !(isError === true && output.startsWith(REFUSED)), durationMs: listAt(line, "message", "content").length === 1 ? durationMs : null };
}
