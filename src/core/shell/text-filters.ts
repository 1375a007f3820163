// Programs whose output follows from a text that is certain: `cat`, `tee`, `base64 -d`, `head`. Anything else is unknown.

import type { Arguments } from "./arguments.js";
import { echoOutput, unescape } from "./printf.js";
import { SILENT, UNKNOWN_OUTPUT, type Call, type Output, type Stream } from "./run.js";
import { UNKNOWN } from "./value.js";

/** What a modelled program prints, as far as that follows from its input. */
export function passThrough(call: Call, parsed: Arguments): Output {
  const { stdin } = call.frame;
  switch (call.program) {
    case "cat":
    case "tac":
      if (readsInput(parsed)) return call.program === "cat" && parsed.options.length === 0 ? fromStream(stdin) : linesOnly(stdin);
      // Not what it held when the text was judged: only a shell that reads it follows it.
      return call.program === "cat" && parsed.operands.length === 1 && parsed.options.length === 0 ? { ...UNKNOWN_OUTPUT, file: parsed.operands[0] ?? UNKNOWN } : UNKNOWN_OUTPUT;
    case "echo":
      return echoOutput(call.words.slice(1), call.run.echoReads);
    case "tee":
      return fromStream(stdin);
    case "sort":
    case "uniq":
    case "shuf":
    case "head":
    case "tail":
      if (!readsInput(parsed)) return UNKNOWN_OUTPUT;
      return picksOnly(call.program, parsed) && stdin.text === "" ? SILENT : linesOnly(stdin);
    case "grep":
    case "egrep":
    case "fgrep":
      if (parsed.operands.length === 1 && stdin.text === "" && picksOnly("grep", parsed)) return SILENT;
      return parsed.operands.length <= 1 && !parsed.options.some((option) => MARKED.has(option.name)) ? linesOnly(stdin) : UNKNOWN_OUTPUT;
    case "base64":
    case "base32":
      return readsInput(parsed) && parsed.options.some((option) => DECODE.has(option.name)) ? decoded(stdin, call.program === "base64" ? fromBase64 : () => null) : UNKNOWN_OUTPUT;
    case "xxd":
      return readsInput(parsed) && parsed.options.length >= 2 && parsed.options.every((option) => option.name === "-r" || option.name === "-p") ? decoded(stdin, fromHex) : UNKNOWN_OUTPUT;
    case "rev":
      return stdin.text === null ? UNKNOWN_OUTPUT : { text: stdin.text.split("\n").map((line) => Array.from(line).reverse().join("")).join("\n"), globs: null };
    case "which":
      return { text: null, globs: ["/**"] };
    case "realpath":
      return { text: null, globs: parsed.options.some((option) => option.name.startsWith("--relative")) ? null : ["/**"] };
    case "readlink":
      return parsed.operands.length === 0 ? SILENT : { text: null, globs: parsed.options.some((option) => CANONICAL.has(option.name)) ? ["/**"] : null };
    case "tr":
      return translated(stdin, parsed);
    case "basename":
    case "dirname":
      return pathOutput(call, parsed);
    case "nproc":
      return { text: null, globs: ["[0-9]*"] };
    case "uname":
    case "hostname":
    case "whoami":
    case "arch":
    case "logname":
      return { text: null, globs: ["*"] };
    case "date":
      return parsed.operands.length === 1 && PLAIN_DATE.test(parsed.operands[0]?.text ?? "") ? { text: null, globs: ["*"] } : UNKNOWN_OUTPUT;
    default:
      return UNKNOWN_OUTPUT;
  }
}

const CANONICAL = new Set(["-f", "-e", "-m", "--canonicalize", "--canonicalize-existing", "--canonicalize-missing"]);

/** `tr` of plain sets: each character becomes the one at its place, or goes. */
function translated({ text, globs }: Stream, parsed: Arguments): Output {
  const [from, to] = parsed.operands.map((operand) => (operand.text === null || /[-\[\]]/.test(operand.text) ? null : unescape(operand.text).text));
  const deletes = parsed.options.length === 1 && parsed.options[0]?.name === "-d";
  // One end of a line becomes the other; what stands in the lines stays.
  if (parsed.options.length === 0 && ((from === "\n" && to === "\0") || (from === "\0" && to === "\n"))) return { text: text?.replaceAll(from, to) ?? null, globs };
  if (text === null || from === undefined || from === null || (!deletes && parsed.options.length > 0)) return UNKNOWN_OUTPUT;
  if (deletes) return to === undefined ? { text: Array.from(text).filter((letter) => !from.includes(letter)).join(""), globs: null } : UNKNOWN_OUTPUT;
  if (to === undefined || to === null || to === "") return UNKNOWN_OUTPUT;
  return { text: Array.from(text, (letter) => (from.includes(letter) ? (to[Math.min(from.lastIndexOf(letter), to.length - 1)] ?? letter) : letter)).join(""), globs: null };
}

