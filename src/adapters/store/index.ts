// The ledger store on disk: sessions, their blobs and their signed heads, in a private state folder.

import { closeSync, constants, existsSync, lstatSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { createMerkleTree, digestBytes, verifierKey, type ChainState, type VerifyReport } from "../../core/ledger/index.js";
import type { AuditEvent } from "../../core/session/event.js";
import { GuardError, isSessionId, LIMITS, printable, type SessionId } from "../../core/shared/index.js";
import type { Ledger, LedgerStore } from "../../ports/ledger.js";
import { publicKeyFromPem, publicKeyPem } from "../system/hasher.js";
import { ensurePrivateDir } from "../system/state-dir.js";
import { readBlobFile } from "./blobs.js";
import { openOwnFile, syncFolder, systemCode } from "./files.js";
import { listSessions } from "./list.js";
import { sessionPaths, type SessionPaths } from "./paths.js";
import { isCrashTail, ledgerInvalid, readCheckpointFile, verifyStored, type Indexing } from "./read.js";
import { openExisting } from "./recover.js";
import { takeLock, type SessionLock } from "./session-lock.js";
import { indexOnReading, readStep, type StepReader, type StoredStep } from "./steps.js";
import { verifyFile } from "./verify-file.js";
import { createWriter, type StoreContext } from "./writer.js";

export interface LedgerStoreOptions extends StoreContext {
  /** From `resolveStateDir`: a real path to a private folder. */
  readonly stateDir: string;
}

export interface VerifyOptions {
  /** Checkpoint files kept elsewhere; each must hold. They take the place of the store's own head for a file. */
  readonly checkpoints?: readonly string[];
  /** Heads kept elsewhere, as text: each must hold besides the one that is found. */
  readonly expected?: readonly string[];
  /** PEM of the key that signed, when it is not this store's. */
  readonly publicKeyPem?: string;
}

/** The store, and what is needed to check its records from outside. */
export interface FileLedgerStore extends LedgerStore {
  /**
   * Verifies a session by id, or a ledger file by path. A file is held against the checkpoints named, else the store's head
   * of its session, else `<file>.checkpoint`.
   * @throws GuardError SESSION_NOT_FOUND when there is no such session or file; STATE_UNUSABLE when it cannot be read
   */
  verify(target: string, options?: VerifyOptions): Promise<VerifyReport>;
  /** Like `read`, and keeps an index for `readStep` where there is none. */
  readAndIndex(sessionId: SessionId): Promise<readonly AuditEvent[]>;
  /** The records of one step, from 1, without reading the others; null where only reading all of them can tell. */
  readStep(sessionId: SessionId, step: number): Promise<StoredStep | null>;
  /** Hashes of all records, 32 bytes each, of a record that holds. @throws GuardError LEDGER_INVALID */
  entries(sessionId: SessionId): Promise<Uint8Array>;
  /** The signed head of a session as text, to be kept where nobody of this machine can change it; null when there is none. */
  checkpoint(sessionId: SessionId): string | null;
  /** Key for outside tools that read C2SP signed notes. */
  verifierKey(sessionId: SessionId): string;
  publicKeyPem(): string;
  /** Where the record of a session lies. */
  ledgerFile(sessionId: SessionId): string;
}

/** Opens the store. Folders and files are made when they are needed. */
export function createLedgerStore(options: LedgerStoreOptions): FileLedgerStore {
  const { stateDir, hasher, signer, telemetry } = options;
  const pathsOf = (id: SessionId): SessionPaths => sessionPaths(stateDir, id);
  const stored = (session: SessionId, paths: SessionPaths) => ({ ...paths, session, publicKey: signer.publicKey, hasher });

  const create = async (sessionId: SessionId): Promise<Ledger> => {
    const paths = pathsOf(sessionId);
    for (const folder of [stateDir, paths.sessions, paths.folder, paths.heads]) ensurePrivateDir(folder);
    return withLock(paths, async (lock) => {
      const fd = makeLedgerFile(paths, sessionId);
      try {
        const state: ChainState = { seq: 0, prev: null, tree: createMerkleTree(hasher), bytes: 0 };
        const ledger = createWriter({ sessionId, paths, lock, fd, state, recovered: null }, options);
        for (const folder of [paths.folder, paths.sessions, paths.heads]) syncFolder(folder);
        return ledger;
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    });
  };

  const reopen = async (sessionId: SessionId): Promise<Ledger> => {
    const paths = pathsOf(sessionId);
    if (!existsSync(paths.ledger) || isUnborn(paths)) throw new GuardError("SESSION_NOT_FOUND", `there is no session ${sessionId}`);
    return withLock(paths, async (lock) => {
      const opened = await openExisting(sessionId, paths, lock, options);
      try {
        return createWriter(opened, options);
      } catch (error) {
        closeSync(opened.fd);
        throw error;
      }
    });
  };

  const stepReader = (session: SessionId): StepReader => ({ paths: pathsOf(session), session, publicKey: signer.publicKey, hasher });

  const readAll = async (sessionId: SessionId, isIndexed: boolean): Promise<readonly AuditEvent[]> => {
    const indexing = isIndexed && readStep(stepReader(sessionId), 1) === null ? () => indexOnReading(stepReader(sessionId), signer, telemetry) : null;
    const { report, events } = await verifyStored(stored(sessionId, pathsOf(sessionId)), "with events", indexing);
    if (report.ok) return events;
    if (!isCrashTail(report)) throw ledgerInvalid(sessionId, report);
    telemetry.warn("ledger ends in a half-written record", { session: sessionId, line: report.line });
    return events;
  };

  const entries = async (sessionId: SessionId): Promise<Uint8Array> => {
    const hashes: Uint8Array[] = [];
    const onHash = (): Indexing => {
      hashes.length = 0;
      return { add: (_event, { hash }) => void hashes.push(digestBytes(hash)), keep: () => undefined };
    };
    const { report } = await verifyStored(stored(sessionId, pathsOf(sessionId)), "without events", onHash);
    if (!report.ok) throw ledgerInvalid(sessionId, report);
    return Buffer.concat(hashes);
  };

  const verify = async (target: string, how: VerifyOptions = {}): Promise<VerifyReport> => {
    const publicKey = how.publicKeyPem === undefined ? signer.publicKey : publicKeyFromPem(how.publicKeyPem);
    if (publicKey === null) throw new GuardError("USAGE_INVALID", "the public key is no Ed25519 key in PEM");
    if (isSessionId(target) && how.checkpoints === undefined) return (await verifyStored({ ...stored(target, pathsOf(target)), publicKey, expected: how.expected ?? [] }, "without events")).report;
    // Another key's evidence has nothing to do with this store's heads.
    const headOf = (id: SessionId): string | null => (how.publicKeyPem === undefined ? readCheckpointFile(pathsOf(id).checkpoint) : null);
    const path = isSessionId(target) ? pathsOf(target).ledger : target;
    return verifyFile(path, { publicKey, hasher, checkpoints: how.checkpoints ?? null, expected: how.expected ?? [], headOf });
  };

  return {
    create,
    reopen,
    read: async (sessionId) => readAll(sessionId, false),
    readAndIndex: async (sessionId) => readAll(sessionId, true),
    entries,
    readStep: async (sessionId, step) => readStep(stepReader(sessionId), step),
    readBlob: async (sessionId, digest) => readBlobFile(pathsOf(sessionId).blobs, digest, hasher, LIMITS.compareBytes),
    list: () => listSessions(stateDir, telemetry),
    removeEmpty: async (sessionId) => removeEmpty(pathsOf(sessionId)),
    verify,
    checkpoint: (sessionId) => readCheckpointFile(pathsOf(sessionId).checkpoint),
    verifierKey: (sessionId) => verifierKey(hasher, sessionId, signer.publicKey),
    publicKeyPem: () => publicKeyPem(signer.publicKey),
    ledgerFile: (sessionId) => pathsOf(sessionId).ledger,
  };
}

/** Runs `open` under the lock, which stays taken when it succeeds: the ledger releases it. */
async function withLock(paths: SessionPaths, open: (lock: SessionLock) => Promise<Ledger>): Promise<Ledger> {
  ensurePrivateDir(paths.folder);
  const lock = takeLock(paths.lock);
  try {
    return await open(lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The process that made it was killed before it signed the head of no records: nothing was ever acknowledged. */
function isUnborn(paths: SessionPaths): boolean {
  return lstatSync(paths.ledger).size === 0 && (readCheckpointFile(paths.checkpoint) ?? "") === "";
}

/** Only names of ours, one by one: layers of the session may still lie beside them. */
function removeEmpty(paths: SessionPaths): void {
  if (!existsSync(paths.ledger)) return;
  const lock = takeLock(paths.lock);
  try {
    if (lstatSync(paths.ledger).size > 0) return;
    const torn = readdirSync(paths.folder).filter((name) => name.startsWith(`${basename(paths.ledger)}.torn-`));
    for (const path of [paths.blobs, paths.checkpoint, paths.index, ...torn.map((name) => join(paths.folder, name)), paths.ledger]) rmSync(path, { recursive: true, force: true });
  } finally {
    lock.release();
  }
  try {
    rmdirSync(paths.folder);
  } catch (cause) {
    if (systemCode(cause) !== "ENOTEMPTY" && systemCode(cause) !== "ENOENT") throw cause;
  }
}

function makeLedgerFile(paths: SessionPaths, sessionId: SessionId): number {
  try {
    return openOwnFile(paths.ledger, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL);
  } catch (cause) {
    if (systemCode(cause) === "EEXIST") throw new GuardError("SESSION_BUSY", `session ${sessionId} has a ledger already`, { cause, hint: "choose another session id" });
    if (cause instanceof GuardError) throw cause;
    throw new GuardError("LEDGER_APPEND_FAILED", `ledger of ${sessionId} cannot be made: ${printable(cause instanceof Error ? cause.message : "unknown")}`, { cause });
  }
}
