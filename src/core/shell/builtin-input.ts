// Builtins that put a value into variables they are given by name: `read`, `mapfile`, `printf -v`, `let`, `getopts`.

import { evaluatesArithmetic, evaluatesText, runsInArithmetic } from "./arithmetic-text.js";
import { printfOutput } from "./printf.js";
import { lookUp } from "./lookup.js";
import { addOpaque, deeper, SILENT, type Call, type Output } from "./run.js";
import { forget, fork, setList, setVariable, type ShellState } from "./state.js";
import { exact, globbed, UNKNOWN_MANY, type Field } from "./value.js";

interface ReadWords {
  readonly names: readonly string[];
  /** The name behind `-a`. */
  readonly list: string | null;
  /** Backslashes are kept (`-r`). */
  readonly raw: boolean;
  /** Some option cuts the line short or takes it from elsewhere, or a word cannot be told. */
  readonly odd: boolean;
}

function readWords(call: Call): ReadWords {
  const names: string[] = [];
  let list: string | null = null;
  let raw = false;
  let odd = false;
  const { words, state } = call;
  for (let i = 1; i < words.length; i += 1) {
    const word = words[i]?.text ?? null;
    if (word === null) {
      state.blurred = true;
      odd = true;
      continue;
    }
    checkSubscript(call, word);
    if (!/^-\w/.test(word)) {
      if (word !== "--") names.push(word);
      continue;
    }
    const takes = /[adinNptu]/.exec(word);
    raw ||= word.slice(0, takes?.index).includes("r");
    if (takes === null) continue;
    odd ||= /[diNntu]/.test(takes[0]);
    const attached = takes.index + 1 < word.length;
    const value = attached ? word.slice(takes.index + 1) : (words[(i += 1)]?.text ?? null);
    if (takes[0] !== "a") continue;
    if (value === null) state.blurred = true;
    list = value;
  }
  return { names: names.length === 0 && list === null ? ["REPLY"] : names, list, raw, odd };
}

/** `read`: exact where the line and the way it is split are certain; a loop hands it the line (`frame.line`). */
export function evaluateRead(call: Call): Output {
  const { state, frame, run } = call;
  if (run.integers) evaluatesText(run, frame.stdin.text, call.from);
  const { names, list, raw, odd } = readWords(call);
  const parts = odd ? null : partsOf(lineOf(call), raw, lookUp(run, state, "IFS").value?.text ?? null, list === null ? names.length : Number.POSITIVE_INFINITY);
  if (list !== null) setListNamed(state, list, parts?.map(exact) ?? null);
  const [only] = frame.line === undefined ? [] : (frame.stdin.globs ?? []);
  for (const [i, name] of names.entries()) {
    if (parts !== null) assignNamed(state, name, exact(parts[i] ?? ""));
    else if (!odd && names.length === 1 && only !== undefined) assignNamed(state, name, globbed(only, "", false));
    else forget(state, name);
  }
  return SILENT;
}

/** The line to be read; null when it cannot be told. The first `read` takes the first line, of later ones nothing is known. */
function lineOf({ frame, run }: Call): string | null {
  const { text } = frame.stdin;
  if (frame.line !== undefined) return frame.line;
  if (text === null || run.consumed.has(frame.stdin)) return null;
  run.consumed.add(frame.stdin);
  return text.split("\n", 1)[0] ?? "";
}

/** Splits a line as `read` does, for the default separators and for none. */
function partsOf(line: string | null, raw: boolean, ifs: string | null, count: number): readonly string[] | null {
  if (line === null || (!raw && line.includes("\\"))) return null;
  if (ifs === "") return [line];
  if (ifs !== " \t\n") return null;
  let rest = line.replace(/^[ \t]+|[ \t]+$/g, "");
  const out: string[] = [];
  while (rest !== "" && out.length < count - 1) {
    const cut = /[ \t]+/.exec(rest);
    out.push(cut === null ? rest : rest.slice(0, cut.index));
    rest = cut === null ? "" : rest.slice(cut.index + cut[0].length);
  }
  if (rest !== "") out.push(rest);
  return out;
}

function assignNamed(state: ShellState, name: string, value: Field): void {
  if (/^[A-Za-z_]\w*$/.test(name)) setVariable(state, name, value);
  else forget(state, name);
}

