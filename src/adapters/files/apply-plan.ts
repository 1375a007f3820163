// What taking changes over would do to the user's folder, and what stands against it. Looks, and changes nothing.

import { lstatSync, readdirSync, type Stats } from "node:fs";
import type { Change, Entry } from "../../core/reconcile/change.js";
import { isSameContent } from "../../core/reconcile/entries.js";
import { comparePaths, isWorkspacePath, parentPath } from "../../core/reconcile/names.js";
import { leavesWorkspace } from "../../core/reconcile/own-findings.js";
import { GuardError, LIMITS, printable } from "../../core/shared/index.js";
import { createBreath } from "./breath.js";
import { createReadBudget, readEntry } from "./entry.js";
import { holdBelow, type HeldFolder } from "./open-below.js";
import { parentRaw, pathOfRaw, rawBytes, rawFromPath, type Raw } from "./raw-path.js";

/** One change to carry out, with the stamp of what is there now; null when nothing is. */
export interface ApplyStep {
  readonly change: Change;
  readonly raw: Raw;
  readonly found: Stats | null;
  /** It already is as the session left it. */
  readonly done: boolean;
}

export interface SkippedPath {
  readonly path: string;
  readonly reason: string;
}

export interface ApplyPlan {
  /** Sorted by path, parents first. */
  readonly steps: readonly ApplyStep[];
  readonly skipped: readonly SkippedPath[];
}

const CONFLICTS_NAMED = 10;

/**
 * The changes to take over for a selection: all, or those at and below the selected paths, with the folders they need.
 * Throws USAGE_INVALID for a selected path without changes.
 */
export function selectChanges(changes: readonly Change[], select: readonly string[] | undefined): readonly Change[] {
  const sorted = [...changes].sort((a, b) => comparePaths(a.path, b.path));
  const odd = sorted.find((change) => !isWorkspacePath(change.path));
  if (odd !== undefined) throw new GuardError("USAGE_INVALID", `\`${printable(odd.path)}\` is no path inside a workspace`);
  if (select === undefined) return sorted;
  const chosen = new Set<string>();
  const matched = new Set<string>();
  for (const { path } of sorted) {
    for (const wanted of select) {
      if (path !== wanted && !path.startsWith(`${wanted}/`)) continue;
      chosen.add(path);
      matched.add(wanted);
    }
  }
  const unknown = select.find((path) => !matched.has(path));
  if (unknown !== undefined) throw new GuardError("USAGE_INVALID", `the session has no change at \`${printable(unknown)}\``, { hint: "`ringfence diff` lists the changed paths" });
  const byPath = new Map(sorted.map((change) => [change.path, change]));
  for (const path of chosen) {
    if (byPath.get(path)?.after === null) continue;
    for (let folder = parentPath(path); folder !== ""; folder = parentPath(folder)) {
      const above = byPath.get(folder);
      if (above?.after?.kind === "directory" && above.before?.kind !== "directory") chosen.add(folder);
    }
  }
  return withInsides(sorted.filter((change) => chosen.has(change.path)), sorted);
}

/**
 * Checks every change against the folder as it is now. Throws APPLY_CONFLICT, naming files, when one is neither as it was
 * before the session nor as the session left it.
 * @param reasons why a path does not fit, where the caller knows more than this look tells
 */
export async function planApply(folder: HeldFolder, changes: readonly Change[], signal: AbortSignal, reasons: ReadonlyMap<string, string> = new Map()): Promise<ApplyPlan> {
  const breath = createBreath(signal);
  const budget = createReadBudget();
  const { kept, skipped } = partition(changes);
  const made = new Set(kept.filter((change) => change.after?.kind === "directory").map((change) => change.path));
  const gone = new Set(kept.filter((change) => change.after?.kind !== "directory").map((change) => change.path));
  const steps: ApplyStep[] = [];
  const conflicts: Conflict[] = [];
  for (const change of kept) {
    const raw = rawFromPath(change.path);
    const parent = parentPath(change.path);
    const held = holdBelow(folder, parentRaw(raw));
    if (held === null) {
      // The folder above is missing: fine for what is to be deleted, or when the plan makes it.
      if (change.after !== null && !made.has(parent)) conflicts.push({ path: change.path, why: "its folder is gone" });
      else steps.push({ change, raw, found: null, done: change.after === null });
      continue;
    }
    try {
      const system = `${held.prefix}/${baseName(raw)}`;
      const found = lstatSync(rawBytes(system), { throwIfNoEntry: false }) ?? null;
      const entry = found === null ? null : await readEntry(system, found, budget, breath);
      const isAsBefore = isUnmoved(change.before, entry);
      const done = isSettled(change.after, entry);
      const insideKept = change.before?.kind === "directory" && change.after !== null && change.after.kind !== "directory" && !done && holdsMore(system, change.path, gone);
      if ((!isAsBefore && !done) || insideKept) conflicts.push({ path: change.path, why: reasons.get(change.path) ?? whyNot(change.before, entry) });
      steps.push({ change, raw, found, done });
    } finally {
      held.close();
    }
    if (breath.due()) await breath.pause();
  }
  if (conflicts.length > 0) throw conflict(conflicts);
  return { steps, skipped };
}

