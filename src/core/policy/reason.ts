// A rule that contributed, as a reason of a decision.

import type { Reason } from "./decision.js";
import type { Rule } from "./rule.js";

/** The reason that a rule gives for what it matched. */
export function reasonOf({ rule, subject }: { readonly rule: Rule; readonly subject: string }): Reason {
  return { rule: rule.id, effect: rule.effect, layer: rule.layer, threats: rule.threats, message: rule.message, allowed: rule.allowed, subject, at: rule.at, risk: rule.risk };
}
