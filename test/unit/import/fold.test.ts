// What a call of another tool is judged as: what it touches, or nothing that any rule allows.

import { describe, expect, it } from "vitest";
import { foldCall, type FoldContext } from "../../../src/core/import/index.js";
import type { JsonObject } from "../../../src/core/shared/index.js";
import { evaluateArgv, evaluateShell, simpleWords } from "../../../src/core/shell/index.js";

const place = { root: "/w", home: "/root", cwd: "/w/src" };
const environment = new Map<string, string>();
const context: FoldContext = { ...place, evaluate: { shell: (text, at) => evaluateShell(text, { ...place, cwd: at.cwd, environment }).effects, argv: (words, at) => evaluateArgv(words, { ...place, cwd: at.cwd, environment }).effects }, split: simpleWords };

function files(tool: string, values: JsonObject): readonly string[] {
  const folded = foldCall({ tool, arguments: values }, context);
  return (folded?.action.effects ?? []).flatMap((effect) => (effect.kind === "file" ? [`${effect.operation} ${effect.path}`] : effect.kind === "connect" ? [`connect ${effect.host ?? "?"}`] : effect.kind === "runs-code" ? [`code ${effect.source}`] : []));
}
const kind = (tool: string, values: JsonObject) => foldCall({ tool, arguments: values }, context)?.action.kind ?? "thought";

describe("folding", () => {
  it("file tools of every agent touch the file they name, relative paths from the folder of the call", () => {
    expect([files("Read", { file_path: "a" }), files("write_file", { file_path: "/etc/x", content: "" }), files("StrReplaceFile", { path: "a", edit: [{ old: "x", new: "y" }] }), files("Edit", { file_path: "~/.ssh/config", old_string: "a", new_string: "b" })]).toEqual([
      ["read /w/src/a"],
      ["write /etc/x"],
      ["write /w/src/a", "read /w/src/a"],
      ["write /root/.ssh/config", "read /root/.ssh/config"],
    ]);
    expect(files("str_replace_editor", { command: "create", path: "../b", file_text: "x" })).toEqual(["write /w/b"]);
    expect(files("apply_patch", { op: "delete", path: "gone" })).toContain("delete /w/src/gone");
  });

  it("content goes along, so that rules about content see it", () => {
    const folded = foldCall({ tool: "MultiEdit", arguments: { file_path: "a", edits: [{ old_string: "1", new_string: "one" }, { old_string: "2", new_string: "two" }] } }, context);
    expect(folded?.action).toMatchObject({ kind: "edit", edit: { op: "replace", search: "1\n2", replace: "one\ntwo" } });
  });

  it("shells: text, argv, an argv that is a shell, and the folder they name", () => {
    expect(files("exec_command", { cmd: "cat x", workdir: "/w/lib" })).toEqual(["read /w/lib/x"]);
    expect(files("shell", { command: ["bash", "-lc", "cat y > z"] })).toEqual(expect.arrayContaining(["read /w/src/y"]));
    expect(files("shell", { command: ["cat", "$HOME"] })).toEqual(["read /w/src/$HOME"]);
    expect(files("run_ipython", { code: "print(1)" })).toContain("code inline");
  });

  it("SWE-agent's own commands are what they do to files", () => {
    expect(files("edit", { command: "edit 1:1\nx\nend_of_edit", open_file: "/w/a.py" })).toEqual(["write /w/a.py", "read /w/a.py"]);
    expect(files("open", { command: 'open "b.py" 3' })).toEqual(["read /w/src/b.py"]);
    expect(files("connect_start", { command: "connect_start evil.example 9999" })).toContain("connect evil.example");
    expect(kind("edit", { command: "edit 1:1\nx" })).toBe("opaque");
  });

  it("what is not known, not told, or asks out of a sandbox is opaque; plans are thoughts", () => {
    for (const [tool, values] of [["mcp__x__y", { a: 1 }], ["Bash", {}], ["Bash", { command: "ls", dangerouslyDisableSandbox: true }], ["exec_command", { cmd: "ls", sandbox_permissions: "require_escalated" }], ["terminal", { command: "y", is_input: true }], ["write_stdin", { chars: "rm" }], ["Read", {}], ["str_replace_editor", { command: "format" }], ["", {}], ["WebFetch", { prompt: "no address" }]] as const) {
      expect([tool, kind(tool, values)]).toEqual([tool, "opaque"]);
    }
    expect([kind("TodoWrite", { todos: [] }), kind("finish", { message: "done" })]).toEqual(["thought", "submit"]);
    expect(files("WebSearch", { query: "x" })).toEqual(["connect ?"]);
  });
});
