// The exchange of names when changes are taken over: without a pause in between, each name at once, every step noted
// before it is taken, so that a failure walks back. Holds each folder open and follows no link.

import { chmodSync, linkSync, lstatSync, lutimesSync, mkdirSync, renameSync, rmdirSync, type Stats } from "node:fs";
import { GuardError, count, printable } from "../../core/shared/index.js";
import type { Workspace } from "../../ports/workspace.js";
import { giveOwner, isStill, modeFor, remakeFolder, type Stage } from "./apply-file.js";
import { makesWay } from "./apply-journal.js";
import { baseName, conflict, type ApplyStep, type SkippedPath } from "./apply-plan.js";
import { holdBelow, type HeldFolder } from "./open-below.js";
import { parentRaw, pathOfRaw, rawBytes, type Raw } from "./raw-path.js";
import { errorCode } from "./system-error.js";

/** How one step is walked back. */
type Undo =
  /** Back to its name in the stage: a recovery that comes after this process was killed can tell that it was taken back. */
  | { readonly undo: "unplace"; readonly raw: Raw; readonly staged: Raw }
  | { readonly undo: "rmdir"; readonly raw: Raw }
  | { readonly undo: "put-back"; readonly raw: Raw; readonly kept: Raw }
  | { readonly undo: "remake"; readonly raw: Raw; readonly found: Stats }
  | { readonly undo: "chmod"; readonly raw: Raw; readonly mode: number };

const MEANWHILE = "it changed while the changes were taken over";

interface Run {
  readonly folder: HeldFolder;
  readonly stage: Stage;
  readonly workspace: Workspace;
  readonly undos: Undo[];
  readonly skipped: SkippedPath[];
}

export interface CommitOptions {
  /** When new folders were last modified in the session, in milliseconds. */
  readonly times: ReadonlyMap<string, number>;
  /** Called when all is exchanged, with the folders that had to stay; when it throws everything is put back. */
  readonly seal: (kept: readonly SkippedPath[]) => void;
}

/**
 * Carries out the steps: removals deepest first, then the rest from the top, folder modes last. Returns folders that had to
 * stay. Throws APPLY_CONFLICT or APPLY_FAILED, with everything put back.
 */
export function commitSteps(folder: HeldFolder, stage: Stage, steps: readonly ApplyStep[], workspace: Workspace, { times, seal }: CommitOptions): readonly SkippedPath[] {
  const run: Run = { folder, stage, workspace, undos: [], skipped: [] };
  const numbered = steps.map((step, index) => ({ step, index }));
  let current = "";
  try {
    for (const { step, index } of [...numbered].reverse()) {
      current = step.change.path;
      if (step.found !== null && makesWay(step)) removeOne(run, step, index);
    }
    for (const { step, index } of numbered) {
      current = step.change.path;
      if (step.change.after !== null) placeOne(run, step, index);
    }
    for (const { step } of [...numbered].reverse()) {
      current = step.change.path;
      setFolderMode(run, step, times.get(step.change.path) ?? null);
    }
    seal(run.skipped);
    return run.skipped;
  } catch (error) {
    const left = walkBack(run);
    if (left.length > 0) throw broken(left, stage, error);
    if (error instanceof GuardError) throw error;
    throw new GuardError("APPLY_FAILED", `nothing was applied: \`${printable(current)}\`: ${errorCode(error) || "failed"}`, { cause: error });
  }
}

function removeOne(run: Run, step: ApplyStep, index: number): void {
  const { raw, found, change } = step;
  inParent(run.folder, raw, (path) => {
    if (!isStill(path, found)) throw conflict([{ path: change.path, why: MEANWHILE }]);
    if (found?.isDirectory() !== true) {
      const kept: Raw = `old-${index}`;
      run.undos.push({ undo: "put-back", raw, kept });
      renameSync(rawBytes(path), rawBytes(`${run.stage.held.prefix}/${kept}`));
      return;
    }
    run.undos.push({ undo: "remake", raw, found });
    try {
      rmdirSync(rawBytes(path));
    } catch (error) {
      const isFull = errorCode(error) === "ENOTEMPTY" || errorCode(error) === "EEXIST";
      if (!isFull || change.after !== null) throw error;
      run.undos.pop();
      run.skipped.push({ path: change.path, reason: "the folder holds more than the session saw" });
    }
  });
}

