// Tool calls as actions: what each tool gives, and that anything else is opaque with the reason.

import { describe, expect, test } from "vitest";
import { isThought, normalise, TOOL_NAMES, type Action, type ActionEffect, type NormaliseContext } from "../../../src/core/action/index.js";
import { LIMITS, type JsonObject } from "../../../src/core/shared/index.js";

const ran = (from: string): ActionEffect => ({ kind: "exec", program: "x", path: null, argv: [], from });

/** Splits at blanks, single quotes kept together: enough for one simple command. */
function split(text: string): readonly string[] | null {
  if (/[|;&$`<>(){}*?\\]/.test(text.replace(/'[^']*'/g, ""))) return null;
  return [...text.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll("'", ""));
}

const context: NormaliseContext = {
  root: "/workspace",
  cwd: "/workspace/lib",
  home: "/home/agent",
  evaluate: { shell: (text) => [ran(text)], argv: (words) => [ran(words.join(" "))] },
  split,
};

const run = (tool: string, values: JsonObject): Action => normalise({ id: "1", role: null, tool, arguments: values }, context);
const edit = (values: JsonObject): Action => run("str_replace_editor", values);
const file = (operation: "read" | "write" | "create" | "delete", path: string, from: string, by = "str_replace_editor"): ActionEffect => ({
  kind: "file", operation, path, certainty: "exact", recursive: false, by, from,
});
const whyOf = (action: Action): string | null => (action.kind === "opaque" ? action.why : null);

describe("a command", () => {
  test.each(["bash", "execute_bash", "terminal"])("of the tool `%s` is shell text with the effects of the evaluation", (tool) => {
    expect(run(tool, { command: "ls -R src | head", timeout: 1.5 })).toEqual({
      kind: "command", form: { shell: "ls -R src | head" }, cwd: "/workspace/lib", timeoutMs: 1500, effects: [ran("ls -R src | head")],
    });
  });

  test("of the tool `exec` is exact words without a shell", () => {
    expect(run("exec", { argv: ["echo", "a b", "$x"] })).toEqual({
      kind: "command", form: { argv: ["echo", "a b", "$x"] }, cwd: "/workspace/lib", timeoutMs: null, effects: [ran("echo a b $x")],
    });
  });

  test("may carry the model's own claims, which change nothing", () => {
    expect(run("execute_bash", { command: "ls", security_risk: "LOW", is_input: "false", timeout: null })).toEqual(run("bash", { command: "ls" }));
  });

  test("to find a file is a search in exact words", () => {
    expect(run("find_file", { file_name: "*.js", dir: "/workspace" })).toMatchObject({ form: { argv: ["find", "/workspace", "-name", "*.js"] } });
    expect(run("find_file", { file_name: "a.js" })).toMatchObject({ form: { argv: ["find", "/workspace/lib", "-name", "a.js"] } });
  });

  test.each<[string, string, JsonObject, string]>([
    ["without text", "bash", {}, "the argument `command` is missing"],
    ["with blank text", "bash", { command: " \n" }, "the command is empty"],
    ["with text of another type", "bash", { command: ["ls"] }, "the argument `command` must be text"],
    ["with an unknown argument", "bash", { command: "ls", cwd: "/" }, "the argument `cwd` is not known"],
    ["with a prototype argument", "bash", JSON.parse('{"command":"ls","__proto__":{}}') as JsonObject, "the argument `__proto__` is not known"],
    ["with a NUL", "bash", { command: "ls\0" }, "the command has a NUL character"],
    ["with half a surrogate pair", "bash", { command: "echo \ud800" }, "the argument `command` must be well-formed Unicode text"],
    ["that is too long", "bash", { command: "x".repeat(LIMITS.commandChars + 1) }, `the command is longer than ${LIMITS.commandChars} characters`],
    ["with a time limit of zero", "bash", { command: "ls", timeout: 0 }, `the argument \`timeout\` must be a number of seconds up to ${LIMITS.timeoutSeconds}`],
    ["that restarts a shell", "bash", { restart: true }, "each call has a shell of its own; there is none to restart"],
    ["that is input to a process", "execute_bash", { command: "y", is_input: "true" }, "no process of an earlier call is left that could take input"],
    ["of no words", "exec", { argv: [] }, "the argument `argv` names no program"],
    ["of words that are no texts", "exec", { argv: ["ls", 1] }, "the argument `argv` must be a list of well-formed texts"],
    ["of a word with a NUL", "exec", { argv: ["ls", "a\0"] }, "a word of the command has a NUL character"],
    ["of words that are too long", "exec", { argv: ["ls", "x".repeat(LIMITS.commandChars)] }, `the command is longer than ${LIMITS.commandChars} characters`],
  ])("%s is opaque", (_name, tool, values, why) => {
    expect(run(tool, values)).toEqual({ kind: "opaque", tool, why, effects: [] });
  });

  test("with more effects than the limit is opaque", () => {
    const many = { ...context, evaluate: { ...context.evaluate, shell: () => Array.from({ length: LIMITS.effects + 1 }, () => ran("x")) } };
    expect(normalise({ id: "1", role: null, tool: "bash", arguments: { command: "x" } }, many)).toMatchObject({ kind: "opaque", effects: [] });
  });
});

