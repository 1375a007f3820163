// Turns the shell line that SWE-agent makes of an edit back into the edit. Only ever given the exact words of one
// simple command; a line with expansions, pipes or redirections is left to the shell evaluation.

import { err, ok, printable, type JsonObject, type JsonValue, type Result } from "../shared/index.js";
import { knownTool } from "./tools.js";

const TEXT_OPTIONS: ReadonlySet<string> = new Set(["file_text", "old_str", "new_str", "insert_text"]);
const DIGITS = /^-?\d{1,9}$/;

/** Tells whether these words call the editor tool by name. */
export function isEditorCommand(words: readonly string[]): boolean {
  return knownTool(words[0] ?? "") === "editor";
}

/**
 * Reads `str_replace_editor COMMAND PATH [--old_str TEXT] [--new_str TEXT] [--file_text TEXT] [--insert_line N]
 * [--view_range A B]` into the editor's arguments. Anything else is an error text: an option given twice, an unknown
 * option, a word too many.
 */
export function editorArguments(words: readonly string[]): Result<JsonObject, string> {
  const found = new Map<string, JsonValue>();
  const positional: string[] = [];
  for (let at = 1; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (!word.startsWith("--")) {
      positional.push(word);
      continue;
    }
    const equals = word.indexOf("=");
    const name = word.slice(2, equals === -1 ? undefined : equals);
    if (found.has(name)) return err(`the option \`--${printable(name)}\` is given twice`);
    const inline = equals === -1 ? null : word.slice(equals + 1);
    if (TEXT_OPTIONS.has(name)) {
      const value = inline ?? words[(at += 1)];
      if (value === undefined) return err(`the option \`--${name}\` has no value`);
      found.set(name, value);
    } else if (name === "insert_line") {
      const value = inline ?? words[(at += 1)] ?? "";
      if (!DIGITS.test(value)) return err("the option `--insert_line` must be a whole number");
      found.set(name, Number(value));
    } else if (name === "view_range" && inline === null) {
      const range = [words[(at += 1)] ?? "", words[(at += 1)] ?? ""];
      if (!range.every((value) => DIGITS.test(value))) return err("the option `--view_range` must be two whole numbers");
      found.set(name, range.map(Number));
    } else {
      return err(`the option \`${printable(word)}\` is not known`);
    }
  }
  const [command, path, extra] = positional;
  if (command === undefined || path === undefined) return err("the editor command needs a command and a path");
  if (extra !== undefined) return err(`the word \`${printable(extra)}\` is one too many`);
  return ok(Object.fromEntries([["command", command], ["path", path], ...found]));
}
