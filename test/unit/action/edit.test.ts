// Editing a text: exact matches, line ends, limits, and what is said when an edit is refused.

import { describe, expect, test } from "vitest";
import { applyEdit, decodeText, renderView, unifiedDiff, utf8Length, type Edit } from "../../../src/core/action/index.js";
import { LIMITS } from "../../../src/core/shared/index.js";

const value = (text: string | null) => ({ ok: true, value: text });
const codeOf = (result: ReturnType<typeof applyEdit>) => (result.ok ? result.value : result.error.code);
const replace = (search: string, text: string): Edit => ({ op: "replace", search, replace: text });
const insert = (afterLine: number, text: string): Edit => ({ op: "insert", afterLine, text });

describe("a replacement", () => {
  test("changes the only place, and takes signs of patterns literally", () => {
    expect(applyEdit("a.b\naxb\n", replace("a.b", "$&$1"))).toEqual(value("$&$1\naxb\n"));
  });

  test.each([
    ["overlapping places", "aaa", replace("aa", "b"), "EDIT_AMBIGUOUS"],
    ["no such text", "abc", replace("d", "e"), "EDIT_NO_MATCH"],
    ["an empty search", "abc", replace("", "e"), "EDIT_EMPTY_SEARCH"],
    ["no change", "abc", replace("b", "b"), "EDIT_NO_CHANGE"],
    ["no change but line ends", "a\r\nb", replace("a\r\nb", "a\nb"), "EDIT_NO_CHANGE"],
    ["no file", null, replace("b", "c"), "EDIT_MISSING"],
    ["a binary file", "a\0b", replace("b", "c"), "EDIT_BINARY"],
    ["a NUL in the new text", "ab", replace("b", "\0"), "EDIT_BINARY"],
    ["half a surrogate pair in the new text", "ab", replace("b", "\ud800"), "EDIT_BINARY"],
    ["a pair torn apart", "a😀b", replace("\ud83d", "x"), "EDIT_BINARY"],
    ["a result that is too large", "ab", replace("b", "x".repeat(LIMITS.editBytes)), "EDIT_TOO_LARGE"],
    ["a result that is too large in bytes", "ab", replace("b", "é".repeat(LIMITS.editBytes / 2)), "EDIT_TOO_LARGE"],
  ])("with %s is refused", (_name, current, edit, code) => {
    expect(codeOf(applyEdit(current, edit))).toBe(code);
  });

  test("in a file of mixed line ends keeps every other line as it is", () => {
    expect(applyEdit("a\r\nb\nc\r\nd\n", replace("b\nc", "x\ny\nz"))).toEqual(value("a\r\nx\ny\nz\r\nd\n"));
    expect(applyEdit("a\nb\r\nc\r\n", replace("b\nc", "x\ny"))).toEqual(value("a\nx\r\ny\r\n"));
  });

  test("keeps a lone carriage return as text", () => {
    expect(applyEdit("a\rb\r\nc", replace("a\rb", "x"))).toEqual(value("x\r\nc"));
  });

  test("names at most ten places", () => {
    const result = applyEdit("x\n".repeat(2000), replace("x", "y"));
    expect(result).toMatchObject({ error: { message: "the text to replace is in the file 1000 or more times, at lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and more; nothing was changed" } });
  });

  test.each([
    ["another line further on", "a\nb\nc\n", "a\nx", "the nearest place begins at line 1; line 2 of the file differs"],
    ["white space", "\ta\n", "  a\n", "the nearest place begins at line 1; line 1 of the file differs in its white space"],
    ["no newline at the end of the file", "a\nb", "b\n", "the file ends without a newline: leave it out of the text"],
    ["nothing alike", "a\n", "zzz", "view the file and copy the lines exactly, indentation included"],
  ])("that misses because of %s is told where", (_name, current, search, hint) => {
    expect(applyEdit(current, replace(search, "new"))).toMatchObject({ ok: false, error: { code: "EDIT_NO_MATCH", hint } });
  });

  test("of periodic texts takes linear time", () => {
    const start = performance.now();
    expect(codeOf(applyEdit("a".repeat(4_000_000), replace(`b${"a".repeat(2_000_000)}`, "x")))).toBe("EDIT_NO_MATCH");
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

describe("an insertion", () => {
  test.each([
    ["at the top", "a\nb\n", insert(0, "x"), "x\na\nb\n"],
    ["between lines", "a\nb\n", insert(1, "x\ny\n"), "a\nx\ny\nb\n"],
    ["at the end", "a\nb\n", insert(2, "x"), "a\nb\nx\n"],
    ["after a last line without newline", "a\nb", insert(2, "x"), "a\nb\nx"],
    ["into an empty file", "", insert(0, "x"), "x\n"],
    ["into a file with CRLF", "a\r\nb\r\n", insert(1, "x\ny"), "a\r\nx\r\ny\r\nb\r\n"],
    ["of a blank line", "a\n", insert(1, ""), "a\n\n"],
  ])("%s adds whole lines", (_name, current, edit, after) => {
    expect(applyEdit(current, edit)).toEqual(value(after));
  });

  test.each([3, -1, 0.5])("after line %d of two is refused", (line) => {
    expect(applyEdit("a\nb\n", insert(line, "x"))).toEqual({
      ok: false,
      error: { code: "EDIT_LINE_RANGE", message: "the file has 2 lines; the line to insert after must be from 0 to 2" },
    });
  });
});

describe("a creation and an undo", () => {
  test("a creation needs a free name unless it may overwrite", () => {
    expect(applyEdit(null, { op: "create", content: "x", overwrite: false })).toEqual(value("x"));
    expect(codeOf(applyEdit("", { op: "create", content: "x", overwrite: false }))).toBe("EDIT_EXISTS");
    expect(applyEdit("old", { op: "create", content: "x", overwrite: true })).toEqual(value("x"));
  });

  test("an undo gives the earlier text, removes what was created, and needs an earlier edit", () => {
    expect(applyEdit("new", { op: "undo" }, { path: "a", previous: { content: "old" } })).toEqual(value("old"));
    expect(applyEdit("new", { op: "undo" }, { path: "a", previous: { content: null } })).toEqual(value(null));
    expect(codeOf(applyEdit("new", { op: "undo" }))).toBe("EDIT_NO_HISTORY");
  });
});

describe("the bytes of a file", () => {
  test("are text when they are strict UTF-8, a byte-order mark included", () => {
    const text = "\ufeffaé€😀\r\n";
    expect(decodeText(new TextEncoder().encode(text))).toEqual(value(text));
    expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
  });

  test.each([
    ["a NUL", [97, 0]],
    ["a lone continuation", [0x80]],
    ["a cut sequence", [0xe2, 0x82]],
    ["an overlong form", [0xc0, 0xaf]],
    ["an overlong form of three", [0xe0, 0x80, 0xaf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a code above the last", [0xf4, 0x90, 0x80, 0x80]],
  ])("with %s are refused", (_name, bytes) => {
    expect(decodeText(Uint8Array.from(bytes))).toMatchObject({ ok: false, error: { code: "EDIT_BINARY" } });
  });

  test("past the limit are refused", () => {
    expect(decodeText(new Uint8Array(LIMITS.editBytes + 1))).toMatchObject({ ok: false, error: { code: "EDIT_TOO_LARGE" } });
  });
});

describe("a diff", () => {
  test("shows a change with its surroundings", () => {
    expect(unifiedDiff("lib/a.js", "a\nb\nc\n", "a\nB\nc\n")).toBe("--- a/lib/a.js\n+++ b/lib/a.js\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
  });

  test("names the null device for a new and a removed file, and is empty without a change", () => {
    expect(unifiedDiff("a", null, "x\n")).toBe("--- /dev/null\n+++ b/a\n@@ -0,0 +1,1 @@\n+x\n");
    expect(unifiedDiff("a", "x\n", null)).toBe("--- a/a\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n");
    expect(unifiedDiff("a", "x", "x")).toBe("");
  });

  test("escapes a hostile file name", () => {
    expect(unifiedDiff("a\n+++ b/evil", "x", "y").split("\n")[0]).toBe("--- a/a\\n+++ b/evil");
  });

  test("of too many lines shows the file as replaced, and of a huge file only its size", () => {
    const lines = (letter: string) => Array.from({ length: LIMITS.diffEdits }, (_, index) => `${letter}${index}\n`).join("");
    const whole = unifiedDiff("a", lines("x"), `${lines("y")}end`);
    expect(whole.split("\n").slice(0, 4)).toEqual(["--- a/a", "+++ b/a", `@@ -1,${LIMITS.diffEdits} +1,${LIMITS.diffEdits + 1} @@`, "-x0"]);
    expect(whole.endsWith("+end\n\\ No newline at end of file\n")).toBe(true);
    expect(unifiedDiff("a", "x", "y".repeat(LIMITS.diffChars + 1))).toBe(`--- a/a\n+++ b/a\n# 1 character before, ${LIMITS.diffChars + 1} after: too large to show\n`);
  });
});

describe("a view", () => {
  test("numbers the lines as an insertion counts them", () => {
    expect(renderView("/w/a", "a\r\nb\nc", null)).toEqual(value("     1\ta\n     2\tb\n     3\tc\n"));
    expect(renderView("/w/a", "a\nb\nc\n", [2, -1])).toEqual(value("     2\tb\n     3\tc\n"));
    expect(renderView("/w/a", "a\nb\nc\n", [1, 1])).toEqual(value("     1\ta\n"));
    expect(renderView("/w/a", "", null)).toEqual(value("/w/a is empty\n"));
  });

  test.each([[4, -1], [0, 1], [2, 4]] as const)("of lines %d to %d of three is refused", (first, last) => {
    expect(renderView("/w/a", "a\nb\nc\n", [first, last])).toMatchObject({ ok: false, error: { code: "VIEW_RANGE" } });
  });
});
