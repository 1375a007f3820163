// A decision from the inside: each effect of the text, every rule that matches it, and what follows. Decides nothing itself.

import type { ActionEffect } from "../action/effects.js";
import { printable, type JsonObject, type JsonValue, type SourceSpan } from "../shared/index.js";
import { applies } from "./applies.js";
import { isDirect } from "./decide.js";
import { describe } from "./describe.js";
import type { Decision, DecisionContext, DecisionEffect, MaestroLayer } from "./decision.js";
import { pathOf, type MatchSubject } from "./match-effect.js";
import type { PolicySet } from "./policy-set.js";
import { countsTowards, type CountsTowards } from "./reaction-scope.js";

/** One rule that matches an effect. */
export interface ExplainedRule {
  readonly rule: string;
  readonly effect: DecisionEffect;
  readonly layer: MaestroLayer | null;
  readonly message: string;
  readonly at: SourceSpan;
  /** `itself`: the effect's own name or program; `below`: something in the tree it takes in. */
  readonly on: "itself" | "below";
  /** The decision's first reason, or one of the rules that together allow. */
  readonly decides: boolean;
  /** It is in shadow mode and decides nothing. */
  readonly shadow: boolean;
}

/** One effect with what policy says of it. */
export interface ExplainedEffect {
  readonly kind: ActionEffect["kind"];
  /** What it is about, in one printable line. */
  readonly subject: string;
  readonly certainty: "exact" | "pattern" | "runs code" | "cannot be told";
  /** The piece of text it comes from, printable. */
  readonly from: string;
  /** What policy says of this effect alone. */
  readonly verdict: DecisionEffect;
  /** No rule allows it. */
  readonly uncovered: boolean;
  /** Strictest first, the ones about the effect itself before the others. */
  readonly rules: readonly ExplainedRule[];
}

/** The way from effects to a decision. */
export interface Explanation {
  readonly decision: Decision;
  readonly effects: readonly ExplainedEffect[];
  /** Reactions of the policy that the decision counts towards. */
  readonly reactions: readonly CountsTowards[];
}

const RANK: Readonly<Record<DecisionEffect, number>> = { allow: 0, ask: 1, deny: 2 };
const FROM = 200;

/** Explains a decision that was made of these effects under the same policy and context. Never throws. */
export function explainEffects(policySet: PolicySet, effects: readonly ActionEffect[], context: DecisionContext, decision: Decision): Explanation {
  const rules = policySet.compiledFor({ root: context.root, home: context.home }).filter((one) => applies(one.rule, context));
  const first = decision.reasons[0]?.rule;
  return {
    decision,
    reactions: countsTowards(policySet, decision),
    effects: effects.map((effect) => {
      const subject: MatchSubject = { effect, path: pathOf(effect) };
      const matched = rules.flatMap((one): readonly Omit<ExplainedRule, "decides">[] => {
        const { rule } = one;
        if (!one.kinds.has(effect.kind) || !matches(one.matches, subject) || (rule.effect === "allow" && effect.kind === "opaque-text")) return [];
        return [{ rule: rule.id, effect: rule.effect, layer: rule.layer, message: rule.message, at: rule.at, on: rule.effect === "allow" || isDirect(one, subject) ? "itself" : "below", shadow: rule.shadow === true }];
      });
      const counting = matched.filter((rule) => !rule.shadow);
      const uncovered = !counting.some((rule) => rule.effect !== "ask");
      const verdict = counting.reduce<DecisionEffect>((most, rule) => (RANK[rule.effect] > RANK[most] ? rule.effect : most), uncovered ? "deny" : "allow");
      return {
        kind: effect.kind,
        subject: describe(effect),
        certainty: certaintyOf(effect),
        from: printable(effect.from, FROM),
        verdict,
        uncovered,
        rules: matched.map((rule) => ({ ...rule, decides: !rule.shadow && rule.effect === decision.effect && rule.effect === verdict && (verdict === "allow" || rule.rule === first) })).sort(inOrder),
      };
    }),
  };
}

function matches(test: (subject: MatchSubject) => boolean, subject: MatchSubject): boolean {
  try {
    return test(subject);
  } catch {
    return true;
  }
}

function inOrder(left: ExplainedRule, right: ExplainedRule): number {
  return RANK[right.effect] - RANK[left.effect] || Number(left.on === "below") - Number(right.on === "below") || (left.rule < right.rule ? -1 : 1);
}

function certaintyOf(effect: ActionEffect): ExplainedEffect["certainty"] {
  if (effect.kind === "file") return effect.certainty;
  if (effect.kind === "runs-code") return "runs code";
  if (effect.kind === "opaque-text") return "cannot be told";
  return effect.kind === "exec" && effect.argv.includes(null) ? "pattern" : "exact";
}

/** The explanation as plain JSON. */
export function explanationJson({ decision, effects, reactions }: Explanation): JsonObject {
  return {
    effect: decision.effect,
    deciding: decision.reasons.filter((reason) => reason.effect === decision.effect).map((reason) => reason.rule),
    effects: effects.map((one) => ({ ...one, rules: one.rules.map((rule) => ({ ...rule, at: { ...rule.at } })) })) as unknown as JsonValue,
    shadow: (decision.shadow ?? []).map((reason) => ({ rule: reason.rule, effect: reason.effect, subject: reason.subject })),
    noted: (decision.noted ?? []).map((reason) => ({ rule: reason.rule, subject: reason.subject })),
    reactions: reactions.map((one) => ({ ...one })),
    guidance: decision.guidance,
    policyDigest: decision.policyDigest,
  };
}
