// Writes what is to come beside the folder, before any name is exchanged: content piece by piece, holes as holes, with owner,
// mode and time as they shall be. Trusts nothing but the digest on record.

import { createHash } from "node:crypto";
import { chmodSync, closeSync, constants, fdatasyncSync, ftruncateSync, futimesSync, lutimesSync, openSync, symlinkSync, writeSync } from "node:fs";
import type { Change, Entry } from "../../core/reconcile/change.js";
import { GuardError, printable } from "../../core/shared/index.js";
import type { OpenContent, Workspace } from "../../ports/workspace.js";
import { attempt, giveOwner, modeFor, type Stage } from "./apply-file.js";
import type { ApplyStep } from "./apply-plan.js";
import type { Breath } from "./breath.js";
import { contentOfBytes } from "./open-content.js";
import { rawBytes, rawFromPath, type Raw } from "./raw-path.js";

const CHUNK = 1024 * 1024;
/** Pieces of this size that are all zero become holes, where the session's file has some. */
const HOLE = 64 * 1024;
const ZEROS = Buffer.alloc(HOLE);

export interface StageRun {
  readonly stage: Stage;
  readonly workspace: Workspace;
  /** Content in place of the session's, by path. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
  readonly breath: Breath;
  /** Are files flushed to disk one by one. */
  readonly sync: boolean;
  readonly buffer: Buffer;
}

export function createStageRun(run: Omit<StageRun, "buffer">): StageRun {
  return { ...run, buffer: Buffer.allocUnsafe(CHUNK) };
}

/** Writes the new content, or the new link, under its step's number. */
export async function stageOne(run: StageRun, index: number, step: ApplyStep): Promise<void> {
  const { stage, workspace, contents } = run;
  const { change, found } = step;
  const after = change.after as Entry;
  const path: Raw = `${stage.held.prefix}/new-${index}`;
  const given = contents.get(change.path);
  const source = given === undefined ? await openSource(workspace, change) : contentOfBytes(given);
  try {
    if (after.kind === "symlink") {
      attempt(change.path, () => {
        symlinkSync(rawBytes(rawFromPath(after.target ?? "")), rawBytes(path));
        giveOwner(path, found, workspace);
        if (isTime(source.modifiedMs)) lutimesSync(rawBytes(path), new Date(), source.modifiedMs / 1000);
      });
      return;
    }
    const fd = attempt(change.path, () => openSync(rawBytes(path), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600));
    try {
      const digest = await copy(run, change.path, source, fd);
      if (digest !== after.digest) throw notAsRecorded(change);
      attempt(change.path, () => {
        giveOwner(path, found, workspace);
        chmodSync(rawBytes(path), modeFor(change, found));
        if (isTime(source.modifiedMs)) futimesSync(fd, new Date(), source.modifiedMs / 1000);
        if (run.sync) fdatasyncSync(fd);
      });
    } finally {
      closeSync(fd);
    }
  } finally {
    source.close();
  }
}

/** When the session last modified a folder; null where it is not known. */
export async function folderTime(workspace: Workspace, path: string): Promise<number | null> {
  const found = await workspace.openChanged(path);
  found?.close();
  return found !== null && isTime(found.modifiedMs) ? found.modifiedMs : null;
}

/** A time that fits what file systems store: not before 1970, not past the year 9999. */
function isTime(ms: number | null): ms is number {
  return ms !== null && Number.isFinite(ms) && ms >= 0 && ms < 253_402_300_800_000;
}

async function openSource(workspace: Workspace, change: Change): Promise<OpenContent> {
  const found = await workspace.openChanged(change.path);
  if (found === null) throw notAsRecorded(change);
  return found;
}

async function copy({ buffer, breath }: StageRun, path: string, source: OpenContent, fd: number): Promise<string> {
  const hash = createHash("sha256");
  let position = 0;
  for (;;) {
    const at = position;
    const count = attempt(path, () => {
      const got = source.read(buffer, at);
      if (got > 0) writePiece(fd, buffer.subarray(0, got), at, source.hasHoles);
      return got;
    });
    if (count === 0) break;
    hash.update(buffer.subarray(0, count));
    position += count;
    if (breath.due()) await breath.pause();
  }
  // A hole at the end has no byte that was written.
  if (source.hasHoles) attempt(path, () => ftruncateSync(fd, position));
  return `sha256:${hash.digest("hex")}`;
}

function writePiece(fd: number, bytes: Uint8Array, position: number, holes: boolean): void {
  const size = holes ? HOLE : bytes.length;
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    if (holes && Buffer.compare(piece, ZEROS.subarray(0, piece.length)) === 0) continue;
    for (let done = 0; done < piece.length; ) done += writeSync(fd, piece, done, piece.length - done, position + at + done);
  }
}

function notAsRecorded(change: Change): GuardError {
  return new GuardError("STATE_UNUSABLE", `nothing was applied: the session's copy of \`${printable(change.path)}\` is not what was recorded`, { hint: "review the session again with `ringfence diff`" });
}
