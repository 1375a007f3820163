// The tree against the roots that implementations of RFC 6962 share, and against the definition written out.

import { describe, expect, it } from "vitest";
import { bytesToHex, createMerkleTree, digestBytes } from "../../../src/core/ledger/index.js";
import { sha256 } from "../../../src/adapters/system/hasher.js";

const LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"].map((hex) => Buffer.from(hex, "hex"));
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/** MTH of RFC 6962, section 2.1, as it is defined. */
function root(entries: readonly Uint8Array[]): Uint8Array {
  const [only] = entries;
  if (only === undefined) return digestBytes(sha256(""));
  if (entries.length === 1) return digestBytes(sha256(Buffer.concat([Buffer.of(0), only])));
  const half = 2 ** Math.floor(Math.log2(entries.length - 1));
  return digestBytes(sha256(Buffer.concat([Buffer.of(1), root(entries.slice(0, half)), root(entries.slice(half))])));
}

describe("createMerkleTree", () => {
  it("has the roots of the shared test tree at every size", () => {
    const tree = createMerkleTree(sha256);
    const found = [bytesToHex(tree.root())];
    for (const leaf of LEAVES) {
      tree.append(leaf);
      found.push(bytesToHex(tree.root()));
    }
    expect(found).toEqual(ROOTS);
  });

  it("agrees with the definition at every size up to 130", () => {
    const tree = createMerkleTree(sha256);
    const entries: Uint8Array[] = [];
    for (let n = 0; n < 130; n++) {
      const entry = Buffer.from(`entry ${n}`);
      entries.push(entry);
      tree.append(entry);
      expect([tree.size(), bytesToHex(tree.root())]).toEqual([entries.length, bytesToHex(root(entries))]);
    }
  });
});