describe("the file editor", () => {
  test("views a file, or lines of it, with the path made plain once", () => {
    expect(edit({ command: "view", path: "/workspace//lib/../index.js", view_range: [2, -1] })).toEqual({
      kind: "view", path: "/workspace/index.js", range: [2, -1], effects: [file("read", "/workspace/index.js", "str_replace_editor view /workspace//lib/../index.js")],
    });
    expect(edit({ command: "view", path: "/workspace" })).toMatchObject({ kind: "view", path: "/workspace", range: null });
  });

  test("creates a file only where there is none", () => {
    expect(edit({ command: "create", path: "/workspace/a.js", file_text: "x\n" })).toEqual({
      kind: "edit", path: "/workspace/a.js", edit: { op: "create", content: "x\n", overwrite: false },
      effects: [file("create", "/workspace/a.js", "str_replace_editor create /workspace/a.js")],
    });
  });

  test("replaces a text, and without a new text removes it", () => {
    const from = "str_replace_editor str_replace /workspace/a.js";
    const effects = [file("write", "/workspace/a.js", from), file("read", "/workspace/a.js", from)];
    const wish = { command: "str_replace", path: "/workspace/a.js", old_str: "x" };
    expect(edit({ ...wish, new_str: "y" })).toEqual({ kind: "edit", path: "/workspace/a.js", edit: { op: "replace", search: "x", replace: "y" }, effects });
    expect(edit(wish)).toEqual({ kind: "edit", path: "/workspace/a.js", edit: { op: "replace", search: "x", replace: "" }, effects });
  });

  test.each(["new_str", "insert_text"])("inserts text given as `%s`", (name) => {
    expect(edit({ command: "insert", path: "/workspace/a.js", insert_line: 0, [name]: "x" })).toMatchObject({ kind: "edit", edit: { op: "insert", afterLine: 0, text: "x" } });
  });

  test("undoes an edit, which may also delete a file it created", () => {
    expect(edit({ command: "undo_edit", path: "/workspace/a.js" })).toMatchObject({
      kind: "edit", edit: { op: "undo" }, effects: [{ operation: "write" }, { operation: "delete" }, { operation: "read" }],
    });
  });

  test("takes arguments that are null as left out", () => {
    const nulls = { file_text: null, old_str: null, new_str: null, insert_line: null, view_range: null };
    expect(edit({ command: "view", path: "/workspace/a.js", ...nulls })).toMatchObject({ kind: "view" });
  });

  test.each(["str_replace_based_edit_tool", "file_editor"])("is also known as `%s`, and effects name it so", (tool) => {
    expect(run(tool, { command: "view", path: "/workspace/a.js" })).toMatchObject({ kind: "view", effects: [{ by: tool }] });
  });

  test("has commands that are tools of their own", () => {
    expect(run("str_replace", { path: "/workspace/a.js", old_str: "x", new_str: "y" })).toMatchObject({ kind: "edit", edit: { op: "replace" } });
    expect(run("insert", { path: "/workspace/a.js", insert_line: 1, insert_text: "y" })).toMatchObject({ kind: "edit", edit: { op: "insert" } });
    expect(run("open", { path: "/workspace/a.js", line_number: 7 })).toMatchObject({ kind: "view", range: [7, -1] });
    expect(whyOf(run("insert", { command: "create", path: "/workspace/a.js", file_text: "" }))).toBe("the argument `command` is not known");
  });

  test.each<[string, JsonObject, string]>([
    ["an unknown command", { command: "delete", path: "/workspace/a.js" }, "the editor command `delete` is not known"],
    ["both insert texts", { command: "insert", path: "/workspace/a.js", insert_line: 1, insert_text: "a", new_str: "b" }, "the arguments `insert_text` and `new_str` are both given"],
    ["no insert text", { command: "insert", path: "/workspace/a.js", insert_line: 1 }, "the argument `insert_text` is missing"],
    ["a negative line", { command: "insert", path: "/workspace/a.js", insert_line: -1, new_str: "b" }, "the argument `insert_line` must be 0 or more"],
    ["a broken line", { command: "insert", path: "/workspace/a.js", insert_line: 1.5, new_str: "b" }, "the argument `insert_line` must be a whole number"],
    ["no text to create", { command: "create", path: "/workspace/a.js" }, "the argument `file_text` is missing"],
    ["an argument of another command", { command: "create", path: "/workspace/a.js", file_text: "", old_str: "x" }, "the argument `old_str` is not known"],
    ["a backward range", { command: "view", path: "/workspace/a.js", view_range: [5, 2] }, "the argument `view_range` must be two line numbers from 1, the second not smaller, or -1 for the end"],
    ["a range as text", { command: "view", path: "/workspace/a.js", view_range: "[1, 2]" }, "the argument `view_range` must be two line numbers from 1, the second not smaller, or -1 for the end"],
    ["an edit of the root", { command: "undo_edit", path: "/workspace" }, "the path `/workspace` is a folder"],
    ["an edit of a folder", { command: "create", path: "/workspace/a/", file_text: "" }, "the path `/workspace/a/` is a folder"],
    ["a relative path", { command: "view", path: "a.js" }, "the path `a.js` is not absolute; it must begin with `/workspace/`"],
    ["an empty path", { command: "view", path: "" }, "the path is empty"],
    ["a name that no file can have", { command: "view", path: `/workspace/${"é".repeat(128)}` }, "the path has a name of more than 255 bytes"],
    ["a bidi path", { command: "view", path: "/workspace/a\u202ejs" }, "the path `/workspace/a\\u{202e}js` has control or invisible characters"],
  ])("with %s is opaque", (_name, values, why) => {
    expect(whyOf(edit(values))).toBe(why);
  });

  test.each([
    ["/etc/shadow", "/etc/shadow"],
    ["/workspace/../etc/shadow", "/etc/shadow"],
    ["/workspacex/a", "/workspacex/a"],
    ["/proc/self/root/etc/shadow", "/etc/shadow"],
    ["~/.ssh/id_rsa", "/home/agent/.ssh/id_rsa"],
  ])("outside the root (%s) is opaque and keeps the effect it tried, so that a rule can name it", (path, touched) => {
    const action = edit({ command: "view", path });
    expect(action).toMatchObject({ kind: "opaque", effects: [{ kind: "file", operation: "read", path: touched }] });
    expect(edit({ command: "create", path, file_text: "x" })).toMatchObject({ kind: "opaque", effects: [{ operation: "create", path: touched }] });
  });
});

