// Shells started by a command: `-c` text in any option order, scripts, and text read from standard input.

import { touch } from "../files.js";
import { followScript } from "../scripts.js";
import { runsCode } from "../roles.js";
import { addOpaque, deeper, UNKNOWN_OUTPUT, type Call, type Output, type Stream } from "../run.js";
import { lookUp } from "../lookup.js";
import { simpleWords } from "../simple-words.js";
import { fork, type ShellState } from "../state.js";
import { UNKNOWN, UNKNOWN_MANY, type Field } from "../value.js";

export const SHELL_NAMES: readonly string[] = ["bash", "sh", "dash", "ash", "zsh", "ksh", "ksh93", "mksh", "rbash", "posh", "yash", "fish", "csh", "tcsh"];

/** Shells whose language is not near enough to bash's to read it as such. */
const FOREIGN = new Set(["fish", "csh", "tcsh"]);
/** Shells that may not be bash. */
const PLAIN = new Set(["sh", "dash", "ash", "posh", "yash", "mksh", "ksh", "ksh93", "zsh"]);
const TAKES_ONE = new Set(["--rcfile", "--init-file"]);

interface Options {
  readonly text: boolean;
  readonly stdin: boolean;
  readonly rest: readonly Field[];
}

/** Reads a shell's options; `-c` may be joined with others and come before more of them. */
function readOptions(call: Call): Options | null {
  const words = call.words.slice(1);
  let text = false;
  let stdin = false;
  let i = 0;
  for (; i < words.length; i += 1) {
    const word = words[i];
    if (word === undefined) break;
    if (word.text === null) {
      if (word.lead !== "" && !/^[-+]/.test(word.lead)) break;
      return word.lead === "" && !word.many && text ? { text, stdin, rest: words.slice(i) } : null;
    }
    if (word.text === "--" || word.text === "-") {
      i += 1;
      break;
    }
    if (word.text.startsWith("--")) {
      if (TAKES_ONE.has(word.text)) {
        const file = words[i + 1];
        if (file !== undefined) sourced(call, file);
        i += 1;
      } else if (word.text === "--posix") {
        call.run.posix = true;
        call.run.aliasing = true;
      } else if (word.text === "--command") text = true;
      continue;
    }
    if (!/^[-+]./.test(word.text)) break;
    if (word.text.startsWith("-")) {
      if (word.text.includes("c")) text = true;
      if (word.text.includes("s")) stdin = true;
    }
    if (/^\+.*B|^-.*k/.test(word.text)) addOpaque(call.run, "an option that changes how the shell reads words", call.from);
    if (/[oO]$/.test(word.text)) {
      i += 1;
      if (/^(?:posix|expand_aliases|xpg_echo|dotglob)$/.test(words[i]?.text ?? "")) {
        call.run.posix = true;
        call.run.aliasing = true;
        call.run.echoReads = true;
        call.run.dots = true;
      }
      if (/^(?:braceexpand|keyword)$/.test(words[i]?.text ?? "")) addOpaque(call.run, "an option that changes how the shell reads words", call.from);
    }
  }
  return { text, stdin, rest: words.slice(i) };
}

function sourced(call: Call, file: Field): void {
  touch(call, "read", file, false);
  runsCode(call, "file", file.text);
}

/** `bash`, `sh` and their kin. */
export function runShell(call: Call): Output {
  const options = readOptions(call);
  if (options === null) {
    addOpaque(call.run, `what \`${call.program}\` runs cannot be told`, call.from);
    return UNKNOWN_OUTPUT;
  }
  const [first, ...args] = options.rest;
  if (options.text) {
    if (first !== undefined) return runTextOf(call, first, args);
    return UNKNOWN_OUTPUT;
  }
  if (first === undefined || options.stdin) return runInput(call, call.frame.stdin, options.stdin ? options.rest : []);
  if (first.text !== null && isInput(first.text)) return runInput(call, call.frame.stdin, args);
  const pipe = first.text === null ? undefined : call.run.pipes.get(first.text);
  if (pipe !== undefined) return runInput(call, pipe, args);
  if (first.text === null && first.glob === null) addOpaque(call.run, "a script whose path cannot be told", call.from);
  touch(call, "read", first, false);
  runsCode(call, "file", first.text);
  if (!FOREIGN.has(call.program)) followScript({ ...call, state: child(call) }, first, args);
  return UNKNOWN_OUTPUT;
}

