// bash's builtins: what each does to the shell's own state, and the effects it has.

import { addEnvironment } from "./assign.js";
import { checkSubscript, evaluateGetopts, evaluateLet, evaluateMapfile, evaluatePrintf, evaluateRead, evaluateWait, runWord } from "./builtin-input.js";
import { evaluateAlias, evaluateEnable, evaluateSet, evaluateShopt, evaluateTrap } from "./builtin-options.js";
import { touch } from "./files.js";
import { changeDirectory, popDirectory, pushDirectory } from "./builtin-cd.js";
import { declare, exportNames, unset } from "./builtin-declare.js";
import { echoOutput } from "./printf.js";
import { addOpaque, deeper, SILENT, UNKNOWN_OUTPUT, type Call, type Lookup, type Output } from "./run.js";
import { lookUp } from "./lookup.js";
import { sourceScript } from "./scripts.js";
import { fork } from "./state.js";
import type { Field } from "./value.js";

export type Builtin = (call: Call) => Output;

function silent(): Output {
  return SILENT;
}

function unknownOutput(): Output {
  return UNKNOWN_OUTPUT;
}

/** Joins words as `eval` does; null when one cannot be told. */
export function joinWords(words: readonly Field[]): string | null {
  let out = "";
  for (const [i, word] of words.entries()) {
    if (word.text === null || word.many) return null;
    out += i === 0 ? word.text : ` ${word.text}`;
  }
  return out;
}

function evaluateEval(call: Call): Output {
  const words = call.words[1]?.text === "--" ? call.words.slice(2) : call.words.slice(1);
  const text = joinWords(words);
  if (text === null) {
    addOpaque(call.run, "`eval` of text that cannot be told", call.from);
    call.state.blurred = true;
    return UNKNOWN_OUTPUT;
  }
  const inner = deeper(call.run, call.frame, call.from);
  return inner === null ? UNKNOWN_OUTPUT : call.run.runText(text, call.state, inner);
}

