// Whether a rule is about a role and a containment at all.

import type { DecisionContext } from "./decision.js";
import { foldName } from "./paths.js";
import type { Rule } from "./rule.js";

/** Roles that rules are about, each once. */
export function namedRoles(rules: readonly Rule[]): readonly string[] {
  return [...new Set(rules.flatMap((rule) => [...rule.roles, ...rule.notRoles]))];
}

/** Whether a rule is about this role and containment at all. */
export function applies(rule: Rule, context: DecisionContext): boolean {
  return appliesTo(rule, context.role === null ? null : foldName(context.role), context.containment);
}

/** The same, for who asks it of many rules. @param role folded */
export function appliesTo(rule: Rule, role: string | null, containment: DecisionContext["containment"]): boolean {
  if (rule.containment !== "any" && rule.containment !== containment) return false;
  if (rule.roles.length > 0 && (role === null || !rule.roles.some((name) => foldName(name) === role))) return false;
  return !(role !== null && rule.notRoles.some((name) => foldName(name) === role));
}
