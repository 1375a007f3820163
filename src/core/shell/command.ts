// One simple command: expands its words, applies assignments and redirections, finds out what runs.

import type { Command } from "unbash";
import { addEnvironment, assign, assignmentWord } from "./assign.js";
import { BUILTINS } from "./builtins.js";
import { expandArgument, expandValue } from "./expand.js";
import { runProgram } from "./programs.js";
import { applyRedirects } from "./redirect.js";
import { addEffect, addOpaque, charge, deeper, excerpt, SILENT, takeStep, UNKNOWN_OUTPUT, type Call, type Frame, type Lookup, type Output, type Run } from "./run.js";
import { applySetting } from "./settings.js";
import { addExec } from "./started.js";
import { fork, join, become, type FunctionBody, type ShellState, type Variable } from "./state.js";
import { NUMBER, UNKNOWN_MANY, type Field } from "./value.js";
import { notePrinted, noteWritten, openSinks } from "./written.js";

/** Most words of one command. */
const MAX_WORDS = 8_000;
/** How often one function may be inside itself before its body counts as evaluated. */
const MAX_RECURSION = 3;

/** Evaluates one simple command. */
export function evaluateCommand(node: Command, run: Run, state: ShellState, frame: Frame): Output {
  const from = frame.source.slice(node.pos, node.end);
  if (run.steps < 0) return UNKNOWN_OUTPUT;
  charge(run, (node.prefix.length + node.suffix.length) >> 3);
  const words: Field[] = [];
  if (node.name !== undefined) expandArgument(words, node.name, run, state, frame);
  const nameless = node.name !== undefined && words.length === 0;
  for (const part of node.suffix) {
    if (part.type === "Word") expandArgument(words, part, run, state, frame);
    else if (part.type === "Assignment") words.push(assignmentWord(part, run, state, frame));
  }
  if (words.length > MAX_WORDS) {
    addOpaque(run, "more words than the limit", from);
    return UNKNOWN_OUTPUT;
  }
  if (state.ended) return UNKNOWN_OUTPUT;
  if (nameless && words[0]?.lead.startsWith("-") === true) addOpaque(run, "the program's name is a variable that is not set", from);
  const redirects = node.redirects;
  const { stdin, movesOutput } = applyRedirects(redirects, run, state, frame);
  const inner = stdin === null ? frame : { ...frame, stdin };
  if (state.ended) return UNKNOWN_OUTPUT;
  if (words.length === 0) {
    takeStep(run, from);
    for (const part of node.prefix) if (part.type === "Assignment") assign(part, run, state, frame);
    runTraps(run, state, frame);
    return stdin !== null && node.name === undefined ? UNKNOWN_OUTPUT : SILENT;
  }
  const output = withAssignments(node, run, state, frame, () => run.runWords(words, state, inner, from));
  if (BUILTINS.has(words[0]?.text ?? "")) runTraps(run, state, frame);
  if (words.length === 1 && words[0]?.text === "exec" && redirects.length > 0) openSinks(redirects, run, state, frame);
  if (movesOutput) noteWritten(redirects, output, run, state, frame);
  else if (run.sinks.size > 0) notePrinted(output, run);
  return movesOutput ? UNKNOWN_OUTPUT : output;
}

/** A handler sees what the variables and the working directory are when it runs: after whatever may have changed them. */
function runTraps(run: Run, state: ShellState, frame: Frame): void {
  for (const trap of state.traps) run.runText(trap, { ...fork(state), traps: [], ended: false }, { ...frame, leaving: null, loop: false, body: false });
}

const SPECIAL = new Set([":", ".", "source", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "times", "trap", "unset", "break", "continue"]);

/** `A=b command`: the variables hold, exported, for the command alone. */
function withAssignments(node: Command, run: Run, state: ShellState, frame: Frame, body: () => Output): Output {
  if (node.prefix.length === 0) return body();
  const hidden: [string, Variable | undefined][] = [];
  for (const part of node.prefix) {
    if (part.type !== "Assignment") continue;
    hidden.push([part.name, state.variables.get(part.name)]);
    const value = part.value.type === "Word" && part.append !== true ? expandValue(part.value, run, state, frame) : UNKNOWN_MANY;
    addEnvironment(run, part.name, value, part.text);
    applySetting({ run, state, frame }, part.name, value, part.text);
    if (part.index !== undefined) continue;
    const before = state.variables.get(part.name);
    state.variables.set(part.name, before?.loose === true ? { ...before, exported: true } : { value, list: null, exported: true });
  }
  const output = state.ended ? UNKNOWN_OUTPUT : body();
  // POSIX: what stands before a special builtin stays.
  if ((frame.plain || run.posix) && SPECIAL.has(node.name?.value ?? "")) return output;
  for (const [name, before] of hidden.reverse()) {
    if (before === undefined) state.variables.delete(name);
    else state.variables.set(name, before);
  }
  return output;
}

