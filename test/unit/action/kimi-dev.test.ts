// Kimi-Dev lines: what each kind gives, and that a malformed answer gives no call at all but a helpful error.

import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/core/shared/index.js";
import { parseKimiLine, type FormatError, type Repository } from "../../../src/core/action/index.js";

const FILES = new Set(["index.js", "test/proto.js", "lib/parse.js", "lib/utils.js", "README.md", "src/deep/x.js"]);
const repository: Repository = { root: "/workspace", fileExists: (path) => FILES.has(path), topFolders: ["lib", "test"] };

const parse = (value: unknown) => parseKimiLine(typeof value === "string" ? value : JSON.stringify(value), 4, repository);
const stage1 = (content: string) => parse({ role: "bugfixer", stage: 1, content });
const stage2 = (content: string) => parse({ role: "testwriter", stage: 2, content });
const EDIT = "### index.js\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n";

function errorOf(result: ReturnType<typeof parse>): FormatError {
  if (result.ok) throw new Error(`accepted: ${JSON.stringify(result.value)}`);
  return result.error;
}

describe("a stage 1 answer", () => {
  test("gives one view a file, in its order, each file once", () => {
    expect(stage1("Look here:\n```\nlib/parse.js\n\n  index.js  \nlib/parse.js\n```\nThat is all.")).toEqual({
      ok: true,
      value: [
        { id: "4.1", role: "bugfixer", tool: "str_replace_editor", arguments: { command: "view", path: "/workspace/lib/parse.js" } },
        { id: "4.2", role: "bugfixer", tool: "str_replace_editor", arguments: { command: "view", path: "/workspace/index.js" } },
      ],
    });
  });

  test.each([
    ["no fence", "index.js", "KIMI_NO_FENCE"],
    ["two fences", "```\nindex.js\n```\nor\n```\nlib/parse.js\n```", "KIMI_TWO_FENCES"],
    ["an open fence", "```\nindex.js\n", "KIMI_CUT"],
    ["an empty fence", "```\n\n```", "KIMI_NO_PATH"],
    ["a file that is not there", "```\nmain.js\n```", "KIMI_PATH_UNKNOWN"],
    ["one right and one wrong file", "```\nindex.js\nmain.js\n```", "KIMI_PATH_UNKNOWN"],
    ["a folder", "```\nlib\n```", "KIMI_PATH_UNKNOWN"],
    ["a numbered list", "```\n1. index.js\n```", "KIMI_PATH_UNKNOWN"],
    ["a path that is not plain", "```\n./index.js\n```", "KIMI_PATH_FORM"],
    ["a path with an invisible character", "```\nindex\u200b.js\n```", "KIMI_PATH_FORM"],
    ["a path that leaves the repository, after a wrong one", "```\nmain.js\n../x\n```", "KIMI_PATH_ESCAPE"],
    ["a thousand lines", `\`\`\`\n${"index.js\n".repeat(1000)}\`\`\``, "KIMI_TOO_MANY_PATHS"],
  ])("with %s gives no call", (_name, content, code) => {
    expect(errorOf(stage1(content)).code).toBe(code);
  });

  test("with six files is refused", () => {
    const six = new Set(["1.js", "2.js", "3.js", "4.js", "5.js", "6.js"]);
    const line = JSON.stringify({ role: "bugfixer", stage: 1, content: `\`\`\`\n${[...six].join("\n")}\n\`\`\`` });
    const result = parseKimiLine(line, 1, { root: "/w", fileExists: (path) => six.has(path) });
    expect(errorOf(result)).toMatchObject({ code: "KIMI_TOO_MANY_PATHS", message: "the fenced block names 6 files; at most 5 are allowed" });
  });

  test("with a path that lacks its top folder is not mended; the error names the candidates", () => {
    expect(errorOf(stage1("```\nutils.js\n```"))).toEqual({
      code: "KIMI_PATH_UNKNOWN",
      message: "line 2: there is no file `utils.js` in the repository",
      hint: "files with that ending: `lib/utils.js`; give the full path",
      line: 4,
      answerLine: 2,
      block: null,
      escape: false,
      reply:
        "Your answer was not used and nothing was changed. line 2: there is no file `utils.js` in the repository (files with that ending: `lib/utils.js`; give the full path). Give the full paths of 1 to 5 files of the repository, one a line, the most important first, in one block between lines of three backticks.",
    });
  });
});

