// Words against simple globs: `*` any run, `?` one character, all else itself. Linear in practice, bounded always.

import { once } from "../shared/index.js";

/** Longest word compared, in characters; of a longer one the beginning. */
export const MAX_WORD = 4096;

/**
 * Tells whether a word matches a glob of `*` and `?`. Words past the limit are cut there, except that a trailing `*`
 * covers the rest.
 */
export function matchWord(glob: string, word: string): boolean {
  const text = word.length > MAX_WORD ? word.slice(0, MAX_WORD) : word;
  let at = 0;
  let index = 0;
  let star = -1;
  let resume = 0;
  while (index < text.length) {
    const wanted = glob[at];
    if (wanted === "*") {
      star = at;
      resume = index;
      at += 1;
    } else if (wanted !== undefined && (wanted === "?" || wanted === text[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      resume += 1;
      index = resume;
      at = star + 1;
    } else {
      return false;
    }
  }
  while (glob[at] === "*") at += 1;
  return at === glob.length;
}

/** Tells whether any glob matches. */
export function matchAnyWord(globs: readonly string[], word: string): boolean {
  return globs.some((glob) => matchWord(glob, word));
}

/** `matchAnyWord` of one list, made ready for many words on the first. */
export function wordTest(globs: readonly string[]): (word: string) => boolean {
  const ready = once(() => ({ names: new Set(globs.filter((glob) => !isWild(glob))), wild: globs.filter(isWild) }));
  return (word) => ready().names.has(word) || matchAnyWord(ready().wild, word);
}

/** Tells whether a word glob means more than itself. */
export function isWild(glob: string): boolean {
  return /[*?]/.test(glob);
}

/**
 * Tells whether a word gives an option. `-x` is found in a cluster such as `-rxf`; `--name` also as `--name=value` and
 * abbreviated to at least three letters.
 */
export function givesFlag(flag: string, word: string): boolean {
  if (word === flag) return true;
  if (flag.startsWith("--")) {
    if (!word.startsWith("--")) return false;
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    return name === flag || (name.length >= 5 && flag.startsWith(name));
  }
  if (/^-[A-Za-z0-9]$/.test(flag)) return /^-[A-Za-z0-9]+/.test(word) && !word.startsWith("--") && (/^-[A-Za-z0-9]+/.exec(word)?.[0] ?? "").includes(flag.charAt(1));
  return false;
}
