// What rules that need a history say of an action, and of what a call came to. A rule that errs denies.

import { count, printable, type Issue } from "../shared/index.js";
import { applies } from "./applies.js";
import { budgetObligations, passedBefore, passedByCall, passedBySession, type Passed } from "./budget.js";
import type { DecisionContext, Obligation, Reason } from "./decision.js";
import { describe } from "./describe.js";
import { NO_HISTORY, type SessionHistory } from "./history.js";
import type { MatchSubject } from "./match-effect.js";
import { historyRules, marksOf, matchRefusals, matchSequence, type HistoryRule } from "./match-history.js";
import type { PolicySet } from "./policy-set.js";
import { reasonOf } from "./reason.js";
import type { Rule, Spent } from "./rule.js";

/** A rule that matches, or that failed. */
export interface HistoryMatch {
  readonly rule: Rule;
  readonly subject: string;
  readonly failed: Issue | null;
}

export interface HistoryVerdict {
  readonly matches: readonly HistoryMatch[];
  readonly marks: readonly string[];
  readonly obligations: readonly Obligation[];
}

const NOTHING: HistoryVerdict = { matches: [], marks: [], obligations: [] };

/**
 * Judges effects with what happened before them. Never throws.
 * @param observed the effects were seen to happen in a call that was judged: of these rules only sequences are asked
 */
export function judgeHistory(policySet: PolicySet, subjects: readonly MatchSubject[], context: DecisionContext, observed: boolean): HistoryVerdict {
  const all = rulesOf(policySet, context);
  if (all.length === 0) return NOTHING;
  const rules = all.filter(({ rule }) => applies(rule, context));
  const history = context.history ?? NO_HISTORY;
  const matches = rules.flatMap((one): readonly HistoryMatch[] => {
    try {
      const subject = subjectOf(one, subjects, history, context, observed);
      return subject === null ? [] : [{ rule: one.rule, subject, failed: null }];
    } catch (cause) {
      return [{ rule: one.rule, subject: "", failed: { code: "POLICY_RULE_FAILED", message: `rule \`${one.rule.id}\` failed: ${printable(cause instanceof Error ? cause.message : "unknown")}`, at: one.rule.at } }];
    }
  });
  return observed ? { ...NOTHING, matches } : { matches, marks: marksOf(all, subjects), obligations: budgetObligations(rules, context) };
}

/** What of the session a rule is about, in one printable line; null when it does not match. */
export function subjectOf({ budgets, refusals, sequences }: HistoryRule, subjects: readonly MatchSubject[], history: SessionHistory, context: DecisionContext, observed: boolean): string | null {
  for (const sequence of sequences) {
    const found = matchSequence(sequence, subjects, history, context, history.spent.calls + (observed ? 0 : 1));
    if (found !== null) return `${describe(found.effect)}, after what happened before`;
  }
  if (observed) return null;
  for (const budget of budgets) {
    const passed = passedBefore(budget, subjects, history);
    if (passed !== null) return passed;
  }
  for (const matcher of refusals) {
    const row = matchRefusals(matcher, history);
    if (row !== null) return `${count(row, "refusal")} in a row`;
  }
  return null;
}

/**
 * Reasons against what one call came to by itself, strictest first. Empty when every limit per call is kept.
 * @param spent asked only where the policy has such limits
 */
export function judgeCallSpent(policySet: PolicySet, spent: () => Spent, context: DecisionContext): readonly Reason[] {
  const rules = enforced(policySet, context);
  return rules.length === 0 ? [] : reasonsOf(passedByCall(rules, spent()));
}

/** Reasons against what a session came to with its last call, strictest first: the limits that this call passed. */
export function judgeSessionSpent(policySet: PolicySet, before: Spent, after: Spent, context: DecisionContext): readonly Reason[] {
  return reasonsOf(passedBySession(enforced(policySet, context), before, after));
}

function enforced(policySet: PolicySet, context: DecisionContext): readonly HistoryRule[] {
  return rulesOf(policySet, context).filter(({ rule, budgets }) => budgets.length > 0 && rule.shadow !== true && applies(rule, context));
}

function rulesOf(policySet: PolicySet, { root, home }: DecisionContext): readonly HistoryRule[] {
  const places = { root, home };
  return historyRules(policySet.compiledFor(places), places);
}

function reasonsOf(passed: readonly Passed[]): readonly Reason[] {
  return passed.map(reasonOf).sort((left, right) => Number(right.effect === "deny") - Number(left.effect === "deny"));
}
