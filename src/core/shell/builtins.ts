// bash's builtins: what each does to the shell's own state, and the effects it has.

import { addEnvironment } from "./assign.js";
import { runsInArithmetic } from "./expand.js";
import { touch } from "./files.js";
import { changeDirectory, popDirectory, pushDirectory } from "./builtin-cd.js";
import { declare, exportNames, unset } from "./builtin-declare.js";
import { echoOutput, printfOutput } from "./printf.js";
import { addEffect, addOpaque, deeper, excerpt, SILENT, UNKNOWN_OUTPUT, type Call, type Lookup, type Output } from "./run.js";
import { sourceScript } from "./scripts.js";
import { fork, setList, setVariable } from "./state.js";
import { dropPrefix, exact, globbed, UNKNOWN_MANY, type Field } from "./value.js";

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
    return UNKNOWN_OUTPUT;
  }
  const inner = deeper(call.run, call.frame, call.from);
  return inner === null ? UNKNOWN_OUTPUT : call.run.runText(text, call.state, inner);
}

function evaluateTrap(call: Call): Output {
  const words = call.words[1]?.text === "--" ? call.words.slice(2) : call.words.slice(1);
  const [handler] = words;
  if (handler === undefined || words.length === 1 || handler.text === "-" || handler.text === "" || handler.lead.startsWith("-")) return SILENT;
  if (handler.text === null) {
    addOpaque(call.run, "`trap` of text that cannot be told", call.from);
    return SILENT;
  }
  const inner = deeper(call.run, call.frame, call.from);
  if (inner === null) return SILENT;
  call.run.runText(handler.text, fork(call.state), inner);
  if (call.state.traps.length < 20) call.state.traps = [...call.state.traps, handler.text];
  return SILENT;
}

function evaluateSet({ words, state }: Call): Output {
  for (let i = 1; i < words.length; i += 1) {
    const word = words[i]?.text ?? null;
    if (word === null) {
      state.positional = null;
      return SILENT;
    }
    if (word === "--" || !/^[-+]/.test(word)) {
      const rest = words.slice(word === "--" ? i + 1 : i);
      state.positional = rest;
      return SILENT;
    }
    if (word === "-o" || word === "+o") {
      if (words[i + 1]?.text === "errexit") state.errexit = word === "-o";
      i += 1;
    } else if (word.includes("e")) {
      state.errexit = word.startsWith("-");
    }
  }
  return SILENT;
}

function evaluateShopt({ words, state }: Call): Output {
  if (words.some((word) => word.text === "lastpipe")) state.lastpipe = true;
  return SILENT;
}

function evaluateAlias(call: Call): Output {
  for (const word of call.words.slice(1)) {
    const at = word.lead.indexOf("=");
    if (at <= 0) continue;
    const name = word.lead.slice(0, at);
    const value = dropPrefix(word, `${name}=`);
    addEnvironment(call.run, `alias ${name}`, value ?? UNKNOWN_MANY, call.from);
    if (value?.text != null) call.state.aliases.set(name, value.text);
    else addOpaque(call.run, "an alias that cannot be told", call.from);
  }
  return SILENT;
}

function evaluateRead(call: Call): Output {
  const { words, state, frame } = call;
  const names: string[] = [];
  let list = false;
  for (let i = 1; i < words.length; i += 1) {
    const word = words[i]?.text ?? null;
    if (word === null) {
      state.blurred = true;
      continue;
    }
    checkSubscript(call, word);
    if (/^-\w*a$/.test(word)) list = true;
    else if (/^-\w*[dinNptu]$/.test(word)) i += 1;
    else if (!word.startsWith("-")) names.push(word);
  }
  const { globs, text } = frame.stdin;
  const [only] = globs ?? [];
  const line = text === null ? null : (text.split("\n", 1)[0] ?? "");
  for (const [i, name] of (names.length === 0 ? ["REPLY"] : names).entries()) {
    if (list) setList(state, name, null);
    else if (i === 0 && names.length <= 1 && globs?.length === 1 && only !== undefined) setVariable(state, name, globbed(only, "", false));
    else if (i === 0 && names.length <= 1 && line !== null && text !== null && text.indexOf("\n") === text.length - 1) setVariable(state, name, exact(line.trim()));
    else setVariable(state, name, UNKNOWN_MANY);
  }
  return SILENT;
}