const MARKED = new Set(["-n", "--line-number", "-H", "-c", "--count", "-o", "--only-matching", "-b", "-Z", "-A", "-B", "-C"]);
const PLAIN_DATE = /^\+(?:%[YmdHMSsjNyeFTuUVWIZzbBaA]|[\w.:-])+$/;
const DECODE = new Set(["-d", "-D", "--decode", "-i"]);

/** Options with which a filter still prints nothing but lines of its input: of no line, none. */
const PICKS: ReadonlyMap<string, string> = new Map([["sort", "bdfghinrstuVkMR"], ["uniq", "dDuizfsw"], ["head", "ncq"], ["tail", "ncq"], ["grep", "ivEFGwxPsq"]]);

function picksOnly(program: string, { options, uncertain }: Arguments): boolean {
  return !uncertain && options.every(({ name }) => name.length === 2 && PICKS.get(program)?.includes(name.charAt(1)) === true);
}

function readsInput(parsed: Arguments): boolean {
  return parsed.operands.every((operand) => operand.text === "-");
}

function fromStream(stdin: Stream): Output {
  return { text: stdin.text, globs: stdin.globs };
}

/** Some of the lines, in some order: paths stay paths. */
function linesOnly(stdin: Stream): Output {
  return { text: null, globs: stdin.globs };
}

function decoded(stdin: Stream, decode: (text: string) => string | null): Output {
  const text = stdin.text === null ? null : decode(stdin.text);
  return text === null ? UNKNOWN_OUTPUT : { text, globs: null };
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const CODES: ReadonlyMap<string, number> = new Map(ALPHABET.split("").map((letter, i) => [letter, i]));

/** Decodes base64 as Latin-1, which keeps every ASCII command as it is; null when it is not base64. */
export function fromBase64(text: string): string | null {
  let out = "";
  let bits = 0;
  let held = 0;
  for (const letter of text) {
    if (letter === "\n" || letter === "\r" || letter === " ") continue;
    if (letter === "=") {
      bits = 0;
      held = 0;
      continue;
    }
    const code = CODES.get(letter);
    if (code === undefined) return null;
    held = ((held << 6) | code) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += String.fromCharCode((held >> bits) & 0xff);
    }
  }
  return out;
}

/** Decodes plain hexadecimal; null when it is not. */
export function fromHex(text: string): string | null {
  const digits = text.replace(/\s+/g, "");
  if (digits.length % 2 !== 0 || !/^[0-9A-Fa-f]*$/.test(digits)) return null;
  let out = "";
  for (let i = 0; i < digits.length; i += 2) out += String.fromCharCode(parseInt(digits.slice(i, i + 2), 16));
  return out;
}

function pathOutput(call: Call, parsed: Arguments): Output {
  const [operand] = parsed.operands;
  if (operand?.text === "") return { text: call.program === "dirname" ? ".\n" : "\n", globs: null };
  if (operand === undefined) return SILENT;
  if (operand.text === null || parsed.options.length > 0) return call.program === "basename" ? { text: null, globs: ["*"] } : UNKNOWN_OUTPUT;
  if (call.program === "dirname") return parsed.operands.length === 1 ? { text: `${dirName(operand.text)}\n`, globs: null } : UNKNOWN_OUTPUT;
  const suffix = parsed.operands[1]?.text ?? "";
  const name = operand.text.replace(/\/+$/, "").split("/").pop() || "/";
  return { text: `${suffix !== "" && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name}\n`, globs: null };
}

function dirName(text: string): string {
  const trimmed = text.replace(/\/+$/, "");
  const slash = trimmed.lastIndexOf("/");
  if (trimmed === "") return "/";
  if (slash < 0) return ".";
  return trimmed.slice(0, slash).replace(/\/+$/, "") || "/";
}