/** A path that is neither as it was nor as it shall be, and what is with it. */
export interface Conflict {
  readonly path: string;
  readonly why: string;
}

/** The failure that names what moved underneath. */
export function conflict(found: readonly Conflict[]): GuardError {
  const named = found.slice(0, CONFLICTS_NAMED).map(({ path, why }) => `\`${printable(path)}\` (${why})`).join(", ");
  const more = found.length > CONFLICTS_NAMED ? ` and ${found.length - CONFLICTS_NAMED} more` : "";
  const listed = found.slice(0, 1_000);
  return new GuardError("APPLY_CONFLICT", `nothing was applied: changed since the session: ${named}${more}`, { context: { paths: listed.map(({ path }) => path), reasons: listed.map(({ why }) => why) } });
}

function whyNot(before: Entry | null, found: Entry | null): string {
  if (found === null) return "it is gone";
  if (before === null) return "it was made meanwhile";
  if (before.kind !== found.kind) return `it is a ${found.kind} now`;
  if (found.kind === "directory") return "it holds more than the session saw";
  return found.kind === "symlink" ? "it points elsewhere now" : "its content changed";
}

export function baseName(raw: Raw): Raw {
  return raw.slice(raw.lastIndexOf("/") + 1);
}

/** Adds what lay in folders that are no folders any more, and leaves out what cannot be taken over. */
function withInsides(chosen: readonly Change[], all: readonly Change[]): readonly Change[] {
  const roots = chosen.filter((change) => change.before?.kind === "directory" && change.after?.kind !== "directory").map((change) => `${change.path}/`);
  const paths = new Set(chosen.map((change) => change.path));
  return all.filter((change) => paths.has(change.path) || roots.some((root) => change.path.startsWith(root)));
}

function partition(changes: readonly Change[]): { readonly kept: readonly Change[]; readonly skipped: readonly SkippedPath[] } {
  const kept: Change[] = [];
  const skipped: SkippedPath[] = [];
  const blocked: string[] = [];
  for (const change of changes) {
    const reason = blocked.some((root) => change.path.startsWith(root)) ? "its folder stays as it is" : refusal(change);
    if (reason === null) {
      kept.push(change);
      continue;
    }
    skipped.push({ path: change.path, reason });
    if (change.before?.kind === "directory" && change.after !== null) blocked.push(`${change.path}/`);
  }
  return { kept, skipped };
}

function refusal(change: Change): string | null {
  const after = change.after;
  if (after === null) return null;
  if (after.kind === "fifo" || after.kind === "socket" || after.kind === "device") return `a ${after.kind} is never taken over`;
  if (after.kind === "symlink" && leavesWorkspace(change.path, after.target ?? "", null)) return "the link points outside of the folder";
  if (after.kind === "file" && after.digest === null) return `it is larger than ${LIMITS.digestBytes} bytes or could not be read`;
  return null;
}

/** Is it as it was before the session? Permission bits are the user's to change, so they do not count. */
function isUnmoved(before: Entry | null, found: Entry | null): boolean {
  if (before === null || found === null) return before === found;
  return isSameContent(before, found);
}

function isSettled(after: Entry | null, found: Entry | null): boolean {
  if (after === null || found === null) return after === found;
  return isSameContent(after, found) && (after.kind === "symlink" || (after.mode & 0o777) === (found.mode & 0o777));
}

/** Does a folder that must make way hold names that the session did not remove? */
function holdsMore(system: Raw, path: string, gone: ReadonlySet<string>): boolean {
  return readdirSync(rawBytes(system), { encoding: "latin1" }).some((name) => !gone.has(`${path}/${pathOfRaw(name)}`));
}
