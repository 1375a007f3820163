// The open ledger of one session: group commit, sync before acknowledgement, a signed head within a moment. One failure closes it.

import { closeSync, constants, fdatasyncSync, fstatSync, fsyncSync, ftruncateSync, lstatSync } from "node:fs";
import { createStepIndexBuilder, digestBytes, genesis, sealRecord, signCheckpoint, type ChainState, type SealedRecord, type Signer } from "../../core/ledger/index.js";
import type { AuditEvent, EventDraft } from "../../core/session/event.js";
import { GuardError, printable, type Digest, type Hasher, type SessionId } from "../../core/shared/index.js";
import type { Ledger, LedgerRecovery } from "../../ports/ledger.js";
import type { Clock, Telemetry } from "../../ports/system.js";
import { createBlobWriter, shouldSyncBlobs } from "./blobs.js";
import { dataSync, openOwnFile, writeWhole } from "./files.js";
import type { SessionPaths } from "./paths.js";
import type { SessionLock } from "./session-lock.js";
import { writeStepIndex } from "./steps.js";

/**
 * A sync that took longer than this, in milliseconds, makes the next one leave the thread: other sessions go on meanwhile. Leaving it
 * costs the call two wake-ups, more than a sync that is only somewhat slow, so the bound is that of a disk that is really busy.
 */
const SLOW_SYNC_MS = 5;
/** Batches that may be acknowledged and not yet signed: the end of one call and the intent of the next. */
const UNSIGNED_BATCHES = 2;
/**
 * How long after the end of a call the head is signed, in milliseconds. A call that follows at once puts its intent on record before, and
 * is signed in the next free moment, when its program runs: one signature vouches for both batches and nobody waits for it.
 */
const SIGN_AFTER_MS = 4;

export interface StoreContext {
  readonly clock: Clock;
  readonly hasher: Hasher;
  readonly signer: Signer;
  readonly telemetry: Telemetry;
}

/** A verified ledger file, open for appending, with the lock on its session. */
export interface OpenedLedger {
  readonly sessionId: SessionId;
  readonly paths: SessionPaths;
  readonly lock: SessionLock;
  /** Opened with O_APPEND. */
  readonly fd: number;
  readonly state: ChainState;
  readonly recovered: LedgerRecovery | null;
}

interface Batch {
  readonly records: readonly SealedRecord[];
  readonly resolve: (events: readonly AuditEvent[]) => void;
  readonly reject: (error: GuardError) => void;
}

interface DurableBatch {
  readonly records: readonly SealedRecord[];
  /** Where the first one's line begins, in bytes. */
  readonly from: number;
}

