// After a call: what really changed, which of it policy forbids, and the undoing of that, read back.

import type { FileEffect } from "../core/action/effects.js";
import { decideEffects, type ContentSubject, type DecisionContext } from "../core/policy/index.js";
import type { Change, Finding } from "../core/reconcile/change.js";
import { changesOfCall, markReverted, needsContent, reconcile, revertOps, unkeptFinding, type Judgement, type RevertStep } from "../core/reconcile/index.js";
import { GuardError, LIMITS, printable } from "../core/shared/index.js";
import type { FileOp } from "../ports/sandbox.js";
import type { Reason } from "../core/policy/decision.js";
import { foldName } from "../core/policy/paths.js";
import type { LiveSession } from "./live.js";
import type { Written } from "./perform.js";
import { gitAliases, type Alias } from "./git-folders.js";
import { readChangedTexts } from "./changed-texts.js";
import { settleScratch } from "./scratch.js";
import { againstChanges } from "./spending.js";

export interface Settled {
  /** Changes of this call that stand. */
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
  /** Paths of forbidden changes that could not be undone; empty when all is well. */
  readonly left: readonly string[];
}

const ALLOWED: Judgement = { effect: "allow", reasons: [] };

/**
 * Compares the workspace with what it was before the call, undoes what policy forbids and reads it back. Call only when no
 * process of the call is left. Throws GuardError when the truth cannot be told; the session is then broken.
 * @param approvedRules rules a person approved for this call
 * @param ranProgram a program ran, which may have written outside the workspace too
 */
export async function settle(live: LiveSession, context: DecisionContext, approvedRules: ReadonlySet<string>, ranProgram: boolean): Promise<Settled> {
  const signal = AbortSignal.timeout(live.deadlines.settleMs);
  const scratch = ranProgram ? await settleScratch(live, context, approvedRules, signal) : { findings: [], left: [] };
  const settled = await settleWorkspace(live, context, approvedRules, { signal, ranProgram });
  return { changes: settled.changes, findings: [...settled.findings, ...scratch.findings], left: [...settled.left, ...scratch.left] };
}

async function settleWorkspace(live: LiveSession, context: DecisionContext, approvedRules: ReadonlySet<string>, { signal, ranProgram }: { readonly signal: AbortSignal; readonly ranProgram: boolean }): Promise<Settled> {
  const before = live.changes;
  const after = await live.workspace.changes(signal);
  const texts = await readChangedTexts(live, { before, after }, context, ranProgram);
  const over = againstChanges(live, () => changesOfCall(before, after), context, approvedRules);
  const aliases = await gitAliases(live, before, after);
  const judge = (change: Change): Judgement => withReasons(judgeChange(live, change, context, approvedRules, { content: texts.get(change.path), aliases: aliases.get(change.path) ?? [] }), over);
  const outcome = reconcile({ before, after, root: context.root, judge });
  if (outcome.reverts.steps.length === 0) return stand(live, after, { changes: outcome.callChanges, findings: outcome.findings, left: [] });
  await undo(live, outcome.reverts.steps, signal);
  // What is there now is judged anew: the undoing is believed only as far as it is seen, and may itself have left something.
  const readBack = await live.workspace.changes(signal);
  const remaining = reconcile({ before, after: readBack, root: context.root, judge });
  const undone = markReverted(outcome.findings, outcome.reverts, remaining.callChanges);
  const known = new Set(undone.map(findingKey));
  const findings = [...undone, ...remaining.findings.filter((finding) => !known.has(findingKey(finding)))];
  const left = remaining.reverts.paths;
  if (left.length > 0) live.deps.telemetry.error("changes were not undone", { session: live.id, paths: left.slice(0, 10).map((path) => printable(path)) });
  return stand(live, readBack, { changes: remaining.callChanges, findings, left });
}

