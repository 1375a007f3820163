// A call of another tool as a call of our own that does the very same, where there is one. Only what is known word for word: a command of a
// shell, and edits that both editors make in the same way. The rest is named with the reason, never guessed.

import type { JsonObject } from "../shared/index.js";
import { isObject, textAt } from "./read.js";

/** A call of our own, or why there is none. */
export type Again = { readonly ok: true; readonly tool: "bash" | "exec" | "str_replace_editor" | "submit" | "think"; readonly arguments: JsonObject } | { readonly ok: false; readonly why: string };

const SHELLS: ReadonlySet<string> = new Set(["bash", "execute_bash", "terminal", "shell", "exec", "exec_command", "shell_command", "local_shell", "run_shell_command", "run_terminal_cmd", "container.exec", "run"]);
const EDITORS: ReadonlySet<string> = new Set(["str_replace_editor", "str_replace_based_edit_tool", "file_editor"]);
const THOUGHTS: ReadonlySet<string> = new Set(["todowrite", "todoread", "think", "update_plan", "task_tracker", "exitplanmode", "enterplanmode", "settodolist", "todolist", "write_todos", "report_intent"]);
const ENDS: ReadonlySet<string> = new Set(["submit", "finish", "stop", "complete_task", "mark_task_complete"]);
/** What each command of the editor takes; the names are those of the tool that it comes from. */
const EDITOR_KEYS: Readonly<Record<string, readonly string[]>> = { view: ["view_range"], create: ["file_text"], str_replace: ["old_str", "new_str"], insert: ["insert_line", "insert_text", "new_str"] };

/** Finds the call. `command` of SWE-agent's own line editor and tools that have no equal here are not made again. */
export function sameCall(call: { readonly tool: string; readonly arguments: JsonObject }): Again {
  const name = call.tool.toLowerCase();
  if (THOUGHTS.has(name)) return { ok: true, tool: "think", arguments: {} };
  if (ENDS.has(name)) return { ok: true, tool: "submit", arguments: {} };
  if (EDITORS.has(name)) return editorCall(call.arguments);
  if (SHELLS.has(name)) return shellCall(call.arguments);
  return { ok: false, why: "its tool does what only the agent's own program can do in the same way" };
}

function shellCall(values: JsonObject): Again {
  if (values["is_input"] === true || values["is_input"] === "true") return { ok: false, why: "it is input for a process of an earlier call" };
  const raw = values["command"] ?? values["cmd"] ?? values["argv"];
  if (typeof raw === "string") return raw.trim() === "" ? { ok: false, why: "it names no command" } : { ok: true, tool: "bash", arguments: { command: raw } };
  if (Array.isArray(raw) && raw.length > 0 && raw.every((word) => typeof word === "string")) return { ok: true, tool: "exec", arguments: { argv: raw } };
  return { ok: false, why: "it names no command" };
}

function editorCall(values: JsonObject): Again {
  const command = textAt(values, "command") ?? "";
  const path = textAt(values, "path") ?? textAt(values, "file_path");
  const keys = Object.hasOwn(EDITOR_KEYS, command) ? EDITOR_KEYS[command] : undefined;
  if (keys === undefined || path === null || !path.startsWith("/")) return { ok: false, why: "the editor here has no such command" };
  const taken = Object.fromEntries(keys.flatMap((key) => (values[key] === undefined || values[key] === null ? [] : [[key, values[key]]])));
  return isObject(taken) ? { ok: true, tool: "str_replace_editor", arguments: { command, path, ...taken } } : { ok: false, why: "its arguments cannot be read" };
}
