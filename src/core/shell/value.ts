// What is known about one word or variable: its text, a glob that covers it, or only how it begins. Never a guess.

/** One word after expansion. */
export interface Field {
  /** The exact text, or null. */
  readonly text: string | null;
  /** When the text is not known: a glob (as policy reads it) that covers every possible text, or null. */
  readonly glob: string | null;
  /** Characters the word certainly begins with. */
  readonly lead: string;
  /** The word may turn into none or several words. */
  readonly many: boolean;
}

/** A word nothing is known about, quoted: exactly one word. */
export const UNKNOWN: Field = { text: null, glob: null, lead: "", many: false };
/** Unquoted text nothing is known about: any number of words. */
export const UNKNOWN_MANY: Field = { text: null, glob: null, lead: "", many: true };
/** A number. */
export const NUMBER: Field = { text: null, glob: "[0-9]*", lead: "", many: false };
/** A number that may be negative. */
export const SIGNED: Field = { text: null, glob: "[-0-9]*", lead: "", many: false };
/** One name without a slash. */
export const SOME_NAME: Field = { text: null, glob: "*", lead: "", many: false };

/** A word whose text is certain. */
export function exact(text: string): Field {
  return { text, glob: null, lead: text, many: false };
}

/** A word that is one of those a glob can mean. */
export function globbed(glob: string, lead: string, many: boolean): Field {
  return { text: null, glob, lead, many };
}

/** A word of which only the beginning is known. */
export function beginning(lead: string, many: boolean): Field {
  return { text: null, glob: null, lead, many };
}

/** Two values that a variable may have on different ways through a script. */
export function joinFields(a: Field | null, b: Field | null): Field | null {
  if (a === b) return a;
  if (a === null || b === null) return UNKNOWN_MANY;
  if (a.text !== null && a.text === b.text) return a;
  if (a.glob !== null && a.glob === b.glob) return a;
  return UNKNOWN_MANY;
}

const GLOB_SPECIAL = /[*?[\]\\{}()!+@|]/g;
const HAS_SPECIAL = /[*?[\]\\{}()!+@|]/;

/** Escapes a literal text for use inside a glob. */
export function escapeGlob(text: string): string {
  return HAS_SPECIAL.test(text) ? text.replace(GLOB_SPECIAL, "\\$&") : text;
}

/** The rest of a field after a certain prefix, such as a path behind `--output=`; null when the prefix is not certain. */
export function dropPrefix(field: Field, prefix: string): Field | null {
  if (!field.lead.startsWith(prefix)) return null;
  if (field.text !== null) return exact(field.text.slice(prefix.length));
  const lead = field.lead.slice(prefix.length);
  const escaped = escapeGlob(prefix);
  if (field.glob !== null && field.glob.startsWith(escaped)) return globbed(field.glob.slice(escaped.length), lead, false);
  return beginning(lead, field.many);
}
