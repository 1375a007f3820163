// The value of `$x` and `${x…}` where the text tells it; unknown otherwise, never a guess.

import type { ParameterExpansionPart, ParameterOperation, Word } from "unbash";
import { addOpaque, charge, type Frame, type Run } from "./run.js";
import { removeMatch } from "./glob-match.js";
import { setVariable, type ShellState } from "./state.js";
import { exact, globbed, NUMBER, SOME_NAME, UNKNOWN_MANY, type Field } from "./value.js";

/** A parameter's value: null is certainly unset; a list is `$@` or an array with `[@]`. */
export interface Parameter {
  readonly value: Field | null;
  readonly list: readonly Field[] | null;
}

/** Expands a nested word to one field. */
export type ExpandOne = (word: Word) => Field;

const NUMBERS = new Set(["?", "$", "!", "#", "RANDOM", "SRANDOM", "SECONDS", "EPOCHSECONDS", "LINENO", "UID", "EUID", "PPID", "BASHPID", "SHLVL", "COLUMNS", "LINES"]);

/** Longest text that is changed inside an expansion. */
const MAX_TEXT = 4_000;

const nothing: Parameter = { value: null, list: null };
const unknown: Parameter = { value: UNKNOWN_MANY, list: null };

function single(value: Field | null): Parameter {
  return { value, list: null };
}

/** Looks a plain name, digit or special parameter up. */
export function lookUp(run: Run, state: ShellState, name: string): Parameter {
  if (state.blurred) return unknown;
  const variable = state.variables.get(name);
  if (variable !== undefined) return single(variable.value);
  const first = name.charCodeAt(0);
  if (first >= 48 && first <= 57) return positional(state, Number(name));
  switch (name) {
    case "@":
    case "*":
      return state.positional === null ? unknown : { value: null, list: state.positional };
    case "#":
      return single(state.positional === null || state.positional.some((field) => field.many) ? NUMBER : exact(String(state.positional.length)));
    case "HOME":
      return single(exact(run.context.environment.get("HOME") ?? run.context.home));
    case "PWD":
      return single(state.cwds?.length === 1 ? exact(state.cwds[0] ?? "/") : UNKNOWN_MANY);
    case "OLDPWD":
      return single(state.previous?.length === 1 ? exact(state.previous[0] ?? "/") : UNKNOWN_MANY);
    case "IFS":
      return single(exact(" \t\n"));
    default: {
      const value = run.context.environment.get(name);
      if (value !== undefined) return single(exact(value));
      return NUMBERS.has(name) ? single(NUMBER) : unknown;
    }
  }
}

function positional(state: ShellState, index: number): Parameter {
  if (state.positional === null || index === 0) return unknown;
  const before = state.positional.slice(0, index);
  if (before.some((field) => field.many)) return unknown;
  return single(state.positional[index - 1] ?? null);
}

/** Evaluates `${…}`. */
export function evaluateParameter(part: ParameterExpansionPart, run: Run, state: ShellState, frame: Frame, expand: ExpandOne): Parameter {
  const base = baseValue(part, run, state, expand);
  if (part.prefix === "!") return indirect(base, part, run, state, expand);
  if (part.prefix === "#") return single(base.list === null && base.value?.text !== null && base.value !== null ? exact(String(base.value.text.length)) : NUMBER);
  if (part.operation === undefined) return base;
  charge(run, 1);
  if (run.steps < 0) return unknown;
  return operate(part.operation, base, part, run, state, frame, expand);
}

function baseValue(part: ParameterExpansionPart, run: Run, state: ShellState, expand: ExpandOne): Parameter {
  if (part.index === undefined) return lookUp(run, state, part.parameter);
  const index = expand(part.index).text;
  const variable = state.blurred ? undefined : state.variables.get(part.parameter);
  if (variable?.list == null || index === null) return unknown;
  if (index === "@" || index === "*") return { value: null, list: variable.list };
  const at = Number(index);
  if (!Number.isInteger(at) || at < 0 || variable.list.slice(0, at + 1).some((field) => field.many)) return unknown;
  return single(variable.list[at] ?? null);
}

function indirect(base: Parameter, part: ParameterExpansionPart, run: Run, state: ShellState, expand: ExpandOne): Parameter {
  const name = base.value?.text ?? null;
  if (name === null || part.operation?.type === "Names" || part.index !== undefined || !/^[A-Za-z_]\w*$/.test(name)) return unknown;
  const value = lookUp(run, state, name);
  if (part.operation === undefined) return value;
  return part.operation.type === "Default" ? withDefault(part.operation.operator, value, expand(part.operation.operand), part, state) : unknown;
}