function evaluateMapfile(call: Call): Output {
  const { words, state } = call;
  const last = words[words.length - 1]?.text ?? null;
  if (last === null) state.blurred = true;
  setList(state, last === null || words.length === 1 || last.startsWith("-") ? "MAPFILE" : last, null);
  for (const [i, word] of words.entries()) {
    const callback = word.text === "-C" ? words[i + 1] : undefined;
    if (callback !== undefined) runWord(call, callback);
  }
  return SILENT;
}

/** A word that bash runs as text in this very shell. */
function runWord(call: Call, word: Field): void {
  const inner = deeper(call.run, call.frame, call.from);
  if (word.text === null) addOpaque(call.run, `\`${call.program}\` runs text that cannot be told`, call.from);
  else if (inner !== null) call.run.runText(word.text, fork(call.state), inner);
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

function evaluateFc(call: Call): Output {
  addOpaque(call.run, "`fc` runs what the history holds", call.from);
  return UNKNOWN_OUTPUT;
}

/** A subscript that holds a substitution is run where bash evaluates it. */
export function checkSubscript(call: Call, text: string): void {
  if (runsInArithmetic(text)) addOpaque(call.run, "a subscript that holds a substitution", call.from);
}

function evaluatePrintf(call: Call): Output {
  if (call.words[1]?.text === "-v") {
    const name = call.words[2]?.text ?? null;
    if (name === null) call.state.blurred = true;
    else {
      checkSubscript(call, name);
      const { text } = printfOutput(call.words.slice(3));
      setVariable(call.state, name, text === null ? UNKNOWN_MANY : exact(text));
    }
    return SILENT;
  }
  return printfOutput(call.words.slice(1));
}

function evaluateTest(call: Call): Output {
  for (const word of call.words) if (word.text !== null) checkSubscript(call, word.text);
  return SILENT;
}

function leave(call: Call): Output {
  call.frame.leaving?.push(fork(call.state));
  call.state.ended = true;
  return SILENT;
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
  state.ended = true;
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

function evaluateEnable(call: Call): Output {
  for (const [i, word] of call.words.entries()) {
    if (word.text === "-f") {
      const file = call.words[i + 1];
      addEffect(call.run, { kind: "runs-code", source: "file", program: "enable", code: file?.text ?? null, upstream: [], from: excerpt(call.from) });
    }
  }
  return SILENT;
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

function evaluateHistory(call: Call): Output {
  for (const [i, word] of call.words.entries()) {
    const target = call.words[i + 1];
    if (word.text === "-w" || word.text === "-a") touch(call, "write", target ?? exact("~/.bash_history"), false);
    if ((word.text === "-r" || word.text === "-n") && target !== undefined) touch(call, "read", target, false);
  }
  return UNKNOWN_OUTPUT;
}

function evaluateLet(call: Call): Output {
  for (const word of call.words.slice(1)) {
    if (word.text === null) call.state.blurred = true;
    else {
      checkSubscript(call, word.text);
      const name = /^([A-Za-z_]\w*)/.exec(word.text)?.[1];
      if (name !== undefined) setVariable(call.state, name, UNKNOWN_MANY);
    }
  }
  return SILENT;
}

function setNamed(index: number): Builtin {
  return (call) => {
    const name = call.words[index]?.text ?? null;
    if (name === null) call.state.blurred = true;
    else setVariable(call.state, name, UNKNOWN_MANY);
    return SILENT;
  };
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
  ["echo", (call) => echoOutput(call.words.slice(1), call.frame.plain)],
  ["printf", evaluatePrintf],
  ["test", evaluateTest],
  ["[", evaluateTest],
  ["exit", leave],
  ["return", leave],
  ["break", leave],
  ["continue", leave],
  ["logout", leave],
  ["shift", evaluateShift],
  ["exec", evaluateExec],
  ["command", evaluateCommandBuiltin],
  ["builtin", evaluateCommandBuiltin],
  ["enable", evaluateEnable],
  ["hash", evaluateHash],
  ["history", evaluateHistory],
  ["let", evaluateLet],
  ["getopts", setNamed(2)],
  ["compgen", evaluateCompgen],
  ["fc", evaluateFc],
  ["pwd", printCwd],
  ...["true", "false", ":", "wait", "jobs", "fg", "bg", "disown", "kill", "ulimit", "umask", "suspend", "compopt", "complete", "bind"].map((name): [string, Builtin] => [name, silent]),
  ...["times", "type", "help", "caller", "dirs"].map((name): [string, Builtin] => [name, unknownOutput]),
]);
