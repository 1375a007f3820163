// The one decision function: pure, synchronous, total. Strictest wins; order is irrelevant; what no rule allows, and whatever
// goes wrong on the way, is denied.

import type { Action } from "../action/action.js";
import type { ActionEffect } from "../action/effects.js";
import { assertNever, LIMITS, printable, type Issue } from "../shared/index.js";
import type { Decision, DecisionContext, DecisionEffect, Obligation, Reason } from "./decision.js";
import { appliesTo } from "./applies.js";
import type { ContentSubject } from "./content.js";
import { describe, SUBJECT } from "./describe.js";
import { judgeHistory } from "./judge-history.js";
import { pathOf, type CompiledRule, type MatchSubject } from "./match-effect.js";
import { foldName } from "./paths.js";
import type { PolicySet } from "./policy-set.js";
import { reasonOf } from "./reason.js";
import type { Rule } from "./rule.js";
import { indexOf } from "./rule-index.js";
import { tightenedReasons } from "./tighten.js";

const RANK: Readonly<Record<DecisionEffect, number>> = { allow: 0, ask: 1, deny: 2 };
const SEVERITY: Readonly<Record<string, number>> = { info: 1, low: 2, medium: 3, high: 4, critical: 5 };

/** Rule id of a refusal that no rule asked for. */
export const DEFAULT_DENY = "default-deny";

/** Judges an action. Never throws. */
export function decide(policySet: PolicySet, action: Action, context: DecisionContext): Decision {
  try {
    return judge(policySet, subjectsOf(action), context, false);
  } catch (cause) {
    return failed(policySet, cause);
  }
}

/** Judges effects without an action: changes that were observed, and what they did to a project file. No effects, no change: allowed. Never throws. */
export function decideEffects(policySet: PolicySet, effects: readonly (ActionEffect | ContentSubject)[], context: DecisionContext): Decision {
  try {
    return judge(policySet, effects, context, true);
  } catch (cause) {
    return failed(policySet, cause);
  }
}

/** What of an action is judged. An action without effects counts as starting a program that does nothing. */
function subjectsOf(action: Action): readonly (ActionEffect | ContentSubject)[] {
  switch (action.kind) {
    case "command":
    case "process":
    case "submit":
      return action.effects.length > 0 ? action.effects : [{ kind: "exec", program: action.kind === "submit" ? "submit" : ":", path: null, argv: [action.kind === "submit" ? "submit" : ":"], from: "" }];
    case "view":
      return action.effects.length > 0 ? action.effects : [{ kind: "file", operation: "read", path: action.path, certainty: "exact", recursive: false, by: "view", from: action.path }];
    case "edit": {
      const effects: readonly ActionEffect[] = action.effects.length > 0 ? action.effects : [{ kind: "file", operation: "write", path: action.path, certainty: "exact", recursive: false, by: "edit", from: action.path }];
      const text = action.edit.op === "create" ? action.edit.content : action.edit.op === "replace" ? action.edit.replace : action.edit.op === "insert" ? action.edit.text : null;
      const before = action.edit.op === "replace" ? { before: action.edit.search } : {};
      return text === null ? effects : [...effects, { kind: "content", path: action.path, text, ...before }];
    }
    case "opaque":
      return [...action.effects, { kind: "opaque-text", why: action.why, from: `${action.tool}: ${action.why}` }];
    default:
      return assertNever(action);
  }
}

interface Found {
  readonly rule: Rule;
  readonly subject: string;
  /** The rule is about the subject itself, not about something below its tree. */
  readonly direct: boolean;
}

