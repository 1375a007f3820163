// The tree of a ledger under verification, held against the signed heads as it grows.

import type { Digest, Hasher } from "../shared/index.js";
import type { Head } from "./checkpoint.js";
import { createMerkleTree, digestBytes, type MerkleTree } from "./merkle.js";

/** What the heads of the tree's present size say. `none`: there is no head of this size. */
export type HeadAnswer = "none" | "holds" | "differs";

export interface SignedTree {
  readonly tree: MerkleTree;
  readonly append: (hash: Digest) => HeadAnswer;
  readonly here: () => HeadAnswer;
  /** There is at least one head, and the tree met all of them. */
  readonly allMet: () => boolean;
  /** Records that the largest head vouches for; null without a head. */
  readonly signed: number | null;
}

/** An empty tree and the heads it has to meet. */
export function createSignedTree(hasher: Hasher, heads: readonly Head[]): SignedTree {
  const tree = createMerkleTree(hasher);
  const met = new Set<Head>();
  const sizes = new Set(heads.map((head) => head.size));
  const here = (): HeadAnswer => {
    if (!sizes.has(tree.size())) return "none";
    const due = heads.filter((head) => head.size === tree.size());
    const root = tree.root();
    if (!due.every((head) => root.every((byte, i) => byte === head.root[i]))) return "differs";
    for (const head of due) met.add(head);
    return "holds";
  };
  return {
    tree,
    append: (hash) => {
      tree.append(digestBytes(hash));
      return here();
    },
    here,
    allMet: () => heads.length > 0 && met.size === heads.length,
    signed: heads.length === 0 ? null : Math.max(...heads.map((head) => head.size)),
  };
}
