// Stage 1 of a Kimi-Dev answer, file localisation: one fenced block with one to five full paths.

import { err, LIMITS, ok, type Result } from "../../shared/index.js";
import type { Problem } from "./format-error.js";
import { onlyFence, type AnswerLine } from "./kimi-fences.js";
import { knownFile, type Repository } from "./kimi-path.js";

/** Lines looked at one by one; an answer with more is refused by their number alone. */
const MAX_LINES = 100;

/** The rule, as sent back to the model. */
export const STAGE_1_RULE =
  "Give the full paths of 1 to 5 files of the repository, one a line, the most important first, in one block between lines of three backticks.";

/** The files an answer names, in its order, each once. One that is wrong makes the whole answer wrong. */
export function parseStage1(lines: readonly AnswerLine[], repository: Repository): Result<readonly string[], Problem> {
  const fence = onlyFence(lines);
  if (!fence.ok) return fence;
  const named = fence.value.map(({ text, number }) => ({ text: text.trim(), number })).filter(({ text }) => text !== "");
  if (named.length === 0) return err({ code: "KIMI_NO_PATH", message: "the fenced block names no file" });
  if (named.length > MAX_LINES) return err(tooMany(named.length));
  const checked = named.map(({ text, number }) => ({ number, result: knownFile(text, repository) }));
  const failed = checked.flatMap(({ number, result }) => (result.ok ? [] : [{ ...result.error, answerLine: number }]));
  const worst = failed.find((problem) => problem.escape === true) ?? failed[0];
  if (worst !== undefined) return err(worst);
  const paths = [...new Set(named.map(({ text }) => text))];
  return paths.length > LIMITS.answerFiles ? err(tooMany(paths.length)) : ok(paths);
}

function tooMany(count: number): Problem {
  return { code: "KIMI_TOO_MANY_PATHS", message: `the fenced block names ${count} files; at most ${LIMITS.answerFiles} are allowed` };
}