function judge(policySet: PolicySet, subjects: readonly (ActionEffect | ContentSubject)[], context: DecisionContext, emptyIsAllowed: boolean): Decision {
  if (subjects.length > LIMITS.effects + 2) return decision(policySet, [limitReason(subjects.length)], [], [], null);
  if (subjects.length === 0 && !emptyIsAllowed) return decision(policySet, [defaultReason(policySet, "nothing")], [], [], null);
  const about = indexOf(policySet.compiledFor({ root: context.root, home: context.home }));
  const role = context.role === null ? null : foldName(context.role);
  const found = new Map<string, Found>();
  const extra = new Map<string, Reason>();
  const errors: Issue[] = [];
  const seen: MatchSubject[] = [];
  for (const effect of subjects) {
    const subject: MatchSubject = { effect, path: pathOf(effect) };
    seen.push(subject);
    let allowed = effect.kind === "content";
    let refused = false;
    for (const one of about(subject)) {
      if (!appliesTo(one.rule, role, context.containment)) continue;
      const match = tryMatch(one, subject);
      if (match === false) continue;
      if (match !== true && one.rule.shadow === true) continue;
      if (match !== true) {
        errors.push(match);
        extra.set(`failed ${one.rule.id}`, failedRule(one.rule, describe(effect)));
        refused = true;
        continue;
      }
      if (one.rule.effect === "allow" && effect.kind === "opaque-text") continue;
      if (one.rule.shadow !== true) {
        if (one.rule.effect === "allow") allowed = true;
        if (one.rule.effect === "deny") refused = true;
      }
      if (one.rule.watch === true && !(isCertain(effect) && isDirect(one, subject))) continue;
      note(found, one, subject);
    }
    if (!allowed && !refused && !extra.has(DEFAULT_DENY)) extra.set(DEFAULT_DENY, effect.kind === "opaque-text" ? opaqueReason(effect.why) : defaultReason(policySet, describe(effect)));
  }
  const { matches, marks, obligations } = judgeHistory(policySet, seen, context, emptyIsAllowed);
  for (const { rule, subject, failed: issue } of matches) {
    if (issue === null) found.set(rule.id, { rule, subject, direct: true });
    else if (rule.shadow !== true) {
      errors.push(issue);
      extra.set(`failed ${rule.id}`, failedRule(rule, subject));
    }
  }
  const tightened = tightenedReasons(subjects, context, emptyIsAllowed);
  const matched = [...found.values()].filter(({ rule }) => rule.shadow !== true);
  const reasons = [...extra.values(), ...matched.map(reasonOf), ...tightened];
  const strictest = reasons.reduce<DecisionEffect>((most, reason) => (RANK[reason.effect] > RANK[most] ? reason.effect : most), "allow");
  const silent = [...found.values()].filter(({ rule }) => rule.shadow === true && rule.effect !== "allow");
  const shadow = silent.filter(({ rule }) => rule.watch !== true).map(reasonOf);
  const noted = strictest === "allow" ? silent.filter(({ rule }) => rule.watch === true).map(reasonOf) : [];
  const kept = strictest === "allow" ? reasons : reasons.filter((reason) => reason.effect !== "allow");
  const order = byStrictness((rule) => found.get(rule)?.direct === true);
  const sorted = [...kept].sort(order);
  const guidance = strictest === "allow" ? null : guidanceFor(sorted, found, strictest);
  const runs = strictest !== "deny" && errors.length === 0;
  const judged = decision(policySet, sorted, runs ? [...timeouts(matched), ...obligations] : [], errors, guidance);
  return { ...judged, ...(shadow.length === 0 ? {} : { shadow: shadow.sort(order) }), ...(noted.length === 0 || errors.length > 0 ? {} : { noted: noted.sort(order) }), ...(runs && marks.length > 0 ? { marks } : {}) };
}

/** Keeps the first subject of a rule, or the first that it is about directly. */
function note(found: Map<string, Found>, one: CompiledRule, subject: MatchSubject): void {
  const known = found.get(one.rule.id);
  if (known?.direct === true) return;
  const direct = one.rule.effect === "allow" || isDirect(one, subject);
  if (known === undefined || direct) found.set(one.rule.id, { rule: one.rule, subject: describe(subject.effect), direct });
}

