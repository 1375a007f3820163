// After an apply that was killed: takes back what it had exchanged, from its note, so that the user's folder is as it was; or
// finds that all was exchanged. Touches nothing that is not the very thing the apply put there. Safe to repeat, and to kill.

import { chmodSync, lstatSync, renameSync, rmdirSync, type Stats } from "node:fs";
import { basename, dirname } from "node:path";
import type { CutApply } from "../../ports/workspace.js";
import { remakeFolder } from "./apply-file.js";
import { openJournal, readJournal, type JournalStep, type Stamp } from "./apply-journal.js";
import { holdBelow, holdFolder, type HeldFolder } from "./open-below.js";
import { parentRaw, pathOfRaw, rawBytes, rawFromText, type Raw } from "./raw-path.js";
import { removeTree } from "./remove-tree.js";
import { errorCode } from "./system-error.js";

const STAGE_NAME = /^\.ringfence-apply-[0-9a-f]{16}$/u;

/**
 * Brings an apply that ended early to an end; null when there was none. The note stays until the caller clears it. Throws the
 * system's error where the folder cannot be looked at.
 */
export function recoverApply(sessionFolder: string): CutApply | null {
  const note = readJournal(sessionFolder);
  if (note === null) return null;
  const isOurs = dirname(note.stage) === note.folder && STAGE_NAME.test(basename(note.stage));
  const folder = isOurs ? hold(note.folder) : null;
  if (folder === null) return note.phase === "exchanged" ? { outcome: "finished", applied: note.applied } : { outcome: "undone", left: [], gone: note.folder };
  try {
    const left = note.phase === "exchanging" ? takeBack(folder, basename(note.stage), note.steps) : [];
    // Noted before the stage goes: without what lies in it the steps could not be told taken back from never taken.
    if (left.length === 0 && note.phase === "exchanging") openJournal(sessionFolder).staging(note.folder, note.stage);
    if (left.length === 0) removeTree(note.stage);
    return note.phase === "exchanged" ? { outcome: "finished", applied: note.applied } : { outcome: "undone", left: left.map((raw) => pathOfRaw(raw)), kept: left.length === 0 ? null : note.stage };
  } finally {
    folder.close();
  }
}

function hold(path: string): HeldFolder | null {
  try {
    return holdFolder(rawFromText(path));
  } catch (error) {
    // The user moved or removed the folder: there is nothing of ours to take back.
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return null;
    throw error;
  }
}

/** From the last step to the first. Gives the names that could not be brought back. */
function takeBack(folder: HeldFolder, stageName: string, steps: readonly JournalStep[]): readonly Raw[] {
  const stage = holdBelow(folder, rawFromText(stageName));
  // The stage goes last: without it everything was taken back before.
  if (stage === null) return [];
  const left: Raw[] = [];
  try {
    for (const step of [...steps].reverse()) {
      const parent = holdBelow(folder, parentRaw(step.raw));
      try {
        const done = parent === null ? step.do === "place" || step.do === "make-folder" : undo(step, `${parent.prefix}/${nameOf(step.raw)}`, stage);
        if (!done) left.push(step.raw);
      } catch {
        left.push(step.raw);
      } finally {
        parent?.close();
      }
    }
    return left;
  } finally {
    stage.close();
  }
}

function nameOf(raw: Raw): Raw {
  return raw.slice(raw.lastIndexOf("/") + 1);
}

/** False when something else stands there now. */
function undo(step: JournalStep, path: Raw, stage: HeldFolder): boolean {
  const now = look(path);
  switch (step.do) {
    case "set-mode":
      if (now === null || now.ino !== step.ino) return false;
      chmodSync(rawBytes(path), step.mode);
      return true;
    case "make-folder":
      if (now?.isDirectory() === true) rmdirSync(rawBytes(path));
      return true;
    case "place":
      if (look(`${stage.prefix}/${step.staged}`) !== null || now === null) return true;
      if (!isThe(now, step.stamp)) return false;
      // Back to where it was staged: that tells a recovery that begins anew that this step is taken back.
      renameSync(rawBytes(path), rawBytes(`${stage.prefix}/${step.staged}`));
      return true;
    case "exchange":
      return putBack(`${stage.prefix}/${step.kept}`, path, now, look(`${stage.prefix}/${step.staged}`) === null ? step.stamp : null);
    case "put-aside":
      return putBack(`${stage.prefix}/${step.kept}`, path, now, null);
    case "remove-folder":
      if (now !== null) return now.isDirectory();
      remakeFolder(step, path, stage);
      return true;
  }
}

/** @param placed what the apply has put there; null when it had not come that far */
function putBack(kept: Raw, path: Raw, now: Stats | null, placed: Stamp | null): boolean {
  const old = look(kept);
  // Not put aside yet, or put back by an earlier attempt.
  if (old === null) return true;
  // Its second name only: what stands there is still the old one.
  if (now !== null && now.ino === old.ino && now.dev === old.dev) return true;
  if (now !== null && (placed === null || !isThe(now, placed))) return false;
  renameSync(rawBytes(kept), rawBytes(path));
  return true;
}

function isThe(now: Stats, stamp: Stamp): boolean {
  return now.ino === stamp.ino && now.dev === stamp.dev && now.size === stamp.size && now.mtimeMs === stamp.modifiedMs;
}

function look(path: Raw): Stats | null {
  return lstatSync(rawBytes(path), { throwIfNoEntry: false }) ?? null;
}
