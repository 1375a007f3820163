import { describe, expect, it } from "vitest";
import { lintPolicies, parsePolicyFile, type LintFinding } from "../../../src/core/policy/index.js";
import { policyText, rule } from "./support.js";

function lint(...rules: readonly string[]): readonly LintFinding[] {
  const { file, issues } = parsePolicyFile("acme.policy.yaml", policyText(...rules));
  if (file === null || issues.length > 0) throw new Error(JSON.stringify(issues));
  return lintPolicies([file]);
}

const warnings = (...rules: readonly string[]): readonly string[] => lint(...rules).filter((one) => one.severity === "warning").map((one) => `${one.code} ${one.rule}`);

describe("lint", () => {
  it.each<[string, string, string]>([
    ["a folder in a denied folder", "{ file: { operations: [write], paths: [./a/b] } }", "{ file: { operations: [change], paths: [./a/**] } }"],
    ["any file of a kind", "{ file: { operations: [write], paths: [/x] } }", "{ file: { operations: [change], any: true } }"],
    ["a program in a list", "{ exec: { programs: [rm], flags: [-r] } }", "{ exec: { programs: [rm, mv] } }"],
    ["a host under any host", "{ connect: { hosts: [a.test] } }", "{ connect: { any: true } }"],
  ])("finds an allow rule that a deny rule shadows wholly: %s", (_name, narrow, wide) => {
    expect(warnings(rule("acme.yes", "allow", narrow), rule("acme.no", "deny", wide))).toEqual(["LINT_UNREACHABLE acme.yes"]);
  });

  it.each<[string, string, string]>([
    ["another role only", "{ exec: { programs: [rm] } }", "{ exec: { programs: [rm] } }"],
  ])("leaves an allow rule alone that is shadowed for %s", (_name, one, two) => {
    expect(warnings(rule("acme.yes", "allow", one), rule("acme.no", "deny", two, "roles: [bugfixer]"))).toEqual([]);
  });

  it("leaves an allow rule alone that a deny rule shadows in part", () => {
    expect(warnings(rule("acme.yes", "allow", "{ file: { operations: [read, write], paths: [./a/**] } }"), rule("acme.no", "deny", "{ file: { operations: [write], paths: [./a/**] } }"))).toEqual([]);
    expect(warnings(rule("acme.yes", "allow", "{ file: { operations: [read], paths: [./a/**] } }"), rule("acme.no", "deny", "{ file: { operations: [read], paths: [./a/**], except: [./a/b] } }"))).toEqual([]);
    expect(warnings(rule("acme.yes", "allow", "{ exec: { programs: [git] } }"), rule("acme.no", "deny", "{ exec: { programs: [git], args: [push] } }"))).toEqual([]);
  });

  it("finds duplicates, once a pair, and an ask rule that is always denied", () => {
    expect(warnings(rule("acme.a", "deny", "{ exec: { programs: [rm] } }"), rule("acme.b", "deny", "{ exec: { programs: [rm] } }"))).toEqual(["LINT_DUPLICATE acme.b"]);
    expect(warnings(rule("acme.a", "ask", "{ exec: { programs: [rm] } }"), rule("acme.b", "deny", "{ exec: { programs: [rm, mv] } }"))).toEqual(["LINT_SHADOWED acme.a"]);
  });

  it.each([
    ["{ file: { operations: [change], any: true } }"],
    ["{ file: { operations: [write], paths: [\"/**\"] } }"],
    ["{ exec: { programs: [\"*\"] } }"],
    ["{ connect: { any: true } }"],
    ["{ code: { any: true } }"],
  ])("finds an allow rule that is too broad: %s", (when) => {
    expect(warnings(rule("acme.all", "allow", when))).toEqual(["LINT_BROAD acme.all"]);
  });

  it.each([
    ["{ exec: { programs: [\"git push\"] } }"],
    ["{ exec: { programs: [rm], flags: [-f], withoutFlags: [-f] } }"],
    ["{ connect: { hosts: [\"https://a.test\"] } }"],
    ["{ connect: { hosts: [\"a.test:443\"] } }"],
    ["{ environment: { names: [\"A=b\"] } }"],
    ["{ file: { paths: [./a//b] } }"],
    ["{ file: { paths: [./a], except: [./a] } }"],
  ])("finds a pattern that can never match: %s", (when) => {
    expect(warnings(rule("acme.never", "deny", when))).toEqual(["LINT_NEVER acme.never"]);
  });

  it("notes what is missing and what only text holds, with its place", () => {
    const notes = lint(rule("acme.sudo", "deny", "{ exec: { programs: [sudo] } }"));
    expect(notes.map((one) => one.code)).toEqual(["LINT_EXAMPLES", "LINT_RISK", "LINT_ALLOWED", "LINT_TEXT_ONLY"]);
    expect(notes.every((one) => one.severity === "note" && one.at?.line === 5)).toBe(true);
    expect(lint(rule("acme.hooks", "deny", "{ file: { operations: [change], paths: [./.git/**] } }", "allowed: others\nrisk: { severity: low }\nnotMatch: [{ read: y }]"))).toEqual([]);
  });

  it("finds an allow rule in shadow mode", () => {
    const { file } = parsePolicyFile("t.yaml", `version: 1\nid: t\ntitle: T\nmode: shadow\nrules:\n  - ${rule("t.all", "allow", "{ exec: { programs: [ls] } }").replaceAll("\n", "\n    ")}\n`);
    expect(file === null ? [] : lintPolicies([file]).map((one) => one.code)).toEqual(["LINT_SHADOW"]);
  });

  it("finds names of rules that no rule has, and roles that are misspelt", () => {
    expect(warnings(rule("acme.row", "ask", "{ refusals: { inRow: 2, rules: [acme.rows, acme.*] } }"))).toEqual(["LINT_NEVER acme.row"]);
    expect(warnings(rule("acme.seq", "ask", "{ sequence: { after: [{ found: [L9.nothing] }, { refused: [acme.seq] }], then: { exec: { any: true } } } }"))).toEqual(["LINT_NEVER acme.seq"]);
    expect(warnings(rule("acme.role", "deny", "{ exec: { programs: [rm] } }", "roles: [bugfxer]"), rule("acme.own", "deny", "{ exec: { programs: [mv] } }", "roles: [reviewer]"))).toEqual(["LINT_ROLE acme.role"]);
  });

  it("finds dead patterns inside sequences and counts", () => {
    expect(warnings(rule("acme.x", "deny", "{ sequence: { after: [{ exec: { programs: ['rm x'] } }], then: { connect: { hosts: ['a.test:80'] } } } }"))).toEqual(["LINT_NEVER acme.x", "LINT_NEVER acme.x"]);
    expect(warnings(rule("acme.y", "deny", "{ budget: { calls: 1, counting: { exec: { programs: [-rf] } } } }"))).toEqual(["LINT_NEVER acme.y"]);
  });

  it("notes an alternative that another of the same rule takes in, and tells edits from outputs", () => {
    const notes = (when: string): readonly string[] => lint(rule("acme.x", "deny", when)).filter((one) => one.code === "LINT_SHADOWED").map((one) => one.message);
    expect(notes("{ exec: { programs: [rm, mv] } }, { exec: { programs: [rm] } }")).toEqual(["alternative 2 of `when` in rule `acme.x` adds nothing: alternative 1 matches all of it"]);
    expect(notes("{ exec: { programs: [rm] } }, { exec: { programs: [rm] } }")).toHaveLength(1);
    expect(notes("{ content: { contains: [secret] } }, { content: { in: output, contains: [secret] } }")).toEqual([]);
  });
});
