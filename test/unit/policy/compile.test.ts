import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../../src/core/policy/index.js";
import { LIMITS } from "../../../src/core/shared/index.js";
import { compileText, hash, issuesOf, policyText, rule } from "./support.js";

/** What matters of an issue: where, which kind, and the words that name the fault. */
function seen(text: string): readonly (readonly [number, number, string, string, string | undefined])[] {
  return issuesOf(text).map((issue) => [issue.at?.line ?? 0, issue.at?.column ?? 0, issue.code, issue.message, issue.hint]);
}

const GOOD = rule("acme.read", "allow", "{ file: { operations: [read], any: true } }");

describe("a broken policy file is refused with the place of the fault", () => {
  it("names an unknown key and the nearest known one", () => {
    expect(seen("version: 1\nid: acme\ntitle: T\nruels: []\nrules: []\n")).toEqual([[4, 1, "POLICY_UNKNOWN_KEY", "unknown key `ruels`", "did you mean `rules`?"]]);
  });

  it("names an unknown key of a matcher", () => {
    const text = policyText(rule("acme.x", "deny", "{ file: { path: [./a] } }"));
    expect(seen(text)).toEqual([[10, 22, "POLICY_UNKNOWN_KEY", "unknown key `path`", "did you mean `paths`?"]]);
  });

  it("names a wrong effect and the nearest one", () => {
    const text = policyText(GOOD.replace("effect: allow", "effect: alow"));
    expect(seen(text)).toEqual([[6, 13, "POLICY_SCHEMA", "`effect` of rule `acme.read` must be one of `allow`, `ask`, `deny`", "did you mean `allow`?"]]);
  });

  it("names a missing key at the rule", () => {
    const text = policyText("id: acme.x\neffect: allow\nwhen: [{ exec: { any: true } }]\nmatch: [{ command: ls }]");
    expect(seen(text)).toEqual([[5, 5, "POLICY_SCHEMA", "`message` of rule `acme.x` is missing", "add a text"]]);
  });

  it("names a pattern without an anchor", () => {
    const text = policyText(rule("acme.x", "deny", "{ file: { paths: [src/**] } }"));
    expect(seen(text)[0]?.slice(0, 3)).toEqual([10, 30, "POLICY_GLOB"]);
    expect(seen(text)[0]?.[4]).toContain("`./src/**`");
  });

  it("names a threat that no catalogue has", () => {
    const text = policyText(rule("acme.x", "deny", "{ exec: { programs: [rm] } }").replace("agent-tool-misuse", "agent-tool-misus"));
    expect(seen(text)).toEqual([[8, 15, "POLICY_THREAT", "threat `maestro:L7/agent-tool-misus` is no MAESTRO threat of L7", "did you mean `maestro:L7/agent-tool-misuse`?"]]);
  });

  it("names a rule id given twice", () => {
    const found = seen(policyText(GOOD, GOOD));
    expect(found).toEqual([[10, 9, "POLICY_DUPLICATE_ID", "rule `acme.read` is already defined", "the other is at acme.policy.yaml:5; rules add up, none replaces another"]]);
  });

  it("names a key given twice", () => {
    expect(seen("version: 1\nid: acme\nid: acme\ntitle: T\nrules: []\n").map((issue) => issue.slice(0, 3))).toEqual([[3, 1, "POLICY_YAML"]]);
  });

  it("takes an unknown tag as an error", () => {
    expect(seen("version: 1\nid: !!js/function x\ntitle: T\nrules: []\n").map((issue) => issue.slice(0, 3))).toEqual([[2, 5, "POLICY_YAML"]]);
  });

  it("names the place of broken YAML", () => {
    expect(seen("version: 1\nid: [acme\ntitle: T\n").map((issue) => issue[2])).toContain("POLICY_YAML");
  });

  it("refuses an empty file", () => {
    expect(seen("")).toEqual([[1, 1, "POLICY_SCHEMA", "the file is empty", "begin with `version: 1`, `id`, `title` and `rules`"]]);
  });

  it("refuses a bomb of aliases", () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n`;
    expect(seen(bomb)[0]?.[2]).toBe("POLICY_YAML");
  });

  it("refuses nesting that no parser can follow", () => {
    for (const deep of ["[".repeat(200_000), "{a: ".repeat(50_000), "- ".repeat(100_000)]) {
      expect(seen(deep)).toEqual([[1, 1, "POLICY_YAML", "line 1 is nested too deep", undefined]]);
    }
  });

  it("answers a map of very many keys", () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `k${String(index)}: 1`).join("\n");
    expect(issuesOf(many).length).toBeGreaterThan(1);
  });

  it("refuses a file over the size limit", () => {
    expect(seen(`# ${"x".repeat(LIMITS.policyBytes)}`)).toEqual([[1, 1, "POLICY_LIMIT", `the file is larger than ${String(LIMITS.policyBytes)} bytes`, undefined]]);
  });

  it("refuses a matcher that says nothing, and one that says two things", () => {
    expect(seen(policyText(rule("acme.x", "deny", "{ exec: {} }"))).map((issue) => issue[3])).toEqual(["`exec` matches everything of its kind"]);
    expect(seen(policyText(rule("acme.x", "deny", "{ exec: { any: true, programs: [rm] } }"))).map((issue) => issue[3])).toEqual(["`any` beside `programs` says two things"]);
  });

  it("refuses an allow rule for what cannot be told", () => {
    expect(seen(policyText(rule("acme.x", "allow", "{ opaque: true }"))).map((issue) => issue[3])).toEqual(["an allow rule cannot match `opaque`"]);
  });

  it("refuses patterns that could never match", () => {
    expect(seen(policyText(rule("acme.x", "deny", "{ exec: { programs: [/bin/RM] } }"))).map((issue) => issue[4])).toEqual(["write `rm`"]);
  });

  it("refuses to extend what is not there", () => {
    expect(seen("version: 1\nid: acme\ntitle: T\nextends: [acm]\nrules: []\n")).toEqual([[4, 11, "POLICY_EXTENDS", "there is no policy `acm` to extend", "did you mean `acme`?"]]);
  });

  it("gives the issues of every file at once", () => {
    const compiled = compilePolicy([{ name: "a", text: "version: 2" }, { name: "b", text: "{" }], { hash });
    expect(compiled.ok ? [] : [...new Set(compiled.error.map((issue) => issue.at?.file))]).toEqual(["a", "b"]);
  });

  it("shows the line, made printable", () => {
    expect(issuesOf("version: 1\nid: acme\ntitle: T\nrules: []\n\"\u001b[2J\": 1\n").map((issue) => issue.excerpt)).not.toContain("\u001b");
  });
});

