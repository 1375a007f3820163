// Opens a ledger that was written before: verifies it, cuts off what a crash left half-written, and keeps those bytes.

import { closeSync, constants, fsyncSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";
import { dirname } from "node:path";
import { GuardError, type SessionId } from "../../core/shared/index.js";
import type { LedgerRecovery } from "../../ports/ledger.js";
import { syncFolder, systemCode, writeWhole } from "./files.js";
import type { SessionPaths } from "./paths.js";
import { isCrashTail, ledgerInvalid, openLedgerFile, readCheckpointFile, verifyOpenFile } from "./read.js";
import type { SessionLock } from "./session-lock.js";
import type { OpenedLedger, StoreContext } from "./writer.js";

const MAX_TORN_FILES = 1_000;

/**
 * Opens an existing ledger under a lock already held.
 * @throws GuardError SESSION_NOT_FOUND, STATE_UNUSABLE, or LEDGER_INVALID when it is not what was signed
 */
export async function openExisting(sessionId: SessionId, paths: SessionPaths, lock: SessionLock, context: StoreContext): Promise<OpenedLedger> {
  const fd = openLedgerFile(paths.ledger, sessionId, constants.O_RDWR | constants.O_APPEND);
  try {
    const note = readCheckpointFile(paths.checkpoint);
    const { report, state } = await verifyOpenFile(fd, {
      checkpoints: note === null ? [] : [note],
      publicKey: context.signer.publicKey,
      session: sessionId,
      hasher: context.hasher,
    });
    if (!report.ok && !isCrashTail(report)) throw ledgerInvalid(sessionId, report);
    const tornBytes = fstatSync(fd).size - state.bytes;
    if (tornBytes > 0) cutTorn(fd, paths, state.bytes, tornBytes);
    const unsignedRecords = report.ok ? report.unsigned : state.seq - signedSize(note);
    const recovered: LedgerRecovery | null = tornBytes === 0 && unsignedRecords === 0 ? null : { tornBytes, unsignedRecords };
    if (recovered !== null) context.telemetry.warn("ledger recovered", { session: sessionId, tornBytes, unsignedRecords });
    return { sessionId, paths, lock, fd, state, recovered };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Size in a checkpoint that was already found to hold. */
function signedSize(note: string | null): number {
  return Number(note?.split("\n")[1] ?? 0);
}

function cutTorn(fd: number, paths: SessionPaths, from: number, length: number): void {
  try {
    const bytes = Buffer.alloc(length);
    let at = 0;
    while (at < length) {
      const count = readSync(fd, bytes, at, length - at, from + at);
      if (count === 0) break;
      at += count;
    }
    keepTorn(paths.ledger, bytes.subarray(0, at));
    syncFolder(dirname(paths.ledger));
    ftruncateSync(fd, from);
    fsyncSync(fd);
  } catch (cause) {
    throw new GuardError("LEDGER_APPEND_FAILED", "the half-written end of the ledger could not be set apart", { cause });
  }
}

/** Under the first free name: an earlier crash's bytes are never overwritten. */
function keepTorn(ledger: string, bytes: Uint8Array): void {
  for (let n = 1; n <= MAX_TORN_FILES; n++) {
    let fd: number;
    try {
      fd = openSync(`${ledger}.torn-${n}`, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
    } catch (error) {
      if (systemCode(error) === "EEXIST") continue;
      throw error;
    }
    try {
      writeWhole(fd, bytes, null);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    return;
  }
  throw new Error(`more than ${MAX_TORN_FILES} torn ends are kept already`);
}
