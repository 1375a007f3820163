// The frame of a Kimi-Dev answer: reasoning that is cut off, and fenced blocks. Lines keep their number in the answer.

import { err, ok, type Result } from "../../shared/index.js";
import { toLf } from "../edit/line-endings.js";
import type { Problem } from "./format-error.js";

/** U+25C1 think U+25B7 and its end. */
const THINK = "\u25c1think\u25b7";
const THINK_END = "\u25c1/think\u25b7";

/** One line of an answer with its number in it, from 1. */
export interface AnswerLine {
  readonly text: string;
  readonly number: number;
}

/** The lines after the last end of reasoning. An answer that stops while it still reasons is cut. */
export function linesAfterReasoning(content: string): Result<readonly AnswerLine[], Problem> {
  const text = toLf(content);
  const end = text.lastIndexOf(THINK_END);
  const start = end === -1 ? 0 : end + THINK_END.length;
  if (text.includes(THINK, start)) {
    return err({ code: "KIMI_CUT", message: "the answer stops inside its reasoning", hint: "the end mark of the reasoning is missing" });
  }
  const before = text.slice(0, start).split("\n").length;
  return ok(
    text
      .slice(start)
      .split("\n")
      .map((line, index) => ({ text: line, number: before + index })),
  );
}

/** Backticks that open a fence on this line, or 0. A closing fence opens none of its own when one is open. */
export function fenceOpening(line: string): number {
  const found = /^ {0,3}(`{3,})[^`]*$/.exec(line);
  return found?.[1]?.length ?? 0;
}

/** Tells whether a line closes a fence that was opened with so many backticks. */
export function closesFence(line: string, ticks: number): boolean {
  const found = /^ {0,3}(`{3,}) *$/.exec(line);
  return (found?.[1]?.length ?? 0) >= ticks;
}

/** The lines of the one fenced block of an answer. None, several or an open one is a problem. */
export function onlyFence(lines: readonly AnswerLine[]): Result<readonly AnswerLine[], Problem> {
  let ticks = 0;
  let opened: AnswerLine | null = null;
  let closed = false;
  const inside: AnswerLine[] = [];
  for (const line of lines) {
    if (ticks > 0) {
      if (closesFence(line.text, ticks)) {
        ticks = 0;
        closed = true;
      } else {
        inside.push(line);
      }
      continue;
    }
    const opening = fenceOpening(line.text);
    if (opening === 0) continue;
    if (opened !== null) {
      return err({ code: "KIMI_TWO_FENCES", message: "there is a second fenced block where one is expected", answerLine: line.number });
    }
    opened = line;
    ticks = opening;
  }
  if (opened === null) return err({ code: "KIMI_NO_FENCE", message: "there is no fenced block in the answer" });
  if (!closed) return err({ code: "KIMI_CUT", message: "the fenced block is not closed", answerLine: opened.number });
  return ok(inside);
}
