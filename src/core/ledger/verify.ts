// Verifies a ledger as its bytes arrive and names the first bad record. Reads nothing itself; trusts only the heads handed in,
// whose signatures were checked before.

import { count, were } from "../shared/index.js";
import type { AuditEvent } from "../session/event.js";
import type { Digest, Hasher, SessionId } from "../shared/index.js";
import { eventOf, genesis, LINE_BYTES, openRecord, type OpenedRecord } from "./chain.js";
import type { Head } from "./checkpoint.js";
import type { LedgerFault, VerifyReport } from "./fault.js";
import { createDueCheck } from "./due-record.js";
import { splitLines } from "./lines.js";
import type { MerkleTree } from "./merkle.js";
import { describeMalformed, isWholeRecord, parseObject } from "./record-form.js";
import { createSignedTree } from "./signed-tree.js";

export interface VerifierOptions {
  readonly hasher: Hasher;
  /** Strict UTF-8 that keeps a byte order mark; null for bytes that are none. */
  readonly decode: (bytes: Uint8Array) => string | null;
  /** Whose ledger it is; null takes it from the first record. */
  readonly session: SessionId | null;
  /** Heads with checked signatures; each must hold. */
  readonly heads: readonly Head[];
  /** Called for each sound record in order, with its event. A fault may still be found later. */
  readonly onRecord?: (event: AuditEvent, at: { readonly hash: Digest; readonly offset: number }) => void;
}

/** What a writer needs to go on after the last sound record. */
export interface ChainState {
  readonly seq: number;
  /** Hash of the last record; null when there is none. */
  readonly prev: Digest | null;
  readonly tree: MerkleTree;
  /** Bytes of all sound records. */
  readonly bytes: number;
}

export interface LedgerVerifier {
  readonly push: (chunk: Uint8Array) => void;
  /** Once, at the end. `state` is of use only where the records that are there are sound. */
  readonly finish: () => { readonly report: VerifyReport; readonly state: ChainState };
}

type Place = { readonly line: number; readonly offset: number };
type Found = { readonly line: number | null; readonly offset: number | null; readonly fault: LedgerFault; readonly message: string };
/** A sound record not yet in the tree, so that the one after it can still show that it was replaced. */
type Held = { readonly hash: Digest; readonly prev: Digest; readonly place: Place };
/** Follows the chain without a doubted record; `finding` holds when that chain is the one that was signed. */
type Probe = { readonly hash: Digest; readonly seq: number; readonly finding: Found };

const WORDS: Readonly<Record<"rewritten" | "emptyHead", string>> = {
  rewritten: "the records up to the signed head are a sound chain, but not the one that was signed",
  emptyHead: "the signed head of no records has a wrong root",
};

