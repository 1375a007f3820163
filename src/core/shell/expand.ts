// Expansion of shell words into fields: quotes, tildes, braces, parameters, substitutions, globs. Never runs anything.

import { forEachChild, parse, type ArithmeticExpression, type ParsedScript, type SyntaxNode, type Word, type WordPart } from "unbash";
import { numberOf } from "./arithmetic.js";
import { evaluatesArithmetic, runsInArithmetic } from "./arithmetic-text.js";
import { expandBraces } from "./braces.js";
import { endIfUnset, evaluateParameter, lookUp, type Parameter } from "./parameter.js";
import { addOpaque, charge, deeper, NO_INPUT, UNKNOWN_OUTPUT, type Frame, type Output, type Run } from "./run.js";
import { forget, fork, setVariable, type ShellState } from "./state.js";
import { exact, globbed, NUMBER, SIGNED, UNKNOWN, UNKNOWN_MANY, type Field } from "./value.js";
import { addGlob, addList, addText, addUnknown, addValue, BLANKS, endField, newWord, NO_SPLIT, type WordBuilder } from "./word-builder.js";

/** Where a word stands: an argument is split and globbed, a value (assignment, here-string) is not. */
type Mode = "argument" | "value";

interface Expansion {
  readonly run: Run;
  readonly state: ShellState;
  readonly frame: Frame;
  readonly mode: Mode;
}

/** Expands words as arguments. */
export function expandWords(words: readonly Word[], run: Run, state: ShellState, frame: Frame): Field[] {
  const out: Field[] = [];
  for (const word of words) expandInto(out, word, { run, state, frame, mode: "argument" });
  return out;
}

/** Expands one word as an argument, appending its fields. */
export function expandArgument(out: Field[], word: Word, run: Run, state: ShellState, frame: Frame): void {
  if (word.parts === undefined && !word.text.startsWith("~")) out.push(exact(word.value));
  else expandInto(out, word, { run, state, frame, mode: "argument" });
}

/** Expands a word that stays one: a value, a here-string, a `case` word. */
export function expandValue(word: Word, run: Run, state: ShellState, frame: Frame): Field {
  if (word.parts === undefined && !word.text.startsWith("~")) return exact(word.value);
  const out: Field[] = [];
  expandInto(out, word, { run, state, frame, mode: "value" });
  return out.length === 0 ? exact("") : out.length === 1 ? (out[0] ?? UNKNOWN) : UNKNOWN_MANY;
}

/** Expands a redirection's target; several words are an error in bash, so unknown. */
export function expandTarget(word: Word, run: Run, state: ShellState, frame: Frame): Field {
  const out: Field[] = [];
  expandArgument(out, word, run, state, frame);
  // No word at all is an error: nothing is opened.
  if (out.length === 0) return exact("");
  return out.length === 1 ? (out[0] ?? UNKNOWN) : UNKNOWN_MANY;
}

/** Expands a here-document's body. */
export function expandBody(parts: readonly WordPart[], run: Run, state: ShellState, frame: Frame): Field {
  const word = newWord();
  const expansion: Expansion = { run, state, frame, mode: "value" };
  for (const part of parts) addPart(word, part, expansion, true);
  endField(word);
  return word.fields[0] ?? exact("");
}

function expandInto(out: Field[], word: Word, expansion: Expansion): void {
  if (expansion.mode === "argument" && word.parts?.some((part) => part.type === "BraceExpansion") === true) {
    expandBraced(out, word, expansion);
    return;
  }
  const builder = newWord();
  const tilde = tildeOf(word, expansion);
  if (tilde !== null) addText(builder, tilde.home.text ?? "");
  if (tilde !== null && tilde.home.text === null) addUnknown(builder, "", false);
  if (word.parts === undefined) addText(builder, word.value.slice(tilde?.length ?? 0));
  else {
    let first = true;
    for (const part of word.parts) {
      if (first && tilde !== null && part.type === "Literal") addText(builder, part.value.slice(tilde.length));
      else addPart(builder, part, expansion, false);
      first = false;
    }
  }
  endField(builder);
  out.push(...builder.fields);
}

