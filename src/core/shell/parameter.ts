// The value of `$x` and `${x…}` where the text tells it; unknown otherwise, never a guess.

import type { ParameterExpansionPart, ParameterOperation, Word } from "unbash";
import { addOpaque, charge, type Frame, type Run } from "./run.js";
import { evaluatesArithmetic, evaluatesText } from "./arithmetic-text.js";
import { removeMatch } from "./glob-match.js";
import { lookUp, NOTHING, single, UNKNOWN_PARAMETER, type Parameter } from "./lookup.js";
import { become, forget, fork, join, setVariable, type ShellState } from "./state.js";
import { exact, globbed, NUMBER, SOME_NAME, UNKNOWN_MANY, type Field } from "./value.js";

export { lookUp, type Parameter } from "./lookup.js";

/** Expands a nested word to one field. */
export type ExpandOne = (word: Word) => Field;

/** Longest text that is changed inside an expansion. */
const MAX_TEXT = 4_000;

/** Evaluates `${…}`. `inPlace`: the word of a default is handed back instead of expanded to one value, since its quotes count. */
export function evaluateParameter(part: ParameterExpansionPart, run: Run, state: ShellState, frame: Frame, expand: ExpandOne, inPlace: boolean = false): Parameter {
  const base = baseValue(part, run, state, expand);
  if (part.prefix === "!") return indirect(base, part, run, state, expand);
  if (part.prefix === "#") return single(lengthOf(base));
  if (part.operation === undefined) {
    endIfUnset(base, part, state);
    return base;
  }
  charge(run, 1);
  if (run.steps < 0) return UNKNOWN_PARAMETER;
  if (inPlace && part.operation.type === "Default" && (part.operation.operand.parts !== undefined || part.operation.operand.text.includes("\\")) && /^:?[-+]$/.test(part.operation.operator)) {
    const set = isSet(base, part.operation.operator.startsWith(":"));
    if (set === part.operation.operator.endsWith("+")) return { value: null, list: null, operand: part.operation.operand };
  }
  return operate(part.operation, base, part, run, state, frame, expand);
}

function baseValue(part: ParameterExpansionPart, run: Run, state: ShellState, expand: ExpandOne): Parameter {
  if (part.index === undefined) return lookUp(run, state, part.parameter);
  const index = expand(part.index).text;
  if (index !== "@" && index !== "*" && !/^\d+$/.test(part.index.text)) {
    evaluatesArithmetic(run, state, part.text);
    evaluatesText(run, index, part.text);
  }
  const variable = state.blurred ? undefined : state.variables.get(part.parameter);
  if (index === null) return UNKNOWN_PARAMETER;
  if (variable?.list == null) return ofScalar(lookUp(run, state, part.parameter), index);
  if (index === "@" || index === "*") return { value: null, list: variable.list };
  const at = Number(index);
  if (!Number.isInteger(at) || at < 0 || variable.list.slice(0, at + 1).some((field) => field.many)) return UNKNOWN_PARAMETER;
  return single(variable.list[at] ?? null);
}

/** A scalar is an array of one element; what is not set has none. */
function ofScalar({ value, list }: Parameter, index: string): Parameter {
  if (list !== null || (value !== null && value.text === null)) return UNKNOWN_PARAMETER;
  if (index === "@" || index === "*") return { value: null, list: value === null ? [] : [value] };
  if (value === null) return NOTHING;
  return /^0+$/.test(index) ? single(value) : /^\d+$/.test(index) ? NOTHING : UNKNOWN_PARAMETER;
}

function lengthOf({ value, list }: Parameter): Field {
  if (list !== null) return list.some((field) => field.many) ? NUMBER : exact(String(list.length));
  if (value === null) return exact("0");
  return value.text === null ? NUMBER : exact(String(Array.from(value.text).length));
}

/** Under `set -u` a variable that is certainly not set ends the shell before the command it stands in. */
export function endIfUnset(parameter: Parameter, part: { readonly index?: unknown }, state: ShellState): void {
  if (state.nounset && parameter.value === null && parameter.list === null && part.index === undefined) state.ended = true;
}

function indirect(base: Parameter, part: ParameterExpansionPart, run: Run, state: ShellState, expand: ExpandOne): Parameter {
  const name = base.value?.text ?? null;
  evaluatesText(run, name, part.text);
  if (name === null || part.operation?.type === "Names" || part.index !== undefined || !/^[A-Za-z_]\w*$/.test(name)) return UNKNOWN_PARAMETER;
  const value = lookUp(run, state, name);
  if (part.operation === undefined) return value;
  return part.operation.type === "Default" ? withDefault(part.operation.operator, value, () => (part.operation?.type === "Default" ? expand(part.operation.operand) : UNKNOWN_MANY), { parameter: name }, state) : UNKNOWN_PARAMETER;
}

