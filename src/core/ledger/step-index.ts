// Where the records of each call lie, so that one step of a long session is shown without reading all of it. Derived from the record and
// signed with its key: what it says is taken only with a right signature, for the very head that is there, and each record that is read
// by it must have the hash that it names. docs/log-format.md says the form.

import type { AuditEvent } from "../session/event.js";
import type { Digest, Hasher, SessionId } from "../shared/index.js";
import { asciiBytes, bytesToBase64, bytesToHex, concatBytes } from "./bytes.js";
import type { Head, SignatureCheck, Signer } from "./checkpoint.js";
import { digestBytes } from "./merkle.js";

const DOMAIN = "ringfence/ledger/v1/step-index\n";
const HASH = 32;
const SIGNATURE = 64;
/** Bytes a record takes: hash, where it begins, its call, its kind. */
const ROW = HASH + 8 + 4 + 1;
const NO_CALL = 0xffff_ffff;
/** Most records that have an index; a longer record is read as a whole. */
export const INDEX_RECORDS = 1_000_000;

/** What a record is, as far as finding a step takes it. */
export const INDEX_KINDS = { other: 0, received: 1, score: 2, allow: 3, ask: 4, deny: 5, opened: 6, account: 7 } as const;
type Kind = (typeof INDEX_KINDS)[keyof typeof INDEX_KINDS];

export interface IndexedRecord {
  readonly seq: number;
  readonly hash: Digest;
  /** Where its line begins, in bytes from 0. */
  readonly offset: number;
}

export interface StepIndexBuilder {
  /** Records in order, from the first. */
  readonly add: (event: AuditEvent, at: Omit<IndexedRecord, "seq">) => void;
  /** The bytes of the index for a head of all of these records; null where there can be none. */
  readonly seal: (head: Head, bytes: number, by: { readonly signer: Signer; readonly hasher: Hasher }) => Uint8Array | null;
}

/** Starts an index. A record past the limit, or with a call that was never received, has none. */
export function createStepIndexBuilder(): StepIndexBuilder {
  const rows: { hashes: Uint8Array; offsets: Float64Array; calls: Uint32Array; kinds: Uint8Array } = { hashes: new Uint8Array(0), offsets: new Float64Array(0), calls: new Uint32Array(0), kinds: new Uint8Array(0) };
  const numbers = new Map<string, number>();
  let size = 0;
  let isRegular = true;
  const grow = (): void => {
    const room = Math.max(256, size * 2);
    const hashes = new Uint8Array(room * HASH);
    const offsets = new Float64Array(room);
    const calls = new Uint32Array(room);
    const kinds = new Uint8Array(room);
    hashes.set(rows.hashes);
    offsets.set(rows.offsets);
    calls.set(rows.calls);
    kinds.set(rows.kinds);
    Object.assign(rows, { hashes, offsets, calls, kinds });
  };
  const add: StepIndexBuilder["add"] = (event, { hash, offset }) => {
    if (!isRegular || size >= INDEX_RECORDS) return void (isRegular = false);
    if (event.call !== null && event.type === "call.received" && !numbers.has(event.call)) numbers.set(event.call, numbers.size);
    const number = event.call === null ? NO_CALL : numbers.get(event.call);
    if (number === undefined) return void (isRegular = false);
    if (size === rows.kinds.length) grow();
    rows.hashes.set(digestBytes(hash), size * HASH);
    rows.offsets[size] = offset;
    rows.calls[size] = number;
    rows.kinds[size] = kindOf(event);
    size += 1;
  };
  const seal: StepIndexBuilder["seal"] = (head, bytes, { signer, hasher }) => {
    if (!isRegular || size === 0 || head.size !== size) return null;
    const first = asciiBytes(headerOf(head, bytes));
    const body = new Uint8Array(first.length + size * ROW);
    body.set(first);
    let at = first.length;
    body.set(rows.hashes.subarray(0, size * HASH), at);
    at += size * HASH;
    const view = new DataView(body.buffer);
    for (let i = 0; i < size; i += 1) view.setFloat64(at + i * 8, rows.offsets[i] ?? 0, true);
    at += size * 8;
    for (let i = 0; i < size; i += 1) view.setUint32(at + i * 4, rows.calls[i] ?? NO_CALL, true);
    at += size * 4;
    body.set(rows.kinds.subarray(0, size), at);
    return concatBytes(body, signer.sign(signedPart(body, hasher)));
  };
  return { add, seal };
}

