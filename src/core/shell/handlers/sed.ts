// `sed`: scripts in its own small language, of which `w`, `W`, `r`, `R` and `e` touch files or run commands.

import { parseArguments } from "../arguments.js";
import { touch } from "../files.js";
import { compile } from "../model.js";
import { applyArguments, runShellText, runsCode } from "../roles.js";
import { addOpaque, UNKNOWN_OUTPUT, type Call, type Output } from "../run.js";
import { escapeGlob, exact, globbed, UNKNOWN, type Field } from "../value.js";
import { followGlob } from "../word-builder.js";

const SED = compile("t*", "-e:t!script --expression:t!script -f:x!script --file:x!script -i?:t!inplace --in-place?:t!inplace -l:t --line-length:t -n -r -E -s -u -z --posix --sandbox!sandbox", "");

/** `sed [options] script files`. */
export function runSed(call: Call): Output {
  const parsed = parseArguments(call.words.slice(1), SED);
  applyArguments(call, SED, { ...parsed, uncertain: false });
  const { marks, operands } = parsed;
  const files = marks.has("script") ? operands : operands.slice(1);
  const scripts: (Field | undefined)[] = marks.has("script") ? parsed.options.filter((option) => option.name === "-e" || option.name === "--expression").map((option) => option.value ?? undefined) : [operands[0]];
  for (const script of scripts) if (script !== undefined && !marks.has("sandbox")) judgeScript(call, script);
  if (parsed.uncertain && operands[0]?.text === null && !marks.has("script") && operands[0]?.lead === "") addOpaque(call.run, "a word of `sed` may be any option", call.from);
  for (const file of files) {
    if (file.text === "-") continue;
    touch(call, "read", file, false);
    if (marks.has("inplace")) touch(call, "write", file, false);
  }
  if (marks.has("inplace")) backup(call, parsed.options.find((option) => option.name === "-i" || option.name === "--in-place")?.value ?? null, files);
  return UNKNOWN_OUTPUT;
}

/** `-i.bak` keeps a copy under another name. */
function backup(call: Call, suffix: Field | null, files: readonly Field[]): void {
  const text = suffix?.text ?? "";
  if (text === "") return;
  for (const file of files) {
    if (file.text === null) {
      if (!text.includes("*") && file.glob !== null) touch(call, "write", globbed(followGlob(file.glob, escapeGlob(text)), file.lead, file.many), false);
      else touch(call, "write", UNKNOWN, false);
      continue;
    }
    const slash = file.text.lastIndexOf("/");
    const name = file.text.slice(slash + 1);
    touch(call, "write", exact(text.includes("*") ? (text.includes("/") ? text.replaceAll("*", name) : file.text.slice(0, slash + 1) + text.replaceAll("*", name)) : file.text + text), false);
  }
}