/** The home folder a leading `~` stands for, and how many characters it takes. */
function tildeOf(word: Word, { run, state }: Expansion): { readonly home: Field; readonly length: number } | null {
  if (!word.text.startsWith("~")) return null;
  const plain = word.parts === undefined ? word.text : word.parts[0]?.type === "Literal" ? word.parts[0].text : "";
  const slash = plain.indexOf("/");
  if (slash < 0 && word.parts !== undefined && word.parts.length > 1) return null;
  const name = slash < 0 ? plain : plain.slice(0, slash);
  if (name.includes("\\")) return null;
  if (name === "~") return { home: lookUp(run, state, "HOME").value ?? UNKNOWN, length: 1 };
  if (name === "~root") return { home: exact("/root"), length: 5 };
  if (name === "~+") return { home: lookUp(run, state, "PWD").value ?? UNKNOWN, length: 2 };
  if (name === "~-") return { home: lookUp(run, state, "OLDPWD").value ?? UNKNOWN, length: 2 };
  // Another user's home is where the password file says; the session's own user is called as its folder.
  return { home: run.context.home.endsWith(`/${name.slice(1)}`) && name.length > 1 ? exact(run.context.home) : UNKNOWN, length: name.length };
}

function expandBraced(out: Field[], word: Word, expansion: Expansion): void {
  const texts = expandBraces(word.text);
  if (texts === null) {
    out.push(UNKNOWN_MANY);
    return;
  }
  for (const text of texts) {
    if (text === word.text) {
      addUnbraced(out, word, expansion);
      continue;
    }
    if (text === "") continue;
    if (isBare(text)) {
      out.push(exact(text));
      continue;
    }
    const again = reparse(text, expansion.run);
    if (again === null) out.push(UNKNOWN_MANY);
    else addUnbraced(out, again, expansion);
  }
}

const BARE = /^[\w./,:=@%+-]+$/;

function isBare(text: string): boolean {
  return BARE.test(text);
}

function addUnbraced(out: Field[], word: Word, expansion: Expansion): void {
  const builder = newWord();
  if (word.parts === undefined) {
    expandInto(out, word, expansion);
    return;
  }
  for (const part of word.parts) {
    if (part.type === "BraceExpansion") addUnexpanded(builder, part.text, expansion);
    else addPart(builder, part, expansion, false);
  }
  endField(builder);
  out.push(...builder.fields);
}

