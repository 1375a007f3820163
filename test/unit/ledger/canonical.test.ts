// Canonical JSON: the reference pairs of RFC 8785, and what has no canonical form.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../src/core/ledger/index.js";
import { isCanonicalText } from "../../../src/core/ledger/canonical.js";
import { LIMITS } from "../../../src/core/shared/index.js";

const GOLDEN = new URL("../../golden/jcs/", import.meta.url);
const names = readdirSync(GOLDEN)
  .filter((name) => name.startsWith("input__"))
  .map((name) => name.slice("input__".length));

function nested(depth: number): unknown {
  let value: unknown = null;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

describe("canonicalJson", () => {
  it("finds all reference pairs", () => {
    expect(names).toHaveLength(6);
  });

  it.each(names)("gives the reference text of %s", (name) => {
    const input: unknown = JSON.parse(readFileSync(new URL(`input__${name}`, GOLDEN), "utf8"));
    const output = readFileSync(new URL(`output__${name}`, GOLDEN), "utf8").trimEnd();
    expect(canonicalJson(input)).toBe(output);
    expect(isCanonicalText(output, JSON.parse(output))).toBe(true);
  });

  it("orders keys by UTF-16 code units, digits too, and keeps a member called __proto__", () => {
    const value: unknown = JSON.parse('{"b":1,"__proto__":{"x":1},"10":0,"9":0,"\u20ac":3,"\ud83d\ude00":2,"\ufb33":1}');
    expect(canonicalJson(value)).toBe('{"10":0,"9":0,"__proto__":{"x":1},"b":1,"\u20ac":3,"\ud83d\ude00":2,"\ufb33":1}');
  });

  it("takes a text that only looks like an escaped surrogate", () => {
    expect(canonicalJson({ a: "\\ud800" })).toBe('{"a":"\\\\ud800"}');
  });

  it.each([
    ["undefined", undefined],
    ["a member that is undefined", { a: undefined }],
    ["a function", { a: () => 1 }],
    ["a symbol", [Symbol("x")]],
    ["a symbol as key", { [Symbol("x")]: 1 }],
    ["a bigint", 1n],
    ["NaN", { a: [Number.NaN] }],
    ["infinity", -Infinity],
    ["a lone surrogate", "a\ud800b"],
    ["a lone surrogate in a key", { "\udc00": 1 }],
    ["a hole", Object.assign([1], { 2: 3 })],
    ["a date", new Date(0)],
    ["a map", new Map()],
    ["nesting past the limit", nested(LIMITS.recordDepth + 1)],
  ])("refuses %s", (_, value) => {
    expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ code: "INTERNAL_BUG" }));
  });

  it("takes nesting up to the limit", () => {
    expect(canonicalJson(nested(LIMITS.recordDepth))).toBe(`${"[".repeat(LIMITS.recordDepth)}null${"]".repeat(LIMITS.recordDepth)}`);
  });
});

describe("isCanonicalText", () => {
  it.each(['{"b":1,"a":2}', '{ "a":1}', '{"a":1.0}', '{"a":1e2}', "[-0]", '["\\u0061"]', '["\\ud800"]', '{"a":1,"a":1}', '["\\/"]', '{"9":0,"10":0}'])("refuses %s", (text) => {
    expect(isCanonicalText(text, JSON.parse(text))).toBe(false);
  });

  it.each(['{"10":0,"9":0}', '{"":null}', "[1e+21,0.000001,1e-7]", '["\\u001f\u2028\u007f"]'])("takes %s", (text) => {
    expect(isCanonicalText(text, JSON.parse(text))).toBe(true);
  });
});
