// Durable evidence of one session. Contract: test/contract/ledger.contract.ts.

import type { AuditEvent, EventDraft } from "../core/session/event.js";
import type { Digest, SessionId } from "../core/shared/index.js";

/** What was found when a session was opened again that had not been closed in order. */
export interface LedgerRecovery {
  /** Bytes of a half-written record, cut off and kept apart; 0 when there were none. */
  readonly tornBytes: number;
  /** Records after the last signed head. A crash and an addition look the same here, so a record should say it. */
  readonly unsignedRecords: number;
}

/** The open record of one session; one writer at a time. */
export interface Ledger {
  readonly sessionId: SessionId;
  /** Set by `reopen` when there was something to recover. */
  readonly recovered?: LedgerRecovery | null;
  /**
   * Appends a batch, in order, with time and sequence number, and returns it once it is durable (fsync). Throws GuardError
   * LEDGER_APPEND_FAILED when it cannot be made durable; then no caller may go on. After a failure the ledger stays closed.
   */
  append(drafts: readonly EventDraft[]): Promise<readonly AuditEvent[]>;
  /** Stores redacted bytes by content and returns their digest. */
  putBlob(bytes: Uint8Array): Promise<Digest>;
  /** Signs the last head and lets go of the lock. Idempotent. */
  close(): Promise<void>;
}

/** One session as listed, without reading all of it. */
export interface SessionListing {
  readonly id: SessionId;
  readonly openedAt: string;
  readonly workspace: string;
  readonly bytes: number;
  /** The session that it ran again; left out for every other. */
  readonly replayOf?: string;
}

export interface LedgerStore {
  create(sessionId: SessionId): Promise<Ledger>;
  /** Opens an existing session for more records; verifies it first. */
  reopen(sessionId: SessionId): Promise<Ledger>;
  /** Events of a session, verified; throws LEDGER_INVALID otherwise. */
  read(sessionId: SessionId): Promise<readonly AuditEvent[]>;
  readBlob(sessionId: SessionId, digest: Digest): Promise<Uint8Array>;
  list(): Promise<readonly SessionListing[]>;
  /** Removes a session that ended before it had a record: nothing of it ran. Leaves every other as it is. */
  removeEmpty(sessionId: SessionId): Promise<void>;
}
