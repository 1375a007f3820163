// `xargs`: a command whose last words come from standard input, where that can be told.

import { parseArguments, type Arguments } from "../arguments.js";
import { listText } from "../lists.js";
import { compile } from "../model.js";
import { unescape } from "../printf.js";
import { applyArguments } from "../roles.js";
import { addOpaque, NO_INPUT, UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { escapeGlob, exact, globbed, UNKNOWN, UNKNOWN_MANY, type Field } from "../value.js";
import { runInner } from "./wrappers.js";

const XARGS = compile("t*", "-a:r --arg-file:r -d:t --delimiter:t -E:t -e?:t -I:t!replace -i?:t!replace --replace?:t!replace -L:t -l?:t --max-lines?:t -n:t --max-args:t -P:t --max-procs:t -s:t --max-chars:t --process-slot-var:t -0 --null -r -t -p -x -o", "stops");

/** Most words taken from a certain text. */
const MAX_WORDS = 200;

/** How an input is divided: at the character given, or as `xargs` and its like do it by themselves, in lines or in words. */
export type Division = { readonly at: string | null } | "lines" | "words";

/** The words appended, each a word of its own; what cannot be told stands for any number. */
export function inputWords({ frame: { stdin } }: Call, division: Division): readonly Field[] {
  if (stdin.text !== null) {
    const words = divided(stdin.text, division);
    return words === null || words.length > MAX_WORDS ? [UNKNOWN_MANY] : words.map(exact);
  }
  if (stdin.globs !== null && stdin.globs.length > 0) return stdin.globs.map((glob) => globbed(glob, "", true));
  return [UNKNOWN_MANY];
}

/** A text's words; null when they cannot be told. */
function divided(text: string, division: Division): readonly string[] | null {
  if (typeof division === "object") return division.at === null ? null : text.split(division.at).filter((word) => word !== "");
  // Quotes and backslashes group what is between them, and a NUL is an accident.
  if (/['"\\\0]/.test(text)) return null;
  const words = division === "lines" ? text.split("\n").map((line) => line.replace(/^[ \t]+/, "")) : text.split(/[ \t\n]+/);
  return words.filter((word) => word !== "");
}

/** What `-0` and `-d` say of the division. */
export function divisionOf({ options }: Arguments, otherwise: Division): Division {
  const last = options.filter(({ name }) => DIVIDES.has(name)).at(-1);
  if (last === undefined) return otherwise;
  if (last.value === null) return { at: "\0" };
  const text = last.value.text === null ? "" : unescape(last.value.text).text;
  return { at: text.length === 1 ? text : null };
}

const DIVIDES = new Set(["-0", "--null", "-d", "--delimiter"]);

/** How many words, or words of how many lines, go into one command; null: all that fit. */
function countOf({ options }: Arguments, names: ReadonlySet<string>): number | null {
  const last = options.filter(({ name }) => names.has(name)).at(-1);
  const count = last === undefined ? Number.NaN : Number(last.value?.text || "1");
  return Number.isInteger(count) && count > 0 ? count : null;
}

const COUNTS = new Set(["-n", "--max-args"]);
const LINES = new Set(["-L", "-l", "--max-lines"]);

/** The words of each command that is run. */
function groups(call: Call, parsed: Arguments, division: Division): readonly (readonly Field[])[] {
  const perLine = countOf(parsed, LINES);
  const { text } = call.frame.stdin;
  if (perLine !== null && perLine === 1 && division === "words" && text !== null && !/[ \t]\n/.test(text)) {
    const lines = text.split("\n").filter((line) => /[^ \t]/.test(line));
    if (lines.length <= MAX_WORDS) return lines.map((line) => divided(line, "words")?.map(exact) ?? [UNKNOWN_MANY]);
  }
  const words = inputWords(call, division);
  const size = countOf(parsed, COUNTS);
  if (parsed.options.some(({ name }) => name === "-E" || name === "-e")) return [[UNKNOWN_MANY], words];
  if ((size === null && perLine === null) || words.some((word) => word.text === null)) return [words];
  if (perLine !== null || size === null) return [[UNKNOWN_MANY], words];
  const out: (readonly Field[])[] = [];
  for (let at = 0; at < words.length; at += size) out.push(words.slice(at, at + size));
  return out;
}

/** `xargs [options] command`. */
export function runXargs(given: Call): Output {
  const parsed = parseArguments(given.words.slice(1), XARGS);
  applyArguments(given, XARGS, parsed);
  const list = parsed.options.find(({ name }) => name === "-a" || name === "--arg-file")?.value ?? null;
  const listed = list === null ? null : listText(given, list);
  const call: Call = listed === null ? given : { ...given, frame: { ...given.frame, stdin: { ...NO_INPUT, text: listed } } };
  if (parsed.uncertain && parsed.operands[0]?.text === null) {
    addOpaque(call.run, "what `xargs` runs cannot be told", call.from);
    return UNKNOWN_OUTPUT;
  }
  const command = parsed.operands.length === 0 ? [exact("echo")] : parsed.operands;
  const replace = parsed.options.find((option) => REPLACE.has(option.name));
  const fromFile = list !== null && listed === null;
  const division = divisionOf(parsed, replace === undefined ? "words" : "lines");
  const inner: Call = { ...call, frame: { ...call.frame, stdin: NO_INPUT } };
  // The last of `-I`, `-n` and `-L` counts, but `-n 1` goes with `-I`.
  if (replace === undefined || parsed.options.some(({ name, value }) => LINES.has(name) || (COUNTS.has(name) && value?.text !== "1"))) {
    const outputs = (fromFile ? [[UNKNOWN_MANY]] : groups(call, parsed, division)).map((words) => runInner(inner, [...command, ...words]));
    if (replace === undefined) return { text: null, globs: outputs.length === 1 ? (outputs[0]?.globs ?? null) : null };
  }
  const mark = replace.value?.text === "" || replace.value === null ? "{}" : (replace.value?.text ?? "{}");
  for (const word of fromFile ? [UNKNOWN_MANY] : inputWords(call, division)) runInner(inner, command.map((part) => fill(part, mark, word)));
  return UNKNOWN_OUTPUT;
}

const REPLACE = new Set(["-I", "-i", "--replace"]);

/** Puts an input word in the place of the mark. */
export function fill(part: Field, mark: string, word: Field): Field {
  if (part.text === null || !part.text.includes(mark)) return part;
  if (word.text !== null) return exact(part.text.split(mark).join(word.text));
  if (part.text === mark) return { ...word, many: false };
  const at = part.text.indexOf(mark);
  if (word.glob === null || part.text.indexOf(mark, at + 1) >= 0) return { ...UNKNOWN, lead: part.text.slice(0, at) };
  const before = part.text.slice(0, at);
  const after = part.text.slice(at + mark.length);
  const glob = word.glob.endsWith("**") && after !== "" && !after.startsWith("/") ? `${word.glob}/*${escapeGlob(after)}` : word.glob + escapeGlob(after);
  if (before !== "" && word.glob.startsWith("**") && !before.endsWith("/")) return { ...UNKNOWN, lead: before };
  return globbed(escapeGlob(before) + glob, before, false);
}
