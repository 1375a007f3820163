// JSON with one reading only. Readers disagree about a key given twice, so such a text is refused; so is deep nesting.

import { err, LIMITS, ok, printable, type JsonValue, type Result } from "../../shared/index.js";
import type { Problem } from "./format-error.js";

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const COLON = 58;

/** How long a text may be, and how deep it may nest. */
export interface JsonBounds {
  readonly chars: number;
  readonly depth: number;
}

const CALL_BOUNDS: JsonBounds = { chars: LIMITS.callBytes, depth: LIMITS.callDepth };

/**
 * Parses one JSON text, by default of at most `LIMITS.callBytes` characters and `LIMITS.callDepth` levels. Keys such as `__proto__`
 * become plain own properties.
 */
export function parseStrictJson(text: string, bounds: JsonBounds = CALL_BOUNDS): Result<JsonValue, Problem> {
  if (text.length > bounds.chars) return err({ code: "LINE_TOO_LARGE", message: `the line is longer than ${bounds.chars} characters` });
  const problem = scan(text, bounds.depth);
  if (problem !== null) return err(problem);
  try {
    return ok(JSON.parse(text) as JsonValue);
  } catch (cause) {
    const detail = cause instanceof Error ? printable(cause.message) : "unknown reason";
    return err({ code: "LINE_NOT_JSON", message: `the line is not JSON: ${detail}` });
  }
}

/** Looks for depth and repeated keys only; a text that is no JSON may pass, the parser then refuses it. */
function scan(text: string, depth: number): Problem | null {
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === OPEN_BRACE || unit === OPEN_BRACKET) {
      open.push(unit === OPEN_BRACE ? new Set() : null);
      if (open.length > depth) return { code: "LINE_TOO_DEEP", message: `the line is nested deeper than ${depth} levels` };
    } else if (unit === CLOSE_BRACE || unit === CLOSE_BRACKET) {
      open.pop();
    } else if (unit === QUOTE) {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (keys instanceof Set && isKey(text, end)) {
        const key = keyText(text.slice(at, end + 1));
        if (keys.has(key)) return { code: "LINE_DUPLICATE_KEY", message: `the key \`${printable(key)}\` is given twice in one object` };
        keys.add(key);
      }
      at = end;
    }
  }
  return null;
}

/** Offset of the closing quote, or the end of the text. A quote after an odd number of backslashes closes nothing. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let before = at;
    while (text.charCodeAt(before - 1) === BACKSLASH) before -= 1;
    if ((at - before) % 2 === 0) return at;
  }
  return text.length;
}

function isKey(text: string, end: number): boolean {
  let at = end + 1;
  while (at < text.length && isSpace(text.charCodeAt(at))) at += 1;
  return text.charCodeAt(at) === COLON;
}

function isSpace(unit: number): boolean {
  return unit === 32 || unit === 9 || unit === 10 || unit === 13;
}

/** The key as the parser reads it, so that `"a"` and `"\u0061"` are the same; the raw text when it is not a string. */
function keyText(raw: string): string {
  if (!raw.includes("\\")) return raw.slice(1, -1);
  try {
    return String(JSON.parse(raw));
  } catch {
    // Not a JSON string: the whole line is refused by the parser right after.
    return raw;
  }
}