describe("a stage 2 answer", () => {
  test("may have prose around and between its edits", () => {
    const content = `The fault is clear.\nHeading\n=======\n\`\`\`js\n${EDIT}\nand also\n### lib/parse.js\n\n<<<<<<< SEARCH\nc\n=======\nd\n>>>>>>> REPLACE\n\`\`\`\nDone.`;
    expect(stage2(content)).toMatchObject({
      ok: true,
      value: [
        { id: "4.1", role: "testwriter", arguments: { path: "/workspace/index.js", old_str: "a", new_str: "b" } },
        { id: "4.2", role: "testwriter", arguments: { path: "/workspace/lib/parse.js", old_str: "c", new_str: "d" } },
      ],
    });
  });

  test("may have a fence a file, and a fence without an edit", () => {
    const content = `\`\`\`js\nfoo();\n\`\`\`\n\`\`\`js\n${EDIT}\`\`\`\n\`\`\`js\n${EDIT.replace("index.js", "lib/parse.js")}\`\`\``;
    expect(stage2(content)).toMatchObject({ ok: true, value: [{ id: "4.1" }, { id: "4.2" }] });
  });

  test("may hold fences of its own when the answer's fence is longer", () => {
    const content = "````md\n### README.md\n<<<<<<< SEARCH\n```\nold\n```\n=======\n```\nnew\n```\n>>>>>>> REPLACE\n````";
    expect(stage2(content)).toMatchObject({ ok: true, value: [{ arguments: { old_str: "```\nold\n```", new_str: "```\nnew\n```" } }] });
  });

  test("may create a file and edit it further on", () => {
    const content = "```\n### new.js\n<<<<<<< SEARCH\n=======\na\n>>>>>>> REPLACE\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n```";
    expect(stage2(content)).toMatchObject({ ok: true, value: [{ arguments: { command: "create", file_text: "a\n" } }, { arguments: { command: "str_replace" } }] });
  });

  test.each([
    ["no fence", EDIT, "KIMI_NO_FENCE"],
    ["no fence and no edit", "I cannot do that.", "KIMI_NO_FENCE"],
    ["an edit outside its fence", `\`\`\`\nx\n\`\`\`\n${EDIT}`, "KIMI_NO_FENCE"],
    ["a fence without any edit", "```\nfoo();\n```", "KIMI_NO_EDIT"],
    ["an open fence", `\`\`\`\n${EDIT}`, "KIMI_CUT"],
    ["a fence inside the fence", `\`\`\`\n\`\`\`js\n${EDIT}\`\`\``, "KIMI_CUT"],
    ["two fences that edit the same file", `\`\`\`\n${EDIT}\`\`\`\nBetter:\n\`\`\`\n${EDIT.replace("b", "c")}\`\`\``, "KIMI_TWO_FENCES"],
    ["a cut in the SEARCH part", "```\n### index.js\n<<<<<<< SEARCH\na", "KIMI_CUT"],
    ["a cut in the REPLACE part", "```\n### index.js\n<<<<<<< SEARCH\na\n=======\nb", "KIMI_CUT"],
    ["a cut in the second edit", `\`\`\`\n${EDIT}### lib/parse.js\n<<<<<<< SEARCH\nc\n===`, "KIMI_CUT"],
    ["a fence that ends inside an edit", "```\n### index.js\n<<<<<<< SEARCH\na\n=======\nb\n```", "KIMI_CUT"],
    ["an edit with fences of its own", "```\n### README.md\n<<<<<<< SEARCH\n```\nold\n```\n=======\nx\n>>>>>>> REPLACE\n```", "KIMI_CUT"],
    ["no header", "```\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n```", "KIMI_NO_HEADER"],
    ["a header of an earlier fence", `\`\`\`\n${EDIT}\`\`\`\n\`\`\`\n${EDIT.replace("### index.js\n", "")}\`\`\``, "KIMI_NO_HEADER"],
    ["text between header and edit", `\`\`\`\n${EDIT.replace("index.js", "index.js\nas I said")}\`\`\``, "KIMI_NO_HEADER"],
    ["a wrong path", `\`\`\`\n${EDIT.replace("index.js", "main.js")}\`\`\``, "KIMI_PATH_UNKNOWN"],
    ["eight signs in the start marker", `\`\`\`\n${EDIT.replace("<<<<<<<", "<<<<<<<<")}\`\`\``, "KIMI_MARKER"],
    ["a start marker without its blank", `\`\`\`\n${EDIT.replace("< SEARCH", "<SEARCH")}\`\`\``, "KIMI_MARKER"],
    ["an indented start marker", `\`\`\`\n${EDIT.replace("<<<<<<<", "  <<<<<<<")}\`\`\``, "KIMI_MARKER"],
    ["a blank after the divider", `\`\`\`\n${EDIT.replace("=======", "======= ")}\`\`\``, "KIMI_MARKER"],
    ["six signs in the end marker", `\`\`\`\n${EDIT.replace(">>>>>>>", ">>>>>>")}\`\`\``, "KIMI_MARKER"],
    ["a stray divider", `\`\`\`\n${EDIT}=======\n\`\`\``, "KIMI_MARKER"],
    ["an end marker before its divider", `\`\`\`\n${EDIT.replace("=======\n", "")}\`\`\``, "KIMI_MARKER"],
    ["an edit that changes nothing", `\`\`\`\n${EDIT.replace("b", "a")}\`\`\``, "KIMI_NO_CHANGE"],
    ["more edits than allowed", `\`\`\`\n${EDIT.repeat(LIMITS.answerEdits + 1)}\`\`\``, "KIMI_TOO_MANY_EDITS"],
    ["the same file created twice", `\`\`\`\n${EDIT.replace("index.js", "n.js").replace("a\n", "").repeat(2)}\`\`\``, "KIMI_EMPTY_SEARCH"],
  ])("with %s gives no call", (_name, content, code) => {
    expect(errorOf(stage2(content)).code).toBe(code);
  });

  test("says in the format's words which edit and which line is wrong", () => {
    const error = errorOf(stage2(`\`\`\`\n${EDIT}### lib/parse.js\n<<<<<<< SEARCH\nc\n>>>>>>> REPLACE\n\`\`\``));
    expect(error).toMatchObject({
      message: "edit 2, line 11: a line `>>>>>>> REPLACE` stands inside the SEARCH part, where only text or `=======` may follow",
      block: 2,
      answerLine: 11,
      line: 4,
    });
    expect(error.reply).toContain("nothing was changed");
    expect(error.reply).toContain("`<<<<<<< SEARCH`");
  });

  test("of 5 MB is refused at once", () => {
    const line = JSON.stringify({ role: "bugfixer", stage: 2, content: `\`\`\`\n${EDIT}${"x".repeat(5_000_000)}\`\`\`` });
    const times = [1, 2, 3, 4, 5].map(() => {
      const start = performance.now();
      parse(line);
      return performance.now() - start;
    });
    expect(Math.min(...times)).toBeLessThan(50);
    expect(errorOf(parse(line))).toMatchObject({ code: "KIMI_TOO_LARGE", message: `the answer is longer than ${LIMITS.answerChars} characters` });
  });
});

