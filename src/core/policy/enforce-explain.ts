// For each rule that denies or asks: what holds it in a session on this folder. Pure; says no more than was planned.

import { assertNever, count } from "../shared/index.js";
import type { DecisionContext, DecisionEffect } from "./decision.js";
import { applies } from "./applies.js";
import type { EnforcementPlan } from "./enforce.js";
import { isUnconditional } from "./enforce-guards.js";
import type { PolicySet } from "./policy-set.js";
import type { FileMatcher, Matcher, Rule } from "./rule.js";

/**
 * Strongest first. `kernel`: impossible, by a mount, a mask, absence or a missing network. `reconciliation`: possible for a
 * moment, seen by a watch meanwhile, undone after the call. `judgement`: refused where the text tells it.
 */
export type Holder = "kernel" | "reconciliation" | "judgement";

export interface RuleHold {
  readonly by: Holder;
  readonly how: string;
}

export interface ExplainedRule {
  readonly rule: string;
  readonly effect: DecisionEffect;
  readonly message: string;
  readonly holds: readonly RuleHold[];
  /** Nothing but judgement: whoever hides it from the text does it. */
  readonly judgementOnly: boolean;
}

/** Explains the rules of a policy for one role under its plan, by id. */
export function explainEnforcement(policySet: PolicySet, plan: EnforcementPlan, context: Pick<DecisionContext, "role" | "root" | "home">): readonly ExplainedRule[] {
  const judged: DecisionContext = { ...context, cwd: context.root, containment: "attested" };
  return policySet.rules
    .filter((rule) => rule.effect !== "allow" && rule.shadow !== true && applies(rule, judged))
    .map((rule) => {
      const holds = unique(rule.when.flatMap((matcher) => holdsOf(rule, matcher, plan, context)));
      return { rule: rule.id, effect: rule.effect, message: rule.message, holds, judgementOnly: holds.every((hold) => hold.by === "judgement") };
    });
}

function holdsOf(rule: Rule, matcher: Matcher, plan: EnforcementPlan, context: Pick<DecisionContext, "root" | "home">): readonly RuleHold[] {
  switch (matcher.on) {
    case "file":
      return fileHolds(rule, matcher, plan, context);
    case "connect":
      return [
        { by: "kernel", how: "no network but loopback" },
        { by: "judgement", how: "connections that the text names" },
      ];
    case "exec":
      return [{ by: "judgement", how: "programs that the text names" }];
    case "code":
      return [{ by: "judgement", how: "where the text shows what is run" }];
    case "environment":
      return [{ by: "judgement", how: "variables that the text sets; each call starts from constants" }];
    case "opaque":
      return [{ by: "judgement", how: "text that cannot be told is refused" }];
    case "content":
      return [{ by: "judgement", how: "content of the edit tools" }];
    case "budget":
      return [
        ...(matcher.seconds === null && matcher.bytesWritten === null ? [] : [{ by: "kernel" as const, how: "a call that takes more is ended while it runs" }]),
        ...(matcher.per === "call" ? [{ by: "reconciliation" as const, how: "the changes of a call past it are undone" }] : []),
        { by: "judgement", how: "counted from the record; refused once it is passed" },
      ];
    case "refusals":
      return [{ by: "judgement", how: "counted from the record" }];
    case "sequence":
      return [{ by: "judgement", how: "what happened before, from the record; what follows, from the text and from what was seen to change" }];
    default:
      return assertNever(matcher);
  }
}

function fileHolds(rule: Rule, matcher: FileMatcher, plan: EnforcementPlan, context: Pick<DecisionContext, "root" | "home">): readonly RuleHold[] {
  const out: RuleHold[] = [];
  const judgement: RuleHold = { by: "judgement", how: rule.effect === "ask" ? "a person is asked where the text tells it" : "refused where the text tells it" };
  const reads = matcher.operations.includes("read");
  const changes = matcher.operations.some((operation) => operation !== "read");
  const reach = reachOf(matcher, context);
  if (reads && rule.effect === "deny" && isUnconditional(matcher)) {
    const masked = plan.masked.filter((held) => held.rule === rule.id).length;
    if (reach.workspace) out.push({ by: "kernel", how: `${names(masked)} of this folder hidden` });
    if (reach.home) out.push({ by: "kernel", how: "absent: home is empty at the start, nothing of yours is in it" });
    if (reach.elsewhere) out.push({ by: "kernel", how: "outside the workspace: hidden by path or absent" });
  } else if (reads && rule.effect === "deny") {
    out.push({ by: "kernel", how: "absent: the places it names hold nothing of yours" });
  }
  if (changes) {
    const mounted = plan.readOnly.filter((held) => held.rule === rule.id).length;
    const places = plan.placeholders.filter((held) => held.rule === rule.id).length;
    if (mounted > 0) out.push({ by: "kernel", how: `${names(mounted)} read-only` });
    if (places > 0) out.push({ by: "kernel", how: `${places} ${places === 1 ? "place" : "places"} held before anything is there` });
    if (reach.elsewhere || matcher.outside) out.push({ by: "kernel", how: "outside the workspace: the root file system is read-only" });
    const undone = rule.effect === "ask" ? "undone after the call unless a person approved" : "undone after the call";
    if (reach.workspace || matcher.paths.length === 0) out.push({ by: "reconciliation", how: `any other name in the workspace: ${undone}` });
    if (reach.home || matcher.paths.length === 0) out.push({ by: "reconciliation", how: "home and temporary folders: removed after the call" });
  }
  return [...out, judgement];
}

/** Where a matcher's names can lie. */
function reachOf(matcher: FileMatcher, { root, home }: Pick<DecisionContext, "root" | "home">): { readonly workspace: boolean; readonly home: boolean; readonly elsewhere: boolean } {
  const anywhere = matcher.paths.length === 0 ? !matcher.outside : matcher.paths.some((glob) => glob.startsWith("**"));
  const under = (folder: string): boolean => matcher.paths.some((glob) => glob === folder || glob.startsWith(`${folder}/`));
  return {
    workspace: anywhere || under(".") || under(root),
    home: anywhere || under("~") || under(home) || under("/tmp") || under("/var/tmp"),
    elsewhere: matcher.outside || matcher.paths.some((glob) => glob.startsWith("/") && !glob.startsWith(`${root}/`) && !glob.startsWith(`${home}/`)),
  };
}

function names(value: number): string {
  return count(value, "name");
}

function unique(holds: readonly RuleHold[]): readonly RuleHold[] {
  const rank: Readonly<Record<Holder, number>> = { kernel: 0, reconciliation: 1, judgement: 2 };
  const seen = new Map(holds.map((hold) => [`${hold.by} ${hold.how}`, hold]));
  return [...seen.values()].sort((a, b) => rank[a.by] - rank[b.by]);
}
