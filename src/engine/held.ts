// What the kernel held of a call: attempts that changed nothing, joined from what was judged and from what the program printed.

import type { Action } from "../core/action/action.js";
import type { ActionEffect } from "../core/action/effects.js";
import type { DecisionContext, Decision } from "../core/policy/index.js";
import { attemptFindings, holdingsOf, type Finding, type Holdings } from "../core/reconcile/index.js";
import type { EventData } from "../core/session/event.js";
import type { Sandbox } from "../ports/sandbox.js";
import type { Enforced } from "./enforcement.js";
import type { LiveSession, SessionOptions } from "./live.js";
import type { Settled } from "./settle.js";

/** Folders in memory that every sandbox has for its agent, besides home. */
const WRITABLE = ["/tmp", "/var/tmp", "/run", "/dev/shm"] as const;

/** What holds names in a session; null where nothing was mounted for policy's sake. */
export function heldIn(enforced: Enforced | null, sandbox: Pick<Sandbox, "controls">, { defaults }: Pick<SessionOptions, "defaults">): Holdings | null {
  if (enforced === null) return null;
  const { plan, protection } = enforced;
  const rootIsReadOnly = sandbox.controls.some((control) => control.id === "rootfs-read-only" && control.state === "attested");
  return holdingsOf({ plan, unheld: protection.unheld.map(({ path }) => path), root: defaults.root, writable: [defaults.home, ...WRITABLE], rootIsReadOnly });
}

interface Ran {
  readonly action: Action;
  readonly decision: Decision;
  readonly approval: EventData["approval.resolved"] | null;
  readonly context: DecisionContext;
}

/**
 * Findings on what a call tried and the kernel held. Costs nothing where a call printed nothing and policy let it run.
 * @param outputs what it printed, redacted and cut as the model gets it
 */
export function heldFindings(live: LiveSession, { action, decision, approval, context }: Ran, outputs: readonly string[], settled: Settled): readonly Finding[] {
  const { holdings } = live;
  if (holdings === null || action.kind === "submit" || action.kind === "opaque") return [];
  // Only with the gate off does a call run that policy refuses: then its text says what it would have done.
  const effects = decision.effect === "allow" || approval !== null ? [] : effectsOf(action);
  if (effects.length === 0 && outputs.every((text) => text === "")) return [];
  const findings = attemptFindings({ effects, outputs, holdings, policySet: live.options.policy, context, changed: [...settled.changes, ...settled.findings] });
  // An address or a command may hold a secret; the outputs are redacted already.
  return findings.map((finding) => (finding.held === undefined ? finding : { ...finding, held: { ...finding.held, name: live.deps.redactor.text(finding.held.name) } }));
}

function effectsOf(action: Exclude<Action, { kind: "submit" | "opaque" }>): readonly ActionEffect[] {
  if (action.effects.length > 0 || action.kind === "command" || action.kind === "process") return action.effects;
  return [{ kind: "file", operation: action.kind === "view" ? "read" : "write", path: action.path, certainty: "exact", recursive: false, by: action.kind, from: action.path }];
}
