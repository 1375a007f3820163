// What code says that rules are against, added to the decision that lets it run.

import type { ActionEffect } from "../action/effects.js";
import { decideEffects, DEFAULT_DENY } from "./decide.js";
import type { Decision, DecisionContext, Reason } from "./decision.js";
import type { PolicySet } from "./policy-set.js";

/** Most rules noted of one call; the gravest first, as a decision has them. */
const MOST = 32;

/**
 * An allowed decision with the rules that ask, deny or watch for what its code says. Rules that assert no risk say nothing to the score
 * and are left out. Never changes the effect.
 */
export function noteSaid(policySet: PolicySet, decision: Decision, said: readonly ActionEffect[], context: DecisionContext): Decision {
  if (decision.effect !== "allow" || said.length === 0) return decision;
  // Text that cannot be told says nothing.
  const told = said.filter(({ kind }) => kind !== "opaque-text" && kind !== "runs-code");
  const judged = told.flatMap((effect) => reasonsOf(policySet, [effect], context));
  // Sequences need all of them together.
  const noted = new Map<string, Reason>((decision.noted ?? []).map((reason) => [reason.rule, reason]));
  for (const reason of [...judged, ...reasonsOf(policySet, told, context)]) {
    if (reason.risk !== null && !noted.has(reason.rule) && noted.size < MOST) noted.set(reason.rule, reason);
  }
  return noted.size === 0 ? decision : { ...decision, noted: [...noted.values()] };
}

/** Watching rules are noted where everything is allowed, so that effects are judged one by one. */
function reasonsOf(policySet: PolicySet, effects: readonly ActionEffect[], context: DecisionContext): readonly Reason[] {
  const { effect, reasons, noted = [] } = decideEffects(policySet, effects, context);
  return [...(effect === "allow" ? [] : reasons.filter((reason) => reason.effect !== "allow" && reason.rule !== DEFAULT_DENY)), ...noted];
}
