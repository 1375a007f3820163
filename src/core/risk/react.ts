// Which reactions of policy are due: a pure function of the score's state, so the same record asks for the same ones again.

import type { Reaction, ReactionCondition } from "../policy/reaction.js";
import { matchAnyWord } from "../policy/match-word.js";
import { OUTCOMES, SEVERITIES } from "./catalogue.js";
import { compare, decimal, formatFixed } from "./decimal.js";
import type { RiskFinding } from "./finding.js";
import type { RiskState } from "./state.js";

/** A reaction that is due, and why, in words that hold only rule names and numbers. */
export interface DueReaction {
  readonly reaction: Reaction;
  readonly reason: string;
}

/** Reactions that are due and have not happened. @param happened ids of those that have */
export function dueReactions(reactions: readonly Reaction[], state: RiskState, happened: ReadonlySet<string>): readonly DueReaction[] {
  return reactions.flatMap((reaction): readonly DueReaction[] => {
    if (happened.has(reaction.id)) return [];
    for (const condition of reaction.when) {
      const reason = met(condition, state);
      if (reason !== null) return [{ reaction, reason: `${reaction.message}: ${reason}` }];
    }
    return [];
  });
}

/** What meets a condition; null when nothing does. */
function met(condition: ReactionCondition, state: RiskState): string | null {
  switch (condition.on) {
    case "score": {
      const { aivss } = state.peak;
      return compare(aivss, decimal(condition.from)) >= 0 ? `AIVSS reached ${formatFixed(aivss, 1)}, by ${state.headline.driver}` : null;
    }
    case "findings": {
      const isAny = condition.rules.length === 0 && condition.threats.length === 0;
      let seen = isAny ? (state.attempts[SEVERITIES.indexOf(condition.severity) * OUTCOMES.length + OUTCOMES.indexOf(condition.outcome)] ?? 0) : 0;
      if (!isAny) for (const finding of state.findings.values()) seen += countOf(condition, finding);
      if (seen < condition.count) return null;
      const rules = [...state.findings.values()].filter((finding) => countOf(condition, finding) > 0).map(({ rule }) => rule);
      const named = rules.sort().slice(0, 5).join(", ");
      const unit = isAny ? (seen === 1 ? "attempt" : "attempts") : seen === 1 ? "occurrence" : "occurrences";
      return `${seen} ${unit}, by ${named}${rules.length > 5 ? ` and ${rules.length - 5} more` : ""}`;
    }
    case "lost": {
      const lost = state.lost.filter((id) => condition.controls.includes(id));
      return lost.length === 0 ? null : `the control ${lost.join(", ")} does not hold any more`;
    }
  }
}

function countOf(condition: Extract<ReactionCondition, { on: "findings" }>, finding: RiskFinding): number {
  let seen = 0;
  for (let index = OUTCOMES.indexOf(condition.outcome); index < OUTCOMES.length; index += 1) seen += finding.counts[OUTCOMES[index] ?? "asked"];
  if (seen === 0) return 0;
  if (SEVERITIES.indexOf(finding.severity) < SEVERITIES.indexOf(condition.severity)) return 0;
  const any = condition.rules.length === 0 && condition.threats.length === 0;
  if (!any && !matchAnyWord(condition.rules, finding.rule) && !finding.threats.some((threat) => matchAnyWord(condition.threats, threat))) return 0;
  return seen;
}
