// Assignments and the environment effects they have. Plain lower-case shell variables are the shell's own matter.

import type { Assignment } from "unbash";
import { expandArgument, expandValue } from "./expand.js";
import { evaluatesArithmetic, evaluatesText, isInteger, runsInArithmetic } from "./arithmetic-text.js";
import { addEffect, addOpaque, excerpt, type Frame, type Run } from "./run.js";
import { lookUp } from "./lookup.js";
import { applySetting } from "./settings.js";
import { setList, setVariable, type ShellState } from "./state.js";
import { beginning, exact, UNKNOWN_MANY, type Field } from "./value.js";

/** Texts that an interactive bash expands before and after it reads a line. */
const PROMPTS = new Set(["PS0", "PS1", "PS2"]);

/** Records a change of the surroundings. */
export function addEnvironment(run: Run, name: string, value: Field | null, from: string): void {
  if (name === "POSIXLY_CORRECT") {
    run.posix = true;
    run.aliasing = true;
  }
  if (name === "GLOBIGNORE") run.dots = true;
  if (PROMPTS.has(name) && value !== null && (value.text === null || /\$[({[]|`/.test(value.text))) addOpaque(run, "a prompt that may run commands", from);
  addEffect(run, { kind: "environment", name, value: value === null ? "" : value.text, from: excerpt(from) });
}

const SHOUTED = /^[A-Z_][A-Z0-9_]*$/;

/** Names that steer programs or are exported by habit: upper case, or known to be in the environment. */
function concernsOthers(run: Run, state: ShellState, name: string): boolean {
  return SHOUTED.test(name) || run.context.environment.has(name) || state.variables.get(name)?.exported === true || name.startsWith("npm_config_");
}

/** Applies `name=value` as a statement of its own. */
export function assign(node: Assignment, run: Run, state: ShellState, frame: Frame): void {
  const from = frame.source.slice(node.pos, node.end);
  if (node.index !== undefined) {
    evaluatesText(run, expandValue(node.index, run, state, frame).text, from);
    if (!/^\d+$/.test(node.index.text)) evaluatesArithmetic(run, state, from);
    if (node.value.type === "Word") expandValue(node.value, run, state, frame);
    setList(state, node.name, null);
    return;
  }
  if (node.value.type === "ArrayValue") {
    assignList(node, run, state, frame);
    return;
  }
  const value = appended(node, expandValue(node.value, run, state, frame), state, run);
  if (run.integers || isInteger(node.name)) {
    if (value.text !== null && runsInArithmetic(value.text)) addOpaque(run, "an integer assigned from text that holds a substitution", from);
    evaluatesArithmetic(run, state, from);
  }
  if (concernsOthers(run, state, node.name)) {
    addEnvironment(run, node.name, value, from);
    applySetting({ run, state, frame }, node.name, value, from);
  }
  setVariable(state, node.name, value);
}

function appended(node: Assignment, value: Field, state: ShellState, run: Run): Field {
  if (node.append !== true) return value;
  const before = lookUp(run, state, node.name).value;
  const text = before === null ? "" : before.text;
  if (text === null || value.text === null) return UNKNOWN_MANY;
  return text.length + value.text.length > 100_000 ? UNKNOWN_MANY : exact(text + value.text);
}

function assignList(node: Assignment, run: Run, state: ShellState, frame: Frame): void {
  if (node.value.type !== "ArrayValue") return;
  const list: Field[] = [];
  let ordered = true;
  for (const element of node.value.elements) {
    if (element.text.startsWith("[")) ordered = false;
    expandArgument(list, element, run, state, frame);
  }
  const from = frame.source.slice(node.pos, node.end);
  if (!ordered || run.integers) evaluatesArithmetic(run, state, from);
  if (run.integers) for (const field of list) evaluatesText(run, field.text, from);
  const before = node.append === true ? (state.variables.get(node.name)?.list ?? null) : [];
  setList(state, node.name, ordered && before !== null && list.length + before.length <= 500 ? [...before, ...list] : null);
}

/** An assignment that stands among a command's words (`export A=b`), as one word. */
export function assignmentWord(node: Assignment, run: Run, state: ShellState, frame: Frame): Field {
  if (node.value.type === "ArrayValue") {
    assign(node, run, state, frame);
    return exact(node.name);
  }
  if (node.index !== undefined) {
    assign(node, run, state, frame);
    return exact(node.name);
  }
  const value = appended(node, expandValue(node.value, run, state, frame), state, run);
  return value.text !== null ? exact(`${node.name}=${value.text}`) : beginning(`${node.name}=${value.lead}`, false);
}
