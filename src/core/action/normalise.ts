// A tool call as received, turned into the action that policy judges. Total: what cannot be understood becomes an opaque
// action with the reason, which no allow rule matches. Nothing is repaired and no nearest meaning is guessed.

import { assertNever, LIMITS, printable, type JsonObject } from "../shared/index.js";
import type { Action, CommandAction, ToolCall } from "./action.js";
import { readArguments } from "./argument-reader.js";
import { editorAction, opaque, openAction, type Surroundings } from "./editor-call.js";
import type { ActionEffect } from "./effects.js";
import { editorArguments, isEditorCommand } from "./pseudo-command.js";
import { processAction } from "./process-call.js";
import { knownTool, type KnownTool } from "./tools.js";

/** Tells the effects of a command; the shell evaluation is handed in, because it builds on this module. */
export interface CommandEvaluator {
  shell(text: string, surroundings: Surroundings): readonly ActionEffect[];
  argv(words: readonly string[], surroundings: Surroundings): readonly ActionEffect[];
  /** Effects of lines written to a process that was opened earlier; null where there is none of that name. Left out: there are none at all. */
  input?(name: string, text: string): readonly ActionEffect[] | null;
}

/** What the meaning of a call depends on besides the call. `root`, `cwd` and `home` are absolute and normalised. */
export interface NormaliseContext extends Surroundings {
  readonly evaluate: CommandEvaluator;
  /** The exact words of a text that is one simple command without expansion or redirection, else null. */
  readonly split: (text: string) => readonly string[] | null;
}

/**
 * The action of a tool call.
 *
 * Commands get their effects from `context.evaluate`, file tools get theirs here. A shell line that SWE-agent made of an
 * edit (`str_replace_editor str_replace /workspace/a.js --old_str … --new_str …`) becomes that edit. A tool that is not
 * known, an argument that is missing, of the wrong type or too many, and a path outside the root give an opaque action.
 * Never throws.
 */
export function normalise(call: ToolCall, context: NormaliseContext): Action {
  const tool = knownTool(call.tool);
  if (tool === null) return opaque(call.tool, `the tool \`${printable(call.tool)}\` is not known`);
  return bounded(call.tool, actionOf(tool, call, context));
}

function actionOf(tool: KnownTool, call: ToolCall, context: NormaliseContext): Action {
  switch (tool) {
    case "bash":
      return bashAction(call, context);
    case "exec":
      return execAction(call, context);
    case "editor":
      return editorAction(call.tool, call.arguments, context);
    case "str_replace":
    case "insert":
      return shortEditAction(tool, call, context);
    case "open":
      return openAction(call.tool, call.arguments, context);
    case "find_file":
      return findAction(call, context);
    case "process":
      return processAction(call, context);
    case "submit":
      return submitAction(call);
    case "think":
      return opaque(call.tool, "a thought is put on record; there is nothing to run");
    default:
      return assertNever(tool);
  }
}

function bashAction(call: ToolCall, context: NormaliseContext): Action {
  const reader = readArguments(call.arguments);
  reader.ignore("security_risk", "description", "summary");
  const command = reader.text("command");
  const seconds = reader.optionalSeconds("timeout");
  const isInput = reader.optionalFlag("is_input");
  const restart = reader.optionalFlag("restart") ?? reader.optionalFlag("reset");
  const problem = reader.problem();
  if (restart === true) return opaque(call.tool, "each call has a shell of its own; there is none to restart");
  if (problem !== null) return opaque(call.tool, problem);
  if (isInput === true) return opaque(call.tool, "no process of an earlier call is left that could take input");
  if (command.trim() === "") return opaque(call.tool, "the command is empty");
  if (command.includes("\0")) return opaque(call.tool, "the command has a NUL character");
  if (command.length > LIMITS.commandChars) return opaque(call.tool, `the command is longer than ${LIMITS.commandChars} characters`);
  const words = context.split(command);
  if (words !== null && isEditorCommand(words)) return pseudoAction(words, context);
  return commandAction({ shell: command }, seconds, context);
}

function execAction(call: ToolCall, context: NormaliseContext): Action {
  const reader = readArguments(call.arguments);
  const argv = reader.texts("argv");
  const seconds = reader.optionalSeconds("timeout");
  const problem = reader.problem();
  if (problem !== null) return opaque(call.tool, problem);
  if (argv.length === 0 || argv[0] === "") return opaque(call.tool, "the argument `argv` names no program");
  if (argv.some((word) => word.includes("\0"))) return opaque(call.tool, "a word of the command has a NUL character");
  if (argv.reduce((sum, word) => sum + word.length + 1, 0) > LIMITS.commandChars) {
    return opaque(call.tool, `the command is longer than ${LIMITS.commandChars} characters`);
  }
  return isEditorCommand(argv) ? pseudoAction(argv, context) : commandAction({ argv }, seconds, context);
}

function commandAction(form: CommandAction["form"], seconds: number | null, context: NormaliseContext): CommandAction {
  const effects = "shell" in form ? context.evaluate.shell(form.shell, context) : context.evaluate.argv(form.argv, context);
  return { kind: "command", form, cwd: context.cwd, timeoutMs: seconds === null ? null : Math.max(1, Math.round(seconds * 1000)), effects };
}

function pseudoAction(words: readonly string[], context: NormaliseContext): Action {
  const tool = words[0] ?? "";
  const read = editorArguments(words);
  return read.ok ? editorAction(tool, read.value, context) : opaque(tool, read.error);
}

/** `str_replace` and `insert` as tools of their own: the editor's arguments without its command. */
function shortEditAction(command: "str_replace" | "insert", call: ToolCall, context: NormaliseContext): Action {
  if (Object.hasOwn(call.arguments, "command")) return opaque(call.tool, "the argument `command` is not known");
  return editorAction(call.tool, { ...call.arguments, command } satisfies JsonObject, context);
}

function findAction(call: ToolCall, context: NormaliseContext): Action {
  const reader = readArguments(call.arguments);
  const name = reader.text("file_name");
  const folder = reader.optionalText("dir") ?? context.cwd;
  const problem = reader.problem();
  if (problem !== null) return opaque(call.tool, problem);
  if (name === "" || name.includes("\0") || folder.includes("\0")) return opaque(call.tool, "the file name cannot be looked for");
  if (!folder.startsWith("/")) return opaque(call.tool, `the folder \`${printable(folder)}\` is not absolute`);
  return commandAction({ argv: ["find", folder, "-name", name] }, null, context);
}

function submitAction(call: ToolCall): Action {
  const reader = readArguments(call.arguments);
  if (call.tool === "finish") reader.ignore("message", "task_completed", "summary", "security_risk");
  const problem = reader.problem();
  return problem === null ? { kind: "submit", effects: [] } : opaque(call.tool, problem);
}

function bounded(tool: string, action: Action): Action {
  return action.effects.length > LIMITS.effects ? opaque(tool, `the call has more than ${LIMITS.effects} effects`) : action;
}
