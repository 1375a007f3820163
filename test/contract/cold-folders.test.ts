// Folders asked for ahead: all of them where the first show that they lie on a disk, none where the kernel has them.

import { describe, expect, it } from "vitest";
import { rawFromText } from "../../src/adapters/files/raw-path.js";
import { createReadAhead } from "../../src/adapters/files/read-ahead.js";

const SAMPLE = 16;

/** A walk through so many folders, of which looking at the n-th takes so long; which were asked for ahead, and when that began. */
function walked(count: number, tookMs: (n: number) => number, throws = false) {
  let now = 0;
  let looks = 0;
  const soon: string[] = [];
  const ahead = createReadAhead(rawFromText("/w"), {
    now: () => {
      now += tookMs(looks);
      looks += 1;
      if (throws) throw new Error("no");
    },
    soon: (path) => void soon.push(path.toString()),
    elapsedMs: () => now,
  });
  const began: number[] = [];
  for (let n = 0; n < count; n += 1) {
    if (ahead.visit(rawFromText(`d${n}`))) began.push(n);
    ahead.soon(rawFromText(`d${n}/below`));
  }
  return { began, looks, soon };
}

describe("folders asked for ahead", () => {
  it("are asked for from the moment that two of the first were slow, told once", () => {
    const { began, looks, soon } = walked(100, (n) => (n % 5 === 4 ? 0.3 : 0.02));
    expect([began, looks]).toEqual([[9], SAMPLE]);
    expect(soon).toEqual(Array.from({ length: 91 }, (_, n) => `/w/d${n + 9}/below`));
  });

  it("are none where the kernel has them, or one was slow by chance, or it is no longer looked at", () => {
    for (const took of [() => 0.04, (n: number) => (n === 3 ? 5 : 0.01), (n: number) => (n >= SAMPLE ? 5 : 0.01)]) expect(walked(100, took)).toMatchObject({ began: [], soon: [], looks: SAMPLE });
  });

  it("that cannot be looked at are somebody else's concern", () => {
    expect(walked(20, () => 0.2, true)).toMatchObject({ began: [1], looks: SAMPLE });
  });
});
