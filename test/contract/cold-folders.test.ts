// Whether the folders of a walk lie on the disk is told by what the kernel had to read for the first of them.

import { describe, expect, it } from "vitest";
import { createColdSense } from "../../src/adapters/files/cold-folders.js";
import { rawFromText } from "../../src/adapters/files/raw-path.js";

const SAMPLE = 64;

/** A walk through so many folders, of which looking at the n-th reads so much; with which of them it was told, and how many were looked at. */
function walked(count: number, reads: (n: number) => number, throws = false) {
  let read = 7;
  let looks = 0;
  const isCold = createColdSense(rawFromText("/w"), {
    now: () => {
      read += reads(looks);
      looks += 1;
      if (throws) throw new Error("no");
    },
    blocksRead: () => read,
  });
  const told: number[] = [];
  for (let n = 0; n < count; n += 1) if (isCold(rawFromText(`d${n}`))) told.push(n);
  return { told, looks };
}

describe("folders on the disk", () => {
  it("are told once, with the second of the first that had to be read, and looked at no more", () => {
    expect(walked(100, (n) => (n % 20 === 19 ? 8 : 0))).toEqual({ told: [39], looks: 40 });
  });

  it("are not told of where the kernel has them, or one was read by chance, or they are no longer looked at", () => {
    for (const reads of [() => 0, (n: number) => (n === 3 ? 8 : 0), (n: number) => (n >= SAMPLE ? 8 : 0)]) expect(walked(100, reads)).toEqual({ told: [], looks: SAMPLE });
  });

  it("that cannot be looked at are somebody else's concern", () => {
    expect(walked(20, () => 8, true)).toEqual({ told: [1], looks: 2 });
  });

  it("have been read once they were made", () => {
    const isCold = createColdSense(rawFromText(import.meta.dirname));
    expect(Array.from({ length: SAMPLE }, () => isCold("")).slice(2)).not.toContain(true);
  });
});
