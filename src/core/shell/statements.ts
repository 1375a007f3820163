// Walks a script's syntax tree along every way it may take. Ways are joined; what differs between them is unknown after.

import type { AndOr, Case, Command, CommandNode, CompoundList, For, Function as FunctionNode, If, ParsedScript, Pipeline, Redirection, Select, Statement, TestExpression, While } from "unbash";
import { evaluatesArithmetic, evaluatesText } from "./arithmetic-text.js";
import { evaluateCommand } from "./command.js";
import { expandValue, expandWords, visitArithmetic } from "./expand.js";
import { applyRedirects } from "./redirect.js";
import { addOpaque, NO_INPUT, SILENT, UNKNOWN_OUTPUT, takeStep, type Frame, type Output, type Run, type Stream } from "./run.js";
import { become, forget, fork, join, joinCwds, setList, setVariable, type ShellState } from "./state.js";
import { globbed, NUMBER, SOME_NAME, UNKNOWN, UNKNOWN_MANY, type Field } from "./value.js";
import { feedRest, noteWritten, printing } from "./written.js";

/** Most values of a `for` loop that are tried one by one. */
const MAX_TURNS = 48;

type AnyNode = CommandNode | Pipeline | AndOr | CompoundList;

/** Evaluates a whole script. Errors of the parser make it opaque; what could be read is still evaluated. */
export function evaluateScript(script: ParsedScript, run: Run, state: ShellState, frame: Frame): Output {
  if (script.errors !== undefined && script.errors.length > 0) addOpaque(run, "text the shell would not parse", frame.source);
  return evaluateStatements(script.commands, run, state, frame);
}

function evaluateStatements(list: readonly Statement[], run: Run, state: ShellState, frame: Frame): Output {
  const only = list[0];
  if (list.length === 1 && only !== undefined) return evaluateStatement(only, run, state, frame);
  let text: string | null = "";
  const globs: string[] = [];
  let listed = true;
  for (const statement of list) {
    const output = evaluateStatement(statement, run, state, frame);
    text = text === null || output.text === null ? null : text + output.text;
    if (output.globs !== null) globs.push(...output.globs);
    else if (output.text !== "") listed = false;
    if (run.steps < 0) break;
  }
  return { text, globs: listed && globs.length > 0 && globs.length < 50 ? globs : null };
}

function evaluateStatement(statement: Statement, run: Run, state: ShellState, frame: Frame): Output {
  const output = evaluateNode(statement.command, run, statement.background === true ? fork(state) : state, frame);
  if (run.unfed.size > 0) feedRest(run);
  if (statement.background === true) return UNKNOWN_OUTPUT;
  settle(state);
  return output;
}

/** Behind `;` a failed `cd` counts too, unless the shell would have stopped. */
function settle(state: ShellState): void {
  if (state.ifFailed === undefined) return;
  if (!state.errexit) state.cwds = joinCwds(state.cwds, state.ifFailed);
  state.ifFailed = undefined;
}

function evaluateNode(node: AnyNode, run: Run, state: ShellState, frame: Frame): Output {
  if (state.ended) return SILENT;
  switch (node.type) {
    case "Command":
      return evaluateCommand(node, run, state, frame);
    case "Pipeline":
      return evaluatePipeline(node, run, state, frame);
    case "AndOr":
      return evaluateAndOr(node, run, state, frame);
    case "Redirected":
      return evaluateRedirected(node.redirects, node.command, run, state, frame);
    case "CompoundList":
      return evaluateStatements(node.commands, run, state, frame);
    case "BraceGroup":
      return evaluateStatements(node.body.commands, run, state, frame);
    case "Subshell": {
      const own = fork(state);
      const output = evaluateStatements(node.body.commands, run, own, { ...frame, leaving: null, loop: false, body: false });
      return own.traps === state.traps ? output : UNKNOWN_OUTPUT;
    }
    case "If":
      return evaluateIf(node, run, state, frame);
    case "For":
    case "Select":
      return evaluateFor(node, run, state, frame);
    case "While":
      return evaluateWhile(node, run, state, frame);
    case "ArithmeticFor":
      for (const part of [node.initialize, node.test, node.update]) if (part !== undefined) visitArithmetic(part, run, state, frame);
      return repeat(run, state, frame, (inner) => evaluateStatements(node.body.commands, run, state, inner));
    case "Case":
      return evaluateCase(node, run, state, frame);
    case "TestCommand":
      evaluateTest(node.expression, run, state, frame);
      return SILENT;
    case "ArithmeticCommand":
      if (node.expression !== undefined) visitArithmetic(node.expression, run, state, frame);
      return SILENT;
    case "Function":
      define(node, run, state, frame);
      return SILENT;
    case "Coproc":
      setList(state, node.name?.value ?? "COPROC", [NUMBER, NUMBER]);
      forget(state, `${node.name?.value ?? "COPROC"}_PID`);
      evaluateNode(node.body, run, fork(state), { ...frame, stdin: { ...NO_INPUT, upstream: ["coproc"] } });
      return UNKNOWN_OUTPUT;
    default:
      addOpaque(run, "a construct that is not understood", frame.source);
      return UNKNOWN_OUTPUT;
  }
}

