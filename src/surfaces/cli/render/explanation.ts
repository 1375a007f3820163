// A decision as a tree: the text, its effects, the rules each meets. Everything of the agent's is escaped; nothing here decides.

import type { ExplainedEffect, ExplainedRule, Explanation } from "../../../core/policy/index.js";
import { count, printable } from "../../../core/shared/index.js";
import type { Palette } from "../io.js";
import { effectMark } from "./text.js";

const FROM = 60;
const RULES = 8;

/** All lines of one explanation. */
export function explanationLines(text: string, { decision, effects, reactions }: Explanation, paint: Palette): readonly string[] {
  const lines = [`${effectMark(decision.effect, paint)} ${paint.bold(printable(text, 300))}`];
  if (effects.length === 0) lines.push(`└─ ${paint.dim("no effect that can be seen: judged as a program that does nothing")}`);
  for (const [index, effect] of effects.entries()) lines.push(...effectLines(effect, index === effects.length - 1, paint));
  // Rules about a session or about content have no effect of their own.
  const shown = new Set(effects.flatMap((effect) => effect.rules.map((rule) => rule.rule)));
  for (const reason of decision.reasons) if (reason.at !== null && !shown.has(reason.rule)) lines.push(`${effectMark(reason.effect, paint)} ${paint.bold(reason.rule)} ${printable(reason.subject, 200)} ${paint.dim(`${printable(reason.at.file)}:${String(reason.at.line)}`)}`);
  const first = decision.reasons.find((reason) => reason.effect === decision.effect);
  if (first !== undefined) {
    lines.push(`${paint.bold("decision")} ${decision.effect}: ${first.rule}${decision.effect === "allow" && decision.reasons.length > 1 ? ` and ${String(decision.reasons.length - 1)} more` : ""}: ${printable(first.message, 300)}`);
    if (first.allowed !== null && decision.effect !== "allow") lines.push(paint.dim(`  allowed: ${printable(first.allowed, 300)}`));
  }
  for (const reason of decision.noted ?? []) lines.push(paint.dim(`  noted for the score: ${reason.rule} (${printable(reason.subject, 120)})`));
  for (const reason of decision.shadow ?? []) lines.push(paint.dim(`  in shadow mode: ${reason.rule} would ${reason.effect} (${printable(reason.subject, 120)})`));
  for (const one of reactions) lines.push(paint.dim(`  counts towards ${one.reaction} (${one.do}): ${one.rule} ${one.outcome}${one.outcome === "rejected" ? " where the answer is no" : ""}, ${one.count === 1 ? "once is enough" : `1 of ${String(one.count)}`}`));
  if (decision.guidance !== null) lines.push(`  instead: ${printable(decision.guidance, 600)}`);
  for (const issue of decision.errors) lines.push(paint.red(`  error: ${printable(issue.message, 300)}`));
  return lines;
}

function effectLines(effect: ExplainedEffect, last: boolean, paint: Palette): readonly string[] {
  const [branch, stem] = last ? ["└─", "   "] : ["├─", "│  "];
  const from = effect.from === "" || effect.from === effect.subject ? "" : paint.dim(`  from \`${printable(effect.from.replaceAll("\\n", " "), FROM)}\``);
  const lines = [`${branch} ${effectMark(effect.verdict, paint)} ${paint.cyan(effect.kind)} ${printable(effect.subject, 200)}  ${paint.dim(`[${effect.certainty}]`)}${from}`];
  const shown = effect.rules.slice(0, RULES);
  const more = effect.rules.length - shown.length;
  for (const [index, rule] of shown.entries()) lines.push(`${stem}${index === shown.length - 1 && more === 0 && !effect.uncovered ? "└─" : "├─"} ${ruleLine(rule, paint)}`);
  if (more > 0) lines.push(`${stem}${effect.uncovered ? "├─" : "└─"} ${paint.dim(`and ${count(more, "more rule")}; --json shows them`)}`);
  if (effect.uncovered) lines.push(`${stem}└─ ${paint.red("deny ")} default-deny: no rule allows this`);
  return lines;
}

function ruleLine(rule: ExplainedRule, paint: Palette): string {
  const mark = rule.decides ? paint.bold("◀ decides") : "";
  const notes = [rule.on === "below" ? "something below it" : "", rule.shadow ? "shadow" : ""].filter((note) => note !== "").join(", ");
  return `${effectMark(rule.effect, paint)} ${rule.decides ? paint.bold(rule.rule) : rule.rule}${notes === "" ? "" : ` ${paint.dim(`(${notes})`)}`} ${paint.dim(`${printable(rule.at.file)}:${String(rule.at.line)}`)} ${mark}`.trimEnd();
}
