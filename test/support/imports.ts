// Small sessions in the formats of other tools, written from their published forms, and hostile variants of them.

import { createCollector, createReader, type ImportFormat, type Trajectory } from "../../src/core/import/index.js";
import type { JsonValue } from "../../src/core/shared/index.js";

/** Reads values as one document, or as lines. */
export function readAs(format: ImportFormat, values: readonly JsonValue[]): Trajectory {
  const collector = createCollector();
  const reader = createReader(format, collector);
  for (const [index, value] of values.entries()) reader.take(value, `line ${index + 1}`);
  reader.finish();
  return collector.finish(format);
}

/** `records` is the sum of what they were used for and what was skipped. */
export function addsUp({ tally }: Pick<Trajectory, "tally">): boolean {
  const used = Object.values(tally.kinds).reduce((sum, number) => sum + number, 0);
  return tally.records === used + tally.skipped.reduce((sum, one) => sum + one.count, 0);
}

export const ATIF: JsonValue = {
  schema_version: "ATIF-v1.10",
  session_id: "s-1",
  agent: { name: "terminus", version: "2.0", model_name: "kimi-dev" },
  steps: [
    { step_id: 1, source: "user", message: "fix it" },
    { step_id: 2, timestamp: "2026-01-01T00:00:00Z", source: "agent", message: "look", reasoning_content: "first look", tool_calls: [{ tool_call_id: "a", function_name: "bash", arguments: { command: "ls" } }, { tool_call_id: "b", function_name: "bash", arguments: { command: "rm -rf /" } }], observation: { results: [{ source_call_id: "a", content: "x.py" }, { source_call_id: "b", content: [{ type: "text", text: "denied" }] }, { source_call_id: "zz", content: "?" }] } },
    { step_id: 3, source: "agent", message: "copied", is_copied_context: true },
    "odd",
  ],
};

export const GEMINI_DOCUMENT: JsonValue = {
  sessionId: "g-1",
  projectHash: "ab",
  startTime: "2026-01-01T00:00:00Z",
  messages: [
    { id: "1", type: "user", content: "hello" },
    { id: "2", type: "gemini", content: "I look", model: "gemini-3", timestamp: "t", thoughts: [{ subject: "plan", description: "look first" }], toolCalls: [{ id: "c1", name: "run_shell_command", args: { command: "cat a.txt" }, status: "success", result: [{ functionResponse: { id: "c1", name: "run_shell_command", response: { output: "Command: cat a.txt\nExit Code: 3" } } }] }, { id: "c2", name: "write_file", args: { file_path: "b.txt", content: "x" }, status: "cancelled", result: [] }] },
    { id: "3", type: "info", content: "note" },
    { id: "4", type: "strange", content: "" },
  ],
};

export const GEMINI_LINES: readonly JsonValue[] = [
  { sessionId: "g-2", projectHash: "ab", startTime: "t" },
  { id: "1", type: "user", content: "hello" },
  { id: "2", type: "gemini", content: "", toolCalls: [{ id: "c1", name: "read_file", args: { absolute_path: "/p/a" }, status: "executing" }] },
  { id: "2", type: "gemini", content: "done", toolCalls: [{ id: "c1", name: "read_file", args: { absolute_path: "/p/a" }, status: "success", result: [{ functionResponse: { response: { output: "text" } } }] }] },
  { $set: { lastUpdated: "t" } },
  { $rewindTo: "1" },
  7,
];

export const KIMI: readonly JsonValue[] = [
  { type: "metadata", protocol_version: "1.3" },
  { timestamp: 1.5, message: { type: "TurnBegin", payload: { user_input: "go" } } },
  { timestamp: 2, message: { type: "ThinkPart", payload: { type: "think", think: "list it" } } },
  { timestamp: 2, message: { type: "ToolCall", payload: { type: "function", id: "t1", function: { name: "Shell", arguments: '{"command":' } } } },
  { timestamp: 2, message: { type: "ToolCallPart", payload: { arguments_part: '"ls"}' } } },
  { timestamp: 3, message: { type: "ToolResult", payload: { tool_call_id: "t1", return_value: { is_error: false, output: "a\n" } } } },
  { timestamp: 4, message: { type: "SubagentEvent", payload: { task_tool_call_id: "t0", event: { type: "ToolCall", payload: { id: "t2", function: { name: "ReadFile", arguments: '{"path":"/w/x"}' } } } } } },
  { timestamp: 4, message: { type: "ToolResult", payload: { tool_call_id: "nobody", return_value: { output: "" } } } },
  { timestamp: 5, message: { type: "FutureThing", payload: {} } },
];
