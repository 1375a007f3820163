// What is noted before names in the user's folder are exchanged, so that an apply that is killed midway can be taken back by the
// next command, or called finished. Lies in the state folder; each note is durable before what it is about.

import { closeSync, constants, fsyncSync, lstatSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import type { EventData } from "../../core/session/event.js";
import { GuardError } from "../../core/shared/index.js";
import type { Stage } from "./apply-file.js";
import type { ApplyStep } from "./apply-plan.js";
import { rawBytes, type Raw } from "./raw-path.js";
import { errorCode } from "./system-error.js";

/** A name told from any other that may come in its place. */
export interface Stamp {
  readonly ino: number;
  readonly dev: number;
  readonly size: number;
  readonly modifiedMs: number;
}

/** One exchange of names, with what its undoing needs. Paths are raw and relative to the folder. */
export type JournalStep =
  | { readonly do: "put-aside"; readonly raw: Raw; readonly kept: Raw }
  | { readonly do: "remove-folder"; readonly raw: Raw; readonly mode: number; readonly uid: number; readonly gid: number }
  | { readonly do: "make-folder"; readonly raw: Raw }
  /** New content at a free name. */
  | { readonly do: "place"; readonly raw: Raw; readonly staged: Raw; readonly stamp: Stamp }
  /** New content in place of what is there, which is kept beside first. */
  | { readonly do: "exchange"; readonly raw: Raw; readonly staged: Raw; readonly stamp: Stamp; readonly kept: Raw }
  | { readonly do: "set-mode"; readonly raw: Raw; readonly ino: number; readonly mode: number };

export type JournalNote =
  /** New content is being written beside; no name was exchanged. */
  | { readonly v: 1; readonly phase: "staging"; readonly folder: string; readonly stage: string }
  /** Names are being exchanged, in this order. */
  | { readonly v: 1; readonly phase: "exchanging"; readonly folder: string; readonly stage: string; readonly steps: readonly JournalStep[] }
  /** All names are exchanged; only the record does not say so yet. */
  | { readonly v: 1; readonly phase: "exchanged"; readonly folder: string; readonly stage: string; readonly applied: EventData["session.applied"] };

/** Told by `applyChanges` as it goes. Each call returns when its note is durable, or throws STATE_UNUSABLE. */
export interface ApplyJournal {
  staging(folder: string, stage: string): void;
  exchanging(steps: readonly JournalStep[]): void;
  exchanged(applied: EventData["session.applied"]): void;
}

export interface StoredJournal extends ApplyJournal {
  /** Nothing is under way any more. */
  clear(): void;
}

/** The journal of a session. @param sessionFolder its folder in the state folder */
export function openJournal(sessionFolder: string): StoredJournal {
  const path = pathIn(sessionFolder);
  let at = { folder: "", stage: "" };
  return {
    staging: (folder, stage) => {
      at = { folder, stage };
      write(path, { v: 1, phase: "staging", ...at });
    },
    exchanging: (steps) => write(path, { v: 1, phase: "exchanging", ...at, steps }),
    exchanged: (applied) => write(path, { v: 1, phase: "exchanged", ...at, applied }),
    clear: () => {
      rmSync(path, { force: true });
      // Of a note that was never finished.
      rmSync(`${path}.new`, { force: true });
      syncFolder(dirname(path));
    },
  };
}

/** The last note of an apply that was not brought to its end; null when there is none. Throws STATE_UNUSABLE for one that cannot be read. */
export function readJournal(sessionFolder: string): JournalNote | null {
  let text: string;
  try {
    text = readFileSync(pathIn(sessionFolder), "utf8");
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return null;
    throw unusable("cannot be read", cause);
  }
  try {
    const note = JSON.parse(text) as JournalNote;
    if (note.v === 1) return note;
  } catch (cause) {
    throw unusable("cannot be understood", cause);
  }
  throw unusable("was written by another version", undefined);
}

function pathIn(sessionFolder: string): string {
  return join(sessionFolder, "applying.json");
}

/** Whole or not at all, and durable when it returns. */
function write(path: string, note: JournalNote): void {
  const draft = `${path}.new`;
  try {
    rmSync(draft, { force: true });
    writeFileSync(draft, JSON.stringify(note), { mode: 0o600, flag: "wx", flush: true });
    renameSync(draft, path);
    syncFolder(dirname(path));
  } catch (cause) {
    throw unusable(`cannot be written: ${errorCode(cause) || "failed"}`, cause);
  }
}

function syncFolder(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function unusable(what: string, cause: unknown): GuardError {
  return new GuardError("STATE_UNUSABLE", `the note of an apply under way ${what}`, cause === undefined ? {} : { cause });
}

export function stampOf(stats: Stats): Stamp {
  return { ino: stats.ino, dev: stats.dev, size: stats.size, modifiedMs: stats.mtimeMs };
}

/** Must the name be gone before what comes can be there? A file or link is exchanged in place instead. */
export function makesWay({ change, found }: ApplyStep): boolean {
  if (change.after === null) return true;
  return found !== null && found.isDirectory() !== (change.after.kind === "directory");
}

/** What the exchange of staged steps will do, in the order in which it does it. */
export function journalSteps(stage: Stage, steps: readonly ApplyStep[]): readonly JournalStep[] {
  const numbered = steps.map((step, index) => ({ step, index }));
  const removals = [...numbered].reverse().flatMap(({ step, index }) => (step.found !== null && makesWay(step) ? [removal(step, step.found, index)] : []));
  const placements = numbered.flatMap(({ step, index }) => placement(stage, step, index));
  const modes = [...numbered].reverse().flatMap(({ step }) => folderMode(step));
  return [...removals, ...placements, ...modes];
}

function removal({ raw }: ApplyStep, found: Stats, index: number): JournalStep {
  if (!found.isDirectory()) return { do: "put-aside", raw, kept: `old-${index}` };
  return { do: "remove-folder", raw, mode: found.mode & 0o7777, uid: found.uid, gid: found.gid };
}

function placement(stage: Stage, step: ApplyStep, index: number): readonly JournalStep[] {
  const { raw, found, change } = step;
  if (change.after === null) return [];
  const isFree = found === null || makesWay(step);
  if (change.after.kind === "directory") return isFree ? [{ do: "make-folder", raw }] : [];
  if (change.operation === "metadata" && found !== null) return [{ do: "set-mode", raw, ino: found.ino, mode: found.mode & 0o7777 }];
  const staged: Raw = `new-${index}`;
  const stamp = stampOf(lstatSync(rawBytes(`${stage.held.prefix}/${staged}`)));
  return [isFree ? { do: "place", raw, staged, stamp } : { do: "exchange", raw, staged, stamp, kept: `old-${index}` }];
}

function folderMode({ raw, found, change }: ApplyStep): readonly JournalStep[] {
  if (change.after?.kind !== "directory" || found?.isDirectory() !== true) return [];
  return [{ do: "set-mode", raw, ino: found.ino, mode: found.mode & 0o7777 }];
}
