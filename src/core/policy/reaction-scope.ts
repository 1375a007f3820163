// What a condition of a reaction takes in, for those who explain and lint policies. What is due in a session is core/risk's.

import type { Decision, Reason, RuleRisk } from "./decision.js";
import { matchAnyWord } from "./match-word.js";
import type { PolicySet } from "./policy-set.js";
import { REACTION_OUTCOMES, REACTIONS, type Reaction, type ReactionCondition, type ReactionKind, type ReactionOutcome } from "./reaction.js";

const SEVERITIES: readonly RuleRisk["severity"][] = ["info", "low", "medium", "high", "critical"];
type Findings = Extract<ReactionCondition, { on: "findings" }>;

/** A reaction that a call of this kind counts towards. */
export interface CountsTowards {
  readonly reaction: string;
  readonly do: ReactionKind;
  /** The rule that counts. */
  readonly rule: string;
  readonly outcome: ReactionOutcome;
  /** How many it takes. */
  readonly count: number;
}

/** The reactions that a decision counts towards: refused as `blocked`, asked about as `rejected` when the answer is no, noted as `contained`. */
export function countsTowards(policySet: PolicySet, decision: Decision): readonly CountsTowards[] {
  const outcome: ReactionOutcome = decision.effect === "deny" ? "blocked" : decision.effect === "ask" ? "rejected" : "contained";
  const reasons = decision.effect === "allow" ? (decision.noted ?? []) : decision.reasons.filter(({ effect }) => effect !== "allow");
  return (policySet.reactions ?? []).flatMap((reaction): readonly CountsTowards[] => {
    for (const condition of reaction.when) {
      const reason = condition.on === "findings" ? reasons.find((one) => takesIn(condition, one, outcome)) : undefined;
      if (condition.on === "findings" && reason !== undefined) return [{ reaction: reaction.id, do: reaction.kind, rule: reason.rule, outcome, count: condition.count }];
    }
    return [];
  });
}

function takesIn(condition: Findings, { rule, threats, risk }: Pick<Reason, "rule" | "threats" | "risk">, outcome: ReactionOutcome): boolean {
  if (risk === null || SEVERITIES.indexOf(risk.severity) < SEVERITIES.indexOf(condition.severity)) return false;
  return REACTION_OUTCOMES.indexOf(outcome) >= REACTION_OUTCOMES.indexOf(condition.outcome) && isAbout(condition, rule, threats);
}

/** Does a condition name a rule or one of its threats; one that names none is about all. */
export function isAbout({ rules, threats }: Findings, rule: string, answered: readonly string[]): boolean {
  return (rules.length === 0 && threats.length === 0) || matchAnyWord(rules, rule) || answered.some((threat) => matchAnyWord(threats, threat));
}

/** Is a severity at least what a condition asks for. */
export function isGraveEnough(condition: Findings, severity: RuleRisk["severity"]): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(condition.severity);
}

/** Is `wide` met whenever `narrow` is, as far as the two can be compared without a session. */
export function isMetBefore(wide: ReactionCondition, narrow: ReactionCondition): boolean {
  if (wide.on === "score" && narrow.on === "score") return Number(wide.from) <= Number(narrow.from);
  if (wide.on === "lost" && narrow.on === "lost") return narrow.controls.every((id) => wide.controls.includes(id));
  if (wide.on !== "findings" || narrow.on !== "findings") return false;
  const isAny = wide.rules.length === 0 && wide.threats.length === 0;
  // A condition about all counts a call once, one about rules each rule: the two count differently past one.
  const comparable = isAny ? narrow.count === 1 || (narrow.rules.length === 0 && narrow.threats.length === 0) : same(wide.rules, narrow.rules) && same(wide.threats, narrow.threats);
  return comparable && SEVERITIES.indexOf(wide.severity) <= SEVERITIES.indexOf(narrow.severity) && REACTION_OUTCOMES.indexOf(wide.outcome) <= REACTION_OUTCOMES.indexOf(narrow.outcome) && wide.count <= narrow.count;
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && [...a].sort().every((one, index) => one === [...b].sort()[index]);
}

/** Does the second do at least what the first does. */
export function isAtLeast(kind: ReactionKind, than: Reaction["kind"]): boolean {
  return REACTIONS.indexOf(kind) >= REACTIONS.indexOf(than);
}
