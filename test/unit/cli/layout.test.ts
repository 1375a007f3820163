// Text in columns: nothing is wider than asked, nothing is lost, colours stay inside their line.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { columnsOf, cut, pad, textWidth, wrap } from "../../../src/surfaces/cli/render/layout.js";

const paint = (text: string) => `<${text}>`;

describe("wrapping", () => {
  it("breaks at blanks and paints each line by itself, blanks between parts left bare", () => {
    expect(wrap([{ text: "one ", paint }, { text: "two three " }, { text: "four five", paint }], 11)).toEqual(["<one> two", "three <four>", "<five>"]);
  });

  it("cuts a word that no line can hold", () => {
    expect(wrap([{ text: "abcdefghij" }], 4)).toEqual(["abc", "def", "ghij"]);
  });

  it("gives lines that fit, with every word in order", () => {
    const words = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "漢", "é", "🙂"), minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(words, fc.integer({ min: 8, max: 60 }), fc.integer({ min: 0, max: 30 }), (all, width, at) => {
        const text = all.join(" ");
        const lines = wrap([{ text: text.slice(0, at) }, { text: text.slice(at) }].map((part) => ({ text: part.text.toWellFormed() })), width);
        expect(lines.filter((line) => textWidth(line) > width)).toEqual([]);
        expect(lines.join("").replaceAll(" ", "")).toBe((text.slice(0, at).toWellFormed() + text.slice(at).toWellFormed()).replaceAll(" ", ""));
      }),
    );
  });
});

describe("cutting and padding", () => {
  it("counts columns, not characters", () => {
    expect([textWidth("漢字"), textWidth("e\u0301"), cut("漢字漢字", 5), pad("漢", 4)]).toEqual([4, 1, "漢字…", "漢  "]);
    expect([cut("abc", 3), cut("abcd", 3)]).toEqual(["abc", "ab…"]);
  });
});

describe("the width to lay out for", () => {
  it("is the terminal's within bounds, and 100 in a pipe", () => {
    expect([columnsOf({}), columnsOf({ isTTY: true, columns: 80 }), columnsOf({ isTTY: true, columns: 20 }), columnsOf({ isTTY: true, columns: 400 }), columnsOf({ isTTY: true, columns: 0 })]).toEqual([100, 80, 60, 132, 100]);
  });
});
