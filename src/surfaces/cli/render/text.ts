// Small pieces of text that several commands print.

import { printable, type Digest } from "../../../core/shared/index.js";
import type { Decision, DecisionEffect, Reason } from "../../../core/policy/index.js";
import { heldText, type Change, type Finding } from "../../../core/reconcile/index.js";
import type { Palette } from "../io.js";

/** The effect as a coloured word of fixed width. */
export function effectMark(effect: DecisionEffect, paint: Palette): string {
  if (effect === "allow") return paint.green("allow");
  return effect === "ask" ? paint.yellow("ask  ") : paint.red("deny ");
}

/** Threat ids shown of a reason: MAESTRO first, at most a few; `show --json` has them all. */
export function threatText(threats: readonly string[]): string {
  const sorted = threats.map((threat) => printable(threat, 120)).sort((a, b) => Number(b.startsWith("maestro:")) - Number(a.startsWith("maestro:")));
  return sorted.length > SHOWN_THREATS ? `${sorted.slice(0, SHOWN_THREATS).join(", ")} +${sorted.length - SHOWN_THREATS}` : sorted.join(", ");
}

const SHOWN_THREATS = 2;

/** The rules that decided: `rule [threats]: message (subject)`, one a line, strictest only. */
export function reasonLines(decision: Pick<Decision, "effect" | "reasons">, paint: Palette, limit: number = 6): readonly string[] {
  const deciding = decision.reasons.filter((reason) => reason.effect === decision.effect);
  const lines = deciding.slice(0, limit).map((reason) => reasonLine(reason, paint));
  return deciding.length > limit ? [...lines, paint.dim(`and ${deciding.length - limit} more`)] : lines;
}

function reasonLine(reason: Reason, paint: Palette): string {
  const threats = reason.threats.length === 0 ? "" : ` ${paint.cyan(`[${threatText(reason.threats)}]`)}`;
  return `${paint.bold(printable(reason.rule, 120))}${threats} ${printable(reason.message, 300)} ${paint.dim(`(${printable(reason.subject, 120)})`)}`;
}

/** What a finding that is about no change says, in two words. */
export function aboutText(about: NonNullable<Finding["about"]>, reverted: boolean): string {
  if (about === "program") return reverted ? "program refused" : "program ran";
  return about === "output" ? "output guarded" : "limit passed";
}

/** One finding: what was done to which path, which rule forbids it, and whether it was undone. */
export function findingLine(finding: Finding, paint: Palette): string {
  const threats = finding.threats.length === 0 ? "" : ` ${paint.cyan(`[${threatText(finding.threats)}]`)}`;
  if (finding.held !== undefined) return `${paint.green("held")}: ${heldText({ ...finding, held: finding.held })}: ${paint.bold(printable(finding.rule, 120))}${threats} ${printable(finding.message, 300)}`;
  if (finding.about !== undefined) return `${paint.yellow(aboutText(finding.about, finding.reverted))}: ${paint.bold(printable(finding.rule, 120))}${threats} ${printable(finding.message, 300)}`;
  const fate = finding.reverted ? paint.green("reverted") : paint.red("not reverted");
  return `${fate} ${finding.operation} of ${printable(finding.path)}: ${paint.bold(printable(finding.rule, 120))}${threats} ${printable(finding.message, 300)}`;
}

const LETTER = { create: "A", modify: "M", delete: "D", metadata: "m" } as const;

/** One change as `A path`. */
export function changeLine(change: Change, paint: Palette): string {
  const letter = LETTER[change.operation];
  const mark = letter === "A" ? paint.green(letter) : letter === "D" ? paint.red(letter) : paint.yellow(letter);
  return `${mark} ${printable(change.path)}`;
}

/** The first twelve digits of a digest. */
export function shortDigest(digest: Digest): string {
  return digest.slice("sha256:".length, "sha256:".length + 12);
}