/** `compgen -C text` runs it, `-W` expands it. */
function evaluateCompgen(call: Call): Output {
  for (const [i, word] of call.words.entries()) {
    const value = call.words[i + 1];
    if (value === undefined) continue;
    if (word.text === "-C" || word.text === "-F") runWord(call, value);
    if (word.text === "-W" && (value.text === null || /[$`]/.test(value.text))) addOpaque(call.run, "`compgen` expands text that is not judged", call.from);
  }
  return UNKNOWN_OUTPUT;
}

/** `fc` runs earlier commands; a shell that is not interactive keeps none, unless it is told to. */
function evaluateFc(call: Call): Output {
  if (call.run.history) addOpaque(call.run, "`fc` runs what the history holds", call.from);
  return UNKNOWN_OUTPUT;
}

function evaluateTest(call: Call): Output {
  for (const word of call.words) if (word.text !== null) checkSubscript(call, word.text);
  return SILENT;
}

/** `break`, `continue` and `return` leave only where there is something to leave; elsewhere bash complains and goes on. */
function leave(call: Call): Output {
  const { frame, state, run } = call;
  frame.leaving?.push(fork(state));
  const inside = call.program === "return" ? frame.body === true : frame.loop === true;
  if (inside && oneWordAtMost(call) && !run.stays) state.ended = true;
  return SILENT;
}

function evaluateExit(call: Call): Output {
  if (oneWordAtMost(call) && !call.run.stays) call.state.ended = true;
  return SILENT;
}

/** With more words bash may refuse and go on. */
function oneWordAtMost({ words }: Call): boolean {
  return words.length === 1 || (words.length === 2 && words[1]?.many === false);
}

function evaluateShift({ words, state }: Call): Output {
  const by = words[1] === undefined ? 1 : Number(words[1].text ?? NaN);
  const { positional } = state;
  if (positional === null || !Number.isInteger(by) || positional.slice(0, by).some((field) => field.many)) state.positional = null;
  else state.positional = positional.slice(by);
  return SILENT;
}

function evaluateExec(call: Call): Output {
  const { words, state } = call;
  let i = 1;
  for (; i < words.length; i += 1) {
    const word = words[i]?.text ?? null;
    if (word === "-a" || (word !== null && /^-[cl]*a$/.test(word))) i += 1;
    else if (word === "--") {
      i += 1;
      break;
    } else if (word === null || !/^-[cla]+$/.test(word)) break;
  }
  if (i >= words.length) return SILENT;
  const output = runRest(call, i, "programs");
  if (!call.run.stays) state.ended = true;
  return output;
}

function runRest(call: Call, at: number, lookup: Lookup): Output {
  const inner = deeper(call.run, call.frame, call.from);
  return inner === null ? UNKNOWN_OUTPUT : call.run.runWords(call.words.slice(at), call.state, inner, call.from, lookup);
}

function evaluateCommandBuiltin(call: Call): Output {
  let i = 1;
  for (; i < call.words.length; i += 1) {
    const word = call.words[i]?.text ?? null;
    if (word === "--") {
      i += 1;
      break;
    }
    if (word === null || !word.startsWith("-")) break;
    if (/[vV]/.test(word)) return UNKNOWN_OUTPUT;
  }
  return i >= call.words.length ? SILENT : runRest(call, i, "no-functions");
}

function evaluateHash(call: Call): Output {
  const [, option, path, name] = call.words;
  if (option?.text === "-p") {
    if (path?.text == null || name?.text == null) addOpaque(call.run, "a program's place that cannot be told", call.from);
    else {
      addEnvironment(call.run, `hash ${name.text}`, path, call.from);
      call.state.aliases.set(name.text, path.text);
    }
  }
  return SILENT;
}

/** The file that is named, else `$HISTFILE`, which a shell that is not interactive does not set. */
function touchHistory(call: Call, operation: "read" | "write", target: Field | undefined): void {
  const file = target ?? (call.state.variables.has("HISTFILE") || call.run.context.environment.has("HISTFILE") ? lookUp(call.run, call.state, "HISTFILE").value : null);
  if (file !== null) touch(call, operation, file, false);
}

function evaluateHistory(call: Call): Output {
  for (const [i, word] of call.words.entries()) {
    const target = call.words[i + 1];
    call.run.history = true;
    if (word.text === "-w" || word.text === "-a") touchHistory(call, "write", target);
    if (word.text === "-r" || word.text === "-n") touchHistory(call, "read", target);
  }
  return UNKNOWN_OUTPUT;
}

function printCwd({ state }: Call): Output {
  return state.cwds?.length === 1 ? { text: `${state.cwds[0] ?? "/"}\n`, globs: null } : UNKNOWN_OUTPUT;
}

/** Every builtin by name. */
export const BUILTINS: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ["cd", changeDirectory],
  ["pushd", pushDirectory],
  ["popd", popDirectory],
  ["export", exportNames],
  ["declare", declare],
  ["typeset", declare],
  ["local", declare],
  ["readonly", declare],
  ["unset", unset],
  ["eval", evaluateEval],
  ["source", sourceScript],
  [".", sourceScript],
  ["trap", evaluateTrap],
  ["set", evaluateSet],
  ["shopt", evaluateShopt],
  ["alias", evaluateAlias],
  ["unalias", silent],
  ["read", evaluateRead],
  ["mapfile", evaluateMapfile],
  ["readarray", evaluateMapfile],
  ["echo", (call) => echoOutput(call.words.slice(1), call.frame.plain || call.run.echoReads)],
  ["printf", evaluatePrintf],
  ["test", evaluateTest],
  ["[", evaluateTest],
  ["exit", evaluateExit],
  ["return", leave],
  ["break", leave],
  ["continue", leave],
  ["logout", silent],
  ["shift", evaluateShift],
  ["exec", evaluateExec],
  ["command", evaluateCommandBuiltin],
  ["builtin", evaluateCommandBuiltin],
  ["enable", evaluateEnable],
  ["hash", evaluateHash],
  ["history", evaluateHistory],
  ["let", evaluateLet],
  ["getopts", evaluateGetopts],
  ["wait", evaluateWait],
  ["compgen", evaluateCompgen],
  ["fc", evaluateFc],
  ["pwd", printCwd],
  ...["true", "false", ":", "jobs", "fg", "bg", "disown", "kill", "ulimit", "umask", "suspend", "compopt", "complete", "bind"].map((name): [string, Builtin] => [name, silent]),
  ...["times", "type", "help", "caller", "dirs"].map((name): [string, Builtin] => [name, unknownOutput]),
]);