function isInput(path: string): boolean {
  return path === "-" || path === "/dev/stdin" || path === "/dev/fd/0" || path === "/proc/self/fd/0";
}

/** A new shell process: exported variables and functions only, no aliases. */
export function child({ run, state }: Pick<Call, "run" | "state">): ShellState {
  const next = fork(state);
  for (const [name, variable] of next.variables) {
    const inherits = variable.withheld !== true && (variable.exported || run.context.environment.has(name));
    if (OWN.has(name)) next.variables.delete(name);
    else if (inherits && variable.list === null) next.variables.set(name, { value: variable.value, list: null, exported: variable.value !== null });
    else next.variables.set(name, { value: run.context.environmentIsWhole === true ? null : UNKNOWN_MANY, list: null, exported: false });
  }
  const started = lookUp(run, next, "BASH_ENV").value;
  if (started !== null && started.text !== "" && (run.context.environmentIsWhole === true || next.variables.has("BASH_ENV"))) next.blurred = true;
  if (!next.allexport) for (const name of next.functions.keys()) if (!next.shared.has(name)) next.functions.delete(name);
  next.allexport = false;
  next.nounset = false;
  next.aliases = new Map();
  next.locals = null;
  next.traps = [];
  next.ended = false;
  next.errexit = false;
  return next;
}

/** Variables that every bash starts anew. */
const OWN = new Set(["IFS", "OPTIND", "PWD", "OLDPWD", "0"]);

function runTextOf(call: Call, text: Field, args: readonly Field[]): Output {
  if (text.text === null || text.many) {
    addOpaque(call.run, `\`${call.program} -c\` with text that cannot be told`, call.from);
    return UNKNOWN_OUTPUT;
  }
  return runKnown(call, text.text, args, call.frame.stdin, true);
}

/** `named`: the first word behind the text is `$0`. */
function runKnown(call: Call, text: string, args: readonly Field[], stdin: Stream, named: boolean): Output {
  const inner = deeper(call.run, call.frame, call.from);
  if (inner === null) return UNKNOWN_OUTPUT;
  if (FOREIGN.has(call.program)) {
    runsCode(call, "inline", text);
    if (simpleWords(text) === null || !/^[\w\s.,/'"=:@%+-]*$/.test(text)) addOpaque(call.run, `text for \`${call.program}\`, which reads it otherwise than bash`, call.from);
  }
  const state = child(call);
  const [zero] = args;
  state.variables.set("0", { value: zero !== undefined && named ? zero : (call.words[0] ?? UNKNOWN), list: null, exported: false });
  state.positional = named && zero?.many !== true ? args.slice(1) : named ? null : args;
  const output = call.run.runText(text, state, { ...inner, stdin, leaving: null, loop: false, body: false, plain: PLAIN.has(call.program) });
  return state.traps.length === 0 ? output : UNKNOWN_OUTPUT;
}

/** A shell that reads its script from standard input. */
function runInput(call: Call, stdin: Stream, args: readonly Field[]): Output {
  if (stdin.text !== null) return runKnown(call, stdin.text, args, { ...stdin, text: null }, false);
  if (stdin.file !== null) {
    if (stdin.upstream.length > 0) runsCode({ ...call, frame: { ...call.frame, stdin } }, "stdin", null);
    else runsCode(call, "file", stdin.file.text);
    followScript({ ...call, state: child(call) }, stdin.file, args);
    return UNKNOWN_OUTPUT;
  }
  runsCode({ ...call, frame: { ...call.frame, stdin } }, "stdin", null);
  return UNKNOWN_OUTPUT;
}