/** Makes the writer of an opened ledger; signs the head it begins with. Takes over the file and the lock. */
export function createWriter(opened: OpenedLedger, context: StoreContext): Ledger {
  const { sessionId, paths, fd } = opened;
  const { hasher, clock, signer, telemetry } = context;
  const tree = opened.state.tree;
  const blobs = createBlobWriter(paths.blobs, hasher);
  const headFd = openOwnFile(paths.checkpoint, constants.O_WRONLY | constants.O_CREAT);
  const inode = fstatSync(fd).ino;
  let seq = opened.state.seq;
  let prev: Digest = opened.state.prev ?? genesis(hasher, sessionId);
  let goodBytes = opened.state.bytes;
  let queue: Batch[] = [];
  let flushing: Promise<void> | null = null;
  let failure: GuardError | null = null;
  let closing: Promise<void> | null = null;
  let lastSyncMs = 0;
  /** Only of a record that is written from its beginning; another one's is made when somebody looks at it. */
  const index = opened.state.seq === 0 ? createStepIndexBuilder() : null;
  /** Batches that are durable, in order, and that the head does not vouch for yet. */
  let unsigned: DurableBatch[] = [];
  let isHeadDue = false;
  let signing: NodeJS.Timeout | null = null;
  let signingNow: NodeJS.Immediate | null = null;

  const fail = (why: string, cause: unknown): GuardError => {
    const told = cause instanceof Error ? `${why}: ${printable(cause.message)}` : why;
    const error = cause instanceof GuardError && cause.code === "LEDGER_APPEND_FAILED" ? cause : new GuardError("LEDGER_APPEND_FAILED", told, { cause });
    failure ??= error;
    return error;
  };

  /** Takes durable records into the tree and the index. */
  const countIn = ({ records, from }: DurableBatch): void => {
    let offset = from;
    for (const { hash, event, line } of records) {
      tree.append(digestBytes(hash));
      index?.add(event, { hash, offset });
      if (index !== null) offset += Buffer.byteLength(line);
    }
  };

  // INVARIANT: the text only ever grows in length, because the size does; so a write in place leaves nothing behind.
  const writeHead = (): void => {
    const batches = unsigned;
    unsigned = [];
    isHeadDue = true;
    for (const batch of batches) countIn(batch);
    const note = signCheckpoint({ session: sessionId, size: tree.size(), root: tree.root() }, signer, hasher);
    writeWhole(headFd, Buffer.from(note, "utf8"), 0);
    isHeadDue = false;
  };

  const stopSigning = (): void => {
    if (signing !== null) clearTimeout(signing);
    if (signingNow !== null) clearImmediate(signingNow);
    signing = signingNow = null;
  };

  /** Signs what is not signed yet, if anything. */
  const catchUp = (): void => {
    stopSigning();
    if (unsigned.length > 0 || isHeadDue) writeHead();
  };

  /** The acknowledgement does not wait for the signature. */
  const signSoon = (isEnd: boolean): void => {
    if (isEnd) signing ??= setTimeout(signDue, SIGN_AFTER_MS);
    else signingNow ??= setImmediate(signDue);
  };

  const signDue = (): void => {
    try {
      catchUp();
    } catch (cause) {
      fail("signed head could not be written", cause);
      telemetry.error("ledger head not written", { session: sessionId, cause: cause instanceof Error ? cause.message : "unknown" });
    }
  };

  const syncLedger = async (): Promise<void> => {
    const before = clock.elapsedMs();
    if (lastSyncMs > SLOW_SYNC_MS) await dataSync(fd);
    else fdatasyncSync(fd);
    lastSyncMs = clock.elapsedMs() - before;
  };

  /** Refuses to write to a file that was moved, replaced, cut or written to by somebody else. */
  const checkFile = (): void => {
    const stats = lstatSync(paths.ledger);
    if (stats.ino !== inode || stats.nlink !== 1 || stats.size !== goodBytes) throw new Error("the ledger file was changed by somebody else");
  };

  const commit = async (batches: readonly Batch[]): Promise<void> => {
    const records = batches.length === 1 ? (batches[0]?.records ?? []) : batches.flatMap((batch) => batch.records);
    const bytes = Buffer.from(records.length === 1 ? (records[0]?.line ?? "") : records.map((record) => record.line).join(""), "utf8");
    // A caller that leaves no free moment between its batches makes it itself.
    if (unsigned.length >= UNSIGNED_BATCHES) catchUp();
    if (blobs.waiting() > 0) await blobs.sync();
    // Last of all: nothing else runs between this look and the write.
    checkFile();
    try {
      writeWhole(fd, bytes, null);
      await syncLedger();
    } catch (cause) {
      cutBack();
      throw cause;
    }
    // What the tree and the index need of it is done when it is signed: the caller waits for the disk and for nothing else.
    unsigned.push({ records, from: goodBytes });
    goodBytes += bytes.length;
    signSoon(records.at(-1)?.event.type === "call.closed");
  };

  /** After a failure nothing more is written but what vouches for the records that are durable. */
  const signRest = (): void => {
    try {
      catchUp();
    } catch {
      telemetry.error("the last durable records are not signed", { session: sessionId });
    }
  };

  const cutBack = (): void => {
    try {
      ftruncateSync(fd, goodBytes);
      fdatasyncSync(fd);
    } catch {
      telemetry.error("ledger could not be cut back to its last whole record; it will be when it is opened again", { session: sessionId });
    }
  };

  const flush = async (): Promise<void> => {
    await Promise.resolve(); // appends of the same turn go into one batch
    while (queue.length > 0) {
      const batches = queue;
      queue = [];
      try {
        if (failure !== null) throw failure;
        await commit(batches);
        for (const batch of batches) batch.resolve(batch.records.map((record) => record.event));
      } catch (cause) {
        const error = fail("record could not be made durable", cause);
        signRest();
        telemetry.error("ledger append failed", { session: sessionId, cause: cause instanceof Error ? cause.message : "unknown" });
        for (const batch of batches) batch.reject(error);
      }
    }
    flushing = null;
  };

  const seal = (drafts: readonly EventDraft[]): readonly SealedRecord[] => {
    const records: SealedRecord[] = [];
    const place = { seq, prev };
    for (const draft of drafts) {
      const record = sealRecord(draft, { ...place, session: sessionId, time: clock.now() }, hasher);
      records.push(record);
      place.seq += 1;
      place.prev = record.hash;
    }
    ({ seq, prev } = place);
    return records;
  };

  const append = async (drafts: readonly EventDraft[]): Promise<readonly AuditEvent[]> => {
    if (closing !== null) throw new GuardError("LEDGER_APPEND_FAILED", "the ledger is closed");
    if (failure !== null) throw new GuardError("LEDGER_APPEND_FAILED", "the ledger is closed after a failure", { cause: failure });
    if (drafts.length === 0) return [];
    let records: readonly SealedRecord[];
    try {
      records = seal(drafts);
    } catch (cause) {
      throw fail("record could not be sealed", cause);
    }
    return new Promise((resolve, reject) => {
      queue.push({ records, resolve, reject });
      flushing ??= flush();
    });
  };

  const putBlob = async (bytes: Uint8Array): Promise<Digest> => {
    if (closing !== null || failure !== null) throw new GuardError("LEDGER_APPEND_FAILED", "the ledger is closed");
    try {
      const digest = blobs.put(bytes);
      if (shouldSyncBlobs(blobs)) await blobs.sync();
      return digest;
    } catch (cause) {
      throw fail("blob could not be stored", cause);
    }
  };

  const finish = async (): Promise<void> => {
    try {
      await flushing;
      if (failure === null) await blobs.sync();
      catchUp();
      fsyncSync(headFd);
      if (index !== null && failure === null) writeStepIndex(paths, index.seal({ session: sessionId, size: tree.size(), root: tree.root() }, goodBytes, { signer, hasher }), telemetry);
    } catch (cause) {
      throw fail("ledger could not be closed in order", cause);
    } finally {
      stopSigning();
      closeSync(headFd);
      closeSync(fd);
      opened.lock.release();
    }
  };

  try {
    writeHead();
    fsyncSync(headFd);
  } catch (cause) {
    closeSync(headFd);
    throw fail("signed head could not be written", cause);
  }
  return { sessionId, recovered: opened.recovered, append, putBlob, close: () => (closing ??= finish()) };
}