function operate(operation: ParameterOperation, base: Parameter, part: ParameterExpansionPart, run: Run, state: ShellState, frame: Frame, expand: ExpandOne): Parameter {
  switch (operation.type) {
    case "Default":
      return withDefault(operation.operator, base, () => expand(operation.operand), part.index === undefined ? part : { parameter: `${part.parameter}[` }, state);
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
      evaluatesText(run, offset, part.text);
      if (!/^\s*-?\d+\s*$/.test(operation.offset.text) || (operation.length !== undefined && !/^\s*-?\d+\s*$/.test(operation.length.text))) evaluatesArithmetic(run, state, part.text);
      const length = operation.length === undefined ? "" : expand(operation.length).text;
      evaluatesText(run, length, part.text);
      return base.list !== null ? sliceList(base.list, part.parameter, offset, length) : each(base, (value) => slice(value, offset, length));
    }
    case "CaseModification": {
      if (operation.operand !== undefined) expand(operation.operand);
      return each(base, (value) => changeCase(value, operation.operator, operation.operand !== undefined && operation.operand.value !== ""));
    }
    case "Transform":
      // Nothing, or text without a sign of a prompt, stays as it is.
      if (operation.operand.value === "P" && base.list === null && (base.value === null || (base.value.text !== null && !/[$`\\!]/.test(base.value.text)))) return base;
      if (operation.operand.value.includes("P")) addOpaque(run, "a prompt expansion may run commands", frame.source.slice(0, 200));
      return UNKNOWN_PARAMETER;
    case "Names":
    case "Unknown":
      return UNKNOWN_PARAMETER;
    default:
      return UNKNOWN_PARAMETER;
  }
}

function each(base: Parameter, change: (value: Field) => Field): Parameter {
  if (base.list !== null) return { value: null, list: base.list.map(change) };
  return base.value === null ? NOTHING : single(change(base.value));
}

/** `operand` is expanded only where bash does; where that cannot be told, along a way of its own. */
function withDefault(operator: string, base: Parameter, operand: () => Field, part: { readonly parameter: string }, state: ShellState): Parameter {
  const kind = operator[operator.length - 1];
  const set = isSet(base, operator.startsWith(":"));
  if (set === null) return maybeDefault(kind, base, operand, part, state);
  if (kind === "+") return set ? single(operand()) : NOTHING;
  if (set) return base;
  const value = operand();
  if (kind === "?") {
    state.ended = true;
    return base;
  }
  if (kind === "=") assignDefault(state, part.parameter, value);
  return single(value);
}

function maybeDefault(kind: string | undefined, base: Parameter, operand: () => Field, part: { readonly parameter: string }, state: ShellState): Parameter {
  const without = fork(state);
  operand();
  const ended = without.ended;
  become(state, join(without, { ...fork(state), ended }));
  if (kind === "=") assignDefault(state, part.parameter, UNKNOWN_MANY);
  return kind === "?" ? base : UNKNOWN_PARAMETER;
}

function assignDefault(state: ShellState, name: string, value: Field): void {
  if (/^[A-Za-z_]\w*$/.test(name)) setVariable(state, name, value);
  else forget(state, name);
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

/** `${@:2}` and `${list[@]:1:2}`: elements, counted from `$0` for the positional ones. */
function sliceList(list: readonly Field[], name: string, offset: string | null, length: string | null): Parameter {
  const from = Number(offset?.trim() || "0");
  const size = length === null ? Number.NaN : length.trim() === "" ? Number.POSITIVE_INFINITY : Number(length.trim());
  const whole = name === "@" || name === "*" ? [UNKNOWN_MANY, ...list] : list;
  const simple = offset !== null && Number.isInteger(from) && from >= 0 && (size === Number.POSITIVE_INFINITY || (Number.isInteger(size) && size >= 0));
  if (!simple || list.slice(0, from + (size === Number.POSITIVE_INFINITY ? 0 : size)).some((field) => field.many)) return { value: null, list: [UNKNOWN_MANY] };
  return { value: null, list: whole.slice(from, size === Number.POSITIVE_INFINITY ? undefined : from + size) };
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
  if (!/^[\x00-\x7f]*$/.test(text)) return UNKNOWN_MANY;
  if (operator === "^^") return exact(text.toUpperCase());
  if (operator === ",,") return exact(text.toLowerCase());
  const head = text.slice(0, 1);
  return exact((operator === "^" ? head.toUpperCase() : head.toLowerCase()) + text.slice(1));
}
