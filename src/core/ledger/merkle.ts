// The Merkle tree hash of RFC 6962, section 2.1, kept as a compact range: appending costs a few hashes, whatever the size.

import { GuardError, type Digest, type Hasher } from "../shared/index.js";
import { concatBytes, hexToBytes } from "./bytes.js";

const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);
/** Of a hash. */
const BYTES = 32;
const DIGEST_PREFIX = "sha256:".length;

/** A growing tree. It keeps only the roots of its full subtrees, never the leaves. */
export interface MerkleTree {
  readonly size: () => number;
  /** Adds an entry; its leaf hash is SHA-256(0x00 || entry). */
  readonly append: (entry: Uint8Array) => void;
  /** Adds a whole subtree; the size so far is a multiple of its own. @throws GuardError INTERNAL_BUG where it is not */
  readonly appendSubtree: (subtree: Subtree) => void;
  /** Root of all entries so far, 32 bytes; of none it is SHA-256 of nothing. */
  readonly root: () => Uint8Array;
}

/** The 32 bytes of a digest. */
export function digestBytes(digest: Digest): Uint8Array {
  return hexToBytes(digest.slice(DIGEST_PREFIX));
}

/** The root of 2^level entries. */
export interface Subtree {
  readonly level: number;
  readonly hash: Uint8Array;
}

/** Entries from some place of a tree on. */
export interface MerkleRange {
  readonly append: (entry: Uint8Array) => void;
  /** The largest whole subtrees of the tree that these entries make, in order. */
  readonly subtrees: () => readonly Subtree[];
}

/** Hashes of leaves and nodes, without making room anew for each. */
function treeHashes(hasher: Hasher): { readonly leafOf: (entry: Uint8Array) => Uint8Array; readonly nodeOf: (left: Uint8Array, right: Uint8Array) => Uint8Array } {
  const leafRoom = new Uint8Array(LEAF.length + BYTES);
  const nodeRoom = new Uint8Array(NODE.length + 2 * BYTES);
  leafRoom.set(LEAF);
  nodeRoom.set(NODE);
  const leafOf = (entry: Uint8Array): Uint8Array => {
    if (entry.length !== BYTES) return digestBytes(hasher(concatBytes(LEAF, entry)));
    leafRoom.set(entry, LEAF.length);
    return digestBytes(hasher(leafRoom));
  };
  const nodeOf = (left: Uint8Array, right: Uint8Array): Uint8Array => {
    nodeRoom.set(left, NODE.length);
    nodeRoom.set(right, NODE.length + BYTES);
    return digestBytes(hasher(nodeRoom));
  };
  return { leafOf, nodeOf };
}

/** An empty range that begins at entry `start`, from 0. */
export function createMerkleRange(hasher: Hasher, start: number): MerkleRange {
  const { leafOf, nodeOf } = treeHashes(hasher);
  const trees: Subtree[] = [];
  let next = start;
  return {
    append: (entry) => {
      let tree: Subtree = { level: 0, hash: leafOf(entry) };
      // A right half joins its left one, where that is in the range.
      for (let place = next; place % 2 === 1 && trees.at(-1)?.level === tree.level; place = (place - 1) / 2) {
        tree = { level: tree.level + 1, hash: nodeOf(trees.pop()?.hash ?? tree.hash, tree.hash) };
      }
      trees.push(tree);
      next += 1;
    },
    subtrees: () => [...trees],
  };
}

/** An empty tree. */
export function createMerkleTree(hasher: Hasher): MerkleTree {
  const { leafOf, nodeOf } = treeHashes(hasher);
  // INVARIANT: one root for each bit set in `size`, the largest subtree first.
  const roots: Uint8Array[] = [];
  let size = 0;
  const add = (subtree: Uint8Array, entries: number): void => {
    let node = subtree;
    for (let rest = size / entries; rest % 2 === 1; rest = (rest - 1) / 2) node = nodeOf(roots.pop() ?? node, node);
    roots.push(node);
    size += entries;
  };
  return {
    size: () => size,
    append: (entry) => add(leafOf(entry), 1),
    appendSubtree: ({ level, hash }) => {
      if (size % 2 ** level !== 0) throw new GuardError("INTERNAL_BUG", "a subtree was put where it does not belong");
      add(hash, 2 ** level);
    },
    root: () => {
      let node = roots.at(-1);
      if (node === undefined) return digestBytes(hasher(new Uint8Array(0)));
      for (let i = roots.length - 2; i >= 0; i--) node = nodeOf(roots[i] ?? node, node);
      return node;
    },
  };
}
