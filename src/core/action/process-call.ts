// Calls of the `process` tool: programs that outlive the call that opened them. Read strictly, like every call; what is written to one is
// whole lines of plain text, so that nothing is judged by halves and no key of a line editor changes what a line says.

import { LIMITS, printable } from "../shared/index.js";
import type { OpaqueAction, ProcessAction, ProcessKey, ProcessOp, ToolCall } from "./action.js";
import { readArguments, type ArgumentReader } from "./argument-reader.js";
import { opaque } from "./editor-call.js";
import type { NormaliseContext } from "./normalise.js";

const NAME = /^[a-z0-9][a-z0-9.-]{0,31}$/u;
const OPS: ReadonlySet<string> = new Set(["open", "write", "read", "close", "list"]);
const KEYS: ReadonlySet<string> = new Set(["C-c", "C-d", "C-z", "C-\\"]);
/** Anything but text and ends of lines: what a terminal's line editor would take for a key. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/u;
const WAIT_MS = 1_000;
const UNTIL_CHARS = 200;

type Nothing = Pick<ProcessAction, "form" | "terminal" | "input" | "key" | "endsInput" | "effects">;
const NOTHING: Nothing = { form: null, terminal: null, input: null, key: null, endsInput: false, effects: [] };

/** What a process can be called, in words. */
export const PROCESS_NAMES = "a name of a process is at most 32 lower-case letters, digits, dots and dashes";

export function isProcessName(text: string): boolean {
  return NAME.test(text);
}

/** The action of a call of `process`. Never throws. */
export function processAction(call: ToolCall, context: NormaliseContext): ProcessAction | OpaqueAction {
  const reader = readArguments(call.arguments);
  const op = reader.text("op");
  if (!OPS.has(op)) return opaque(call.tool, reader.problem() ?? `\`${printable(op, 40)}\` is nothing that is done with a process`);
  const name = op === "list" ? "" : reader.text("name");
  const waits = op === "open" || op === "write" || op === "read";
  const waitMs = (waits ? reader.optionalWhole("wait_ms") : null) ?? WAIT_MS;
  const until = waits ? reader.optionalText("until") : null;
  const rest = restOf(op as ProcessOp, name, reader, context);
  const problem = reader.problem();
  if (problem !== null) return opaque(call.tool, problem);
  if (typeof rest === "string") return opaque(call.tool, rest);
  if (op !== "list" && !isProcessName(name)) return opaque(call.tool, PROCESS_NAMES);
  if (waitMs < 0 || waitMs > LIMITS.processWaitMs) return opaque(call.tool, `a call waits at most ${LIMITS.processWaitMs} ms for a process`);
  if (until !== null && (until === "" || until.length > UNTIL_CHARS)) return opaque(call.tool, `the argument \`until\` is 1 to ${UNTIL_CHARS} characters`);
  return { kind: "process", op: op as ProcessOp, name, until, waitMs, cwd: context.cwd, ...rest };
}

function restOf(op: ProcessOp, name: string, reader: ArgumentReader, context: NormaliseContext): Nothing | string {
  if (op === "open") return opened(reader, context);
  return op === "write" ? written(name, reader, context) : NOTHING;
}

function opened(reader: ArgumentReader, context: NormaliseContext): Nothing | string {
  const command = reader.optionalText("command");
  const argv = command === null ? reader.texts("argv") : [];
  const hasTerminal = reader.optionalFlag("terminal") === true;
  const rows = reader.optionalWhole("rows") ?? 24;
  const columns = reader.optionalWhole("columns") ?? 80;
  const words = command === null ? argv : [command];
  if (words.length === 0 || words[0]?.trim() === "") return "it names no program";
  if (words.some((word) => word.includes("\0"))) return "the command has a NUL character";
  if (words.reduce((sum, word) => sum + word.length + 1, 0) > LIMITS.commandChars) return `the command is longer than ${LIMITS.commandChars} characters`;
  if (rows < 1 || rows > LIMITS.terminalRows || columns < 1 || columns > LIMITS.terminalColumns) return `a terminal has 1 to ${LIMITS.terminalRows} rows and 1 to ${LIMITS.terminalColumns} columns`;
  const form = command === null ? { argv } : { shell: command };
  const effects = command === null ? context.evaluate.argv(argv, context) : context.evaluate.shell(command, context);
  return { ...NOTHING, form, terminal: hasTerminal ? { rows, columns } : null, effects };
}

function written(name: string, reader: ArgumentReader, context: NormaliseContext): Nothing | string {
  const key = reader.optionalText("key");
  const text = key === null ? reader.optionalText("text") : null;
  const endsInput = reader.optionalFlag("end") === true;
  if (key !== null) return KEYS.has(key) ? { ...NOTHING, key: key as ProcessKey } : "a key is C-c, C-d, C-z or C-\\";
  if (text === null) return endsInput ? { ...NOTHING, input: "", endsInput } : "the argument `text` is missing";
  if (text.length > LIMITS.processInputChars) return `more than ${LIMITS.processInputChars} characters are written at once`;
  if (CONTROL.test(text)) return "what is written has control characters; keys are given by `key`";
  const input = text.endsWith("\n") ? text : `${text}\n`;
  const effects = context.evaluate.input?.(name, input) ?? null;
  return effects === null ? `there is no process \`${printable(name, 40)}\` that could be written to` : { ...NOTHING, input, endsInput, effects };
}