/** Runs words as a command. */
export function runWords(words: readonly Field[], run: Run, state: ShellState, frame: Frame, from: string, lookup: Lookup = "all"): Output {
  const [first] = words;
  if (first === undefined) return SILENT;
  if (!takeStep(run, from)) return UNKNOWN_OUTPUT;
  charge(run, words.length >> 5);
  const name = first.text;
  if (name === null && first.glob === NUMBER.glob && !first.many) {
    addEffect(run, { kind: "runs-code", source: "program", program: "a number", code: null, upstream: [], from: excerpt(from) });
    return UNKNOWN_OUTPUT;
  }
  // A job by its name: `fg` of it, or in a child shell a program that is called like that, which no model is.
  if (name === null && first.glob !== null && first.lead.startsWith("%") && !/[/]|\*\*/.test(first.glob)) {
    addEffect(run, { kind: "runs-code", source: "program", program: "a job", code: null, upstream: [], from: excerpt(from) });
    return UNKNOWN_OUTPUT;
  }
  if (name === null || first.many) {
    addOpaque(run, "which program runs cannot be told", from);
    return UNKNOWN_OUTPUT;
  }
  if (state.renamed) addOpaque(run, "names may run other programs than they say", from);
  if (lookup === "all") {
    const alias = state.aliases.get(name);
    if (alias !== undefined) {
      runAlias(alias, words, run, state, frame, from);
      run.stays = true;
    }
    const body = state.functions.get(name);
    if (body !== undefined) return runFunctions(name, body, words, run, state, frame, from);
  }
  const builtin = lookup === "programs" ? undefined : BUILTINS.get(name);
  if (builtin !== undefined) {
    addExec(run, name, null, words, from);
    const call: Call = { run, state, frame, program: name, words, from };
    return builtin(call);
  }
  return runProgram(words, run, state, frame, from);
}

function runAlias(alias: string, words: readonly Field[], run: Run, state: ShellState, frame: Frame, from: string): void {
  const inner = deeper(run, frame, from);
  if (inner === null) return;
  const rest = words.slice(1);
  // Behind an alias that ends with a blank the next word is an alias too.
  if (/[ \t]$/.test(alias) && rest[0]?.text != null && state.aliases.has(rest[0].text)) addOpaque(run, "an alias behind an alias", from);
  const without = fork(state);
  without.aliases.delete(words[0]?.text ?? "");
  if (rest.some((word) => word.text === null)) addOpaque(run, "an alias with words that cannot be told", from);
  run.runText(`${alias} ${rest.map((word) => quote(word.text ?? "")).join(" ")}`, without, inner);
}

/** Quotes a text as one shell word. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** All that a name may be on the ways that led here. */
function runFunctions(name: string, body: FunctionBody, words: readonly Field[], run: Run, state: ShellState, frame: Frame, from: string): Output {
  const ways = (body.others ?? []).map((other) => {
    const way = fork(state);
    if (other === "any") addOpaque(run, "more functions of one name than are followed", from);
    else if (other === "none") run.runWords(words, way, frame, from, "no-functions");
    else runFunction(name, other, words, run, way, frame, from);
    return way;
  });
  const output = runFunction(name, body, words, run, state, frame, from);
  for (const way of ways) become(state, join(state, way));
  return ways.length === 0 ? output : UNKNOWN_OUTPUT;
}

function runFunction(name: string, body: FunctionBody, words: readonly Field[], run: Run, state: ShellState, frame: Frame, from: string): Output {
  const inner = deeper(run, frame, from);
  if (inner === null) return UNKNOWN_OUTPUT;
  let open = 0;
  for (const call of run.calls) if (call === name) open += 1;
  if (open >= MAX_RECURSION) {
    addOpaque(run, "a function that calls itself", from);
    return UNKNOWN_OUTPUT;
  }
  run.calls.push(name);
  const { positional, locals, ended } = state;
  state.positional = words.slice(1);
  state.locals = new Map();
  const leaving: ShellState[] = [];
  const output = run.runBody(body.node, state, { ...inner, source: body.source, leaving, loop: false, body: true });
  state.ended = ended;
  for (const way of leaving) become(state, join(state, { ...way, ended }));
  for (const [local, before] of state.locals ?? []) {
    if (before === undefined) state.variables.delete(local);
    else state.variables.set(local, before);
  }
  state.positional = positional;
  state.locals = locals;
  run.calls.pop();
  return leaving.length > 0 ? UNKNOWN_OUTPUT : output;
}
