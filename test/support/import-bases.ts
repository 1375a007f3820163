// One session in each format, to be changed at random: small, and with something of every part that a reader looks at.

import type { ImportFormat } from "../../src/core/import/index.js";
import type { JsonValue } from "../../src/core/shared/index.js";
import { ATIF, GEMINI_DOCUMENT, GEMINI_LINES, KIMI } from "./imports.js";

export interface Base {
  readonly format: ImportFormat;
  /** One document, or lines. */
  readonly values: readonly JsonValue[];
}

const patch = "*** Begin Patch\n*** Add File: a\n+x\n*** Delete File: b\n*** Update File: c\n*** Move to: d\n@@\n-o\n+n\n*** End Patch";

export const BASES: readonly [Base, ...Base[]] = [
  { format: "swe-agent", values: [{ info: { swe_agent_version: "1.1.0" }, environment: "e", replay_config: '{"agent":{"model":{"name":"m"}}}', trajectory: [{ action: "ls -F", observation: "a", state: { working_dir: "/t", open_file: "/t/a" }, execution_time: 0.5, thought: "t", query: [] }, { action: 'open "b.py" 3', observation: "", state: '{"working_dir":"/t","open_file":"n/a"}' }, { action: "edit 1:2\nx\nend_of_edit", observation: "", state: {} }], history: [{ role: "system", content: "s" }] }] },
  { format: "swe-agent", values: [{ attempts: [{ trajectory: [{ action: "submit", observation: "" }] }], history: [{ role: "assistant", action: "create x", content: "c", thought: "t" }, { role: "tool", message_type: "observation", content: "o" }] }] },
  { format: "mini-swe-agent", values: [{ trajectory_format: "mini-swe-agent-1.1", info: { mini_version: "2", config: { environment: { cwd: "/testbed" }, model: { model_name: "m" } } }, messages: [{ role: "system", content: "s" }, { role: "assistant", content: "```bash\nls\n```", extra: { timestamp: 1, actions: [{ command: "pwd" }] } }, { role: "user", content: "<returncode>1</returncode>\n<output>\nx\n</output>" }] }] },
  { format: "chat", values: [[{ role: "assistant", content: [{ type: "text", text: "x" }], tool_calls: [{ id: "1", function: { name: "bash", arguments: '{"command":"ls"}' } }] }, { role: "tool", tool_call_id: "1", content: "o" }]] },
  { format: "openhands", values: [[{ id: 1, source: "agent", action: "run", args: { command: "ls", thought: "t" } }, { id: 2, source: "agent", cause: 1, observation: "run", content: "x", extras: { metadata: { exit_code: 0, working_dir: "/workspace" } } }, { id: 3, source: "agent", action: "edit", args: { path: "/a" }, tool_call_metadata: { tool_call_id: "c", model_response: { model: "m", choices: [{ message: { tool_calls: [{ id: "c", function: { name: "str_replace_editor", arguments: '{"command":"create","path":"/a","file_text":"x"}' } }] } }] } } }]] },
  { format: "openhands", values: [{ id: "1", kind: "ActionEvent", source: "agent", tool_name: "terminal", tool_call_id: "c", thought: [{ text: "t" }], action: { kind: "TerminalAction", command: "ls", is_input: false } }, { id: "2", kind: "ObservationEvent", source: "environment", tool_call_id: "c", observation: { content: [{ text: "x" }], is_error: true, metadata: { exit_code: -1, working_dir: "/w" } } }, { id: "3", kind: "UserRejectObservation", source: "user", tool_call_id: "c", rejection_reason: "no" }, { id: "4", kind: "ConversationStateUpdateEvent", source: "environment", value: {} }] },
  { format: "atif", values: [ATIF] },
  { format: "claude-code", values: [{ type: "assistant", uuid: "1", cwd: "/w", sessionId: "s", version: "2", isSidechain: true, message: { model: "m", content: [{ type: "text", text: "t" }, { type: "tool_use", id: "a", name: "MultiEdit", input: { file_path: "a", edits: [{ old_string: "1", new_string: "2" }] } }, { type: "tool_use", id: "b", name: "Bash", input: { command: "ls", dangerouslyDisableSandbox: true } }] } }, { type: "user", toolUseResult: { durationMs: 5 }, message: { content: [{ type: "tool_result", tool_use_id: "a", content: [{ type: "text", text: "Exit code 2" }], is_error: true }] } }, { type: "summary" }] },
  { format: "codex", values: [{ type: "session_meta", timestamp: "t", payload: { id: "i", cwd: "/w", cli_version: "1" } }, { type: "response_item", payload: { type: "function_call", name: "shell", call_id: "a", arguments: '{"command":["bash","-lc","ls"],"workdir":"/w"}' } }, { type: "response_item", payload: { type: "function_call_output", call_id: "a", output: '{"output":"x","metadata":{"exit_code":0,"duration_seconds":1}}' } }, { type: "response_item", payload: { type: "custom_tool_call", name: "apply_patch", call_id: "p", input: patch } }, { type: "response_item", payload: { type: "local_shell_call", call_id: "l", action: { command: ["ls"] } } }] },
  { format: "gemini-cli", values: [GEMINI_DOCUMENT] },
  { format: "gemini-cli", values: GEMINI_LINES },
  { format: "kimi-wire", values: KIMI },
];