/** Most functions of one text. */
const MAX_FUNCTIONS = 500;

function define(node: FunctionNode, run: Run, state: ShellState, frame: Frame): void {
  if (state.functions.size >= MAX_FUNCTIONS && !state.functions.has(node.name.value)) {
    addOpaque(run, "more functions than the limit", frame.source);
    return;
  }
  state.functions.set(node.name.value, { node, source: frame.source });
}

function evaluateRedirected(redirects: readonly Redirection[], command: CommandNode, run: Run, state: ShellState, frame: Frame): Output {
  const { stdin, movesOutput } = applyRedirects(redirects, run, state, frame);
  const inner = stdin === null ? frame : { ...frame, stdin };
  if (!movesOutput) return evaluateNode(command, run, state, inner);
  noteWritten(redirects, printing(run, () => evaluateNode(command, run, state, inner)), run, state, frame);
  return UNKNOWN_OUTPUT;
}

/** Evaluates a function's body; its redirections belong to every call. */
export function evaluateFunctionBody(node: FunctionNode, run: Run, state: ShellState, frame: Frame): Output {
  return evaluateNode(node.body, run, state, frame);
}

function evaluatePipeline(node: Pipeline, run: Run, state: ShellState, frame: Frame): Output {
  const [only] = node.commands;
  if (only !== undefined && node.commands.length === 1) {
    const output = evaluateNode(only, run, state, frame);
    if (node.prefixes.some((prefix) => prefix.type === "Negation")) state.ifFailed = invert(state);
    return output;
  }
  let stdin = frame.stdin;
  let output = UNKNOWN_OUTPUT;
  const upstream: string[] = [];
  for (const [i, command] of node.commands.entries()) {
    if (run.steps < 0) break;
    const before = run.started.length;
    const last = i === node.commands.length - 1;
    const own = last && state.lastpipe ? state : fork(state);
    output = evaluateNode(command, run, own, last && state.lastpipe ? { ...frame, stdin } : { ...frame, stdin, leaving: null, loop: false, body: false, captured: !last || frame.captured === true });
    for (const name of run.started.slice(before)) if (upstream.length < 32) upstream.push(name);
    const stream: Stream = { text: output.text, globs: output.globs, upstream: [...upstream], file: output.file ?? null };
    stdin = stream;
  }
  return output;
}

function invert(state: ShellState): readonly string[] | null | undefined {
  if (state.ifFailed === undefined) return undefined;
  const failed = state.ifFailed;
  const { cwds } = state;
  state.cwds = failed;
  return cwds;
}

/** Splits a state in the way after success and the way after failure. */
function evaluateAndOr(node: AndOr, run: Run, state: ShellState, frame: Frame): Output {
  const success = state;
  let failure: ShellState | null = null;
  let output: Output = UNKNOWN_OUTPUT;
  for (const [i, command] of node.commands.entries()) {
    if (run.steps < 0) break;
    const operator = i === 0 ? null : node.operators[i - 1];
    if (operator === "||") {
      const way: ShellState = failure ?? fork(success);
      evaluateNode(command, run, way, frame);
      const failed = splitFailure(way);
      become(success, join(success, way));
      failure = failed;
      output = UNKNOWN_OUTPUT;
      continue;
    }
    const next = evaluateNode(command, run, success, frame);
    output = i === 0 ? next : bothOutputs(output, next);
    const failed = splitFailure(success);
    failure = failure === null ? failed : join(failure, failed);
  }
  if (failure !== null) become(state, join(success, failure));
  return output;
}

function bothOutputs(a: Output, b: Output): Output {
  if (a.text === "") return b;
  if (b.text === "" && a.text === null) return a;
  return { text: a.text !== null && b.text !== null ? a.text + b.text : null, globs: null };
}