function judgeScript(call: Call, script: Field): void {
  if (script.text === null) {
    if (script.glob !== null && (SUBSTITUTES.test(script.glob) || ANY_MARK.test(script.glob)) && !script.glob.includes("**")) return;
    // No command and no address begins with a letter beyond ASCII.
    if (script.lead.charCodeAt(0) > 0x7f) return;
    if (!safeBeginning(script.lead)) addOpaque(call.run, "a `sed` script that cannot be told", call.from);
    return;
  }
  const scan = scanSed(script.text);
  // `sed` reads the whole script before it does anything, so a script that begins with no command does nothing.
  if (scan === null && /^[\s;]*(?:\d+|\$)?!?\s*[^\sa-zA-Z0-9:=#{}/\\$,~+!;]/.test(script.text)) return;
  if (scan === null) {
    addOpaque(call.run, "a `sed` script that cannot be read", call.from);
    return;
  }
  for (const file of scan.writes) touch(call, "write", exact(file), false);
  for (const file of scan.reads) touch(call, "read", exact(file), false);
  for (const text of scan.commands) if (text !== "") runShellText(call, exact(text));
  if (scan.runsInput) runsCode(call, "inline", script.text);
}

/**
 * One `s` command between slashes, with plain flags. What a wildcard stands for holds no slash (the name of a file, a date), so it can
 * neither end a part nor add a flag: a backslash at its end leaves the command without its last slash, which is an error.
 */
const SUBSTITUTES = /^s\/(?:[^/\\]|\\[^/])*\/(?:[^/\\]|\\[^/])*\/[gpiIm0-9]*$/;

/** The same between marks that look like wildcards, without a letter that could be a command or a flag, up to its end. */
const ANY_MARK = /^s\?[^?*a-zA-Z\\]*\?[^?*a-zA-Z\\]*\?$/;

/** `sed -n "$x,10p"`: an address that is only partly known is still a script that cannot be told. */
function safeBeginning(lead: string): boolean {
  return lead.length > 8_000;
}

interface SedScan {
  readonly writes: string[];
  readonly reads: string[];
  /** Shell text of `e command`. */
  readonly commands: string[];
  /** `e` alone or the flag `s///e`: what is run comes from the input. */
  runsInput: boolean;
}

/** Reads a sed script just far enough to find what touches files or runs commands; null when it is not understood. */
export function scanSed(text: string): SedScan | null {
  const scan: SedScan = { writes: [], reads: [], commands: [], runsInput: false };
  let i = 0;
  for (let turns = 0; i < text.length && turns < 2_000; turns += 1) {
    const next = command(text, i, scan);
    if (next === null) return null;
    i = next;
  }
  return i >= text.length ? scan : null;
}

const BLANK = /[\s;{}]/;
const ADDRESS_END = /[0-9,~+$!\s]/;

function command(text: string, from: number, scan: SedScan): number | null {
  let i = from;
  while (i < text.length && BLANK.test(text[i] ?? "")) i += 1;
  const after = address(text, i);
  if (after === null || after >= text.length) return after === null ? null : text.length;
  i = after;
  const letter = text[i] ?? "";
  i += 1;
  switch (letter) {
    case "{":
    case "}":
      return i;
    case "#":
      return lineEnd(text, i);
    case "s":
      return substitution(text, i, scan);
    case "y":
      return delimited(text, i, 2);
    case "w":
    case "W":
      return fileName(text, i, scan.writes);
    case "r":
    case "R":
      return fileName(text, i, scan.reads);
    case "e": {
      const end = lineEnd(text, i);
      const shell = text.slice(i, end).trim();
      if (shell === "" || shell.startsWith(";") || shell.startsWith("}")) scan.runsInput = true;
      else scan.commands.push(shell);
      return end;
    }
    case "a":
    case "i":
    case "c":
      return textEnd(text, i);
    case ":":
    case "b":
    case "t":
    case "T":
      return labelEnd(text, i);
    case "=":
    case "d":
    case "D":
    case "g":
    case "G":
    case "h":
    case "H":
    case "n":
    case "N":
    case "p":
    case "P":
    case "x":
    case "z":
    case "F":
    case "l":
    case "L":
    case "q":
    case "Q":
    case "v":
      while (i < text.length && /[0-9 \t]/.test(text[i] ?? "")) i += 1;
      return i;
    default:
      return null;
  }
}

/** Skips addresses: numbers, `$`, `/re/`, `\cREc`, with `,`, `~`, `+`, `!`. */
function address(text: string, from: number): number | null {
  let i = from;
  while (i < text.length) {
    const c = text[i] ?? "";
    if (ADDRESS_END.test(c)) i += 1;
    else if (c === "/" || c === "\\") {
      const end = delimited(text, c === "\\" ? i + 1 : i, 1);
      if (end === null) return null;
      i = end;
      while (text[i] === "I" || text[i] === "M") i += 1;
    } else return i;
  }
  return i;
}

/** The position behind `count` pieces, each ended by the delimiter at `from`. */
function delimited(text: string, from: number, count: number): number | null {
  const mark = text[from];
  if (mark === undefined || mark === "\n" || mark === "\\") return null;
  let left = count;
  let inClass = false;
  let i = from + 1;
  for (; i < text.length; i += 1) {
    const c = text[i];
    if (c === "\\") i += 1;
    else if (c === "[" && !inClass && left === count) {
      const close = text.indexOf("]", text[i + 1] === "]" ? i + 2 : text[i + 1] === "^" && text[i + 2] === "]" ? i + 3 : i + 1);
      inClass = close >= 0 && text.slice(i, close).includes(mark) && closes(text, close, mark, left);
      if (inClass) {
        i = close;
        inClass = false;
      }
    } else if (c === mark) {
      left -= 1;
      if (left === 0) return i + 1;
    }
  }
  return null;
}

function closes(text: string, close: number, mark: string, left: number): boolean {
  let found = 0;
  for (let i = close + 1; i < text.length; i += 1) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === mark) found += 1;
  }
  return found >= left;
}

function substitution(text: string, from: number, scan: SedScan): number | null {
  let i = delimited(text, from, 2);
  if (i === null) return null;
  for (; i < text.length; i += 1) {
    const c = text[i] ?? "";
    if (c === "e") scan.runsInput = true;
    else if (c === "w") return fileName(text, i + 1, scan.writes);
    else if (!/[gpiImM0-9]/.test(c)) break;
  }
  return i;
}

function fileName(text: string, from: number, into: string[]): number {
  const end = lineEnd(text, from);
  const name = text.slice(from, end).trim();
  if (name !== "") into.push(name);
  return end;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end + 1;
}

/** Text of `a`, `i`, `c` runs over lines that end in a backslash. */
function textEnd(text: string, from: number): number {
  let end = lineEnd(text, from);
  while (end < text.length && text[end - 2] === "\\") end = lineEnd(text, end);
  return end;
}

function labelEnd(text: string, from: number): number {
  let i = from;
  while (i < text.length && text[i] !== "\n" && text[i] !== ";" && text[i] !== "}") i += 1;
  return i;
}
