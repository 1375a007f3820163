// What is lawful in a policy's reactions but probably not meant: ones that can never be due, or that another one makes idle.

import { printable } from "../shared/index.js";
import type { LintFinding } from "./lint.js";
import { matchWord } from "./match-word.js";
import type { ParsedFile, ParsedReaction } from "./parse-file.js";
import { isAbout, isAtLeast, isGraveEnough, isMetBefore } from "./reaction-scope.js";
import type { ReactionCondition } from "./reaction.js";
import type { Rule } from "./rule.js";
import { nearest } from "./suggest.js";

/** Findings of the run and of the comparison, which no rule of a policy has. */
const NOT_OF_RULES = /^(?:reconcile|workspace|default|run)\b/;

/** Lints the reactions of `files` against all of `files` and `context`. @param controls ids of the controls that are tested while a session runs; empty: not looked at */
export function lintReactions(files: readonly ParsedFile[], context: readonly ParsedFile[], controls: readonly string[]): readonly LintFinding[] {
  const every = [...files, ...context];
  const rules = every.flatMap((file) => file.rules.map(({ rule }) => rule)).filter((rule) => rule.effect !== "allow" && (rule.shadow !== true || rule.watch === true));
  const reactions = every.flatMap((file) => file.reactions);
  return files.flatMap((file) => file.reactions).flatMap((parsed) => [...parsed.reaction.when.flatMap((condition) => neverMet(parsed, condition, rules, controls)), ...idle(parsed, reactions), ...repeated(parsed)]);
}

function finding({ reaction, excerpt }: ParsedReaction, severity: LintFinding["severity"], code: string, message: string, hint: string): LintFinding {
  return { severity, rule: reaction.id, code, message, at: reaction.at, excerpt, hint };
}

function neverMet(parsed: ParsedReaction, condition: ReactionCondition, rules: readonly Rule[], controls: readonly string[]): readonly LintFinding[] {
  const named = `of reaction \`${parsed.reaction.id}\``;
  if (condition.on === "score") return [];
  if (condition.on === "lost") {
    return condition.controls
      .filter((id) => controls.length > 0 && !controls.includes(id))
      .map((id) => finding(parsed, "warning", "LINT_NEVER", `control \`${printable(id, 80)}\` ${named} is never lost: none of that name counts`, hintFor(id, controls, `the controls are ${controls.join(", ")}`)));
  }
  const ids = rules.map(({ id }) => id);
  const answered = [...new Set(rules.flatMap(({ threats }) => threats))];
  const unknown = [
    ...condition.rules.filter((glob) => !NOT_OF_RULES.test(glob) && !ids.some((id) => matchWord(glob, id))).map((glob) => ({ glob, what: "no rule that asks, denies or watches has such an id", hint: hintFor(glob, ids, "name a rule of this policy or of a pack") })),
    ...condition.threats.filter((glob) => !answered.some((threat) => matchWord(glob, threat))).map((glob) => ({ glob, what: "no rule answers such a threat", hint: hintFor(glob, answered, "name a threat that a rule has") })),
  ];
  if (unknown.length > 0) return unknown.map(({ glob, what, hint }) => finding(parsed, "warning", "LINT_NEVER", `\`${printable(glob, 80)}\` ${named} can never match: ${what}`, hint));
  const about = rules.filter((rule) => isAbout(condition, rule.id, rule.threats));
  const isNamed = condition.rules.length + condition.threats.length > 0 && !condition.rules.some((glob) => NOT_OF_RULES.test(glob) || glob.startsWith("*"));
  // A change that policy forbids counts as medium where its rule asserts no risk.
  if (isNamed && !about.some(({ risk }) => isGraveEnough(condition, risk?.severity ?? "medium"))) return [finding(parsed, "warning", "LINT_NEVER", `a condition ${named} is never met: no rule it names has the severity ${condition.severity}`, "lower `severity`, or leave it out")];
  return [];
}

function hintFor(word: string, known: readonly string[], otherwise: string): string {
  const near = nearest(word, known);
  return near === null ? otherwise : `did you mean \`${near}\`?`;
}

/** Another reaction does at least as much whenever this one is due. */
function idle(parsed: ParsedReaction, all: readonly ParsedReaction[]): readonly LintFinding[] {
  const { reaction } = parsed;
  const other = all.find(({ reaction: one }) => one.id !== reaction.id && isAtLeast(one.kind, reaction.kind) && covers(one.when, reaction.when) && !(one.id > reaction.id && one.kind === reaction.kind && covers(reaction.when, one.when)));
  return other === undefined ? [] : [finding(parsed, "warning", "LINT_SHADOWED", `reaction \`${reaction.id}\` adds nothing: \`${other.reaction.id}\` (${printable(other.reaction.at.file)}:${String(other.reaction.at.line)}) does \`${other.reaction.kind}\` whenever it is due`, "remove it, or let it be due earlier")];
}

function covers(wide: readonly ReactionCondition[], narrow: readonly ReactionCondition[]): boolean {
  return narrow.every((one) => wide.some((two) => isMetBefore(two, one)));
}

function repeated(parsed: ParsedReaction): readonly LintFinding[] {
  const { when, id } = parsed.reaction;
  return when.flatMap((one, index) => {
    const by = when.findIndex((other, place) => place !== index && isMetBefore(other, one) && (place < index || !isMetBefore(one, other)));
    return by < 0 ? [] : [finding(parsed, "note", "LINT_SHADOWED", `condition ${String(index + 1)} of reaction \`${id}\` adds nothing: condition ${String(by + 1)} is met before it`, "remove it")];
  });
}