/** Braces that are none: what stands in them is read as if they were quoted. */
function addUnexpanded(word: WordBuilder, text: string, expansion: Expansion): void {
  if (!/[$`<>]/.test(text)) {
    addText(word, text);
    return;
  }
  const again = reparse(`\\${text}`, expansion.run);
  const parts = again?.parts ?? [];
  if (parts.length === 0 || parts.some((part) => part.type === "BraceExpansion")) addOpaque(expansion.run, "braces that cannot be read", text);
  for (const part of parts) addPart(word, part, expansion, false);
}

function reparse(text: string, run: Run): Word | null {
  run.characters -= text.length;
  if (run.characters < 0) return null;
  const script = parse(`: ${text}`);
  const command = script.commands[0]?.command;
  if (script.errors !== undefined || script.commands.length !== 1 || command?.type !== "Command") return null;
  const [argument, ...rest] = command.suffix;
  return argument?.type === "Word" && rest.length === 0 ? argument : null;
}

function addPart(word: WordBuilder, part: WordPart, expansion: Expansion, quoted: boolean): void {
  const split = !quoted && expansion.mode === "argument";
  switch (part.type) {
    case "Literal":
    case "SingleQuoted":
    case "AnsiCQuoted":
      addText(word, part.value);
      return;
    case "DoubleQuoted":
    case "LocaleString":
      if (part.parts.length === 0) addText(word, "");
      for (const child of part.parts) addPart(word, child, expansion, true);
      return;
    case "Glob":
    case "ExtendedGlob":
      addPattern(word, part, split, expansion);
      return;
    case "BraceExpansion":
      addUnexpanded(word, part.text, expansion);
      return;
    case "SimpleExpansion":
      addSimple(word, part.text.slice(1), quoted, split, expansion);
      return;
    case "ParameterExpansion": {
      const { run, state, frame } = expansion;
      const value = evaluateParameter(part, run, state, frame, (inner) => expandValue(inner, run, state, frame), split);
      if (value.operand !== undefined) {
        addOperand(word, value.operand, expansion);
        return;
      }
      const star = quoted && (part.parameter === "*" || part.index?.value === "*");
      addParameter(word, value, star, split, expansion);
      return;
    }
    case "CommandExpansion":
      addOutput(word, substitute(part.script, part.text, expansion), split, expansion);
      return;
    case "ArithmeticExpansion":
      addValue(word, arithmeticValue(part.expression, expansion), split ? BLANKS : NO_SPLIT);
      return;
    case "ProcessSubstitution":
      addText(word, processSubstitution(part.script, part.operator, part.text, expansion));
      return;
    default:
      addUnknown(word, "", true);
  }
}

/** The word of `${x:-word}` where it is not quoted: what is not quoted in it is split like a value. */
function addOperand(word: WordBuilder, operand: Word, expansion: Expansion): void {
  const ifs = separators(expansion.run, expansion.state);
  const tilde = tildeOf(operand, expansion);
  if (tilde !== null) addValue(word, tilde.home, NO_SPLIT);
  const literal = (text: string): void => {
    for (const [piece] of text.matchAll(/\\[^]?|[^\\]+/g)) {
      if (piece.startsWith("\\")) addText(word, piece.slice(1));
      else addValue(word, exact(piece), ifs);
    }
  };
  if (operand.parts === undefined) literal(operand.text.slice(tilde?.length ?? 0));
  for (const [i, part] of (operand.parts ?? []).entries()) {
    if (part.type === "Literal") literal(i === 0 ? part.text.slice(tilde?.length ?? 0) : part.text);
    else addPart(word, part, expansion, false);
  }
}

function addSimple(word: WordBuilder, name: string, quoted: boolean, split: boolean, expansion: Expansion): void {
  const parameter = lookUp(expansion.run, expansion.state, name);
  endIfUnset(parameter, NO_INDEX, expansion.state);
  addParameter(word, parameter, name === "*" && quoted, split, expansion);
}

const NO_INDEX = {};

/** The characters words are split at; null when they cannot be told. */
function separators(run: Run, state: ShellState): string | null {
  const { value } = lookUp(run, state, "IFS");
  return value === null ? BLANKS : value.text;
}

function addParameter(word: WordBuilder, parameter: Parameter, star: boolean, split: boolean, { run, state, mode }: Expansion): void {
  const ifs = separators(run, state);
  const divide = split ? ifs : NO_SPLIT;
  if (parameter.list !== null) {
    if (star || mode === "value") addJoined(word, parameter.list, star ? ifs : " ");
    else if (parameter.list.length > 0) {
      charge(run, parameter.list.length >> 4);
      if (run.steps < 0) addUnknown(word, "", true);
      else addList(word, parameter.list, divide);
    }
    return;
  }
  if (parameter.value === null) {
    if (!split) addText(word, "");
  } else addValue(word, parameter.value, divide);
}

function addJoined(word: WordBuilder, list: readonly Field[], ifs: string | null): void {
  if (list.some((field) => field.many) || (ifs === null && list.length > 1)) {
    addUnknown(word, "", false);
    return;
  }
  for (const [i, field] of list.entries()) {
    if (i > 0) addText(word, ifs?.slice(0, 1) ?? "");
    addValue(word, field, NO_SPLIT);
  }
}

function addOutput(word: WordBuilder, output: Output, split: boolean, { run, state }: Expansion): void {
  if (output.text !== null) {
    let end = output.text.length;
    while (end > 0 && output.text.charCodeAt(end - 1) === 10) end -= 1;
    const text = output.text.slice(0, end);
    if (text === "" && split) return;
    addValue(word, exact(text), split ? separators(run, state) : NO_SPLIT);
  } else if (output.globs === null || output.globs.length === 0 || (output.globs.length > 1 && !split && !word.text.endsWith("/"))) {
    addUnknown(word, "", split);
  } else if ((word.text !== "" || word.glob !== null) && (/\/|\*\*/.test(output.globs[0] ?? "") || word.end.endsWith("/") || word.text.endsWith("/"))) {
    // Nothing may be printed: then what stands before is the whole name.
    if (word.glob === null && word.text.endsWith("/")) addGlob(word, "**", split);
    else addUnknown(word, "", split);
  } else if (output.globs.length === 1) addGlob(word, output.globs[0] ?? "*", split);
  else addList(word, output.globs.map((glob) => globbed(glob, "", true)), BLANKS);
}

function substitute(script: ParsedScript | undefined, text: string, { run, state, frame }: Expansion): Output {
  const inner = deeper(run, frame, text);
  run.characters -= text.length;
  charge(run, 2);
  if (run.characters < 0 || run.steps < 0) {
    addOpaque(run, "text longer than the limit", text);
    return { text: null, globs: null };
  }
  if (script === undefined || inner === null) {
    if (script === undefined) addOpaque(run, "a substitution that cannot be read", text);
    return { text: null, globs: null };
  }
  const own = fork(state);
  const output = run.runScript(script, own, { ...inner, source: script.source ?? frame.source, leaving: null, loop: false, body: false, captured: true });
  // A handler may print when the shell ends.
  return own.traps === state.traps ? output : UNKNOWN_OUTPUT;
}

function processSubstitution(script: ParsedScript | undefined, operator: "<" | ">", text: string, expansion: Expansion): string {
  const { run } = expansion;
  const name = `/dev/fd/${63 - run.pipes.size}`;
  if (operator === ">") {
    // It starts now, in the state of now; what it reads is known when the command has written.
    const state = fork(expansion.state);
    run.pipes.set(name, NO_INPUT);
    run.feeds.set(name, (fed) => void substitute(script, text, { ...expansion, state, frame: { ...expansion.frame, stdin: { ...NO_INPUT, text: fed } } }));
    run.unfed.add(name);
    return name;
  }
  const before = run.started.length;
  const output = substitute(script, text, expansion);
  run.pipes.set(name, { ...output, upstream: run.started.slice(before), file: output.file ?? null });
  return name;
}

function arithmeticValue(expression: ArithmeticExpression | undefined, { run, state, frame }: Expansion): Field {
  if (expression === undefined) return SIGNED;
  const value = numberOf(expression, (name) => {
    const text = /^[A-Za-z_]\w*$/.test(name) ? lookUp(run, state, name).value?.text : null;
    return text !== undefined && text !== null && /^(?:0|-?[1-9]\d{0,8})$/.test(text) ? Number(text) : null;
  });
  visitArithmetic(expression, run, state, frame);
  return value === null ? SIGNED : exact(String(value));
}

const ASSIGNS = new Set(["=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "^=", "|=", "++", "--"]);

/** Walks an arithmetic expression: its substitutions run, its assignments make variables unknown numbers. */
export function visitArithmetic(expression: ArithmeticExpression, run: Run, state: ShellState, frame: Frame): void {
  evaluatesArithmetic(run, state, frame.source);
  const expansion: Expansion = { run, state, frame, mode: "value" };
  const visit = (node: SyntaxNode): void => {
    if (node.type === "ArithmeticBinary" && ASSIGNS.has(node.operator)) assignNumber(node.left, state);
    if (node.type === "ArithmeticUnary" && ASSIGNS.has(node.operator)) assignNumber(node.operand, state);
    if (node.type === "ArithmeticWord") checkArithmeticWord(node.value, run, state, 0);
    if (node.type === "CommandExpansion" || node.type === "ArithmeticCommandExpansion") substitute(node.script, node.text, expansion);
    else if (node.type === "ParameterExpansion") evaluateParameter(node, run, state, frame, (word) => expandValue(word, run, state, frame));
    else forEachChild(node, visit);
  };
  visit(expression);
}

function assignNumber(target: ArithmeticExpression, state: ShellState): void {
  if (target.type !== "ArithmeticWord") state.blurred = true;
  else if (/^[A-Za-z_]\w*$/.test(target.value)) setVariable(state, target.value, SIGNED);
  else forget(state, target.value);
}

/**
 * Arithmetic evaluates a variable's text as an expression of its own: a substitution in a subscript is run, an assignment in
 * it is done.
 */
function checkArithmeticWord(word: string, run: Run, state: ShellState, depth: number): void {
  for (const [name] of word.matchAll(/[A-Za-z_]\w*/g)) {
    const { value, list } = lookUp(run, state, name);
    if (list !== null || value === null || value.glob === SIGNED.glob || value.glob === NUMBER.glob) continue;
    const { text } = value;
    if (text === null || depth > 8 || /[^\w\s]/.test(text)) state.blurred = true;
    if (text !== null && runsInArithmetic(text)) addOpaque(run, "arithmetic on text that holds a substitution", text);
    else if (text !== null && depth <= 8 && /[A-Za-z_]/.test(text)) checkArithmeticWord(text, run, state, depth + 1);
  }
}

/** A bracket or an extended glob. What is expanded within it may be anything, also what ends it. */
function addPattern(word: WordBuilder, part: Extract<WordPart, { type: "Glob" | "ExtendedGlob" }>, split: boolean, expansion: Expansion): void {
  let expands = false;
  for (const inner of "parts" in part ? (part.parts ?? []) : []) {
    expands ||= !FIXED.has(inner.type);
    addPart(newWord(), inner, expansion, true);
  }
  if (expands) addUnknown(word, "", split);
  else if (split && expansion.run.dots && (word.glob === null ? /(?:^|\/)$/.test(word.text) : word.end.endsWith("/"))) addGlob(word, "**", true);
  else addGlob(word, part.text, split);
}

const FIXED = new Set(["Literal", "SingleQuoted", "Glob", "ExtendedGlob"]);
