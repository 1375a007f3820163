// Amounts: what a session came to, what a call adds to it, and which limits of a policy that passes. Before a call as far as its
// text tells, after it by what was observed.

import type { DecisionContext, Obligation } from "./decision.js";
import { NO_HISTORY, type SessionHistory } from "./history.js";
import type { CompiledBudget, HistoryRule } from "./match-history.js";
import type { MatchSubject } from "./match-effect.js";
import type { BudgetMatcher, Rule, Spent } from "./rule.js";

/** What calls come to besides being calls. */
type Amount = "seconds" | "bytesWritten" | "filesChanged" | "deletions";

const AMOUNTS: readonly Amount[] = ["seconds", "bytesWritten", "filesChanged", "deletions"];

const WORDS: Readonly<Record<keyof Spent, string>> = { calls: "calls", seconds: "seconds", bytesWritten: "bytes written", filesChanged: "files changed", deletions: "deletions" };

/** A limit that is passed, in words. */
export interface Passed {
  readonly rule: Rule;
  readonly subject: string;
}

/** What a call would pass, or the session has passed already; null when neither. */
export function passedBefore({ matcher, counting }: CompiledBudget, subjects: readonly MatchSubject[], history: SessionHistory): string | null {
  const { spent } = history;
  if (matcher.calls !== null) {
    const used = counting === null ? spent.calls : (history.did.get(counting.key)?.calls ?? 0);
    if (used >= matcher.calls && (counting === null || subjects.some(counting.matches))) return words("calls", used + 1, matcher, counting === null ? "" : " of this kind");
  }
  const deletes = subjects.filter(({ effect }) => effect.kind === "file" && effect.operation === "delete" && effect.certainty === "exact").length;
  const total = matcher.per === "session" ? spent : NO_HISTORY.spent;
  if (matcher.deletions !== null && total.deletions + deletes > matcher.deletions) return words("deletions", total.deletions + deletes, matcher);
  if (matcher.per === "call") return null;
  if (matcher.seconds !== null && spent.seconds >= matcher.seconds) return words("seconds", spent.seconds, matcher);
  const used = (["bytesWritten", "filesChanged"] as const).find((amount) => {
    const most = matcher[amount];
    return most !== null && (spent[amount] > most || (spent[amount] === most && subjects.some(mayChange)));
  });
  return used === undefined ? null : words(used, spent[used], matcher);
}

function mayChange({ effect }: MatchSubject): boolean {
  return effect.kind === "runs-code" || (effect.kind === "file" && effect.operation !== "read");
}

/** Limits per call that what a call came to passes. */
export function passedByCall(rules: readonly HistoryRule[], call: Spent): readonly Passed[] {
  return each(rules, "call", (matcher) => AMOUNTS.find((amount) => call[amount] > (matcher[amount] ?? Number.POSITIVE_INFINITY)), call);
}

/** Limits per session that were kept before a call and are passed with it. */
export function passedBySession(rules: readonly HistoryRule[], before: Spent, after: Spent): readonly Passed[] {
  return each(rules, "session", (matcher) => AMOUNTS.find((amount) => passes(matcher, amount, after) && !passes(matcher, amount, before)), after);
}

function passes(matcher: BudgetMatcher, amount: Amount, spent: Spent): boolean {
  return spent[amount] > (matcher[amount] ?? Number.POSITIVE_INFINITY);
}

function each(rules: readonly HistoryRule[], per: BudgetMatcher["per"], find: (matcher: BudgetMatcher) => Amount | undefined, spent: Spent): readonly Passed[] {
  return rules.flatMap(({ rule, budgets }) => {
    for (const { matcher } of budgets) {
      const amount = matcher.per === per ? find(matcher) : undefined;
      if (amount !== undefined) return [{ rule, subject: words(amount, spent[amount], matcher) }];
    }
    return [];
  });
}

/** What holds an allowed call to the limits of the rules that deny: its own, and what is left of the session's. */
export function budgetObligations(rules: readonly HistoryRule[], context: DecisionContext): readonly Obligation[] {
  const { spent } = context.history ?? NO_HISTORY;
  const own = rules.filter(({ rule }) => rule.effect === "deny" && rule.shadow !== true).flatMap(({ budgets }) => budgets.map(({ matcher }) => matcher));
  const left = (amount: "seconds" | "bytesWritten"): number => Math.min(...own.map((matcher) => (matcher[amount] ?? Number.POSITIVE_INFINITY) - (matcher.per === "session" ? spent[amount] : 0)));
  const [seconds, bytes] = [left("seconds"), left("bytesWritten")];
  return [
    ...(Number.isFinite(seconds) ? [{ kind: "timeout" as const, ms: Math.max(1, Math.ceil(seconds * 1000)) }] : []),
    ...(Number.isFinite(bytes) ? [{ kind: "bytes-written" as const, bytes: Math.max(0, bytes) }] : []),
  ];
}

function words(amount: keyof Spent, used: number, matcher: BudgetMatcher, kind: string = ""): string {
  const most = matcher[amount];
  return `${String(Math.round(used * 1000) / 1000)} ${WORDS[amount]}${kind} in one ${matcher.per}, of at most ${String(most)}`;
}
