// Takes a session's changes over into the user's folder: all or nothing. Everything is checked first, then all new content
// is written beside, then names are exchanged one by one, each atomically; a failure puts back what was exchanged. Follows
// no link in any component, runs nothing, and gives nothing more rights than its owner had.

import { randomBytes } from "node:crypto";
import { chmodSync, closeSync, constants, fdatasyncSync, mkdirSync, openSync, symlinkSync, writeSync } from "node:fs";
import type { Change, Entry } from "../../core/reconcile/change.js";
import { isRunLater } from "../../core/reconcile/runs-later.js";
import { GuardError, LIMITS, printable } from "../../core/shared/index.js";
import type { Workspace } from "../../ports/workspace.js";
import { commitSteps } from "./apply-commit.js";
import { attempt, giveOwner, modeFor, type Stage } from "./apply-file.js";
import { planApply, selectChanges, type ApplyStep, type SkippedPath } from "./apply-plan.js";
import { digestOf } from "./entry.js";
import { holdFolder, type HeldFolder } from "./open-below.js";
import { rawBytes, rawFromPath, rawFromText, type Raw } from "./raw-path.js";
import { removeTree } from "./remove-tree.js";

export interface ApplyOptions {
  readonly workspace: Workspace;
  /** Changes against the user's folder, as the session's workspace tells them. */
  readonly changes: readonly Change[];
  /** Only these paths and what is below them; left out: all. */
  readonly select?: readonly string[];
  /** Where to; left out: the workspace's own folder. */
  readonly folder?: string;
  readonly signal?: AbortSignal;
}

export interface AppliedPath {
  readonly path: string;
  readonly operation: Change["operation"];
  /** Something on this machine is likely to run it without being asked: a hook, a build file, CI, editor settings. */
  readonly runsLater: boolean;
}

export interface ApplyResult {
  readonly applied: readonly AppliedPath[];
  /** What is never taken over, and folders that could not go because the user has more in them. */
  readonly skipped: readonly SkippedPath[];
}

/** Staged files are flushed to disk one by one only up to this many. */
const SYNC_LIMIT = 500;

/**
 * Applies changes. Throws APPLY_CONFLICT before anything is written when the folder moved underneath, USAGE_INVALID for an
 * unknown selected path, and APPLY_FAILED when the system refused midway; then the folder is as it was.
 */
export async function applyChanges(options: ApplyOptions): Promise<ApplyResult> {
  const { workspace } = options;
  const signal = options.signal ?? new AbortController().signal;
  const changes = selectChanges(options.changes, options.select);
  const root = options.folder ?? workspace.path;
  const folder = attempt(root, () => holdFolder(rawFromText(root)));
  try {
    const plan = await planApply(folder, changes, signal);
    const open = plan.steps.filter((step) => !step.done);
    const kept = open.length === 0 ? [] : await stageAndCommit(root, folder, workspace, open, signal);
    const keptPaths = new Set(kept.map((skip) => skip.path));
    const applied = plan.steps.filter((step) => !keptPaths.has(step.change.path)).map(({ change }) => report(change));
    return { applied, skipped: [...plan.skipped, ...kept] };
  } finally {
    folder.close();
  }
}

async function stageAndCommit(root: string, folder: HeldFolder, workspace: Workspace, steps: readonly ApplyStep[], signal: AbortSignal): Promise<readonly SkippedPath[]> {
  const name = `.ringfence-apply-${randomBytes(8).toString("hex")}`;
  const path = `${root}/${name}`;
  const held = attempt(root, () => {
    mkdirSync(rawBytes(`${folder.prefix}/${name}`), { mode: 0o700 });
    return holdFolder(`${folder.prefix}/${name}`);
  });
  const stage: Stage = { path, held };
  let keep = false;
  try {
    let index = 0;
    for (const step of steps) {
      if (signal.aborted) throw new GuardError("CANCELLED", "nothing was applied: cancelled");
      if (needsStaging(step)) await stageOne(stage, index, step, workspace, steps.length <= SYNC_LIMIT);
      index += 1;
    }
    return commitSteps(folder, stage, steps, workspace);
  } catch (error) {
    keep = error instanceof GuardError && error.context["kept"] !== undefined;
    throw error;
  } finally {
    held.close();
    if (!keep) removeTree(path);
  }
}

function needsStaging({ change, found }: ApplyStep): boolean {
  const after = change.after;
  if (after === null || after.kind === "directory") return false;
  return found === null || change.operation !== "metadata";
}

/** Writes the new content, or the new link, under its step's number, with owner and mode as they shall be. */
async function stageOne(stage: Stage, index: number, step: ApplyStep, workspace: Workspace, sync: boolean): Promise<void> {
  const { change, found } = step;
  const after = change.after as Entry;
  const path: Raw = `${stage.held.prefix}/new-${index}`;
  if (after.kind === "symlink") {
    attempt(change.path, () => symlinkSync(rawBytes(rawFromPath(after.target ?? "")), rawBytes(path)));
    giveOwner(path, found, workspace);
    return;
  }
  const content = await workspace.readChanged(change.path, LIMITS.compareBytes);
  if (content === null || content.entry.kind !== "file" || digestOf(content.content) !== after.digest) {
    throw new GuardError("STATE_UNUSABLE", `nothing was applied: the session's copy of \`${printable(change.path)}\` is not what was recorded`, { hint: "review the session again with `ringfence diff`" });
  }
  attempt(change.path, () => {
    const fd = openSync(rawBytes(path), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
    try {
      for (let done = 0; done < content.content.length; ) done += writeSync(fd, content.content, done);
      if (sync) fdatasyncSync(fd);
    } finally {
      closeSync(fd);
    }
    giveOwner(path, found, workspace);
    chmodSync(rawBytes(path), modeFor(change, found));
  });
}

function report(change: Change): AppliedPath {
  return { path: change.path, operation: change.operation, runsLater: change.after !== null && isRunLater(change.path, change.after) };
}
