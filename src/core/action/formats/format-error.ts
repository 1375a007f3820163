// What is wrong with one line of a trajectory: for a person, for the record, and in the format's own words for the model.

import { printable, type Issue } from "../../shared/index.js";

/** One line that gives no call at all. `message` tells a person; `reply` is what to send back to the model. */
export interface FormatError extends Issue {
  /** Line of the trajectory, from 1. */
  readonly line: number;
  /** Line inside the model's answer, from 1; null when the fault is not at a line of it. */
  readonly answerLine: number | null;
  /** Number of the SEARCH/REPLACE block in the answer, from 1; null when it is not about one. */
  readonly block: number | null;
  /** A path that would leave the repository was named: evidence, whatever else is wrong. */
  readonly escape: boolean;
  readonly reply: string;
}

/** What a codec finds wrong, before the line of the trajectory and the reply are known. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly answerLine?: number;
  readonly block?: number;
  readonly escape?: boolean;
}

/** Completes a problem. `howTo` is the format's rule in one or two sentences, for the reply. */
export function formatError(line: number, problem: Problem, howTo: string): FormatError {
  const inBlock = problem.block === undefined ? "" : `edit ${problem.block}, `;
  const place = problem.answerLine === undefined ? "" : `${inBlock}line ${problem.answerLine}: `;
  const hint = problem.hint === undefined ? "" : ` (${problem.hint})`;
  return {
    code: problem.code,
    message: `${place}${problem.message}`,
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    line,
    answerLine: problem.answerLine ?? null,
    block: problem.block ?? null,
    escape: problem.escape ?? false,
    reply: `Your answer was not used and nothing was changed. ${place}${problem.message}${hint}. ${howTo}`,
  };
}

/** User text for a message: one printable line in backticks. */
export function quoted(text: string): string {
  return `\`${printable(text, 120)}\``;
}
