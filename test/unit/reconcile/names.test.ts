import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeName, encodeName, isWorkspacePath, parentPath } from "../../../src/core/reconcile/names.js";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("names", () => {
  it("gives UTF-8 as it is and every other byte as an escape", () => {
    const cases: readonly (readonly [Uint8Array, string])[] = [
      [Buffer.from("plain ünï 😀\n"), "plain ünï 😀\n"],
      [bytes(0x61, 0xff, 0x80), "a\\xff\\x80"],
      [bytes(0xc3), "\\xc3"],
      [bytes(0xc0, 0xaf), "\\xc0\\xaf"],
      [bytes(0xe0, 0x80, 0xaf), "\\xe0\\x80\\xaf"],
      [bytes(0xed, 0xa0, 0x80), "\\xed\\xa0\\x80"],
      [bytes(0xf4, 0x90, 0x80, 0x80), "\\xf4\\x90\\x80\\x80"],
    ];
    for (const [name, text] of cases) expect(decodeName(name)).toBe(text);
  });

  it("writes a backslash that would read as an escape as one", () => {
    expect(decodeName(Buffer.from("\\x41"))).toBe("\\x5cx41");
    expect(decodeName(Buffer.from("a\\b\\x4"))).toBe("a\\b\\x4");
    expect(encodeName("\\x5cx41")).toEqual(bytes(0x5c, 0x78, 0x34, 0x31));
  });

  it("gives every name back byte for byte, and no two names one text", () => {
    const name = fc.uint8Array({ minLength: 1, maxLength: 12 }).chain((random) =>
      fc.constantFrom(random, Buffer.concat([Buffer.from("\\x"), random]), Buffer.concat([Buffer.from("\\x4"), random, Buffer.from("1")])),
    );
    fc.assert(fc.property(name, (value) => {
        expect([...encodeName(decodeName(value))]).toEqual([...value]);
      }), { numRuns: 500, seed: 7 });
  });

  it("agrees with the platform's own decoder on valid text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        const encoded = Buffer.from(text, "utf8");
        if (!/\\x[0-9a-fA-F]{2}/.test(text)) expect(decodeName(encoded)).toBe(text);
        expect(Buffer.from(encodeName(decodeName(encoded)))).toEqual(encoded);
      }),
      { numRuns: 200, seed: 8 },
    );
  });

  it("takes only paths below the root", () => {
    for (const path of ["a", "a/b", "..a", "a..", "...", " ", "-rf", "a\nb", "\\xff"]) expect([path, isWorkspacePath(path)]).toEqual([path, true]);
    for (const path of ["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\0b", "\\x2e\\x2e/a", "a\\x2f..\\x2fb", "a\\x00"]) expect([path, isWorkspacePath(path)]).toEqual([path, false]);
  });

  it("names the folder of a path", () => {
    expect([parentPath("a/b/c"), parentPath("a"), parentPath("")]).toEqual(["a/b", "", ""]);
  });
});
