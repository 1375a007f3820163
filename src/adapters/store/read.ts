// Reads ledgers and signed heads from disk and verifies them. Writes nothing.

import { closeSync, constants, createReadStream, fstatSync, openSync } from "node:fs";
import { createSignedVerifier, type ChainState, type SignedVerifierOptions, type VerifyReport } from "../../core/ledger/index.js";
import type { AuditEvent } from "../../core/session/event.js";
import { GuardError, printable, type Hasher, type SessionId } from "../../core/shared/index.js";
import { checkEd25519 } from "../system/hasher.js";
import { openOwnFile, readUpTo, systemCode } from "./files.js";
import { isLocked } from "./session-lock.js";

const CHUNK_BYTES = 1024 * 1024;
const CHECKPOINT_BYTES = 32_768;

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Strict UTF-8, a byte order mark kept; null for bytes that are none. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return STRICT.decode(bytes);
  } catch {
    return null; // not UTF-8
  }
}

/** Text of a small file; null when there is none. @throws GuardError STATE_UNUSABLE when it cannot be read */
export function readCheckpointFile(path: string): string | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return null;
    throw new GuardError("STATE_UNUSABLE", `checkpoint \`${printable(path)}\` cannot be read`, { cause });
  }
  try {
    return decodeUtf8(readUpTo(fd, CHECKPOINT_BYTES)) ?? "";
  } finally {
    closeSync(fd);
  }
}

export interface FileVerification {
  readonly report: VerifyReport;
  readonly state: ChainState;
}

/**
 * Verifies the ledger in an open file, from its beginning; the file stays open.
 * @throws GuardError STATE_UNUSABLE when it cannot be read
 */
export async function verifyOpenFile(fd: number, options: Omit<SignedVerifierOptions, "check" | "decode">): Promise<FileVerification> {
  const verifier = createSignedVerifier({ ...options, check: checkEd25519, decode: decodeUtf8 });
  try {
    // As far as it goes now: a writer at work must not be run after.
    const { size } = fstatSync(fd);
    if (size > 0) {
      const stream = createReadStream("", { fd, start: 0, end: size - 1, autoClose: false, highWaterMark: CHUNK_BYTES });
      for await (const chunk of stream) verifier.push(chunk as Buffer);
    }
  } catch (cause) {
    throw new GuardError("STATE_UNUSABLE", "ledger cannot be read", { cause });
  }
  return verifier.finish();
}

/**
 * Opens the ledger of a session.
 * @throws GuardError SESSION_NOT_FOUND when there is none; STATE_UNUSABLE when it is no regular file of ours
 */
export function openLedgerFile(path: string, session: SessionId, flags: number): number {
  try {
    return openOwnFile(path, flags);
  } catch (cause) {
    if (cause instanceof GuardError) throw cause;
    if (systemCode(cause) === "ENOENT") throw new GuardError("SESSION_NOT_FOUND", `there is no session ${session}`, { cause });
    throw new GuardError("STATE_UNUSABLE", `ledger of ${session} cannot be opened`, { cause });
  }
}

/** What to verify a stored session with. */
export interface StoredSession {
  readonly session: SessionId;
  readonly ledger: string;
  readonly checkpoint: string;
  readonly lock: string;
  readonly publicKey: Uint8Array;
  readonly hasher: Hasher;
}

export interface StoredVerification {
  readonly report: VerifyReport;
  /** Events of the sound records, in order; empty when they were not asked for. */
  readonly events: readonly AuditEvent[];
}

/** Looks taken at a session that is being written, before a half-written end is believed. */
const LOOKS = 5;

/**
 * Verifies a stored session. The head is read before the ledger, so a writer at work only ever adds unsigned records; what
 * was seen half-written while it works is looked at again.
 */
export async function verifyStored(stored: StoredSession, events: "with events" | "without events"): Promise<StoredVerification> {
  for (let look = 1; ; look++) {
    const found: AuditEvent[] = [];
    const report = await verifyOnce(stored, events === "with events" ? (event) => found.push(event) : undefined);
    const unfinished = !report.ok && (report.fault === "torn" || report.fault === "checkpoint-invalid");
    if (!unfinished || look === LOOKS || !isLocked(stored.lock)) return { report, events: found };
  }
}

async function verifyOnce(stored: StoredSession, onRecord: ((event: AuditEvent) => void) | undefined): Promise<VerifyReport> {
  const note = readCheckpointFile(stored.checkpoint);
  const fd = openLedgerFile(stored.ledger, stored.session, constants.O_RDONLY);
  try {
    const checkpoints = note === null ? [] : [note];
    const { report } = await verifyOpenFile(fd, {
      checkpoints,
      publicKey: stored.publicKey,
      session: stored.session,
      hasher: stored.hasher,
      ...(onRecord === undefined ? {} : { onRecord }),
    });
    return report;
  } finally {
    closeSync(fd);
  }
}

/** A torn end after everything that was signed is what a crash leaves; the records before it are sound. */
export function isCrashTail(report: VerifyReport): boolean {
  return !report.ok && report.fault === "torn" && report.headHolds;
}

/** The error that a broken ledger becomes where only a sound one will do. */
export function ledgerInvalid(session: SessionId, report: VerifyReport): GuardError {
  if (report.ok) return new GuardError("INTERNAL_BUG", "a sound ledger was refused");
  const place = report.line === null ? "" : `line ${report.line}: `;
  return new GuardError("LEDGER_INVALID", `ledger of ${session}: ${place}${report.message}`, {
    context: { session, line: report.line, fault: report.fault },
  });
}