function setListNamed(state: ShellState, name: string, list: readonly Field[] | null): void {
  if (/^[A-Za-z_]\w*$/.test(name)) setList(state, name, list);
  else forget(state, name);
}

/** `mapfile` and `readarray`. */
export function evaluateMapfile(call: Call): Output {
  const { words, state, frame } = call;
  if (call.run.integers) evaluatesText(call.run, frame.stdin.text, call.from);
  const last = words[words.length - 1]?.text ?? null;
  if (words.some((word) => word.text === null)) state.blurred = true;
  const name = last === null || words.length === 1 || last.startsWith("-") ? "MAPFILE" : last;
  const plain = words.slice(1).every((word) => word.text === "-t" || word.text === name) && words.some((word) => word.text === "-t");
  const { text } = frame.stdin;
  setListNamed(state, name, plain && text !== null && !call.run.consumed.has(frame.stdin) && text.length < 10_000 ? text.replace(/\n$/, "").split("\n").map(exact) : null);
  if (words.some((word) => /^-[dnOsuCc]?\d*$/.test(word.text ?? "-") && word.text !== "-t")) forget(state, name);
  for (const [i, word] of words.entries()) {
    const at = word.text === null ? null : /^-[tdnOsuc]*C/.exec(word.text);
    if (at === null) continue;
    const callback = at[0].length < (word.text?.length ?? 0) ? exact(word.text?.slice(at[0].length) ?? "") : words[i + 1];
    if (callback !== undefined) runWord(call, callback);
  }
  return SILENT;
}

/** A word that bash runs as text in this very shell, with more words behind it. */
export function runWord(call: Call, word: Field): void {
  const inner = deeper(call.run, call.frame, call.from);
  if (word.text === null) addOpaque(call.run, `\`${call.program}\` runs text that cannot be told`, call.from);
  else if (inner !== null) call.run.runText(`${word.text} "$@"`, { ...fork(call.state), positional: [UNKNOWN_MANY] }, inner);
}

/** A subscript that holds a substitution is run where bash evaluates it. */
export function checkSubscript(call: Call, text: string): void {
  if (runsInArithmetic(text)) addOpaque(call.run, "a subscript that holds a substitution", call.from);
}

/** `printf`, which with `-v` fills a variable. */
export function evaluatePrintf(call: Call): Output {
  const option = call.words[1]?.lead ?? "";
  if (call.words[1]?.text === null && option.length < 3 && "-v".startsWith(option)) call.state.blurred = true;
  if (!option.startsWith("-v")) return printfOutput(call.words.slice(1));
  const attached = option.length > 2;
  const name = attached ? (call.words[1]?.text?.slice(2) ?? null) : (call.words[2]?.text ?? null);
  if (name === null) call.state.blurred = true;
  else {
    checkSubscript(call, name);
    const { text } = printfOutput(call.words.slice(attached ? 2 : 3));
    if (call.run.integers) evaluatesText(call.run, text, call.from);
    assignNamed(call.state, name, text === null ? UNKNOWN_MANY : exact(text));
  }
  return SILENT;
}

/** `let`: any variable it names may hold another number afterwards. */
export function evaluateLet(call: Call): Output {
  evaluatesArithmetic(call.run, call.state, call.from);
  for (const word of call.words.slice(1)) {
    if (word.text === null) call.state.blurred = true;
    else {
      checkSubscript(call, word.text);
      for (const [name] of word.text.matchAll(/[A-Za-z_]\w*/g)) forget(call.state, name);
    }
  }
  return SILENT;
}

/** `getopts text name`. */
export function evaluateGetopts(call: Call): Output {
  const name = call.words[2]?.text ?? null;
  if (name === null && call.words.length > 2) call.state.blurred = true;
  for (const one of [name, "OPTARG", "OPTIND"]) if (one !== null) forget(call.state, one);
  return SILENT;
}

/** `wait -p name`. */
export function evaluateWait(call: Call): Output {
  for (const [i, word] of call.words.entries()) {
    if (word.text === null) call.state.blurred = true;
    else checkSubscript(call, word.text);
    const name = word.text?.startsWith("-p") === true ? (word.text.length > 2 ? word.text.slice(2) : (call.words[i + 1]?.text ?? null)) : null;
    if (name !== null) forget(call.state, name);
  }
  return SILENT;
}