/** Takes the way of failure out of a state, which then is the way of success. */
function splitFailure(state: ShellState): ShellState {
  const failed = fork(state);
  if (state.ifFailed !== undefined) failed.cwds = state.ifFailed;
  failed.ifFailed = undefined;
  state.ifFailed = undefined;
  return failed;
}

function evaluateIf(node: If, run: Run, state: ShellState, frame: Frame): Output {
  const ends: ShellState[] = [];
  let current = state;
  for (const branch of [node, ...node.elif]) {
    evaluateList(branch.clause, run, current, frame);
    const otherwise = splitFailure(current);
    evaluateStatements(branch.then.commands, run, current, frame);
    ends.push(current);
    current = otherwise;
  }
  if (node.else !== undefined) evaluateStatements(node.else.commands, run, current, frame);
  let end = current;
  for (const other of ends) end = join(end, other);
  become(state, end);
  return UNKNOWN_OUTPUT;
}

/** Evaluates a condition list, keeping a last `cd`'s failure apart. */
function evaluateList(list: CompoundList, run: Run, state: ShellState, frame: Frame): void {
  for (const [i, statement] of list.commands.entries()) {
    if (i < list.commands.length - 1 || statement.background === true) evaluateStatement(statement, run, state, frame);
    else evaluateNode(statement.command, run, state, frame);
  }
}

/** Evaluates a body that may run any number of times: twice, the second time with all that changed unknown. */
function repeat(run: Run, state: ShellState, frame: Frame, body: (frame: Frame) => void): Output {
  // A body that could not be read has no commands to take steps, and loops in loops take their power.
  if (!takeStep(run, frame.source)) return UNKNOWN_OUTPUT;
  const before = fork(state);
  const leaving: ShellState[] = [];
  const inner = { ...frame, leaving, loop: true };
  const turn = (start: ShellState): boolean => {
    body(inner);
    const ends = [...(state.ended ? [] : [fork(state)]), ...leaving.splice(0).map((way) => ({ ...way, ended: false }))];
    let end = start;
    for (const way of ends) end = join(end, way);
    become(state, end === start ? fork(start) : end);
    return ends.some((way) => widen(start, way));
  };
  if (turn(before)) {
    if (!sameCwds(before.cwds, state.cwds)) state.cwds = null;
    turn(fork(state));
  }
  return UNKNOWN_OUTPUT;
}

function sameCwds(a: readonly string[] | null, b: readonly string[] | null): boolean {
  return a === b || (a !== null && b !== null && a.length === b.length && a.every((cwd, i) => cwd === b[i]));
}

function widen(before: ShellState, after: ShellState): boolean {
  if (!sameCwds(before.cwds, after.cwds) || before.functions.size !== after.functions.size) return true;
  if (before.variables.size !== after.variables.size) return true;
  for (const [name, value] of after.variables) if (before.variables.get(name) !== value) return true;
  return false;
}

function evaluateFor(node: For | Select, run: Run, state: ShellState, frame: Frame): Output {
  const words = node.wordlist === undefined ? state.positional : expandWords(node.wordlist, run, state, frame);
  const name = node.name.value;
  const body = (inner: Frame): Output => evaluateStatements(node.body.commands, run, state, inner);
  if (words === null || node.type === "Select" || words.length > MAX_TURNS || words.some((word) => word.many && word.glob === null)) {
    const value = words === null || node.type === "Select" ? UNKNOWN_MANY : cover(words);
    return repeat(run, state, frame, (inner) => {
      setVariable(state, name, value);
      if (run.integers) evaluatesArithmetic(run, state, frame.source);
      body(inner);
    });
  }
  const leaving: ShellState[] = [];
  let text: string | null = "";
  for (const word of words) {
    if (!takeStep(run, frame.source)) break;
    const before = fork(state);
    setVariable(state, name, word.many ? { ...word, many: false } : word);
    if (run.integers) {
      evaluatesText(run, word.text, frame.source);
      evaluatesArithmetic(run, state, frame.source);
    }
    const output = body({ ...frame, leaving, loop: true });
    text = text === null || word.many || output.text === null || leaving.length > 0 ? null : text + output.text;
    state.ended = before.ended;
    if (word.many) become(state, join(before, state));
    for (const way of leaving.splice(0)) become(state, join(state, { ...way, ended: state.ended }));
    if (run.steps < 0) break;
  }
  return run.steps < 0 ? UNKNOWN_OUTPUT : { text, globs: null };
}

