// A decision in plain lines for people. No colour, nothing the agent wrote unescaped.

import { assertNever, printable } from "../shared/index.js";
import type { Decision, DecisionEffect, Reason } from "./decision.js";

function heading(effect: DecisionEffect): string {
  switch (effect) {
    case "allow":
      return "allowed";
    case "ask":
      return "needs approval";
    case "deny":
      return "denied";
    default:
      return assertNever(effect);
  }
}

/** The reasons of a decision as lines, strictest first. */
export function explainDecision(decision: Decision): readonly string[] {
  const lines = [heading(decision.effect)];
  for (const reason of decision.reasons) lines.push(...explainReason(reason));
  for (const reason of decision.shadow ?? []) lines.push(`  shadow: ${reason.effect} ${reason.rule}: ${printable(reason.message, 600)} (decides nothing)`);
  for (const reason of decision.noted ?? []) lines.push(`  noted: ${reason.rule}: ${printable(reason.message, 600)} (${printable(reason.subject, 160)}; evidence for the score, refuses nothing)`);
  if (decision.guidance !== null) lines.push(`  instead: ${printable(decision.guidance, 600)}`);
  for (const issue of decision.errors) lines.push(`  error: ${printable(issue.message, 300)}`);
  return lines;
}

function explainReason(reason: Reason): readonly string[] {
  const layer = reason.layer === null ? "" : ` [${reason.layer === "X" ? "cross-layer" : reason.layer}]`;
  const lines = [`  ${reason.effect} ${reason.rule}${layer}: ${printable(reason.message, 600)}`];
  if (reason.subject !== "") lines.push(`    on: ${printable(reason.subject, 200)}`);
  if (reason.threats.length > 0) lines.push(`    threats: ${reason.threats.join(", ")}`);
  if (reason.allowed !== null) lines.push(`    allowed: ${printable(reason.allowed, 600)}`);
  if (reason.at !== null) lines.push(`    from: ${printable(reason.at.file)}:${String(reason.at.line)}`);
  return lines;
}

/** The first reason in one line: message and what it is about. */
export function summariseDecision(decision: Decision): string {
  const first = decision.reasons[0];
  if (first === undefined) return heading(decision.effect);
  return first.subject === "" ? first.message : `${first.message}: \`${first.subject}\``;
}