/** An edit is believed only when the workspace shows it. Throws GuardError otherwise. Call after `settle`. */
export async function checkWritten(live: LiveSession, wrote: Written | null, settled: Settled): Promise<void> {
  if (wrote === null || settled.findings.some((finding) => finding.path === wrote.path)) return;
  const change = live.changes.find(({ path }) => path === wrote.path);
  const now = change === undefined ? ((await live.workspace.readBase(wrote.path, LIMITS.compareBytes))?.entry ?? null) : change.after;
  if ((now?.digest ?? null) !== wrote.digest) throw new GuardError("SANDBOX_FAILED", `\`${printable(wrote.path)}\` is not what was written to it`);
}

function findingKey(finding: Finding): string {
  return `${finding.rule} ${finding.path}`;
}

async function stand(live: LiveSession, all: readonly Change[], settled: Settled): Promise<Settled> {
  const unkept = await live.preimages.remember(live.workspace, settled.changes);
  live.changes = all;
  return unkept.length === 0 ? settled : { ...settled, findings: [...settled.findings, unkeptFinding(unkept)] };
}

function judgeChange(live: LiveSession, change: Change, context: DecisionContext, approvedRules: ReadonlySet<string>, also: { readonly content: ContentSubject | undefined; readonly aliases: readonly Alias[] }): Judgement {
  const effect = effectOf(change, context.root);
  const elsewhere = also.aliases.map(({ path, recursive }) => ({ ...effect, path: `${context.root}/${path}`, recursive }));
  const decision = decideEffects(live.options.policy, [effect, ...elsewhere, ...(also.content === undefined ? [] : [also.content])], { ...context, cwd: context.root });
  const asked = decision.reasons.filter((reason) => reason.effect === "ask");
  if (decision.effect === "ask" && asked.length > 0 && asked.every((reason) => approvedRules.has(reason.rule))) return ALLOWED;
  return { effect: decision.effect, reasons: decision.reasons };
}

/** What is against a call as a whole is against each of its changes. */
function withReasons(judgement: Judgement, over: readonly Reason[]): Judgement {
  const [first] = over;
  if (first === undefined || judgement.effect === "deny") return judgement;
  const effect = first.effect === "deny" ? "deny" : "ask";
  return { effect, reasons: [...over, ...judgement.reasons].filter((reason) => reason.effect === effect) };
}

/** An observed change as the effect that the same rules judge. */
export function effectOf(change: Change, root: string): FileEffect {
  return {
    kind: "file",
    operation: change.operation === "modify" ? "write" : change.operation,
    path: `${root}/${change.path}`,
    certainty: "exact",
    // A link at the name of a folder stands for every protected name below it, and so does a file that names a repository.
    recursive: change.after?.kind === "symlink" || (change.after?.kind === "file" && foldName(baseName(change.path)) === ".git"),
    by: "observed change",
    from: `${change.operation} ${printable(change.path)}`,
  };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

async function undo(live: LiveSession, steps: readonly RevertStep[], signal: AbortSignal): Promise<void> {
  await bringBack(live, await opsOf(live, steps), signal);
}

/** What the steps come to, with the content they need. Throws SANDBOX_FAILED when one of them cannot be taken. */
export async function opsOf(live: LiveSession, steps: readonly RevertStep[]): Promise<readonly FileOp[]> {
  const ops: FileOp[] = [];
  for (const step of steps) {
    const made = revertOps(step, needsContent(step) ? await contentOf(live, step) : null);
    if (made === null) throw new GuardError("SANDBOX_FAILED", `\`${printable(step.path)}\` cannot be brought back as it was`);
    ops.push(...made);
  }
  return ops;
}

/** Carries them out through the mount. What fails is seen by who reads back. */
export async function bringBack(live: LiveSession, ops: readonly FileOp[], signal: AbortSignal): Promise<void> {
  const failures = (await live.sandbox.apply(ops, signal)).filter((result) => result !== null);
  if (failures.length > 0) live.deps.telemetry.warn("undoing changes", { session: live.id, failures: failures.slice(0, 5) });
}

async function contentOf(live: LiveSession, step: RevertStep): Promise<Uint8Array | null> {
  if (step.op !== "restore") return null;
  if (step.from === "base") return (await live.workspace.readBase(step.path, LIMITS.compareBytes))?.content ?? null;
  return step.entry.digest === null ? null : live.preimages.load(step.entry.digest);
}
