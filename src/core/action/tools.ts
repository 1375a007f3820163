// Which tool names mean which tool. A name that is not here is not guessed: its call becomes an opaque action.

/** Tools this product understands. */
export type KnownTool = "bash" | "exec" | "editor" | "str_replace" | "insert" | "open" | "find_file" | "process" | "submit" | "think";

const TOOLS: ReadonlyMap<string, KnownTool> = new Map([
  ["bash", "bash"],
  ["execute_bash", "bash"],
  ["terminal", "bash"],
  ["exec", "exec"],
  ["str_replace_editor", "editor"],
  ["str_replace_based_edit_tool", "editor"],
  ["file_editor", "editor"],
  ["str_replace", "str_replace"],
  ["insert", "insert"],
  ["open", "open"],
  ["find_file", "find_file"],
  ["process", "process"],
  ["submit", "submit"],
  ["finish", "submit"],
  ["stop", "submit"],
  ["think", "think"],
] as const);

/** Every tool name understood, in the order of the documentation. */
export const TOOL_NAMES: readonly string[] = [...TOOLS.keys()];

/** The tool behind a name, or null. Names are compared exactly, case included. */
export function knownTool(name: string): KnownTool | null {
  return TOOLS.get(name) ?? null;
}

/** Tells whether a call only carries a thought: it has no effect to judge and nothing to run, and is put on record. */
export function isThought(call: { readonly tool: string }): boolean {
  return knownTool(call.tool) === "think";
}
