// `export`, `declare` and their kin: variables by name, and what of them programs will see.

import { addEnvironment } from "./assign.js";
import { evaluatesArithmetic, runsInArithmetic } from "./arithmetic-text.js";
import { addOpaque, SILENT, UNKNOWN_OUTPUT, type Call, type Output } from "./run.js";
import { isDynamic } from "./dynamic.js";
import { lookUp } from "./lookup.js";
import { applySetting } from "./settings.js";
import { forget, setVariable, type Variable } from "./state.js";
import { dropPrefix, UNKNOWN_MANY, type Field } from "./value.js";

const NAME = /^([A-Za-z_]\w*)(\+?=)?/;

interface Declared {
  readonly name: string;
  /** undefined when only named. */
  readonly value: Field | undefined;
}

function read(call: Call, word: Field): Declared | null {
  if (word.text !== null && runsInArithmetic(word.text)) {
    addOpaque(call.run, "a subscript that holds a substitution", call.from);
    return null;
  }
  const match = NAME.exec(word.lead);
  // No name at all: bash complains and sets nothing.
  if (match === null && word.text !== null) return null;
  if (match === null || (word.text === null && match[2] === undefined)) {
    call.state.blurred = true;
    addOpaque(call.run, "a variable whose name cannot be told", call.from);
    return null;
  }
  const [whole, name = "", sign] = match;
  if (sign === undefined) return { name, value: undefined };
  if (sign === "+=") return { name, value: UNKNOWN_MANY };
  return { name, value: dropPrefix(word, whole) ?? UNKNOWN_MANY };
}

/** `export [-fnp] name[=value]…`. */
export function exportNames(call: Call): Output {
  const { state, run } = call;
  let functions = false;
  let off = false;
  for (const word of call.words.slice(1)) {
    if (word.text !== null && /^-[fnp]+$/.test(word.text)) {
      functions ||= word.text.includes("f");
      off ||= word.text.includes("n");
      continue;
    }
    if (word.text === "--") continue;
    const declared = read(call, word);
    if (declared === null) continue;
    if (functions) {
      if (!off) state.shared = new Set([...state.shared, declared.name]);
      addEnvironment(run, `BASH_FUNC_${declared.name}`, UNKNOWN_MANY, call.from);
      continue;
    }
    if (declared.value !== undefined) setVariable(state, declared.name, declared.value);
    markExported(call, declared.name, !off);
    const value = state.variables.get(declared.name)?.value;
    if (off) continue;
    addEnvironment(run, declared.name, value === undefined ? UNKNOWN_MANY : value, call.from);
    applySetting(call, declared.name, value ?? null, call.from);
  }
  return call.words.length === 1 ? UNKNOWN_OUTPUT : SILENT;
}

function markExported(call: Call, name: string, exported: boolean): void {
  const { state, run } = call;
  const before: Variable | undefined = state.variables.get(name);
  if (state.blurred || isDynamic(name)) return;
  const value = before === undefined ? lookUp(run, state, name).value : before.value;
  state.variables.set(name, { ...before, value, list: before?.list ?? null, exported, withheld: !exported });
}

/** `declare`, `typeset`, `local`, `readonly`. */
export function declare(call: Call): Output {
  const { state, run } = call;
  let options = "";
  for (const word of call.words.slice(1)) {
    if (word.text !== null && /^[-+][A-Za-z]+$/.test(word.text)) {
      options += word.text.startsWith("-") ? word.text : "";
      continue;
    }
    if (options.includes("f") && options.includes("x") && word.text !== null) {
      state.shared = new Set([...state.shared, word.text]);
      addEnvironment(run, `BASH_FUNC_${word.text}`, UNKNOWN_MANY, call.from);
    }
    if (word.text === "--" || /[fF]/.test(options)) continue;
    const declared = read(call, word);
    if (declared === null) continue;
    hide(call, declared.name, options);
    if (options.includes("n")) state.blurred = true;
    if (options.includes("i")) run.integers = true;
    if (run.integers) evaluatesArithmetic(run, state, call.from);
    if (/[aA]/.test(options) && declared.value?.lead.startsWith("(") === true) {
      forget(state, `${declared.name}[`);
      continue;
    }
    const plain = !/[niulcA]/.test(options);
    if (call.program === "local" && declared.value !== undefined) state.variables.delete(declared.name);
    if (declared.value !== undefined) setVariable(state, declared.name, plain ? declared.value : UNKNOWN_MANY);
    else if (call.program === "local") state.variables.set(declared.name, { value: null, list: null, exported: false });
    if (!plain || options.includes("r") || call.program === "readonly") loosen(call, declared.name);
    if (options.includes("x")) {
      markExported(call, declared.name, true);
      addEnvironment(run, declared.name, state.variables.get(declared.name)?.value ?? UNKNOWN_MANY, call.from);
      applySetting(call, declared.name, state.variables.get(declared.name)?.value ?? null, call.from);
    } else if (declared.value !== undefined && (run.context.environment.has(declared.name) || /^[A-Z_][A-Z0-9_]*$/.test(declared.name))) {
      addEnvironment(run, declared.name, declared.value, call.from);
      applySetting(call, declared.name, declared.value, call.from);
    }
  }
  return call.words.length === 1 || /p/.test(options) ? UNKNOWN_OUTPUT : SILENT;
}

/** From now on what is assigned need not be what the variable holds. */
function loosen({ run, state }: Call, name: string): void {
  const before = state.variables.get(name) ?? { value: lookUp(run, state, name).value, list: null, exported: false };
  if (!state.blurred) state.variables.set(name, { ...before, loose: true });
}

/** Inside a function a declaration hides the outer variable until the function returns. */
function hide(call: Call, name: string, options: string): void {
  const { locals, variables } = call.state;
  if (locals === null || call.program === "readonly" || options.includes("g") || locals.has(name)) return;
  locals.set(name, variables.get(name));
}

/** `unset`. */
export function unset(call: Call): Output {
  const { state } = call;
  let functions = false;
  for (const word of call.words.slice(1)) {
    if (word.text === null) {
      state.blurred = true;
      continue;
    }
    if (word.text === "-f") functions = true;
    if (word.text.startsWith("-")) continue;
    if (runsInArithmetic(word.text)) addOpaque(call.run, "a subscript that holds a substitution", call.from);
    if (functions || !state.variables.has(word.text)) state.functions.delete(word.text);
    if (functions) continue;
    const exported = state.variables.get(word.text)?.exported ?? call.run.context.environment.has(word.text);
    const { value, list } = lookUp(call.run, state, word.text);
    if ((exported || /^[A-Z_][A-Z0-9_]*$/.test(word.text)) && (value !== null || list !== null)) addEnvironment(call.run, word.text, null, call.from);
    if (!/^[A-Za-z_]\w*$/.test(word.text) || state.variables.get(word.text)?.loose === true) forget(state, word.text);
    else if (!state.blurred) state.variables.set(word.text, { value: null, list: null, exported });
  }
  return SILENT;
}
