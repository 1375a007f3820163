// What reactions that have happened ask of an action: a person for every change, or for everything.

import type { ContentSubject } from "./content.js";
import type { ActionEffect } from "../action/effects.js";
import type { DecisionContext, Reason } from "./decision.js";
import { isInside } from "../action/paths.js";
import { describe } from "./describe.js";

/** Undoing what nobody agreed to is routine once a session is tightened: it is no evidence of its own. */
const HELD = { severity: "info", cvss: null, factors: { autonomy: 0.01 } } as const;

/**
 * Questions that a tightened session puts. Changes seen after a call are asked about under `ask-writes` too: only what a person
 * agreed to stands, whatever program made it.
 * @param observed the effects were seen to happen in a call that was judged
 */
export function tightenedReasons(subjects: readonly (ActionEffect | ContentSubject)[], { history, root }: DecisionContext, observed: boolean): readonly Reason[] {
  const reactions = history?.reacted ?? [];
  if (reactions.length === 0) return [];
  const change = subjects.find((effect) => effect.kind === "file" && effect.operation !== "read" && isInside(effect.path, root));
  return reactions.flatMap(({ reaction, kind, message, layer, threats }): readonly Reason[] => {
    const asks = (kind === "ask" && !observed) || (kind === "ask-writes" && change !== undefined);
    if (!asks) return [];
    const [first] = subjects;
    const subject = kind === "ask-writes" && change !== undefined ? describe(change) : first === undefined ? "nothing" : describe(first);
    return [{ rule: reaction, effect: "ask", layer, threats, message, allowed: "what a person agrees to", subject, at: null, risk: observed ? HELD : null }];
  });
}
