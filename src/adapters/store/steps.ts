// One step of a stored session, found by the index beside its record: some milliseconds, however long the record is.

import { closeSync, constants, fstatSync, readSync, renameSync, rmSync } from "node:fs";
import { createStepIndexBuilder, INDEX_KINDS, LINE_BYTES, openCheckpoint, openDueRecord, openStepIndex, type Head, type IndexedRecord, type Signer, type StepIndex, type StepIndexBuilder } from "../../core/ledger/index.js";
import type { AuditEvent } from "../../core/session/event.js";
import { printable, type Hasher, type SessionId } from "../../core/shared/index.js";
import type { Telemetry } from "../../ports/system.js";
import { checkEd25519 } from "../system/hasher.js";
import { openOwnFile, readUpTo, systemCode, writeWhole } from "./files.js";
import type { SessionPaths } from "./paths.js";
import { decodeUtf8, readCheckpointFile } from "./read.js";

const INDEX_BYTES = 64 * 1024 * 1024;
const LINE_FEED = 0x0a;
const READ_BYTES = 16 * 1024;

/** Records of one step, and what the session is: each read from the ledger and held against the signed index. */
export interface StoredStep {
  readonly opened: AuditEvent;
  readonly records: readonly AuditEvent[];
  /** Scores on record before the step, up to its end, and last of all. */
  readonly before: AuditEvent | null;
  readonly after: AuditEvent | null;
  readonly last: AuditEvent | null;
  /** The account of an import. */
  readonly account: AuditEvent | null;
  readonly steps: number;
  readonly events: number;
  readonly verdicts: StepIndex["verdicts"];
}

/** Keeps an index beside its record; nothing depends on it, so a fault is only told to the operator. */
export function writeStepIndex(paths: Pick<SessionPaths, "index">, bytes: Uint8Array | null, telemetry: Telemetry): void {
  const draft = `${paths.index}.${process.pid}`;
  try {
    if (bytes === null) return void rmSync(paths.index, { force: true });
    rmSync(draft, { force: true });
    const fd = openOwnFile(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    try {
      writeWhole(fd, bytes, null);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, paths.index);
  } catch (cause) {
    telemetry.warn("the index of a record was not written", { cause: printable(cause instanceof Error ? cause.message : "unknown") });
    rmSync(draft, { force: true });
  }
}

export interface StepReader {
  readonly paths: SessionPaths;
  readonly session: SessionId;
  readonly publicKey: Uint8Array;
  readonly hasher: Hasher;
}

/**
 * Reads one step, from 1. Null where there is no index for just this record and head, no such step, or a record that is not what the
 * index names: whoever gets null reads and verifies the whole record, which says what is wrong.
 */
export function readStep(reader: StepReader, step: number): StoredStep | null {
  const { paths, session, hasher, publicKey } = reader;
  const note = readCheckpointFile(paths.checkpoint);
  const head = note === null ? null : openCheckpoint(note, { publicKey, check: checkEd25519, hasher });
  if (head === null || !head.ok) return null;
  const fd = openIfThere(paths.ledger);
  if (fd === null) return null;
  try {
    const bytes = fstatSync(fd).size;
    const index = openIndex(reader, head.value, bytes);
    if (index === null || step < 1 || step > index.steps) return null;
    const read = (record: IndexedRecord | null): AuditEvent | null => (record === null ? null : readRecord(fd, record, session, hasher));
    const places = index.recordsOf(step);
    const records = places.map(read);
    const [first, last] = [places.at(0), places.at(-1)];
    const opened = read(index.lastBefore(INDEX_KINDS.opened, 1));
    if (first === undefined || last === undefined || opened === null || !isWhole(records)) return null;
    const [before, after, final, account] = [index.lastBefore(INDEX_KINDS.score, first.seq), index.lastBefore(INDEX_KINDS.score, last.seq + 1), index.lastBefore(INDEX_KINDS.score, index.records), index.lastBefore(INDEX_KINDS.account, index.records)];
    const others = { before: read(before), after: read(after), last: read(final), account: read(account) };
    // A place without its record is a ledger that was changed.
    if ([before, after, final, account].filter((place) => place !== null).length !== Object.values(others).filter((event) => event !== null).length) return null;
    return { opened, records, ...others, steps: index.steps, events: index.records, verdicts: index.verdicts };
  } finally {
    closeSync(fd);
  }
}

function isWhole(records: readonly (AuditEvent | null)[]): records is readonly AuditEvent[] {
  return records.every((record) => record !== null);
}

function openIndex({ paths, session, publicKey, hasher }: StepReader, head: Head, bytes: number): StepIndex | null {
  const fd = openIfThere(paths.index);
  if (fd === null) return null;
  try {
    return openStepIndex(readUpTo(fd, INDEX_BYTES), { head, bytes, session }, { publicKey, check: checkEd25519, hasher });
  } finally {
    closeSync(fd);
  }
}

function openIfThere(path: string): number | null {
  try {
    return openOwnFile(path, constants.O_RDONLY);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw error;
  }
}

/** The line at a place, read in growing pieces up to the longest there is. */
function readRecord(fd: number, place: IndexedRecord, session: SessionId, hasher: Hasher): AuditEvent | null {
  for (let bytes = READ_BYTES; ; bytes *= 8) {
    const buffer = Buffer.alloc(Math.min(bytes, LINE_BYTES + 1));
    const count = readSync(fd, buffer, 0, buffer.length, place.offset);
    const end = buffer.subarray(0, count).indexOf(LINE_FEED);
    const text = end < 0 ? null : decodeUtf8(buffer.subarray(0, end));
    if (text !== null) return openDueRecord(text, { seq: place.seq, hash: place.hash, session }, hasher);
    if (end >= 0 || count < buffer.length || bytes > LINE_BYTES) return null;
  }
}

/** An index made while a whole record is read; `keep` writes it where the head vouches for all of it. */
export function indexOnReading(reader: StepReader, signer: Signer, telemetry: Telemetry): { readonly add: StepIndexBuilder["add"]; readonly keep: (bytes: number) => void } {
  const builder = createStepIndexBuilder();
  const keep = (bytes: number): void => {
    const note = readCheckpointFile(reader.paths.checkpoint);
    const head = note === null ? null : openCheckpoint(note, { publicKey: reader.publicKey, check: checkEd25519, hasher: reader.hasher });
    if (head?.ok !== true) return;
    const made = builder.seal(head.value, bytes, { signer, hasher: reader.hasher });
    if (made !== null) writeStepIndex(reader.paths, made, telemetry);
  };
  return { add: builder.add, keep };
}
