// What `echo` and `printf` print, where their words are certain; null else. Output longer than a command is not kept.

import { UNKNOWN_OUTPUT, type Output } from "./run.js";
import type { Field } from "./value.js";

const MAX_OUTPUT = 100_000;

function known(text: string): Output {
  return text.length > MAX_OUTPUT || text.includes("\ufffd") ? UNKNOWN_OUTPUT : { text, globs: null };
}

/** The output of `echo`. In a plain `sh`, backslashes may or may not be read, so they make it unknown. */
export function echoOutput(words: readonly Field[], plain: boolean): Output {
  let newline = "\n";
  let escapes = false;
  let i = 0;
  for (; i < words.length; i += 1) {
    const text = words[i]?.text ?? null;
    if (text === null || !/^-[neE]+$/.test(text)) break;
    if (text.includes("n")) newline = "";
    for (const letter of text) if (letter === "e" || letter === "E") escapes = letter === "e";
  }
  const rest = words.slice(i);
  if (rest.length === 1 && rest[0]?.text === null && rest[0].glob !== null) return { text: null, globs: [rest[0].glob] };
  let out = "";
  for (const [at, word] of rest.entries()) {
    if (word.text === null) return UNKNOWN_OUTPUT;
    out += at === 0 ? word.text : ` ${word.text}`;
  }
  if (plain && out.includes("\\")) return UNKNOWN_OUTPUT;
  if (!escapes) return known(out + newline);
  const { text, stop } = unescape(out);
  return known(stop ? text : text + newline);
}

const SIMPLE = new Map([["n", "\n"], ["t", "\t"], ["r", "\r"], ["a", "\x07"], ["b", "\b"], ["e", "\x1b"], ["E", "\x1b"], ["f", "\f"], ["v", "\v"], ["\\", "\\"], ["'", "'"], ['"', '"'], ["?", "?"]]);
const NUMERIC = /^(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|(0?[0-7]{1,3}))/;

/** Bytes above ASCII, each one character here, are UTF-8 together; what is none becomes U+FFFD. */
function joinBytes(text: string): string {
  return text.replace(/[\u{f0080}-\u{f00ff}]+/gu, (run) => {
    try {
      return decodeURIComponent(Array.from(run, (char) => `%${((char.codePointAt(0) ?? 0) - BYTE).toString(16)}`).join(""));
    } catch {
      return "\ufffd";
    }
  });
}

/** Where bytes above ASCII are put until they are joined: a private place that no text here uses. */
const BYTE = 0xf0000;

/** Reads backslash escapes as `echo -e` and `%b` do; `stop` at `\c`. Bytes that are no UTF-8 become U+FFFD. */
export function unescape(text: string): { readonly text: string; readonly stop: boolean } {
  const { text: raw, stop } = unescapeBytes(text);
  return { text: joinBytes(raw), stop };
}

function unescapeBytes(text: string): { readonly text: string; readonly stop: boolean } {
  let out = "";
  let i = 0;
  while (i < text.length) {
    const slash = text.indexOf("\\", i);
    if (slash < 0 || slash === text.length - 1) return { text: out + text.slice(i), stop: false };
    out += text.slice(i, slash);
    const next = text[slash + 1] ?? "";
    if (next === "c") return { text: out, stop: true };
    const simple = SIMPLE.get(next);
    const numeric = simple === undefined ? NUMERIC.exec(text.slice(slash + 1, slash + 10)) : null;
    if (simple !== undefined) {
      out += simple;
      i = slash + 2;
    } else if (numeric !== null) {
      const [whole, hex, short, long, octal] = numeric;
      const code = octal === undefined ? parseInt(hex ?? short ?? long ?? "0", 16) : parseInt(octal, 8) & 0xff;
      const byte = hex !== undefined || octal !== undefined;
      out += byte && code > 0x7f ? String.fromCodePoint(BYTE + code) : code <= 0x10ffff ? String.fromCodePoint(code) : "";
      i = slash + 1 + whole.length;
    } else {
      out += `\\${next}`;
      i = slash + 2;
    }
  }
  return { text: out, stop: false };
}

const DIRECTIVE = /%([-+ 0#]*)(\d*)(?:\.(\d*))?([a-zA-Z%])/g;

/** The output of `printf`, for `%s`, `%b`, `%d`, `%c`, `%x`, `%o` and `%%`. */
export function printfOutput(words: readonly Field[]): Output {
  const rest = words[0]?.text === "--" ? words.slice(1) : words;
  const [format, ...values] = rest;
  if (format?.text == null || values.some((value) => value.text === null || value.many)) return UNKNOWN_OUTPUT;
  const texts = values.map((value) => value.text ?? "");
  let out = "";
  let used = 0;
  for (let round = 0; round < 200; round += 1) {
    const before = used;
    const piece = formatOnce(format.text, texts, used);
    if (piece === null) return UNKNOWN_OUTPUT;
    out += piece.text;
    used = piece.used;
    if (piece.stop || used >= texts.length || used === before || out.length > MAX_OUTPUT) return used < texts.length && used !== before && !piece.stop ? UNKNOWN_OUTPUT : known(out);
  }
  return UNKNOWN_OUTPUT;
}

/** In a format `\\c` is two characters; only `%b` and `echo -e` end at it. */
function plainC(format: string): string {
  return format.replace(/\\(?:\\|c)/g, (pair) => (pair === "\\c" ? "\\\\c" : pair));
}

function formatOnce(format: string, values: readonly string[], from: number): { readonly text: string; readonly used: number; readonly stop: boolean } | null {
  let used = from;
  let out = "";
  let at = 0;
  DIRECTIVE.lastIndex = 0;
  for (let match = DIRECTIVE.exec(format); match !== null; match = DIRECTIVE.exec(format)) {
    const before = unescape(plainC(format.slice(at, match.index)));
    out += before.text;
    if (before.stop) return { text: out, used, stop: true };
    at = match.index + match[0].length;
    const [, flags = "", width = "", precision, kind = ""] = match;
    if (kind === "%") {
      out += "%";
      continue;
    }
    const value = convert(kind, values[used] ?? "");
    used += 1;
    if (value === null || Number(width || 0) > 1000) return null;
    const cut = precision === undefined || kind !== "s" ? value : value.slice(0, Number(precision || 0));
    out += flags.includes("-") ? cut.padEnd(Number(width || 0)) : cut.padStart(Number(width || 0), flags.includes("0") && kind !== "s" ? "0" : " ");
  }
  const rest = unescape(plainC(format.slice(at)));
  if (!rest.stop && rest.text.includes("%")) return null;
  return { text: out + rest.text, used, stop: rest.stop };
}

function convert(kind: string, value: string): string | null {
  switch (kind) {
    case "s":
      return value;
    case "b":
      return unescape(value).text;
    case "c":
      return value.slice(0, 1);
    case "d":
    case "i":
    case "u":
    case "o":
    case "x":
    case "X":
      return integer(kind, value);
    default:
      return null;
  }
}

function integer(kind: string, value: string): string | null {
  const n = /^'.$/.test(value) ? value.charCodeAt(1) : /^0[0-7]+$/.test(value) ? parseInt(value, 8) : Number(value === "" ? 0 : value);
  if (!Number.isSafeInteger(n) || n < 0) return kind === "d" && Number.isSafeInteger(n) ? String(n) : null;
  if (kind === "o") return n.toString(8);
  if (kind === "x") return n.toString(16);
  return kind === "X" ? n.toString(16).toUpperCase() : String(n);
}
