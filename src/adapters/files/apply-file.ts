// What the staging and the exchange of taken-over files share: owners, modes, and the look just before a name is touched.

import { chmodSync, lchownSync, lstatSync, mkdirSync, renameSync, type Stats } from "node:fs";
import type { Change } from "../../core/reconcile/change.js";
import { GuardError, printable } from "../../core/shared/index.js";
import type { Workspace } from "../../ports/workspace.js";
import type { HeldFolder } from "./open-below.js";
import { rawBytes, type Raw } from "./raw-path.js";
import { errorCode } from "./system-error.js";

/** Where new content waits and old content is kept while names are exchanged. */
export interface Stage {
  readonly path: string;
  readonly held: HeldFolder;
}

/** The agent's mode where it changed it, else the user's present one; never with set-id bits. */
export function modeFor(change: Change, found: Stats | null): number {
  const after = change.after?.mode ?? 0o644;
  const keep = found !== null && change.before !== null && change.before.kind === change.after?.kind && change.before.mode === after;
  return (keep ? found.mode : after) & 0o777;
}

/** What was there keeps its owner; what is new belongs to the folder's owner. */
export function giveOwner(path: Raw, found: Stats | null, workspace: Workspace): void {
  if (process.getuid?.() !== 0) return;
  lchownSync(rawBytes(path), found?.uid ?? workspace.uid, found?.gid ?? workspace.gid);
}

/** Puts a folder back that had to make way: made in the stage with owner and mode, so that under its name it is there wholly or not at all. */
export function remakeFolder({ mode, uid, gid }: { readonly mode: number; readonly uid: number; readonly gid: number }, path: Raw, stage: HeldFolder): void {
  const beside = `${stage.prefix}/remade`;
  // Of an attempt that was killed.
  if (lstatSync(rawBytes(beside), { throwIfNoEntry: false }) === undefined) mkdirSync(rawBytes(beside), { mode: 0o700 });
  if (process.getuid?.() === 0) lchownSync(rawBytes(beside), uid, gid);
  chmodSync(rawBytes(beside), mode);
  renameSync(rawBytes(beside), rawBytes(path));
}

/** Turns a refusal of the system into APPLY_FAILED. */
export function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof GuardError) throw error;
    throw new GuardError("APPLY_FAILED", `nothing was applied: \`${printable(path)}\`: ${errorCode(error) || "failed"}`, { cause: error });
  }
}

/** Tells whether a name is still the very thing that was checked. Not by change time: keeping an old name moves that. */
export function isStill(path: Raw, found: Stats | null): boolean {
  const now = lstatSync(rawBytes(path), { throwIfNoEntry: false });
  if (now === undefined || found === null) return now === undefined && found === null;
  if (now.ino !== found.ino || now.dev !== found.dev) return false;
  return now.isDirectory() || (now.mtimeMs === found.mtimeMs && now.size === found.size);
}
