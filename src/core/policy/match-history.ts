// Rules that need what the session did before: sequences and rows of refusals. Budgets are in budget. Pure functions of the
// action and the history; only `ask` and `deny` rules have them, so that more history never allows more.

import type { ActionEffect } from "../action/effects.js";
import { filesRun, normalisePath } from "../action/index.js";
import type { DecisionContext } from "./decision.js";
import type { Happened, SessionHistory } from "./history.js";
import { compileRule, pathOf, type CompiledRule, type MatchSubject } from "./match-effect.js";
import type { Places } from "./match-path.js";
import { matchAnyWord } from "./match-word.js";
import { isEffectMatcher, type BudgetMatcher, type EffectMatcher, type RefusalsMatcher, type Rule, type SequenceMatcher } from "./rule.js";

/** Most paths that one step of one action is marked with. */
const MARKED_PATHS = 200;

/** One matcher of a step, with the key under which a history keeps it. */
export interface CompiledStep {
  readonly key: string;
  readonly matches: (subject: MatchSubject) => boolean;
  /** The step is kept by path, for `same`. */
  readonly byPath: boolean;
}

export interface CompiledSequence {
  readonly matcher: SequenceMatcher;
  /** Of `after`, null where it is no matcher. */
  readonly steps: readonly (CompiledStep | null)[];
  readonly then: (subject: MatchSubject) => boolean;
}

export interface CompiledBudget {
  readonly matcher: BudgetMatcher;
  readonly counting: CompiledStep | null;
}

/** The part of a rule that needs a history. */
export interface HistoryRule {
  readonly rule: Rule;
  readonly budgets: readonly CompiledBudget[];
  readonly sequences: readonly CompiledSequence[];
  readonly refusals: readonly RefusalsMatcher[];
}

const kept = new WeakMap<readonly CompiledRule[], readonly HistoryRule[]>();

/** The rules of a list that need a history; made once for each list. */
export function historyRules(rules: readonly CompiledRule[], places: Places): readonly HistoryRule[] {
  const known = kept.get(rules);
  if (known !== undefined) return known;
  const made = rules.flatMap(({ rule }) => compileHistory(rule, places) ?? []);
  kept.set(rules, made);
  return made;
}

/** The part of one rule that needs a history; null when none does. */
export function compileHistory(rule: Rule, places: Places): HistoryRule | null {
  if (rule.when.every(isEffectMatcher)) return null;
  const tester = (matcher: EffectMatcher): CompiledStep["matches"] => {
    const compiled = compileRule({ ...rule, when: [matcher] }, places);
    return (subject) => compiled.kinds.has(subject.effect.kind) && compiled.matches(subject);
  };
  const budgets: CompiledBudget[] = [];
  const sequences: CompiledSequence[] = [];
  const refusals: RefusalsMatcher[] = [];
  for (const [index, matcher] of rule.when.entries()) {
    const key = `${rule.id}#${String(index)}`;
    if (matcher.on === "budget") budgets.push({ matcher, counting: matcher.counting === null ? null : { key, matches: tester(matcher.counting), byPath: false } });
    if (matcher.on === "refusals") refusals.push(matcher);
    if (matcher.on === "sequence") {
      const steps = matcher.after.map((step, at) => (step.kind === "did" ? { key: `${key}.${String(at)}`, matches: tester(step.matcher), byPath: matcher.same } : null));
      sequences.push({ matcher, steps, then: tester(matcher.then) });
    }
  }
  return { rule, budgets, sequences, refusals };
}

/** The keys of the steps that an action is. */
export function marksOf(rules: readonly HistoryRule[], subjects: readonly MatchSubject[]): readonly string[] {
  const marks = new Set<string>();
  for (const { budgets, sequences } of rules) {
    for (const { counting } of budgets) if (counting !== null && subjects.some(counting.matches)) marks.add(counting.key);
    for (const { steps } of sequences) for (const step of steps) if (step !== null) for (const mark of marksOfStep(step, subjects)) marks.add(mark);
  }
  return [...marks];
}

function marksOfStep(step: CompiledStep, subjects: readonly MatchSubject[]): readonly string[] {
  const matched = subjects.filter(step.matches);
  if (matched.length === 0) return [];
  const paths = step.byPath ? matched.flatMap(({ effect }) => (effect.kind === "file" && effect.certainty === "exact" ? [effect.path] : [])) : [];
  return [step.key, ...paths.slice(0, MARKED_PATHS).map((path) => `${step.key}=${path}`)];
}

/**
 * What a sequence matches: the effect that completes it; null when none does.
 * @param now the number of the call that the effects are of
 */
export function matchSequence({ matcher, steps, then }: CompiledSequence, subjects: readonly MatchSubject[], history: SessionHistory, context: DecisionContext, now: number): MatchSubject | null {
  const oldest = matcher.within === null ? 0 : now - matcher.within;
  const recent = (happened: Happened | undefined): boolean => happened !== undefined && happened.last >= oldest;
  const here = new Set(steps.flatMap((step) => (step === null ? [] : marksOfStep(step, subjects))));
  const happened = (key: string): boolean => here.has(key) || recent(history.did.get(key));
  const anyRule = (map: ReadonlyMap<string, Happened>, globs: readonly string[]): boolean => [...map].some(([rule, one]) => recent(one) && matchAnyWord(globs, rule));
  const met = matcher.after.every((step, index) => {
    if (step.kind === "found") return anyRule(history.found, step.rules);
    if (step.kind === "refused") return anyRule(history.refused, step.rules);
    const compiled = steps[index] ?? null;
    return compiled === null || happened(compiled.key) || (compiled.byPath && (history.full || [...history.changed.keys()].some((path) => wasChanged(compiled, path, history, oldest))));
  });
  if (!met) return null;
  const changed = (path: string): boolean => history.full || steps.every((step) => step === null || happened(`${step.key}=${path}`) || wasChanged(step, path, history, oldest));
  const own = (subject: MatchSubject): boolean => !matcher.same || pathsOf(subject, subjects, context).some(changed);
  return subjects.find((subject) => then(subject) && own(subject)) ?? null;
}

/** Tells whether a name that was seen to change is one of a step's, whatever the text of its call said. */
function wasChanged(step: CompiledStep, path: string, history: SessionHistory, oldest: number): boolean {
  const last = history.changed.get(path);
  if (last === undefined || last < oldest) return false;
  const effect: ActionEffect = { kind: "file", operation: "write", path, certainty: "exact", recursive: false, by: "observed change", from: path };
  return step.matches({ effect, path: pathOf(effect) });
}

/** The files that an effect is about: what it touches, or what it runs. */
function pathsOf({ effect }: MatchSubject, subjects: readonly MatchSubject[], context: DecisionContext): readonly string[] {
  if (effect.kind === "file") return [effect.path];
  if (effect.kind === "exec") return effect.path === null ? [] : [normalisePath(effect.path, context.cwd) ?? effect.path];
  if (effect.kind !== "runs-code") return [];
  const reads = subjects.flatMap(({ effect: other }) => (other.kind === "file" && other.from === effect.from ? [other] : []));
  return filesRun([...reads, effect], context.cwd);
}

/** Tells whether enough calls of a kind were refused in a row. */
export function matchRefusals({ inRow, rules, threats }: RefusalsMatcher, history: SessionHistory): number | null {
  const any = rules.length === 0 && threats.length === 0;
  const count = history.row.filter((one) => any || one.rules.some((rule) => matchAnyWord(rules, rule)) || one.threats.some((threat) => matchAnyWord(threats, threat))).length;
  return count >= inRow ? count : null;
}
