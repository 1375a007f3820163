// That a later head only adds to an earlier one, shown without the records between: consistency proofs of RFC 6962, 2.1.2, verified as
// RFC 9162, 2.1.4.2 says.

import type { Hasher } from "../shared/index.js";
import { concatBytes } from "./bytes.js";
import type { Head } from "./checkpoint.js";
import { digestBytes } from "./merkle.js";

const BYTES = 32;
const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);
/** Most hashes of a proof: two for each level of a tree of 10^15 entries. */
export const MOST_PROOF_HASHES = 100;

/**
 * The proof for a tree of `entries` and its first `size` ones, both at least 1.
 * @param entries 32 bytes each, one behind the other: what the tree holds, in order
 */
export function consistencyProof(entries: Uint8Array, size: number, hasher: Hasher): readonly Uint8Array[] {
  const hash = (...parts: readonly Uint8Array[]): Uint8Array => digestBytes(hasher(concatBytes(...parts)));
  const rootOf = (from: number, to: number): Uint8Array => {
    if (to - from === 1) return hash(LEAF, entries.subarray(from * BYTES, to * BYTES));
    const half = from + largestPower(to - from);
    return hash(NODE, rootOf(from, half), rootOf(half, to));
  };
  /** SUBPROOF(m, D[from:to], b), m counted from `from`. */
  const proofOf = (m: number, from: number, to: number, isWhole: boolean): Uint8Array[] => {
    if (m === to - from) return isWhole ? [] : [rootOf(from, to)];
    const power = largestPower(to - from);
    if (m <= power) return [...proofOf(m, from, from + power, isWhole), rootOf(from + power, to)];
    return [...proofOf(m - power, from + power, to, false), rootOf(from, from + power)];
  };
  return proofOf(size, 0, entries.length / BYTES, true);
}

/** The largest power of two below `size`, which is at least 2. */
function largestPower(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

/** Tells whether the tree of `later` begins with all of `earlier`. Never throws. */
export function isConsistent(earlier: Head, later: Head, proof: readonly Uint8Array[], hasher: Hasher): boolean {
  if (earlier.session !== later.session || earlier.size > later.size || proof.length > MOST_PROOF_HASHES || proof.some((hash) => hash.length !== BYTES)) return false;
  if (earlier.size === later.size) return proof.length === 0 && same(earlier.root, later.root);
  // Every tree begins with the empty one, whose root says nothing but that.
  if (earlier.size === 0) return proof.length === 0 && same(earlier.root, digestBytes(hasher(new Uint8Array(0))));
  return followsFrom(earlier, later, isPower(earlier.size) ? [earlier.root, ...proof] : proof, hasher);
}

function followsFrom(earlier: Head, later: Head, path: readonly Uint8Array[], hasher: Hasher): boolean {
  const [first, ...rest] = path;
  if (first === undefined) return false;
  const node = (left: Uint8Array, right: Uint8Array): Uint8Array => digestBytes(hasher(concatBytes(NODE, left, right)));
  let [small, large] = [earlier.size - 1, later.size - 1];
  const up = (): void => void ([small, large] = [Math.floor(small / 2), Math.floor(large / 2)]);
  while (small % 2 === 1) up();
  let [smallRoot, largeRoot] = [first, first];
  for (const hash of rest) {
    if (large === 0) return false;
    if (small % 2 === 1 || small === large) {
      [smallRoot, largeRoot] = [node(hash, smallRoot), node(hash, largeRoot)];
      while (small % 2 === 0 && small !== 0) up();
    } else largeRoot = node(largeRoot, hash);
    up();
  }
  return large === 0 && same(smallRoot, earlier.root) && same(largeRoot, later.root);
}

function isPower(size: number): boolean {
  return size === 1 || largestPower(size) * 2 === size;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
