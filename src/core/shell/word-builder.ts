// Puts the pieces of one shell word together into fields: quoting, splitting and globs. Knows nothing of the syntax tree.

import { beginning, escapeGlob, exact, globbed, type Field } from "./value.js";

/** A word under construction. */
export interface WordBuilder {
  readonly fields: Field[];
  text: string;
  glob: string | null;
  /** The last characters of `glob`; looking at the whole for each piece would take the square of its length. */
  end: string;
  unknown: boolean;
  many: boolean;
  /** Something quoted or not empty was added, so the word exists. */
  present: boolean;
}

export function newWord(): WordBuilder {
  return { fields: [], text: "", glob: null, end: "", unknown: false, many: false, present: false };
}

/** Ends the current field and starts the next. */
export function endField(word: WordBuilder): void {
  if (word.present) {
    if (word.unknown) word.fields.push(beginning(word.text, word.many));
    else if (word.glob !== null) word.fields.push(globbed(word.glob, word.text, word.many));
    else word.fields.push(exact(word.text));
  }
  word.text = "";
  word.glob = null;
  word.end = "";
  word.unknown = false;
  word.many = false;
  word.present = false;
}

/** Adds literal text. `text` doubles as the certain beginning once a glob or an unknown has come. */
export function addText(word: WordBuilder, text: string): void {
  word.present = true;
  if (word.unknown) return;
  if (word.glob === null) word.text += text;
  else extendGlob(word, escapeGlob(text));
}

/** `a/**` followed by more of a name needs a name of its own to cover the same paths. */
export function followGlob(glob: string, more: string): string {
  return glob + following(glob, more);
}

function following(end: string, more: string): string {
  return end.endsWith("**") && more !== "" && !more.startsWith("/") ? `/*${more}` : more;
}

/** `followGlob` for the glob of a word, whose end alone is looked at. */
function extendGlob(word: WordBuilder, more: string): void {
  const added = following(word.end, more);
  word.glob = (word.glob ?? "") + added;
  word.end = (word.end + added).slice(-2);
}

/** Adds a glob. */
export function addGlob(word: WordBuilder, glob: string, many: boolean): void {
  word.present = true;
  word.many ||= many;
  if (word.unknown) return;
  if (word.glob === null) {
    if (glob.startsWith("**") && word.text !== "" && !word.text.endsWith("/")) {
      word.unknown = true;
      return;
    }
    word.glob = escapeGlob(word.text);
    word.end = word.glob.slice(-2);
    extendGlob(word, glob);
  } else extendGlob(word, glob);
}

/** Adds text of which nothing is known. */
export function addUnknown(word: WordBuilder, lead: string, many: boolean): void {
  if (word.glob === null && !word.unknown) word.text += lead;
  word.present = true;
  word.unknown = true;
  word.many ||= many;
}

/** The characters words are split at where nobody says otherwise. */
export const BLANKS = " \t\n";
/** Not split, and wildcards mean nothing: a quoted value. */
export const NO_SPLIT = false;

/** How a value is divided into words: not at all, or at certain characters, or (null) at characters that cannot be told. */
export type Split = string | false | null;

/** Adds the value of an expansion. Unquoted values are split at the characters of `IFS` and their wildcards work. */
export function addValue(word: WordBuilder, value: Field, split: Split): void {
  if (value.text === null) {
    if (value.glob !== null) addGlob(word, value.glob, split !== NO_SPLIT && value.many);
    else addUnknown(word, value.lead, split !== NO_SPLIT);
  } else if (split === NO_SPLIT) addText(word, value.text);
  else if (split === null) addUnknown(word, "", true);
  else if (split === BLANKS) splitAtBlanks(word, value.text);
  else splitAt(word, value.text, split);
}

function splitAtBlanks(word: WordBuilder, text: string): void {
  let start = 0;
  let i = 0;
  while (i <= text.length) {
    const c = i < text.length ? text.charCodeAt(i) : 32;
    if (c === 32 || c === 9 || c === 10) {
      if (i > start) addPiece(word, text.slice(start, i));
      if (i < text.length) endField(word);
      start = i + 1;
    }
    i += 1;
  }
}

/** Blanks among the separators fold; each other separator ends a word, even an empty one. */
function splitAt(word: WordBuilder, text: string, ifs: string): void {
  let start = 0;
  let behindBlank = false;
  for (let i = 0; i <= text.length; i += 1) {
    const c = text[i];
    if (c !== undefined && !ifs.includes(c)) {
      behindBlank = false;
      continue;
    }
    if (i > start) addPiece(word, text.slice(start, i));
    start = i + 1;
    if (c === undefined) return;
    if (BLANKS.includes(c)) {
      endField(word);
      behindBlank = true;
      continue;
    }
    // `a :b` has one separator, not an empty word between two.
    if (!word.present && !(behindBlank && word.fields.length > 0)) word.present = true;
    endField(word);
    behindBlank = false;
  }
}

function addPiece(word: WordBuilder, piece: string): void {
  if (/[?*+@!]\(/.test(piece)) addUnknown(word, "", true);
  else if (piece.includes("*") || piece.includes("?") || piece.includes("[")) addGlob(word, piece, true);
  else addText(word, piece);
}

/** Adds a list such as `"$@"`: the first joins what stands before, the last what follows. */
export function addList(word: WordBuilder, list: readonly Field[], split: Split): void {
  for (const [i, item] of list.entries()) {
    if (i > 0) endField(word);
    addValue(word, item, split);
  }
}