function operate(operation: ParameterOperation, base: Parameter, part: ParameterExpansionPart, run: Run, state: ShellState, frame: Frame, expand: ExpandOne): Parameter {
  switch (operation.type) {
    case "Default":
      return withDefault(operation.operator, base, expand(operation.operand), part, state);
    case "Remove": {
      const operand = expand(operation.operand);
      charge(run, Math.ceil(((base.value?.lead.length ?? 0) ** 2 * operation.operand.text.length) / 8_000));
      return each(base, (value) => remove(value, operand, operation.operand, operation.operator));
    }
    case "Replace": {
      const pattern = expand(operation.pattern);
      const replacement = expand(operation.replacement);
      return each(base, (value) => replace(value, pattern, replacement, operation.operator));
    }
    case "Slice": {
      const offset = expand(operation.offset).text;
      const length = operation.length === undefined ? "" : expand(operation.length).text;
      return each(base, (value) => slice(value, offset, length));
    }
    case "CaseModification": {
      if (operation.operand !== undefined) expand(operation.operand);
      return each(base, (value) => changeCase(value, operation.operator, operation.operand !== undefined && operation.operand.value !== ""));
    }
    case "Transform":
      if (operation.operand.value.includes("P")) addOpaque(run, "a prompt expansion may run commands", frame.source.slice(0, 200));
      return unknown;
    case "Names":
    case "Unknown":
      return unknown;
    default:
      return unknown;
  }
}

function each(base: Parameter, change: (value: Field) => Field): Parameter {
  if (base.list !== null) return { value: null, list: base.list.map(change) };
  return base.value === null ? nothing : single(change(base.value));
}

function withDefault(operator: string, base: Parameter, operand: Field, part: ParameterExpansionPart, state: ShellState): Parameter {
  const colon = operator.startsWith(":");
  const kind = operator[operator.length - 1];
  const set = isSet(base, colon);
  if (kind === "+") {
    if (set === null) return unknown;
    return set ? single(operand) : nothing;
  }
  if (kind === "?") return base;
  if (set === null) {
    if (kind === "=") setVariable(state, part.parameter, UNKNOWN_MANY);
    return unknown;
  }
  if (set) return base;
  if (kind === "=") setVariable(state, part.parameter, operand);
  return single(operand);
}

/** Whether a parameter is set (and with `colon` not empty); null when it cannot be told. */
function isSet(base: Parameter, colon: boolean): boolean | null {
  if (base.list !== null) return base.list.length === 0 ? false : base.list.some((field) => field.many) ? null : !colon || base.list.length > 1 || isSet(single(base.list[0] ?? null), colon);
  if (base.value === null) return false;
  if (base.value.text !== null) return !colon || base.value.text !== "";
  return base.value.lead !== "" || base.value.glob !== null ? true : null;
}

function remove(value: Field, operand: Field, word: Word, operator: "#" | "##" | "%" | "%%"): Field {
  if (value.text !== null && operand.text !== null) {
    const rest = removeMatch(value.text, escapePattern(operand.text), operator);
    return rest === null ? UNKNOWN_MANY : exact(rest);
  }
  if (value.text !== null && operand.glob !== null) {
    const rest = removeMatch(value.text, operand.glob, operator);
    return rest === null ? UNKNOWN_MANY : exact(rest);
  }
  if (value.glob !== null) {
    if (operator === "##" && word.text === "*/") return SOME_NAME;
    if (operator[0] === "%" && operand.text !== null && operand.text !== "" && value.glob.endsWith(operand.text) && !value.glob.endsWith(`\\${operand.text}`)) {
      return globbed(value.glob.slice(0, -operand.text.length), value.lead, value.many);
    }
  }
  return UNKNOWN_MANY;
}

/** A literal as a pattern of `removeMatch`. */
function escapePattern(text: string): string {
  return /[*?[\\(]/.test(text) ? text.replace(/[*?[\\(]/g, "\\$&") : text;
}

function replace(value: Field, pattern: Field, replacement: Field, operator: string): Field {
  if (value.text === null || value.text.length > MAX_TEXT || pattern.text === null || replacement.text === null || replacement.text.length > MAX_TEXT / 8 || pattern.text === "" || replacement.text.includes("&")) return UNKNOWN_MANY;
  const { text } = value;
  switch (operator) {
    case "//":
      return exact(text.split(pattern.text).join(replacement.text));
    case "/#":
      return exact(text.startsWith(pattern.text) ? replacement.text + text.slice(pattern.text.length) : text);
    case "/%":
      return exact(text.endsWith(pattern.text) ? text.slice(0, text.length - pattern.text.length) + replacement.text : text);
    default: {
      const at = text.indexOf(pattern.text);
      return at < 0 ? value : exact(text.slice(0, at) + replacement.text + text.slice(at + pattern.text.length));
    }
  }
}

function slice(value: Field, offset: string | null, length: string | null): Field {
  if (value.text === null || offset === null || length === null) return UNKNOWN_MANY;
  const from = Number(offset.trim());
  const size = length.trim() === "" ? value.text.length : Number(length.trim());
  if (!Number.isInteger(from) || !Number.isInteger(size)) return UNKNOWN_MANY;
  const start = from < 0 ? Math.max(0, value.text.length + from) : from;
  if (from < 0 && -from > value.text.length) return exact("");
  return exact(size < 0 ? value.text.slice(start, value.text.length + size) : value.text.slice(start, start + size));
}

function changeCase(value: Field, operator: "^" | "^^" | "," | ",,", patterned: boolean): Field {
  if (value.text === null || patterned) return UNKNOWN_MANY;
  const { text } = value;
  if (operator === "^^") return exact(text.toUpperCase());
  if (operator === ",,") return exact(text.toLowerCase());
  const head = text.slice(0, 1);
  return exact((operator === "^" ? head.toUpperCase() : head.toLowerCase()) + text.slice(1));
}