/** Starts a verification. */
export function createLedgerVerifier(options: VerifierOptions): LedgerVerifier {
  const { hasher } = options;
  const signedTree = createSignedTree(hasher, options.heads);
  let session = options.session;
  let seq = 0;
  let bytes = 0;
  let lines = 0;
  let lastHash: Digest | null = null;
  let held: Held | null = null;
  let found: Found | null = null;
  let headHolds = false;
  let probe: Probe | null = null;
  const checkDue = createDueCheck(hasher);

  const report = (what: Found): void => {
    headHolds = signedTree.allMet();
    found = what;
  };

  /** Puts the held record into the tree; false when that is not what was signed. */
  const commitHeld = (): boolean => {
    if (held === null) return true;
    const answer = signedTree.append(held.hash);
    held = null;
    if (answer !== "differs") return true;
    report({ line: null, offset: null, fault: "rewritten", message: WORDS.rewritten });
    return false;
  };

  const fail = (place: Place, fault: LedgerFault, message: string): void => {
    if (commitHeld()) report({ ...place, fault, message });
  };

  const advanceProbe = (record: OpenedRecord | null): void => {
    if (probe === null) return;
    const follows = record !== null && record.hash === record.computed && record.seq === probe.seq && record.prev === probe.hash;
    const answer = follows ? signedTree.append(record.hash) : "differs";
    if (answer === "holds") found = probe.finding;
    probe = answer === "none" && record !== null ? { hash: record.hash, seq: record.seq + 1, finding: probe.finding } : null;
  };

  /** Reports `now`, and `finding` instead if leaving out the held record leads to what was signed. */
  const doubtHeld = (record: OpenedRecord, now: Found, finding: Found): void => {
    held = null;
    report(now);
    if (record.seq === seq) {
      const answer = signedTree.append(record.prev);
      if (answer === "holds") found = finding;
      if (answer !== "none") return;
    }
    probe = { hash: record.prev, seq: record.seq, finding };
    advanceProbe(record);
  };

  const checkOrder = (record: OpenedRecord, place: Place): boolean => {
    const due = held?.hash ?? genesis(hasher, record.session);
    if (record.seq === seq && record.prev === due) return true;
    if (record.seq > seq) {
      fail(place, "missing", `record ${seq} is missing here, record ${record.seq} follows`);
    } else if (held === null) {
      fail(place, "not-linked", "the first record does not begin the chain of its session");
    } else if (record.seq === seq) {
      doubtHeld(
        record,
        { ...place, fault: "not-linked", message: `record ${seq} does not follow the record in line ${held.place.line}: one of the two was replaced` },
        { ...held.place, fault: "changed", message: `record ${seq - 1} was replaced by another one` },
      );
    } else if (record.hash === held.hash) {
      fail(place, "duplicated", `record ${record.seq} stands here a second time`);
    } else if (record.seq === seq - 1 && record.prev === held.prev) {
      doubtHeld(
        record,
        { ...place, fault: "out-of-order", message: `another record ${record.seq} stands here` },
        { ...held.place, fault: "inserted", message: `this record ${record.seq} was put in before the true one` },
      );
    } else {
      fail(place, "out-of-order", `record ${record.seq} stands where record ${seq} belongs`);
    }
    return false;
  };

  /** Once something was found, later lines can only make the finding more exact. */
  const refine = (record: OpenedRecord | null): void => {
    advanceProbe(record);
    if (found?.fault === "missing" && record?.seq === seq) {
      found = { ...found, fault: "out-of-order", message: `record ${seq} belongs here, but stands in line ${lines}` };
    }
  };

  /** The quick way: the very record that is due here. False: the slow way says what it is. */
  const takeDue = (raw: Uint8Array, offset: number): boolean => {
    if (found !== null || session === null) return false;
    const prev = held?.hash ?? lastHash ?? genesis(hasher, session);
    const hash = checkDue(raw, { seq, prev, session });
    if (hash === null) return false;
    const parsed = options.onRecord === undefined ? null : parseObject(options.decode(raw) ?? "");
    if (parsed === null && options.onRecord !== undefined) return false;
    if (!commitHeld()) return true;
    accept({ hash, prev, place: { line: lines, offset } }, raw, parsed);
    return true;
  };

  const accept = (record: Held, raw: Uint8Array, parsed: Readonly<Record<string, unknown>> | null): void => {
    held = record;
    lastHash = record.hash;
    seq += 1;
    bytes = record.place.offset + raw.length + 1;
    if (parsed !== null) options.onRecord?.(eventOf(parsed), { hash: record.hash, offset: record.place.offset });
  };

  const takeLine = (raw: Uint8Array, offset: number): void => {
    lines += 1;
    if (takeDue(raw, offset)) return;
    const text = options.decode(raw);
    const record = text === null ? null : openRecord(text, hasher);
    if (found !== null) return refine(record);
    const place = { line: lines, offset };
    if (text === null || record === null) return fail(place, "malformed", describeMalformed(text));
    if (record.hash !== record.computed) return fail(place, "changed", `record ${record.seq} is not what was hashed`);
    const parsed = parseObject(text);
    if (parsed === null) return fail(place, "malformed", describeMalformed(text));
    if (!isWholeRecord(text, parsed)) return fail(place, "not-canonical", `record ${record.seq} is not in canonical form`);
    if (session !== null && record.session !== session) return fail(place, "other-session", `the record belongs to ${record.session}`);
    if (!checkOrder(record, place) || !commitHeld()) return;
    session = record.session;
    accept({ hash: record.hash, prev: record.prev, place }, raw, parsed);
  };

  const checkEnd = (rest: number, offset: number): void => {
    if (found !== null || !commitHeld()) return;
    const place = { line: lines + 1, offset };
    const { signed } = signedTree;
    if (options.heads.some((head) => session !== null && head.session !== session)) {
      report({ line: null, offset: null, fault: "checkpoint-other-session", message: "the signed head belongs to another session" });
    } else if (signed !== null && seq < signed) {
      const torn = rest === 0 ? "" : `, and ${count(rest, "byte")} without a line feed`;
      report({ ...place, fault: "cut", message: `${count(signed, "record")} ${were(signed)} signed, ${seq} ${seq === 1 ? "is" : "are"} here${torn}` });
    } else if (rest > 0) {
      report({ ...place, fault: "torn", message: `${count(rest, "byte")} without a line feed after the last record: a crash while writing, or an addition` });
    }
  };

  const splitter = splitLines(LINE_BYTES, {
    line: takeLine,
    tooLong: (offset) => {
      if (found === null) fail({ line: lines + 1, offset }, "too-long", `the line is longer than ${LINE_BYTES} bytes`);
    },
  });
  if (signedTree.here() === "differs") report({ line: null, offset: null, fault: "checkpoint-invalid", message: WORDS.emptyHead });

  return {
    push: splitter.push,
    finish: () => {
      const rest = splitter.rest();
      checkEnd(rest.bytes.length, rest.offset);
      const { signed, tree } = signedTree;
      const sound: VerifyReport = { ok: true, session, records: seq, bytes, lastHash, signed, unsigned: seq - (signed ?? 0) };
      return {
        report: found === null ? sound : { ok: false, session, records: seq, headHolds, ...found },
        state: { seq, prev: lastHash, tree, bytes },
      };
    },
  };
}
