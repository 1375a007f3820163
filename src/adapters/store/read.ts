// Reads ledgers and signed heads from disk and verifies them. Writes nothing.

import { closeSync, constants, createReadStream, fstatSync, openSync } from "node:fs";
import { createSignedVerifier, openCheckpoint, type ChainState, type Head, type SignedVerifierOptions, type VerifyReport } from "../../core/ledger/index.js";
import type { AuditEvent } from "../../core/session/event.js";
import { GuardError, printable, type Hasher, type SessionId } from "../../core/shared/index.js";
import { checkEd25519 } from "../system/hasher.js";
import { openOwnFile, readUpTo, systemCode } from "./files.js";
import { isLocked } from "./session-lock.js";
import { decodeUtf8 } from "./utf8.js";
import { THREADS_FROM, verifyByThreads } from "./verify-threads.js";

export { decodeUtf8 } from "./utf8.js";

const CHUNK_BYTES = 1024 * 1024;
const CHECKPOINT_BYTES = 32_768;

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
  const byThreads = await verifyLarge(fd, options);
  if (byThreads !== null) return byThreads;
  const verifier = createSignedVerifier({ ...options, check: checkEd25519, decode: decodeUtf8 });
  try {
    // As far as it goes now: a writer at work must not be run after.
    const { size } = fstatSync(fd);
    if (size > CHUNK_BYTES) {
      const stream = createReadStream("", { fd, start: 0, end: size - 1, autoClose: false, highWaterMark: CHUNK_BYTES });
      for await (const chunk of stream) verifier.push(chunk as Buffer);
    } else if (size > 0) verifier.push(readUpTo(fd, size)); // a stream takes longer to make than this to read
  } catch (cause) {
    throw new GuardError("STATE_UNUSABLE", "ledger cannot be read", { cause });
  }
  return verifier.finish();
}

/** By several threads, where nobody asks for the records; null where that gives no answer. */
async function verifyLarge(fd: number, options: Omit<SignedVerifierOptions, "check" | "decode">): Promise<FileVerification | null> {
  const { size } = fstatSync(fd);
  if (size < THREADS_FROM || options.onRecord !== undefined) return null;
  const heads: Head[] = [];
  for (const note of options.checkpoints) {
    const head = openCheckpoint(note, { publicKey: options.publicKey, check: checkEd25519, hasher: options.hasher });
    if (!head.ok) return null;
    heads.push(head.value);
  }
  const session = options.session ?? heads[0]?.session;
  return session === undefined || heads.some((head) => head.session !== session) || heads.length === 0 ? null : verifyByThreads({ fd, size, session, heads });
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
  /** Heads known from elsewhere, as text: each has to hold besides the stored one. */
  readonly expected?: readonly string[];
}

export interface StoredVerification {
  readonly report: VerifyReport;
  /** Events of the sound records, in order; empty when they were not asked for. */
  readonly events: readonly AuditEvent[];
}

/** An index that is made while the records go by. */
export interface Indexing {
  readonly add: NonNullable<SignedVerifierOptions["onRecord"]>;
  /** The record is whole and signed, and has so many bytes. */
  readonly keep: (bytes: number) => void;
}

/** Looks taken at a session that is being written, before a half-written end is believed. */
const LOOKS = 5;

/**
 * Verifies a stored session. The head is read before the ledger, so a writer at work only ever adds unsigned records; what
 * was seen half-written while it works is looked at again.
 */
export async function verifyStored(stored: StoredSession, events: "with events" | "without events", indexing: (() => Indexing) | null = null): Promise<StoredVerification> {
  for (let look = 1; ; look++) {
    const found: AuditEvent[] = [];
    const index = indexing?.() ?? null;
    const onRecord: SignedVerifierOptions["onRecord"] = (event, at) => {
      if (events === "with events") found.push(event);
      index?.add(event, at);
    };
    const report = await verifyOnce(stored, events === "with events" || index !== null ? onRecord : undefined);
    if (report.ok && report.unsigned === 0) index?.keep(report.bytes);
    const unfinished = !report.ok && (report.fault === "torn" || report.fault === "checkpoint-invalid");
    if (!unfinished || look === LOOKS || !isLocked(stored.lock)) return { report, events: found };
  }
}

async function verifyOnce(stored: StoredSession, onRecord: SignedVerifierOptions["onRecord"] | undefined): Promise<VerifyReport> {
  const note = readCheckpointFile(stored.checkpoint);
  const fd = openLedgerFile(stored.ledger, stored.session, constants.O_RDONLY);
  try {
    // A head from elsewhere does not stand in for the one that belongs here.
    const checkpoints = note === null ? [] : [note, ...(stored.expected ?? [])];
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