function kindOf(event: AuditEvent): Kind {
  switch (event.type) {
    case "session.opened":
      return INDEX_KINDS.opened;
    case "call.received":
      return INDEX_KINDS.received;
    case "risk.updated":
      return INDEX_KINDS.score;
    case "decision.made":
      return INDEX_KINDS[event.data.effect];
    case "import.finished":
      return INDEX_KINDS.account;
    default:
      return INDEX_KINDS.other;
  }
}

function headerOf({ session, size, root }: Head, bytes: number): string {
  return `{"bytes":${bytes},"records":${size},"root":"${bytesToBase64(root)}","session":"${session}","v":1}\n`;
}

function signedPart(body: Uint8Array, hasher: Hasher): Uint8Array {
  return asciiBytes(DOMAIN + hasher(body));
}

/** An index whose signature held. Steps count from 1. */
export interface StepIndex {
  readonly records: number;
  readonly steps: number;
  /** How many calls have a first decision of each kind; `thought` has none. */
  readonly verdicts: Readonly<Record<"allow" | "ask" | "deny" | "thought", number>>;
  /** Records of one step, in order. */
  readonly recordsOf: (step: number) => readonly IndexedRecord[];
  /** The last record of a kind before `seq`; null where there is none. */
  readonly lastBefore: (kind: Kind, seq: number) => IndexedRecord | null;
}

/**
 * Opens an index for the head and the length of the ledger that are there.
 * @returns null for anything but what was signed for just these
 */
export function openStepIndex(bytes: Uint8Array, of: { readonly head: Head; readonly bytes: number; readonly session: SessionId }, by: { readonly publicKey: Uint8Array; readonly check: SignatureCheck; readonly hasher: Hasher }): StepIndex | null {
  const { head } = of;
  const first = asciiBytes(headerOf(head, of.bytes));
  const end = first.length + head.size * ROW;
  if (head.session !== of.session || head.size > INDEX_RECORDS || bytes.length !== end + SIGNATURE) return null;
  if (!first.every((byte, i) => bytes[i] === byte)) return null;
  const body = bytes.subarray(0, end);
  if (!by.check(by.publicKey, signedPart(body, by.hasher), bytes.subarray(end))) return null;
  return readIndex(body, first.length, head.size);
}

function readIndex(body: Uint8Array, from: number, size: number): StepIndex {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const [offsetsAt, callsAt, kindsAt] = [from + size * HASH, from + size * (HASH + 8), from + size * (HASH + 12)];
  const kind = (seq: number): number => body[kindsAt + seq] ?? 0;
  const callOf = (seq: number): number => view.getUint32(callsAt + seq * 4, true);
  const record = (seq: number): IndexedRecord => ({ seq, hash: `sha256:${bytesToHex(body.subarray(from + seq * HASH, from + (seq + 1) * HASH))}`, offset: view.getFloat64(offsetsAt + seq * 8, true) });
  const verdicts = { allow: 0, ask: 0, deny: 0, thought: 0 };
  const decided = new Uint8Array(size);
  let steps = 0;
  for (let seq = 0; seq < size; seq += 1) {
    const name = kind(seq) === INDEX_KINDS.allow ? "allow" : kind(seq) === INDEX_KINDS.ask ? "ask" : kind(seq) === INDEX_KINDS.deny ? "deny" : null;
    const call = callOf(seq);
    if (call === NO_CALL) continue;
    if (call >= steps) steps = call + 1;
    if (name === null || decided[call] === 1) continue;
    decided[call] = 1;
    verdicts[name] += 1;
  }
  verdicts.thought = steps - verdicts.allow - verdicts.ask - verdicts.deny;
  return {
    records: size,
    steps,
    verdicts,
    recordsOf: (step) => {
      const found: IndexedRecord[] = [];
      for (let seq = 0; seq < size; seq += 1) if (callOf(seq) === step - 1) found.push(record(seq));
      return found;
    },
    lastBefore: (wanted, seq) => {
      for (let at = Math.min(seq, size) - 1; at >= 0; at -= 1) if (kind(at) === wanted) return record(at);
      return null;
    },
  };
}
