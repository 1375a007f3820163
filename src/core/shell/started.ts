// The record of programs that start, as effects and as what feeds a pipe.

import { addEffect, excerpt, type Run } from "./run.js";
import type { Field } from "./value.js";

/** Records that a program starts. */
export function addExec(run: Run, program: string, path: string | null, words: readonly Field[], from: string): void {
  if (run.started.length < 10_000) run.started.push(program);
  addEffect(run, { kind: "exec", program, path, argv: words.map((word) => (word.many ? null : word.text)), from: excerpt(from) });
}
