// Limits of amounts after a call: what it came to by itself, and what the session came to with it.

import { judgeCallSpent, judgeSessionSpent, type DecisionContext } from "../core/policy/index.js";
import type { Reason } from "../core/policy/decision.js";
import { afterChanges, afterSpending } from "../core/policy/history.js";
import type { Change, Finding } from "../core/reconcile/change.js";
import { spentOf } from "../core/session/history.js";
import { LIMITS } from "../core/shared/index.js";
import type { LiveSession } from "./live.js";

/** Reasons against the changes of one call taken together, without rules that a person approved for it. */
export function againstChanges(live: LiveSession, changes: () => readonly Change[], context: DecisionContext, approvedRules: ReadonlySet<string>): readonly Reason[] {
  const reasons = judgeCallSpent(live.options.policy, () => ({ calls: 1, seconds: 0, ...spentOf(changes()) }), context);
  return reasons.filter((reason) => reason.effect !== "ask" || !approvedRules.has(reason.rule));
}

/** Findings on the time a call took, and on the session as it is with it. Nothing of them can be undone: the next call is refused. */
export function spendingFindings(live: LiveSession, changes: readonly Change[], durationMs: number, context: DecisionContext): readonly Finding[] {
  const { root } = live.options.defaults;
  const { history } = live.history;
  const seconds = durationMs / 1000;
  const { bytesWritten, deletions } = spentOf(changes);
  const after = afterChanges(afterSpending(history, { seconds, bytesWritten, deletions }), changes.filter(({ before, after: now }) => (now ?? before)?.kind !== "directory").map(({ path }) => `${root}/${path}`));
  const timed = judgeCallSpent(live.options.policy, () => ({ calls: 1, seconds, bytesWritten: 0, filesChanged: 0, deletions: 0 }), context);
  return [...timed, ...judgeSessionSpent(live.options.policy, history.spent, after.spent, context)].slice(0, LIMITS.findings).map(findingOf);
}

function findingOf({ rule, layer, threats, message, subject, risk }: Reason): Finding {
  return { rule, layer, threats, message: `${message}: ${subject}`, path: "", operation: "modify", reverted: false, risk, about: "session" };
}
