// The nine inputs that the original SEARCH/REPLACE reader gets wrong or silently drops, and what is done with them here.

import { describe, expect, test } from "vitest";
import { applyEdit, parseKimiLine, type Edit, type Repository } from "../../../src/core/action/index.js";
import type { JsonObject } from "../../../src/core/shared/index.js";

const FILES = new Set(["a.py", "docs/index.rst", "pkg/core.py"]);
const repository: Repository = { root: "/workspace", fileExists: (path) => FILES.has(path), topFolders: ["docs", "pkg"] };

function answer(...lines: readonly string[]): string {
  return JSON.stringify({ role: "bugfixer", stage: 2, content: ["```python", ...lines, "```"].join("\n") });
}

function block(path: string, search: readonly string[], replace: readonly string[]): readonly string[] {
  return [...(path === "" ? [] : [`### ${path}`]), "<<<<<<< SEARCH", ...search, "=======", ...replace, ">>>>>>> REPLACE"];
}

function argumentsOf(line: string): readonly JsonObject[] {
  const parsed = parseKimiLine(line, 1, repository);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value.map((call) => call.arguments);
}

function errorOf(line: string) {
  const parsed = parseKimiLine(line, 1, repository);
  return parsed.ok ? parsed.value : { code: parsed.error.code, block: parsed.error.block, answerLine: parsed.error.answerLine, escape: parsed.error.escape };
}

const replaceIn = (path: string, old_str: string, new_str: string) => ({ command: "str_replace", path: `/workspace/${path}`, old_str, new_str });

