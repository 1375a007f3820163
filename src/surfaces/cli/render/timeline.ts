// One step of a session in lines for a terminal: what was asked, what was decided and why, what came of it, what it printed.

import { kindTexts } from "../../../core/import/form.js";
import { endOf, titleOf, verdictOf, type Step, type StepTexts, type TimelineHead } from "../../../core/replay/index.js";
import type { Reached } from "../../../core/session/index.js";
import { count, printable, printableBlock } from "../../../core/shared/index.js";
import type { Palette } from "../io.js";
import { groupFindings, groupLine } from "./findings.js";
import { importLines } from "./claimed.js";
import { programLines } from "./programs.js";
import { changeLine, effectMark, reasonLines } from "./text.js";

export type StepText = StepTexts;

export interface StepLayout {
  readonly width: number;
  /** Most lines of output shown. */
  readonly outputLines: number;
  /** Calls of the session. */
  readonly total: number;
}

const ARGUMENT_LINES = 16;
const OLD: ReadonlySet<string> = new Set(["old_str", "old_string", "old"]);
const NEW: ReadonlySet<string> = new Set(["new_str", "new_string", "new", "file_text", "content", "text"]);

/** What the session is, in a few lines; the first says it all. */
export function timelineHead({ id, opened, account, verdicts, live }: TimelineHead, paint: Palette): readonly string[] {
  const calls = Object.values(verdicts).reduce((sum, one) => sum + one, 0);
  const claimed = opened.imported === undefined ? "" : `  ${paint.yellow("imported, not witnessed")}`;
  const skipped = account?.skipped.reduce((sum, one) => sum + one.count, 0) ?? 0;
  return [
    `${paint.bold(id)}  ${count(calls, "call")}: ${paint.red(`${verdicts.deny} deny`)}, ${paint.yellow(`${verdicts.ask} ask`)}, ${paint.green(`${verdicts.allow} allow`)}${verdicts.thought === 0 ? "" : `, ${count(verdicts.thought, "thought")}`}  AIVSS ${live.score} ${live.band}${claimed}`,
    ...importLines(opened, paint),
    ...(account === null ? [] : [`  records    ${account.records}: ${kindTexts(account.kinds).join(", ")}, ${skipped} skipped`]),
  ];
}

/** A step, whole. */
export function stepLines(step: Step, texts: StepText, layout: StepLayout, paint: Palette): readonly string[] {
  const { call, decision } = step;
  const verdict = verdictOf(step);
  const mark = verdict === "thought" ? paint.dim("think") : effectMark(verdict, paint);
  const lines = [`${paint.dim(`${step.number}/${layout.total}`)} ${mark} ${paint.bold(printable(titleOf(step), 400))}`];
  const claim = call.claimed?.call;
  const facts = [call.id, call.role === null ? null : printable(call.role, 64), printable(call.tool, 60), claim === undefined ? printable(step.time) : printable([claim.place, claim.time].filter((part) => part !== null).join(", ")), `in ${printable(claim?.cwd ?? decision?.action.cwd ?? "?")}`, claim?.sidechain === true ? "by an agent of the agent" : null];
  lines.push(paint.dim(`  ${facts.filter((part) => part !== null).join(" · ")}`));
  if (decision !== null && decision.effect !== "allow") {
    for (const line of reasonLines(decision, paint, 8)) lines.push(`  ${line}`);
    if (decision.guidance !== null) lines.push(paint.dim(`  ${printable(decision.guidance, 300)}`));
  }
  if (call.approval !== null) lines.push(`  ${call.approval.outcome} by ${printable(call.approval.by)}`);
  for (const change of call.changes.slice(0, 20)) lines.push(`  ${changeLine(change, paint)}`);
  for (const group of groupFindings(call.findings)) lines.push(`  ${groupLine(group, paint)}`);
  if (claim?.thought !== null && claim?.thought !== undefined) lines.push(...boxed("thought", claim.thought, 6, paint));
  lines.push(...argumentLines(step, texts, paint));
  lines.push(`  ${endOf(step)}${scoreText(step, paint)}`);
  for (const one of call.reached ?? []) lines.push(paint.dim(`  to the model: ${reachedText(one)}`));
  if (call.programs !== undefined) lines.push(...programLines(call.programs, layout.outputLines, paint));
  if (texts.output !== "") lines.push(...boxed(null, `${texts.output}${texts.cut > 0 ? `\n… ${count(texts.cut, "more character")} in the record` : ""}`, layout.outputLines, paint));
  return lines;
}

/** What reached the model: which piece, how much of it, and its digest. */
function reachedText({ what, path, digest, length, left, dropped }: Reached): string {
  const gaps = [...(left === 0 ? [] : [`${count(left, "character")} left out`]), ...(dropped === 0 ? [] : [`${count(dropped, "byte")} dropped`])];
  return [path === null ? `${what}, ${count(length, "character")}` : `${printable(path, 200)}, ${count(length, "byte")}`, ...gaps, printable(digest, 80)].join(", ");
}

function scoreText({ before, after }: Step, paint: Palette): string {
  if (after === null) return "";
  return before !== null && before.score !== after.score ? paint.red(`, AIVSS ${before.score} → ${after.score} ${after.band}`) : paint.dim(`, AIVSS ${after.score}`);
}

function argumentLines(step: Step, texts: StepText, paint: Palette): readonly string[] {
  const values = texts.arguments ?? step.call.arguments;
  // What goes stands before what comes.
  const entries = Object.entries(values).sort(([a], [b]) => Number(OLD.has(b)) - Number(OLD.has(a)));
  return entries.flatMap(([key, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    // A command of one line is the summary already.
    if ((key === "command" || key === "cmd") && !text.trim().includes("\n") && text.length < 400) return [];
    const lines = blockLines(text, ARGUMENT_LINES);
    const shown = OLD.has(key) ? lines.map((line) => paint.red(`- ${line}`)) : NEW.has(key) ? lines.map((line) => paint.green(`+ ${line}`)) : lines;
    return lines.length === 1 ? [`  ${paint.dim(printable(key, 60))} ${shown[0] ?? ""}`] : [`  ${paint.dim(printable(key, 60))}`, ...shown.map((line) => `    ${line}`)];
  });
}

function boxed(name: string | null, text: string, limit: number, paint: Palette): readonly string[] {
  const lines = blockLines(text, limit).map((line) => paint.dim(`  | ${line}`));
  return name === null ? lines : [`  ${paint.dim(name)}`, ...lines];
}

function blockLines(text: string, limit: number): readonly string[] {
  const lines = printableBlock(text).replace(/\n$/u, "").split("\n");
  return lines.length > limit ? [...lines.slice(0, limit), `… ${count(lines.length - limit, "more line")}`] : lines;
}
