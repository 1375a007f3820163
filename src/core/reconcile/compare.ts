// One call's changes, out of two looks at the workspace, and which of them must be undone. Pure: policy is handed in as
// `judge`. Anything but a clear allow is a finding.

import type { Reason, DecisionEffect } from "../policy/decision.js";
import { LIMITS, count } from "../shared/index.js";
import type { Change, Entry, Finding } from "./change.js";
import { changeBetween, isSameEntry } from "./entries.js";
import { comparePaths } from "./names.js";
import { ownFindings, limitFinding } from "./own-findings.js";
import { planRevert, type RevertPlan } from "./revert.js";

/** What policy says of one change. `reasons` strictest first, as in a decision. */
export interface Judgement {
  readonly effect: DecisionEffect;
  readonly reasons: readonly Reason[];
}

export type Judge = (change: Change) => Judgement;

export interface Reconciliation {
  /** What this call changed, sorted by path; `before` is the state before the call, not the user's own. */
  readonly callChanges: readonly Change[];
  /** At most `LIMITS.findings`; past that one `reconcile.more` stands for the rest. None is marked reverted yet. */
  readonly findings: readonly Finding[];
  /** How to undo what is not allowed, whole, also past the limit of findings. */
  readonly reverts: RevertPlan;
}

export interface ReconcileInput {
  /** Changes against the user's folder before the call, and after it: two results of `Workspace.changes`. */
  readonly before: readonly Change[];
  readonly after: readonly Change[];
  readonly judge: Judge;
  /** Where the workspace is mounted, for links that leave it. */
  readonly root: string;
}

/**
 * Compares the two looks and judges each difference. More than `LIMITS.changes` differences are not judged one by one:
 * the whole call is to be undone.
 */
export function reconcile(input: ReconcileInput): Reconciliation {
  const callChanges = changesOfCall(input.before, input.after);
  if (callChanges.length === 0) return { callChanges, findings: [], reverts: { steps: [], paths: [] } };
  const earlier = pathSet(input.before);
  if (callChanges.length > LIMITS.changes) {
    const paths = new Set(callChanges.map((change) => change.path));
    return { callChanges, findings: [limitFinding(callChanges.length)], reverts: planRevert(callChanges, paths, earlier) };
  }
  const judged = judgeAll(callChanges, input.judge);
  const findings: Finding[] = [];
  const forbidden = new Set<string>();
  for (const { change, judgement } of judged) {
    if (judgement.effect !== "allow") {
      forbidden.add(change.path);
      findings.push(...policyFindings(change, judgement));
    }
    for (const own of ownFindings(change, input.root)) {
      findings.push(own.finding);
      if (own.revert) forbidden.add(change.path);
    }
  }
  return { callChanges, findings: capFindings(findings), reverts: planRevert(callChanges, forbidden, earlier) };
}

/** The difference between two change lists of one workspace, sorted by path. The same list twice costs nothing. */
export function changesOfCall(before: readonly Change[], after: readonly Change[]): readonly Change[] {
  if (before === after) return [];
  const earlier = new Map(before.map((change) => [change.path, change]));
  const out: Change[] = [];
  for (const change of after) {
    const known = earlier.get(change.path);
    earlier.delete(change.path);
    const previous: Entry | null = known === undefined ? change.before : known.after;
    if (known !== undefined && isSameEntry(previous, change.after)) continue;
    const difference = changeBetween(change.path, previous, change.after);
    if (difference !== null) out.push(difference);
  }
  for (const change of earlier.values()) {
    const difference = changeBetween(change.path, change.after, change.before);
    if (difference !== null) out.push(difference);
  }
  return out.sort((a, b) => comparePaths(a.path, b.path));
}

/** Marks findings whose path no longer differs: `remaining` are the call's changes as read back after the undoing. */
export function markReverted(findings: readonly Finding[], reverts: RevertPlan, remaining: readonly Change[]): readonly Finding[] {
  const left = pathSet(remaining);
  const asked = new Set(reverts.paths);
  const whole = reverts.paths.every((path) => !left.has(path));
  return findings.map((finding) => {
    const reverted = finding.path === "" ? whole && asked.size > 0 : asked.has(finding.path) && !left.has(finding.path);
    return { ...finding, reverted };
  });
}

interface Judged {
  readonly change: Change;
  readonly judgement: Judgement;
}

/**
 * A folder that came or went only as the way to something allowed is allowed too, unless a rule names the folder itself:
 * `mkdir -p test/x` for a permitted `test/x/y.js` is no offence of its own.
 */
function judgeAll(changes: readonly Change[], judge: Judge): readonly Judged[] {
  const judged = changes.map((change) => ({ change, judgement: judge(change) }));
  const carried = new Set<string>();
  for (const { change, judgement } of judged) {
    if (judgement.effect !== "allow" || isFolder(change)) continue;
    for (let slash = change.path.lastIndexOf("/"); slash > 0; slash = change.path.lastIndexOf("/", slash - 1)) {
      const folder = change.path.slice(0, slash);
      if (carried.has(folder)) break;
      carried.add(folder);
    }
  }
  return judged.map(({ change, judgement }) => {
    const merelyUnnamed = judgement.effect !== "allow" && judgement.reasons.every((reason) => reason.rule === "default-deny");
    const isWay = isFolder(change) && change.operation !== "metadata" && carried.has(change.path);
    return merelyUnnamed && isWay ? { change, judgement: { effect: "allow", reasons: [] } } : { change, judgement };
  });
}

function isFolder(change: Change): boolean {
  const kinds = [change.before?.kind ?? "directory", change.after?.kind ?? "directory"];
  return kinds.every((kind) => kind === "directory");
}

function policyFindings(change: Change, judgement: Judgement): readonly Finding[] {
  const reasons = judgement.reasons.filter((reason) => reason.effect === judgement.effect);
  const place = { path: change.path, operation: change.operation, reverted: false };
  if (reasons.length === 0) {
    const message = "nothing allows this change";
    return [{ rule: "reconcile.unexplained", layer: null, threats: [], message, ...place, risk: null }];
  }
  return reasons.map(({ rule, layer, threats, message, risk }) => ({ rule, layer, threats, message, ...place, risk }));
}

function capFindings(findings: readonly Finding[]): readonly Finding[] {
  if (findings.length <= LIMITS.findings) return findings;
  const rest = findings.length - LIMITS.findings + 1;
  const message = `not listed: ${count(rest, "more finding")} of this call; the changes are undone all the same`;
  const more: Finding = { rule: "reconcile.more", layer: null, threats: [], message, path: "", operation: "modify", reverted: false, risk: null };
  return [...findings.slice(0, LIMITS.findings - 1), more];
}

function pathSet(changes: readonly Change[]): ReadonlySet<string> {
  return new Set(changes.map((change) => change.path));
}