/** One value that covers many words: names without a slash are some name; all else is unknown. */
function cover(words: readonly Field[]): Field {
  const plain = words.every((word) => word.text !== null && word.text !== "" && !word.text.includes("/") && !word.text.startsWith("-") && word.text !== "." && word.text !== "..");
  if (plain) return SOME_NAME;
  const first = words[0]?.glob ?? null;
  return first !== null && words.every((word) => word.glob === first) ? globbed(first, "", false) : UNKNOWN;
}

function evaluateWhile(node: While, run: Run, state: ShellState, frame: Frame): Output {
  const turn = (inner: Frame, condition: Frame): void => {
    if (!takeStep(run, frame.source)) return;
    evaluateList(node.clause, run, state, condition);
    state.ifFailed = undefined;
    evaluateStatements(node.body.commands, run, state, inner);
  };
  const { stdin } = frame;
  if (node.kind !== "while" || !readsLines(node.clause) || run.consumed.has(stdin)) return repeat(run, state, frame, (inner) => turn(inner, inner));
  run.consumed.add(stdin);
  const rest: Stream = { ...stdin, text: null, globs: null };
  const lines = stdin.text?.replace(/\n$/, "").split("\n") ?? null;
  const each = (line: string | null, input: Stream): Output => repeat(run, state, frame, (inner) => turn({ ...inner, stdin: rest }, { ...inner, stdin: input, line }));
  if (lines !== null && lines.length <= MAX_TURNS) for (const line of lines) each(line, rest);
  else if (stdin.globs !== null && stdin.globs.length <= MAX_TURNS) for (const glob of stdin.globs) each(null, { ...stdin, globs: [glob] });
  else each(null, rest);
  // What `read` leaves at the end of its input is empty.
  for (const name of ["REPLY", ...namesRead(node.clause)]) forget(state, name);
  return UNKNOWN_OUTPUT;
}

/** The `read` that is a loop's whole condition. */
function readOf(clause: CompoundList): Command | null {
  const [only] = clause.commands;
  const command = clause.commands.length === 1 && only?.background !== true ? only?.command : undefined;
  return command?.type === "Command" && command.name?.text === "read" ? command : null;
}

function readsLines(clause: CompoundList): boolean {
  return readOf(clause)?.redirects.length === 0;
}

function namesRead(clause: CompoundList): readonly string[] {
  return (readOf(clause)?.suffix ?? []).flatMap((word) => (word.type === "Word" && /^[A-Za-z_]\w*$/.test(word.text) ? [word.text] : []));
}

function evaluateCase(node: Case, run: Run, state: ShellState, frame: Frame): Output {
  expandValue(node.word, run, state, frame);
  const start = fork(state);
  let end: ShellState = fork(start);
  let fallsThrough = false;
  for (const item of node.items) {
    for (const pattern of item.pattern) expandValue(pattern, run, state, frame);
    const way: ShellState = fallsThrough ? end : fork(start);
    evaluateStatements(item.body.commands, run, way, frame);
    end = join(end, way);
    fallsThrough = item.terminator === ";&";
    if (fallsThrough) end = fork(end);
  }
  become(state, end);
  return UNKNOWN_OUTPUT;
}

function evaluateTest(expression: TestExpression, run: Run, state: ShellState, frame: Frame): void {
  switch (expression.type) {
    case "TestUnary": {
      const operand = expandValue(expression.operand, run, state, frame);
      if (expression.operator !== "-v" && expression.operator !== "-R") return;
      evaluatesText(run, operand.text, frame.source);
      evaluatesArithmetic(run, state, frame.source);
      return;
    }
    case "TestBinary": {
      const operands = [expression.left, expression.right].map((word) => expandValue(word, run, state, frame));
      if (!/^-(?:eq|ne|l[te]|g[te])$/.test(expression.operator)) return;
      for (const operand of operands) evaluatesText(run, operand.text, frame.source);
      evaluatesArithmetic(run, state, frame.source);
      return;
    }
    case "TestLogical":
      for (const operand of expression.operands) evaluateTest(operand, run, state, frame);
      return;
    case "TestNot":
      evaluateTest(expression.operand, run, state, frame);
      return;
    case "TestGroup":
      evaluateTest(expression.expression, run, state, frame);
      return;
    default:
      addOpaque(run, "a test that is not understood", frame.source);
  }
}