function placeOne(run: Run, step: ApplyStep, index: number): void {
  const { raw, found, change } = step;
  inParent(run.folder, raw, (path) => {
    const isFree = found === null || makesWay(step);
    if (!isStill(path, isFree ? null : found)) throw conflict([{ path: change.path, why: MEANWHILE }]);
    if (change.after?.kind === "directory") {
      if (!isFree) return;
      run.undos.push({ undo: "rmdir", raw });
      mkdirSync(rawBytes(path), { mode: 0o700 });
      giveOwner(path, found?.isDirectory() === true ? found : null, run.workspace);
      return;
    }
    if (change.operation === "metadata" && found !== null) {
      run.undos.push({ undo: "chmod", raw, mode: found.mode & 0o7777 });
      chmodSync(rawBytes(path), modeFor(change, found));
      return;
    }
    const staged: Raw = `new-${index}`;
    if (isFree) run.undos.push({ undo: "unplace", raw, staged });
    else {
      const kept: Raw = `old-${index}`;
      keepOld(path, `${run.stage.held.prefix}/${kept}`);
      run.undos.push({ undo: "put-back", raw, kept });
    }
    renameSync(rawBytes(`${run.stage.held.prefix}/${staged}`), rawBytes(path));
  });
}

/** New folders are made open for their owner; their own mode and time, and a changed mode, are set when all is in them. */
function setFolderMode(run: Run, { raw, found, change }: ApplyStep, time: number | null): void {
  if (change.after?.kind !== "directory") return;
  const isOld = found?.isDirectory() === true;
  inParent(run.folder, raw, (path) => {
    if (isOld) run.undos.push({ undo: "chmod", raw, mode: found.mode & 0o7777 });
    chmodSync(rawBytes(path), modeFor(change, found));
    if (!isOld && time !== null) lutimesSync(rawBytes(path), new Date(), time / 1000);
  });
}

/** A second name for what is there, so that the exchange itself is one step; where links are not to be had, it moves. */
function keepOld(path: Raw, kept: Raw): void {
  try {
    linkSync(rawBytes(path), rawBytes(kept));
  } catch {
    // No hard links here: for a moment the name is missing.
    renameSync(rawBytes(path), rawBytes(kept));
  }
}

/** Undoes from the end; returns what could not be undone. */
function walkBack(run: Run): readonly string[] {
  const left: string[] = [];
  for (const undo of run.undos.reverse()) {
    try {
      inParent(run.folder, undo.raw, (path) => undoOne(run, undo, path));
    } catch {
      // Named in the failure that follows.
      left.push(undo.raw);
    }
  }
  return left;
}

function undoOne(run: Run, undo: Undo, path: Raw): void {
  try {
    switch (undo.undo) {
      case "unplace":
        return renameSync(rawBytes(path), rawBytes(`${run.stage.held.prefix}/${undo.staged}`));
      case "rmdir":
        return rmdirSync(rawBytes(path));
      case "put-back":
        return renameSync(rawBytes(`${run.stage.held.prefix}/${undo.kept}`), rawBytes(path));
      case "chmod":
        return chmodSync(rawBytes(path), undo.mode);
      case "remake":
        if (lstatSync(rawBytes(path), { throwIfNoEntry: false }) !== undefined) return;
        return remakeFolder({ mode: undo.found.mode & 0o7777, uid: undo.found.uid, gid: undo.found.gid }, path, run.stage.held);
    }
  } catch (error) {
    // The step was noted but never taken.
    if (errorCode(error) !== "ENOENT" && errorCode(error) !== "EEXIST") throw error;
  }
}

function inParent(folder: HeldFolder, raw: Raw, use: (path: Raw) => void): void {
  const held = holdBelow(folder, parentRaw(raw));
  if (held === null) throw conflict([{ path: pathOfRaw(raw), why: MEANWHILE }]);
  try {
    use(`${held.prefix}/${baseName(raw)}`);
  } finally {
    held.close();
  }
}

function broken(left: readonly string[], stage: Stage, cause: unknown): GuardError {
  const names = left.slice(0, 5).map((raw) => `\`${printable(pathOfRaw(raw))}\``).join(", ");
  return new GuardError("APPLY_FAILED", `applying failed and ${count(left.length, "name")} could not be put back: ${names}`, { cause, hint: `what was there is kept in ${stage.path}`, context: { kept: stage.path } });
}
