// The Merkle tree hash of RFC 6962, section 2.1, kept as a compact range: appending costs a few hashes, whatever the size.

import type { Digest, Hasher } from "../shared/index.js";
import { concatBytes, hexToBytes } from "./bytes.js";

const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);
const DIGEST_PREFIX = "sha256:".length;

/** A growing tree. It keeps only the roots of its full subtrees, never the leaves. */
export interface MerkleTree {
  readonly size: () => number;
  /** Adds an entry; its leaf hash is SHA-256(0x00 || entry). */
  readonly append: (entry: Uint8Array) => void;
  /** Root of all entries so far, 32 bytes; of none it is SHA-256 of nothing. */
  readonly root: () => Uint8Array;
}

/** The 32 bytes of a digest. */
export function digestBytes(digest: Digest): Uint8Array {
  return hexToBytes(digest.slice(DIGEST_PREFIX));
}

/** An empty tree. */
export function createMerkleTree(hasher: Hasher): MerkleTree {
  const hash = (...parts: readonly Uint8Array[]): Uint8Array => digestBytes(hasher(concatBytes(...parts)));
  // INVARIANT: one root for each bit set in `size`, the largest subtree first.
  const roots: Uint8Array[] = [];
  let size = 0;
  return {
    size: () => size,
    append: (entry) => {
      let node = hash(LEAF, entry);
      for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) node = hash(NODE, roots.pop() ?? node, node);
      roots.push(node);
      size += 1;
    },
    root: () => {
      let node = roots.at(-1);
      if (node === undefined) return hash(new Uint8Array(0));
      for (let i = roots.length - 2; i >= 0; i--) node = hash(NODE, roots[i] ?? node, node);
      return node;
    },
  };
}
