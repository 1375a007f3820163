// The words of a text that is one simple command and nothing else. Anything that bash would expand or redirect is no such text.

import { parse, type Word } from "unbash";
import { LIMITS } from "../shared/index.js";

/** Longest text looked at, in characters. */
const MAX_CHARS = LIMITS.commandChars;
/** Parts whose text is what bash hands on. */
const STATIC = new Set(["Literal", "SingleQuoted", "AnsiCQuoted"]);

/** The exact words bash would hand to the program, or null when the text is more than one simple command of fixed words. Never throws. */
export function simpleWords(text: string): readonly string[] | null {
  if (text.length > MAX_CHARS || text.includes("\0")) return null;
  try {
    const script = parse(text);
    const [statement, second] = script.commands;
    if (statement === undefined || second !== undefined || (script.errors?.length ?? 0) > 0) return null;
    const { command } = statement;
    if (command.type !== "Command" || statement.background === true) return null;
    if (command.name === undefined || command.prefix.length > 0 || command.redirects.length > 0) return null;
    const words = [command.name, ...command.args].map((word) => staticValue(word as Word));
    return words.includes(null) ? null : (words as readonly string[]);
  } catch {
    // The parser gave up on a hostile text: it is then no simple command.
    return null;
  }
}

function staticValue(word: Word): string | null {
  if (word.parts === undefined) return /[~*?[{]/u.test(word.text) ? null : word.value;
  for (const part of word.parts) {
    if (part.type === "DoubleQuoted") {
      if (!part.parts.every((inner) => inner.type === "Literal")) return null;
    } else if (!STATIC.has(part.type)) return null;
    else if (part.type === "Literal" && /[~*?[{]/u.test(part.text)) return null;
  }
  return word.value;
}
