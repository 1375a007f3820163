// A piece of a ledger verified by itself, so that several are at the same time, and the pieces joined. Only for what is sound: whoever
// finds otherwise verifies the whole in order, which says what is wrong and where.

import type { Digest, Hasher, SessionId } from "../shared/index.js";
import { genesis, LINE_BYTES, openRecord } from "./chain.js";
import type { Head } from "./checkpoint.js";
import { createDueCheck } from "./due-record.js";
import type { VerifyReport } from "./fault.js";
import { createMerkleRange, createMerkleTree, digestBytes, type Subtree } from "./merkle.js";
import { isWholeRecord, parseObject } from "./record-form.js";
import type { ChainState } from "./verify.js";

const LINE_FEED = 0x0a;

/** What a sound piece says of itself; whether it belongs where it lies is told by the join. */
export interface Segment {
  /** Number of its first record. */
  readonly seq: number;
  readonly records: number;
  readonly bytes: number;
  /** What its first record follows, and the hash of its last. */
  readonly prev: Digest;
  readonly last: Digest;
  /** Its part of the tree, cut at each of the sizes asked for that lies in it. */
  readonly parts: readonly (readonly Subtree[])[];
}

export interface SegmentReader {
  readonly hasher: Hasher;
  readonly session: SessionId;
  readonly decode: (bytes: Uint8Array) => string | null;
  /** Sizes of the tree at which there is a head. */
  readonly sizes: readonly number[];
}

/** Verifies whole lines; null when any of them is not sound, or there is none. */
export function createSegmentReader({ hasher, session, decode, sizes }: SegmentReader): (bytes: Uint8Array) => Segment | null {
  const checkDue = createDueCheck(hasher);
  const cuts = new Set(sizes);
  /** The slow way for one line, where the quick one is not sure. */
  const checkSlowly = (line: Uint8Array, seq: number, prev: Digest): Digest | null => {
    const text = decode(line);
    const record = text === null ? null : openRecord(text, hasher);
    if (text === null || record === null || record.hash !== record.computed || record.seq !== seq || record.prev !== prev || record.session !== session) return null;
    const parsed = parseObject(text);
    return parsed !== null && isWholeRecord(text, parsed) ? record.hash : null;
  };
  return (bytes) => {
    const end = bytes.indexOf(LINE_FEED);
    const firstText = end < 0 ? null : decode(bytes.subarray(0, end));
    const first = firstText === null ? null : openRecord(firstText, hasher);
    if (first === null || bytes.at(-1) !== LINE_FEED) return null;
    let { seq, prev } = first;
    let range = createMerkleRange(hasher, seq);
    const parts: (readonly Subtree[])[] = [];
    for (let from = 0; from < bytes.length; ) {
      const at = bytes.indexOf(LINE_FEED, from);
      const line = bytes.subarray(from, at);
      if (line.length > LINE_BYTES) return null;
      const hash = checkDue(line, { seq, prev, session }) ?? checkSlowly(line, seq, prev);
      if (hash === null) return null;
      range.append(digestBytes(hash));
      prev = hash;
      seq += 1;
      from = at + 1;
      if (!cuts.has(seq)) continue;
      parts.push(range.subtrees());
      range = createMerkleRange(hasher, seq);
    }
    return { seq: first.seq, records: seq - first.seq, bytes: bytes.length, prev: first.prev, last: prev, parts: [...parts, range.subtrees()] };
  };
}

export interface SegmentJoin {
  /** Takes the next piece; false when it does not follow, or is not what was signed. */
  readonly add: (segment: Segment) => boolean;
  /** Once, when every piece was taken; null where a head was not met. */
  readonly finish: () => { readonly report: VerifyReport; readonly state: ChainState } | null;
}

/** Joins pieces in order, from the first record on. The heads have checked signatures and are of this session; there is at least one. */
export function joinSegments({ hasher, session, heads }: { readonly hasher: Hasher; readonly session: SessionId; readonly heads: readonly Head[] }): SegmentJoin {
  const tree = createMerkleTree(hasher);
  const largest = Math.max(...heads.map((head) => head.size));
  let prev = genesis(hasher, session);
  let bytes = 0;
  const holds = (): boolean => {
    const due = heads.filter((head) => head.size === tree.size());
    const root = due.length === 0 ? null : tree.root();
    return root === null || due.every((head) => root.every((byte, i) => byte === head.root[i]));
  };
  let isSound = holds();
  const add = (segment: Segment): boolean => {
    isSound &&= segment.seq === tree.size() && segment.prev === prev;
    for (const part of segment.parts) {
      if (!isSound) return false;
      for (const subtree of part) tree.appendSubtree(subtree);
      isSound = holds();
    }
    prev = segment.last;
    bytes += segment.bytes;
    return isSound;
  };
  const finish: SegmentJoin["finish"] = () => {
    const records = tree.size();
    if (!isSound || records < largest || records === 0) return null;
    return { report: { ok: true, session, records, bytes, lastHash: prev, signed: largest, unsigned: records - largest }, state: { seq: records, prev, tree, bytes } };
  };
  return { add, finish };
}
