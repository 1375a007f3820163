// The layout of the ledger store in the state folder. Session ids are checked before they become part of a path.

import { join } from "node:path";
import { GuardError, isSessionId, printable, type Digest, type SessionId } from "../../core/shared/index.js";

const DIGEST = /^sha256:[0-9a-f]{64}$/;

export interface SessionPaths {
  readonly sessions: string;
  readonly heads: string;
  readonly folder: string;
  readonly ledger: string;
  readonly blobs: string;
  readonly lock: string;
  readonly checkpoint: string;
  /** Derived; may be absent, and removed at any time. */
  readonly index: string;
}

/**
 * Paths of one session.
 * @throws GuardError SESSION_NOT_FOUND for what is no session id, so that it never becomes a path
 */
export function sessionPaths(stateDir: string, id: SessionId): SessionPaths {
  if (!isSessionId(id)) throw new GuardError("SESSION_NOT_FOUND", `\`${printable(id)}\` is no session id`);
  const folder = join(stateDir, "sessions", id);
  return {
    sessions: join(stateDir, "sessions"),
    heads: join(stateDir, "heads"),
    folder,
    ledger: join(folder, "ledger.jsonl"),
    blobs: join(folder, "blobs"),
    lock: join(folder, "lock"),
    checkpoint: join(stateDir, "heads", `${id}.checkpoint`),
    index: join(folder, "steps.index"),
  };
}

/** Where a blob lies below the blobs folder. @throws GuardError LEDGER_INVALID for what is no digest */
export function blobPath(blobs: string, digest: Digest): { readonly folder: string; readonly file: string } {
  if (!DIGEST.test(digest)) throw new GuardError("LEDGER_INVALID", `\`${printable(digest)}\` is no digest`);
  const hex = digest.slice("sha256:".length);
  const folder = join(blobs, hex.slice(0, 2));
  return { folder, file: join(folder, hex) };
}