/** Whether the text tells where an effect is, so far that who watches may say so: a pattern counts with the folder it is in. */
function isCertain(effect: ActionEffect | ContentSubject): boolean {
  if (effect.kind !== "file" || effect.certainty === "exact") return effect.kind !== "opaque-text";
  return /^\/[^/*?[{]+\/[^*?[{]*/u.test(effect.path);
}

/** Whether a rule that matches is about the subject itself. Decides nothing: only the order of reasons hangs on it. */
export function isDirect(one: CompiledRule, subject: MatchSubject): boolean {
  try {
    return one.direct?.(subject) ?? true;
  } catch {
    return false;
  }
}

function tryMatch(one: CompiledRule, subject: MatchSubject): boolean | Issue {
  if (!one.kinds.has(subject.effect.kind)) return false;
  try {
    return one.matches(subject);
  } catch (cause) {
    return { code: "POLICY_RULE_FAILED", message: `rule \`${one.rule.id}\` failed: ${printable(cause instanceof Error ? cause.message : "unknown")}`, at: one.rule.at };
  }
}

function plainReason(rule: string, message: string, allowed: string | null, subject: string): Reason {
  return { rule, effect: "deny", layer: null, threats: [], message, allowed, subject, at: null, risk: null };
}

function defaultReason(policySet: PolicySet, subject: string): Reason {
  const bare = !policySet.rules.some((rule) => rule.effect === "allow");
  return plainReason(DEFAULT_DENY, "no rule allows this", bare ? "nothing: this policy has no allow rules; `extends: [kimi-dev]` starts from the built-in profile" : null, subject);
}

function opaqueReason(why: string): Reason {
  return plainReason(DEFAULT_DENY, `what this runs or touches cannot be told from its text: ${printable(why, SUBJECT)}`, "the same with program and paths written out", printable(why, SUBJECT));
}

function limitReason(count: number): Reason {
  return plainReason(DEFAULT_DENY, `more effects than can be judged: ${String(count)}`, "the same split into several calls", `${String(count)} effects`);
}

function failedRule(rule: Rule, subject: string): Reason {
  return { ...reasonOf({ rule, subject }), effect: "deny", message: `the rule failed while deciding: ${rule.message}`, allowed: null };
}

/** Strictest first; what is about the subject itself before what lies below it; then the gravest, then by id in code units. */
function byStrictness(direct: (rule: string) => boolean): (left: Reason, right: Reason) => number {
  return (left, right) => {
    const rank = RANK[right.effect] - RANK[left.effect];
    if (rank !== 0) return rank;
    const nearness = Number(direct(right.rule)) - Number(direct(left.rule));
    if (nearness !== 0) return nearness;
    const severity = (SEVERITY[right.risk?.severity ?? ""] ?? 0) - (SEVERITY[left.risk?.severity ?? ""] ?? 0);
    if (severity !== 0) return severity;
    return left.rule < right.rule ? -1 : left.rule > right.rule ? 1 : 0;
  };
}

function guidanceFor(sorted: readonly Reason[], found: ReadonlyMap<string, Found>, strictest: DecisionEffect): string | null {
  for (const reason of sorted) {
    if (reason.effect !== strictest) break;
    const guidance = found.get(reason.rule)?.rule.guidance ?? null;
    if (guidance !== null) return guidance;
  }
  return null;
}

function timeouts(matched: readonly Found[]): readonly Obligation[] {
  const limits = matched.flatMap(({ rule }) => (rule.timeoutMs === null ? [] : [rule.timeoutMs]));
  return limits.length === 0 ? [] : [{ kind: "timeout", ms: Math.min(...limits) }];
}

function decision(policySet: PolicySet, reasons: readonly Reason[], obligations: readonly Obligation[], errors: readonly Issue[], guidance: string | null): Decision {
  const strictest = reasons.reduce<DecisionEffect>((most, reason) => (RANK[reason.effect] > RANK[most] ? reason.effect : most), "allow");
  return { effect: errors.length > 0 ? "deny" : strictest, reasons, obligations, errors: errors.slice(0, 20), guidance, policyDigest: policySet.digest };
}

function failed(policySet: PolicySet, cause: unknown): Decision {
  const issue: Issue = { code: "POLICY_RULE_FAILED", message: `deciding failed: ${printable(cause instanceof Error ? cause.message : "unknown")}` };
  return { effect: "deny", reasons: [plainReason(DEFAULT_DENY, "deciding failed", null, "")], obligations: [], errors: [issue], guidance: null, policyDigest: policySet.digest };
}