describe("a line of a Kimi-Dev file", () => {
  test("of the harness gives the command it chose, under its own role", () => {
    expect(parse({ role: "harness", run: "npm test", note: "before the fix" })).toEqual({
      ok: true,
      value: [{ id: "4", role: "harness", tool: "bash", arguments: { command: "npm test" } }],
    });
  });

  test("may be a call in our own form", () => {
    expect(parse({ id: "x", role: "bugfixer", tool: "bash", arguments: { command: "ls" } })).toEqual({
      ok: true,
      value: [{ id: "x", role: "bugfixer", tool: "bash", arguments: { command: "ls" } }],
    });
  });

  test("may name its calls with an id", () => {
    expect(parse({ id: "fix", role: "bugfixer", stage: 1, content: "```\nindex.js\n```" })).toMatchObject({ ok: true, value: [{ id: "fix.1" }] });
  });

  test.each([
    ["another role", { role: "admin", stage: 1, content: "" }],
    ["no role", { stage: 1, content: "" }],
    ["a third stage", { role: "bugfixer", stage: 3, content: "" }],
    ["a stage as text", { role: "bugfixer", stage: "1", content: "" }],
    ["no content", { role: "bugfixer", stage: 1 }],
    ["an unknown field", { role: "bugfixer", stage: 1, content: "", run: "npm test" }],
    ["a call and an answer at once", { id: "1", role: "bugfixer", tool: "bash", stage: 1, content: "" }],
    ["a harness that also answers", { role: "harness", run: "npm test", content: "" }],
    ["a harness without a command", { role: "harness", run: " " }],
    ["an inherited field", JSON.parse('{"__proto__":{"role":"harness","run":"x"}}')],
  ])("with %s is refused", (_name, value) => {
    expect(errorOf(parse(value)).code).toBe("LINE_FIELD");
  });
});
