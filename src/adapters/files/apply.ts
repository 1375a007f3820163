// Takes a session's changes over into the user's folder: all or nothing. Everything is checked first, then all new content
// is written beside, then names are exchanged one by one, each atomically; a failure puts back what was exchanged. Follows
// no link in any component, runs nothing, and gives nothing more rights than its owner had.

import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import type { Change } from "../../core/reconcile/change.js";
import { runsLater } from "../../core/reconcile/selection.js";
import { GuardError } from "../../core/shared/index.js";
import type { Workspace } from "../../ports/workspace.js";
import { commitSteps } from "./apply-commit.js";
import { attempt, type Stage } from "./apply-file.js";
import { journalSteps, type ApplyJournal } from "./apply-journal.js";
import { planApply, selectChanges, type ApplyStep, type SkippedPath } from "./apply-plan.js";
import { createStageRun, folderTime, stageOne } from "./apply-stage.js";
import { createBreath } from "./breath.js";
import { holdFolder, type HeldFolder } from "./open-below.js";
import { rawBytes, rawFromText } from "./raw-path.js";
import { removeTree } from "./remove-tree.js";

export interface ApplyOptions {
  readonly workspace: Workspace;
  /** Changes against the user's folder, as the session's workspace tells them. */
  readonly changes: readonly Change[];
  /** Only these paths and what is below them; left out: all. */
  readonly select?: readonly string[];
  /** Where to; left out: the workspace's own folder. */
  readonly folder?: string;
  /** Content in place of the session's, by path; the change's `after` tells its digest. */
  readonly contents?: ReadonlyMap<string, Uint8Array>;
  /** Why a path does not fit, by path, where the caller knows more than a look at the folder tells. */
  readonly reasons?: ReadonlyMap<string, string>;
  /** Told before each part, so that the next command can end what is cut off. Left out: nothing is noted. */
  readonly journal?: Pick<ApplyJournal, "staging" | "exchanging"> & { exchanged(paths: readonly string[]): void };
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
    const plan = await planApply(folder, changes, signal, options.reasons);
    const open = plan.steps.filter((step) => !step.done);
    const appliedBut = (kept: readonly SkippedPath[]): readonly AppliedPath[] => {
      const keptPaths = new Set(kept.map((skip) => skip.path));
      return plan.steps.filter((step) => !keptPaths.has(step.change.path)).map(({ change }) => report(change));
    };
    const { journal } = options;
    const noted = journal === undefined ? null : { ...journal, exchanged: (kept: readonly SkippedPath[]) => journal.exchanged(appliedBut(kept).map(({ path }) => path)) };
    const kept = open.length === 0 ? [] : await stageAndCommit({ root, folder, workspace, steps: open, contents: options.contents ?? new Map(), journal: noted, signal });
    return { applied: appliedBut(kept), skipped: [...plan.skipped, ...kept] };
  } finally {
    folder.close();
  }
}

interface Work {
  readonly root: string;
  readonly folder: HeldFolder;
  readonly workspace: Workspace;
  readonly steps: readonly ApplyStep[];
  readonly contents: ReadonlyMap<string, Uint8Array>;
  readonly journal: (Pick<ApplyJournal, "staging" | "exchanging"> & { exchanged(kept: readonly SkippedPath[]): void }) | null;
  readonly signal: AbortSignal;
}

async function stageAndCommit({ root, folder, workspace, steps, contents, journal, signal }: Work): Promise<readonly SkippedPath[]> {
  const name = `.ringfence-apply-${randomBytes(8).toString("hex")}`;
  const path = `${root}/${name}`;
  journal?.staging(root, path);
  const held = attempt(root, () => {
    mkdirSync(rawBytes(rawFromText(`${folder.prefix}/${name}`)), { mode: 0o700 });
    return holdFolder(rawFromText(`${folder.prefix}/${name}`));
  });
  const stage: Stage = { path, held };
  let keep = false;
  try {
    const run = createStageRun({ stage, workspace, contents, breath: createBreath(signal), sync: steps.length <= SYNC_LIMIT });
    const times = new Map<string, number>();
    let index = 0;
    for (const step of steps) {
      if (signal.aborted) throw new GuardError("CANCELLED", "nothing was applied: cancelled");
      if (needsStaging(step)) await stageOne(run, index, step);
      else if (isNewFolder(step)) {
        const time = await folderTime(workspace, step.change.path);
        if (time !== null) times.set(step.change.path, time);
      }
      index += 1;
    }
    journal?.exchanging(journalSteps(stage, steps));
    return commitSteps(folder, stage, steps, workspace, { times, seal: (kept) => journal?.exchanged(kept) });
  } catch (error) {
    keep = error instanceof GuardError && error.context["kept"] !== undefined;
    if (!keep) noteWalkedBack(journal, root, path);
    throw error;
  } finally {
    held.close();
    if (!keep) removeTree(path);
  }
}

/** All is as it was, and only the stage is to go: a recovery would no longer find in it what it needs to tell so. */
function noteWalkedBack(journal: Work["journal"], root: string, path: string): void {
  try {
    journal?.staging(root, path);
  } catch {
    // The state folder cannot be written, which is most likely what ended the apply: it is told already.
  }
}

function isNewFolder({ change, found }: ApplyStep): boolean {
  return change.after?.kind === "directory" && found?.isDirectory() !== true;
}

function needsStaging({ change, found }: ApplyStep): boolean {
  const after = change.after;
  if (after === null || after.kind === "directory") return false;
  return found === null || change.operation !== "metadata";
}

function report(change: Change): AppliedPath {
  return { path: change.path, operation: change.operation, runsLater: runsLater(change) };
}
