// One word with spaces in it: nearly always shell text that was meant for another option.

import { GuardError, printable } from "../../core/shared/index.js";

/** Are these words of a command line a single one that a shell would divide. */
export function looksLikeText(words: readonly string[]): boolean {
  return words.length === 1 && /\S\s+\S|[;|&<>`]|\$\(/u.test(words[0] ?? "");
}

/**
 * Words that are to be judged are one word each. The name of a program with spaces in it would be allowed where the text is not, so it is not guessed.
 *
 * @throws GuardError USAGE_INVALID where one word looks like shell text
 */
export function wordsToJudge(words: readonly string[]): readonly string[] {
  if (!looksLikeText(words)) return words;
  throw new GuardError("USAGE_INVALID", `\`${printable(words[0] ?? "", 80)}\` is one word, which would be the name of a program`, { hint: "shell text goes behind --command; words of a command are not quoted together" });
}
