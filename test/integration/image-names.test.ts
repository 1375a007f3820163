// Names of sandbox images: the short one and the full one of the same image are the same wish, and nothing else is taken for ours.

import { describe, expect, it } from "vitest";
import { imageReference, ownImages, ownNameOf } from "../../src/compose-image-names.js";

describe("names of our sandbox images", () => {
  it("are known short and in full", () => {
    expect(ownImages().map(({ name }) => name)).toEqual(expect.arrayContaining(["base", "kimi-dev", "node", "python"]));
    for (const { name, reference } of ownImages()) {
      expect([name, reference, `ringfence/${name}`].map(ownNameOf)).toEqual([name, name, name]);
      expect(imageReference(name)).toBe(reference);
    }
  });

  it("leave every other image alone", () => {
    const others = ["", "debian", "debian:node", "ringfence/nothing", "ringfence/node:1", "ringfence/../node", "ringfence/node/x", "other/ringfence/node", "ringfence/node@sha256:00", `sha256:${"0".repeat(64)}`];
    expect(others.map(ownNameOf)).toEqual(others.map(() => null));
    expect(others.map(imageReference)).toEqual(others);
  });
});