describe("a SEARCH/REPLACE answer", () => {
  test("0: a normal edit becomes one replacement with the path inside the workspace", () => {
    expect(argumentsOf(answer(...block("a.py", ["x = 1", "y = 2"], ["x = 2"])))).toEqual([replaceIn("a.py", "x = 1\ny = 2", "x = 2")]);
  });

  test("1: an underline of equals signs of any other length is text, not a divider", () => {
    const lines = block("docs/index.rst", ["Title", "=====", "text", "========"], ["Headline", "========"]);
    expect(argumentsOf(answer(...lines))).toEqual([replaceIn("docs/index.rst", "Title\n=====\ntext\n========", "Headline\n========")]);
  });

  test("1: an underline of exactly seven equals signs has two readings and is refused", () => {
    const lines = block("docs/index.rst", ["Heading", "=======", "text"], ["Other"]);
    expect(errorOf(answer(...lines))).toEqual({ code: "KIMI_MARKER", block: 1, answerLine: 7, escape: false });
  });

  test.each([
    ["no line", []],
    ["one blank line", [""]],
  ])("2: an empty SEARCH part (%s) creates a file that is not there", (_name, search) => {
    expect(argumentsOf(answer(...block("pkg/new.py", search, ["a", "", "b"])))).toEqual([
      { command: "create", path: "/workspace/pkg/new.py", file_text: "a\n\nb\n" },
    ]);
  });

  test.each([
    ["no line", []],
    ["one blank line", [""]],
    ["two blank lines", ["", "  "]],
  ])("2: an empty SEARCH part (%s) is refused for a file that exists", (_name, search) => {
    expect(errorOf(answer(...block("a.py", search, ["x"])))).toEqual({ code: "KIMI_EMPTY_SEARCH", block: 1, answerLine: 3, escape: false });
  });

  test("3: a REPLACE part without a line deletes the lines, and a blank line in it stays a blank line", () => {
    const deletion = argumentsOf(answer(...block("a.py", ["b"], [])));
    expect(deletion).toEqual([replaceIn("a.py", "b\n", "")]);
    expect(argumentsOf(answer(...block("a.py", ["b"], [""])))).toEqual([replaceIn("a.py", "b", "")]);
    expect(applyEdit("a\nb\nc\n", { op: "replace", search: "b\n", replace: "" })).toEqual({ ok: true, value: "a\nc\n" });
  });

  test("3: a block that is not complete is reported, not skipped", () => {
    const lines = [...block("a.py", ["x"], ["y"]), "<<<<<<< SEARCH", "z", ">>>>>>> REPLACE"];
    expect(errorOf(answer(...lines))).toEqual({ code: "KIMI_MARKER", block: 2, answerLine: 10, escape: false });
  });

  test("4: a second block under the same header edits the same file", () => {
    const lines = [...block("a.py", ["x"], ["y"]), "", ...block("", ["p"], ["q"])];
    expect(argumentsOf(answer(...lines))).toEqual([replaceIn("a.py", "x", "y"), replaceIn("a.py", "p", "q")]);
  });

  test("5: a text that is found twice, or not at all, changes nothing and says where", () => {
    const edit: Edit = { op: "replace", search: "x = 1", replace: "x = 2" };
    expect(applyEdit("x = 1\ny\nx = 1\n", edit)).toEqual({
      ok: false,
      error: {
        code: "EDIT_AMBIGUOUS",
        message: "the text to replace is in the file 2 times, at lines 1, 3; nothing was changed",
        hint: "add the lines around it until it occurs once",
      },
    });
    expect(applyEdit("if y:\n    x = 1 \n", { ...edit, search: "if y:\n    x = 1" + "\n    z" })).toEqual({
      ok: false,
      error: {
        code: "EDIT_NO_MATCH",
        message: "the text to replace is not in the file; nothing was changed",
        hint: "the nearest place begins at line 1; line 2 of the file differs in its white space",
      },
    });
  });

  test.each(["../../etc/passwd", "pkg/../../x.py", "/etc/passwd", "~/.ssh/id_rsa", "..\\..\\x.py", "/workspace/../etc/shadow"])(
    "6: a header that leads out of the repository (%s) is refused and marked as an escape attempt",
    (path) => {
      expect(errorOf(answer(...block(path, ["x"], ["y"])))).toEqual({ code: "KIMI_PATH_ESCAPE", block: null, answerLine: 2, escape: true });
    },
  );

  test("6: an escape attempt is reported also when an earlier block of the answer is broken", () => {
    const lines = ["<<<<<<< SEARCH", "x", ...block("../../etc/passwd", ["x"], ["y"])];
    expect(errorOf(answer(...lines))).toMatchObject({ code: "KIMI_PATH_ESCAPE", escape: true });
  });

  test("7: an answer with CRLF is read, and the file keeps the ending it has", () => {
    const crlf = JSON.stringify({ role: "bugfixer", stage: 2, content: ["```", ...block("a.py", ["x", "y"], ["p", "q"]), "```", ""].join("\r\n") });
    expect(argumentsOf(crlf)).toEqual([replaceIn("a.py", "x\ny", "p\nq")]);
    const edit: Edit = { op: "replace", search: "x\ny", replace: "p\nq" };
    expect(applyEdit("a\r\nx\r\ny\r\nb\r\n", edit)).toEqual({ ok: true, value: "a\r\np\r\nq\r\nb\r\n" });
    expect(applyEdit("a\nx\ny\nb\n", edit)).toEqual({ ok: true, value: "a\np\nq\nb\n" });
    expect(applyEdit("a\nx\ny\n", { op: "replace", search: "x\r\ny", replace: "p\r\nq" })).toEqual({ ok: true, value: "a\np\nq\n" });
  });

  test.each([
    ["a start marker", "<<<<<<< SEARCH", "KIMI_MARKER", 7],
    ["a divider", "=======", "KIMI_MARKER", 7],
    ["an end marker", ">>>>>>> REPLACE", "KIMI_MARKER", 9],
  ])("8: %s inside the replacement is refused", (_name, marker, code, answerLine) => {
    expect(errorOf(answer(...block("a.py", ["x"], ["y", marker, "z"])))).toMatchObject({ code, answerLine });
  });

  test("8: a marker inside a string on the line is text", () => {
    const lines = block("a.py", ['s = "<<<<<<< SEARCH"'], ['s = ">>>>>>> REPLACE"', "    ======="]);
    expect(argumentsOf(answer(...lines))).toEqual([replaceIn("a.py", 's = "<<<<<<< SEARCH"', 's = ">>>>>>> REPLACE"\n    =======')]);
  });

  test("9: markers inside the reasoning are no edits; what follows its last end counts", () => {
    const content = [
      "◁think▷First try:", "```", ...block("../evil.py", ["x"], ["y"]), "```", "◁/think▷ no, ◁think▷again", "<<<<<<< SEARCH◁/think▷",
      "```", ...block("a.py", ["x"], ["y"]), "```",
    ].join("\n");
    expect(argumentsOf(JSON.stringify({ role: "bugfixer", stage: 2, content }))).toEqual([replaceIn("a.py", "x", "y")]);
  });

  test("9: an answer that stops inside its reasoning is cut, whatever the reasoning holds", () => {
    const content = ["◁think▷", "```", ...block("a.py", ["x"], ["y"]), "```"].join("\n");
    expect(errorOf(JSON.stringify({ role: "bugfixer", stage: 2, content }))).toMatchObject({ code: "KIMI_CUT" });
  });
});
