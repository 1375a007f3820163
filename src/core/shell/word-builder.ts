// Puts the pieces of one shell word together into fields: quoting, splitting and globs. Knows nothing of the syntax tree.

import { beginning, escapeGlob, exact, globbed, type Field } from "./value.js";

/** A word under construction. */
export interface WordBuilder {
  readonly fields: Field[];
  text: string;
  glob: string | null;
  unknown: boolean;
  many: boolean;
  /** Something quoted or not empty was added, so the word exists. */
  present: boolean;
}

export function newWord(): WordBuilder {
  return { fields: [], text: "", glob: null, unknown: false, many: false, present: false };
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
  word.unknown = false;
  word.many = false;
  word.present = false;
}

/** Adds literal text. `text` doubles as the certain beginning once a glob or an unknown has come. */
export function addText(word: WordBuilder, text: string): void {
  word.present = true;
  if (word.unknown) return;
  if (word.glob === null) word.text += text;
  else word.glob = followGlob(word.glob, escapeGlob(text));
}

/** `a/**` followed by more of a name needs a name of its own to cover the same paths. */
function followGlob(glob: string, more: string): string {
  return glob.endsWith("**") && more !== "" && !more.startsWith("/") ? `${glob}/*${more}` : glob + more;
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
    word.glob = escapeGlob(word.text) + glob;
  } else word.glob = followGlob(word.glob, glob);
}

/** Adds text of which nothing is known. */
export function addUnknown(word: WordBuilder, lead: string, many: boolean): void {
  if (word.glob === null && !word.unknown) word.text += lead;
  word.present = true;
  word.unknown = true;
  word.many ||= many;
}

/** Adds the value of an expansion. Unquoted values are split at blanks and their wildcards work. */
export function addValue(word: WordBuilder, value: Field, split: boolean): void {
  if (value.text === null) {
    if (value.glob !== null) addGlob(word, value.glob, split && value.many);
    else addUnknown(word, value.lead, split);
    return;
  }
  if (!split) {
    addText(word, value.text);
    return;
  }
  addSplit(word, value.text);
}

function addSplit(word: WordBuilder, text: string): void {
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

function addPiece(word: WordBuilder, piece: string): void {
  if (piece.includes("*") || piece.includes("?") || piece.includes("[")) addGlob(word, piece, true);
  else addText(word, piece);
}

/** Adds a list such as `"$@"`: the first joins what stands before, the last what follows. */
export function addList(word: WordBuilder, list: readonly Field[], split: boolean): void {
  for (const [i, item] of list.entries()) {
    if (i > 0) endField(word);
    addValue(word, item, split);
  }
}
