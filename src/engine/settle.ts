// After a call: what really changed, which of it policy forbids, and the undoing of that, read back.

import type { ActionEffect } from "../core/action/effects.js";
import { decideEffects, type DecisionContext } from "../core/policy/index.js";
import type { Change, Finding } from "../core/reconcile/change.js";
import { changesOfCall, markReverted, needsContent, reconcile, revertOps, type Judgement, type RevertStep } from "../core/reconcile/index.js";
import { GuardError, LIMITS, printable } from "../core/shared/index.js";
import type { FileOp } from "../ports/sandbox.js";
import type { LiveSession } from "./session.js";

export interface Settled {
  /** Changes of this call that stand. */
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
}

const SETTLE_MS = 120_000;
const ALLOWED: Judgement = { effect: "allow", reasons: [] };

/**
 * Compares the workspace with what it was before the call, undoes what policy forbids and reads it back. Call only when no
 * process of the call is left. Throws GuardError when the truth cannot be told; the session is then broken.
 * @param approvedRules rules a person approved for this call
 */
export async function settle(live: LiveSession, context: DecisionContext, approvedRules: ReadonlySet<string>): Promise<Settled> {
  const signal = AbortSignal.timeout(SETTLE_MS);
  const before = live.changes;
  const after = await live.workspace.changes(signal);
  const outcome = reconcile({ before, after, root: context.root, judge: (change) => judgeChange(live, change, context, approvedRules) });
  if (outcome.reverts.steps.length === 0) return stand(live, after, outcome.callChanges, outcome.findings);
  await undo(live, outcome.reverts.steps, signal);
  const readBack = await live.workspace.changes(signal);
  const remaining = changesOfCall(before, readBack);
  const findings = markReverted(outcome.findings, outcome.reverts, remaining);
  const left = findings.filter((finding) => !finding.reverted).map((finding) => finding.path);
  if (left.length > 0) live.deps.telemetry.error("changes were not undone", { session: live.id, paths: left.slice(0, 10) });
  return stand(live, readBack, remaining, findings);
}

async function stand(live: LiveSession, all: readonly Change[], ofCall: readonly Change[], findings: readonly Finding[]): Promise<Settled> {
  await live.preimages.remember(live.workspace, ofCall);
  live.changes = all;
  return { changes: ofCall, findings };
}

function judgeChange(live: LiveSession, change: Change, context: DecisionContext, approvedRules: ReadonlySet<string>): Judgement {
  const decision = decideEffects(live.options.policy, [effectOf(change, context.root)], { ...context, cwd: context.root });
  const asked = decision.reasons.filter((reason) => reason.effect === "ask");
  if (decision.effect === "ask" && asked.length > 0 && asked.every((reason) => approvedRules.has(reason.rule))) return ALLOWED;
  return { effect: decision.effect, reasons: decision.reasons };
}

/** An observed change as the effect that the same rules judge. */
export function effectOf(change: Change, root: string): ActionEffect {
  return {
    kind: "file",
    operation: change.operation === "modify" ? "write" : change.operation,
    path: `${root}/${change.path}`,
    certainty: "exact",
    recursive: false,
    by: "observed change",
    from: `${change.operation} ${printable(change.path)}`,
  };
}

async function undo(live: LiveSession, steps: readonly RevertStep[], signal: AbortSignal): Promise<void> {
  const ops: FileOp[] = [];
  for (const step of steps) {
    const made = revertOps(step, needsContent(step) ? await contentOf(live, step) : null);
    if (made === null) throw new GuardError("SANDBOX_FAILED", `\`${printable(step.path)}\` cannot be brought back as it was`);
    ops.push(...made);
  }
  const failures = (await live.sandbox.apply(ops, signal)).filter((result) => result !== null);
  if (failures.length > 0) live.deps.telemetry.warn("undoing changes", { session: live.id, failures: failures.slice(0, 5) });
}

async function contentOf(live: LiveSession, step: RevertStep): Promise<Uint8Array | null> {
  if (step.op !== "restore") return null;
  if (step.from === "base") return (await live.workspace.readBase(step.path, LIMITS.compareBytes))?.content ?? null;
  return step.entry.digest === null ? null : live.preimages.load(step.entry.digest);
}
