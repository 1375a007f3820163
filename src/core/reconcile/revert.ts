// How to bring names back to the state before a call, as steps in an order that works: what is in the way goes first,
// deepest first; then folders before what lies in them; narrow folder modes last. Pure; the content is read by others.

import type { Change, Entry } from "./change.js";
import { isSameContent, isSameEntry } from "./entries.js";
import { comparePaths } from "./names.js";

/**
 * One step. `restore` brings back `entry`: from `base`, the user's own file, or `previous`, what an earlier call of the
 * session left (found by its digest). `present`: something of the same kind is still there.
 */
export type RevertStep =
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "restore"; readonly path: string; readonly from: "previous" | "base"; readonly entry: Entry; readonly present: Entry | null }
  | { readonly op: "mode"; readonly path: string; readonly mode: number };

export interface RevertPlan {
  readonly steps: readonly RevertStep[];
  /** Every path brought back: the forbidden ones, and what cannot stay without them. Sorted. */
  readonly paths: readonly string[];
}

/** The same shape as a sandbox's file operation, so that a step can be handed on as it is. */
export type RevertOp =
  | { readonly op: "write"; readonly path: string; readonly content: Uint8Array; readonly mode: number }
  | { readonly op: "mkdir"; readonly path: string; readonly mode: number }
  | { readonly op: "symlink"; readonly path: string; readonly target: string }
  | { readonly op: "chmod"; readonly path: string; readonly mode: number }
  | { readonly op: "remove"; readonly path: string };

/**
 * Plans the undoing of `forbidden` paths among a call's changes. What was made inside a folder that must go, goes with it;
 * a folder that is gone and held something that must come back, comes back.
 * @param earlier paths that already differed from the user's folder before the call
 */
export function planRevert(callChanges: readonly Change[], forbidden: ReadonlySet<string>, earlier: ReadonlySet<string>): RevertPlan {
  const byPath = new Map(callChanges.map((change) => [change.path, change]));
  const chosen = new Set<string>();
  for (const path of forbidden) {
    const change = byPath.get(path);
    if (change === undefined) continue;
    chosen.add(path);
    if (change.before === null) continue;
    for (const ancestor of ancestorsOf(path)) {
      const above = byPath.get(ancestor);
      if (above !== undefined && above.before?.kind === "directory" && above.after?.kind !== "directory") chosen.add(ancestor);
    }
  }
  addLost(callChanges, byPath, forbidden, chosen);
  addInsides(callChanges, byPath, chosen);
  const changes = callChanges.filter((change) => chosen.has(change.path)).sort((a, b) => comparePaths(a.path, b.path));
  return { steps: [...removals(changes), ...restorals(changes, earlier), ...narrowModes(changes)], paths: changes.map((change) => change.path) };
}

/** Tells whether the bytes of `step.entry` are needed to carry the step out. */
export function needsContent(step: RevertStep): boolean {
  if (step.op !== "restore" || step.entry.kind !== "file") return false;
  return step.present === null || !isSameContent(step.present, step.entry);
}

/**
 * The file operations of one step; null when it cannot be done: the content is missing, or the name was a FIFO, socket or
 * device, which are never made again.
 */
export function revertOps(step: RevertStep, content: Uint8Array | null): readonly RevertOp[] | null {
  if (step.op === "remove") return [{ op: "remove", path: step.path }];
  if (step.op === "mode") return [{ op: "chmod", path: step.path, mode: step.mode }];
  const { path, entry, present } = step;
  const mode = entry.mode & 0o1777;
  switch (entry.kind) {
    case "file":
      if (!needsContent(step)) return [{ op: "chmod", path, mode }];
      return content === null ? null : [{ op: "write", path, content, mode }];
    case "directory":
      return present === null ? [{ op: "mkdir", path, mode: mode | 0o700 }] : [{ op: "chmod", path, mode: mode | 0o700 }];
    case "symlink": {
      const link: RevertOp = { op: "symlink", path, target: entry.target ?? "" };
      return present === null ? [link] : [{ op: "remove", path }, link];
    }
    case "fifo":
    case "socket":
    case "device":
      return present !== null && isSameContent(present, entry) ? [{ op: "chmod", path, mode }] : null;
  }
}

/** Adds what was lost with a folder whose deletion is forbidden: such a folder comes back whole. */
function addLost(callChanges: readonly Change[], byPath: ReadonlyMap<string, Change>, forbidden: ReadonlySet<string>, chosen: Set<string>): void {
  const lost = (path: string): boolean => {
    const change = byPath.get(path);
    return change !== undefined && forbidden.has(path) && change.before?.kind === "directory" && change.after?.kind !== "directory";
  };
  for (const change of callChanges) {
    if (change.before !== null && !chosen.has(change.path) && ancestorsOf(change.path).some(lost)) chosen.add(change.path);
  }
}

/** Adds what was made inside folders that were not folders before the call. */
function addInsides(callChanges: readonly Change[], byPath: ReadonlyMap<string, Change>, chosen: Set<string>): void {
  const goes = (path: string): boolean => {
    const change = byPath.get(path);
    return change !== undefined && chosen.has(path) && change.after?.kind === "directory" && change.before?.kind !== "directory";
  };
  for (const change of callChanges) {
    if (!chosen.has(change.path) && ancestorsOf(change.path).some(goes)) chosen.add(change.path);
  }
}

function removals(changes: readonly Change[]): readonly RevertStep[] {
  return changes
    .filter(({ before, after }) => after !== null && before?.kind !== after.kind)
    .map(({ path }) => ({ op: "remove" as const, path }))
    .reverse();
}

function restorals(changes: readonly Change[], earlier: ReadonlySet<string>): readonly RevertStep[] {
  const steps: RevertStep[] = [];
  for (const { path, before, after } of changes) {
    if (before === null || isSameEntry(before, after)) continue;
    const present = after !== null && after.kind === before.kind ? after : null;
    steps.push({ op: "restore", path, from: earlier.has(path) ? "previous" : "base", entry: before, present });
  }
  return steps;
}

function narrowModes(changes: readonly Change[]): readonly RevertStep[] {
  const steps: RevertStep[] = [];
  for (const { path, before } of changes) {
    if (before?.kind !== "directory" || (before.mode & 0o700) === 0o700) continue;
    steps.push({ op: "mode", path, mode: before.mode & 0o1777 });
  }
  return steps.reverse();
}

function ancestorsOf(path: string): readonly string[] {
  const out: string[] = [];
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) out.push(path.slice(0, slash));
  return out;
}