describe("a rule's own examples", () => {
  it("fail the load at their place when the rule does not do what they say", () => {
    const text = policyText(rule("acme.keep", "deny", "{ file: { operations: [write], paths: [./keep/**] } }", "notMatch: [{ write: keep/a }]").replace("match: [{ read: x }]", "match: [{ write: other/a }]"));
    expect(issuesOf(text, "check").map((issue) => [issue.at?.line, issue.at?.column, issue.code, issue.message])).toEqual([
      [11, 13, "POLICY_EXAMPLE_FAILED", "example `write: other/a` is not matched by rule `acme.keep`"],
      [12, 16, "POLICY_EXAMPLE_FAILED", "example `write: keep/a` is matched by rule `acme.keep`"],
    ]);
  });

  it("hold for the rule's own role and not for another", () => {
    const text = policyText(rule("acme.role", "deny", "{ file: { operations: [write], any: true } }", "roles: [bugfixer]\nnotMatch: [{ write: x, role: testwriter }, { write: x, role: null }]").replace("match: [{ read: x }]", "match: [{ write: x }, { write: x, role: bugfixer }]"));
    expect(issuesOf(text, "check")).toEqual([]);
  });
});

describe("the digest of a policy", () => {
  const other = rule("acme.write", "deny", "{ file: { operations: [write], paths: [./a] } }");

  it("does not depend on the order of rules or on the layout of the file", () => {
    expect(compileText(policyText(GOOD, other)).digest).toBe(compileText(`# a comment\n${policyText(other, GOOD)}`).digest);
  });

  it("changes with a rule's content", () => {
    expect(compileText(policyText(GOOD, other)).digest).not.toBe(compileText(policyText(GOOD, other.replace("[./a]", "[./b]"))).digest);
  });

  it("is the pinned value for a pinned policy", () => {
    expect(compileText(policyText(GOOD)).digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});
