import { describe, expect, it } from "vitest";
import { checkLine, type CheckDefaults } from "../../../src/core/policy/index.js";
import type { JsonValue } from "../../../src/core/shared/index.js";
import { compileText, policyText, rule } from "./support.js";

const defaults: CheckDefaults = { role: null, root: "/workspace", home: "/home/agent", containment: "attested" };
const policy = compileText(
  policyText(
    rule("acme.read", "allow", "{ file: { operations: [read], any: true } }"),
    rule("acme.write", "allow", "{ file: { operations: [change], paths: [./**] } }"),
    rule("acme.key", "deny", "{ file: { paths: [\"**/key\"] } }", "guidance: use another file"),
    rule("acme.role", "ask", "{ file: { operations: [write], any: true } }", "roles: [bugfixer]"),
  ),
);
const answer = (line: JsonValue): JsonValue => checkLine(policy, line, defaults).json;

describe("one line of policy check", () => {
  it("is answered in the contract's form when denied", () => {
    expect(answer({ id: "7", read: "sub/key" })).toEqual({
      id: "7",
      effect: "deny",
      rules: ["acme.key"],
      threats: ["maestro:L7/agent-tool-misuse"],
      reason: "acme.key matched: `read /workspace/sub/key`",
      guidance: "use another file",
    });
  });

  it("is answered in the contract's form when allowed", () => {
    expect(answer({ id: "8", write: "a" })).toEqual({ id: "8", effect: "allow", rules: ["acme.write"], threats: [], reason: "acme.write matched: `write /workspace/a`", guidance: null });
  });

  it("takes role, root and cwd of its own, and the root where cwd is left out", () => {
    const effect = (line: JsonValue): unknown => (answer(line) as { readonly effect: unknown }).effect;
    expect([effect({ id: "1", write: "a", role: "bugfixer" }), effect({ id: "1", write: "a", root: "/testbed" }), effect({ id: "1", write: "../a", cwd: "/workspace/sub" }), effect({ id: "1", write: "../a" }), effect({ id: "1", write: "/workspace/a", root: "/testbed" })]).toEqual(["ask", "allow", "allow", "deny", "deny"]);
  });

  it.each<[string, JsonValue, JsonValue]>([
    ["no object", [1], { id: null, error: "the line is no JSON object" }],
    ["no question", { id: "1" }, { id: "1", error: "the line has none of `command`, `write`, `read`" }],
    ["two questions", { id: "1", read: "a", write: "b" }, { id: "1", error: "the line has `write` and `read`; give one" }],
    ["a question that is no text", { id: 5, command: 5 }, { id: 5, error: "`command` must be a text" }],
    ["a path with NUL", { id: "1", read: "a\u0000b" }, { id: "1", error: "`read` must be a path" }],
    ["a relative root", { id: "1", read: "a", root: "x" }, { id: "1", error: "`root` must be an absolute path" }],
    ["a role that is no text", { id: "1", read: "a", role: 3 }, { id: "1", error: "`role` must be a text or null" }],
    ["an id that is an object", { id: {}, read: "a", root: "x" }, { id: null, error: "`root` must be an absolute path" }],
    ["a name of the prototype", { id: "1", __proto__: { read: "a" } }, { id: "1", error: "the line has none of `command`, `write`, `read`" }],
  ])("with %s is an error that keeps its id", (_name, line, expected) => {
    expect(checkLine(policy, line, defaults)).toEqual({ json: expected, decision: null });
  });

  it("judges a path longer than any file can have as what cannot be told", () => {
    expect(checkLine(policy, { id: "1", write: `/${"a".repeat(5000)}` }, defaults).decision?.effect).toBe("deny");
  });
});
