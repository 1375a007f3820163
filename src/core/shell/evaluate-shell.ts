// Entry points of shell evaluation. Never throws.

import type { Evaluation, ShellContext } from "./types.js";

/** Evaluates what `bash --noprofile --norc -c text` may do. */
export function evaluateShell(text: string, context: ShellContext): Evaluation {
  return { effects: [{ kind: "opaque-text", why: "not evaluated", from: text.slice(0, 200) }], cwdAfter: context.cwd, environmentAfter: new Map(), opaque: true };
}

/** Evaluates what running these words, without a shell, may do. */
export function evaluateArgv(argv: readonly string[], context: ShellContext): Evaluation {
  return evaluateShell(argv.join(" "), context);
}