describe("a shell line that stands for an edit", () => {
  test("becomes that edit, also as exact words", () => {
    const line = "str_replace_editor str_replace /workspace/a.js --old_str 'x y' --new_str 'z'";
    const expected = edit({ command: "str_replace", path: "/workspace/a.js", old_str: "x y", new_str: "z" });
    expect(run("bash", { command: line })).toEqual(expected);
    expect(run("exec", { argv: ["str_replace_editor", "str_replace", "/workspace/a.js", "--old_str", "x y", "--new_str=z"] })).toEqual(expected);
    expect(run("bash", { command: "str_replace_editor view /workspace/a.js --view_range 1 -1" })).toMatchObject({ kind: "view", range: [1, -1] });
    expect(run("bash", { command: "str_replace_editor insert /workspace/a.js --insert_line 3 --new_str x" })).toMatchObject({ edit: { op: "insert", afterLine: 3 } });
  });

  test.each([
    ["str_replace_editor view", "the editor command needs a command and a path"],
    ["str_replace_editor view /workspace/a.js b", "the word `b` is one too many"],
    ["str_replace_editor view /workspace/a.js --force", "the option `--force` is not known"],
    ["str_replace_editor create /workspace/a.js --file_text a --file_text b", "the option `--file_text` is given twice"],
    ["str_replace_editor create /workspace/a.js --file_text", "the option `--file_text` has no value"],
    ["str_replace_editor view /workspace/a.js --view_range 1", "the option `--view_range` must be two whole numbers"],
  ])("that is malformed (%s) is opaque and never runs as a command", (command, why) => {
    expect(whyOf(run("bash", { command }))).toBe(why);
  });

  test.each(["str_replace_editor view /workspace/a.js | cat", "str_replace_editor create $F --file_text x", "echo str_replace_editor"])(
    "with anything that the shell would change (%s) stays a command",
    (command) => {
      expect(run("bash", { command })).toMatchObject({ kind: "command", form: { shell: command } });
    },
  );
});

describe("the end and the rest", () => {
  test.each(["submit", "finish", "stop"])("`%s` submits", (tool) => {
    expect(run(tool, {})).toEqual({ kind: "submit", effects: [] });
  });

  test("an unknown argument makes a submission opaque", () => {
    expect(run("finish", { message: "done" })).toEqual({ kind: "submit", effects: [] });
    expect(whyOf(run("submit", { message: "done" }))).toBe("the argument `message` is not known");
  });

  test("a thought is told apart and has nothing to run", () => {
    expect(isThought({ tool: "think" })).toBe(true);
    expect(run("think", { thought: "hm" })).toEqual({ kind: "opaque", tool: "think", why: "a thought is put on record; there is nothing to run", effects: [] });
  });

  test.each(["Bash", "BASH", "bash ", "constructor", "__proto__", "delete_file", ""])("the tool `%s` is not known", (tool) => {
    expect(run(tool, { command: "ls" })).toEqual({ kind: "opaque", tool, why: `the tool \`${tool}\` is not known`, effects: [] });
  });

  test("every name in the list is a known tool", () => {
    expect(TOOL_NAMES.filter((tool) => whyOf(run(tool, {}))?.endsWith("is not known"))).toEqual([]);
  });
});
