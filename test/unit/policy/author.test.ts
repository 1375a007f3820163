// What authors use besides lint: cases, comparison, lessons, models of programs, the schema.

import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { evaluateShell } from "../../../src/core/shell/index.js";
import { checkCases, checkQuestion, comparePolicies, compilePolicy, learnRules, parsePolicyFile, policyData, policyFromData, policyJsonSchema, type LearnedCall } from "../../../src/core/policy/index.js";
import { formatIssue } from "../../../src/core/shared/index.js";
import { kimiDevPolicy } from "../../support/policy.js";
import { compileText, CONTEXT, hash, issuesOf, policyText, rule } from "./support.js";

const ALL = [rule("acme.run", "allow", "{ exec: { any: true } }"), rule("acme.read", "allow", "{ file: { operations: [read], any: true } }"), rule("acme.write", "allow", "{ file: { operations: [change], paths: [./**] } }")];
const PLACE = { home: "/home/agent", containment: "attested" as const };

describe("cases", () => {
  const policy = compileText(policyText(...ALL, rule("acme.no", "deny", "{ file: { operations: [change], paths: [./a] } }")));
  const failed = (text: string): readonly string[] => checkCases("x.cases.yaml", text, policy).failed.map(formatIssue);

  it("pass when effect and rule are as said", () => {
    expect(checkCases("x.cases.yaml", "version: 1\ncases:\n  - { command: 'touch a', effect: deny, rule: acme.no }\n  - { write: b, effect: allow }\n  - { write: a, root: /other, effect: deny }\n", policy)).toEqual({ cases: 3, failed: [] });
  });

  it("fail with their place, and say what was answered", () => {
    expect(failed("version: 1\ncases:\n  - { write: a, effect: allow }\n  - { write: a, effect: deny, rule: acme.other }\n  - { read: a, write: a, effect: deny }\n")).toEqual([
      "x.cases.yaml:3:5 `a` is deny by acme.no, not allow",
      "x.cases.yaml:4:5 `a` is deny by acme.no, not by acme.other",
      "x.cases.yaml:5:5 a case has exactly one of `command`, `write`, `read`, `delete`",
    ]);
  });

  it("fail as a whole when they are no cases", () => {
    expect([failed("version: 2\ncases: []\n").length, failed("version: 1\ncases: [{ write: a, effekt: deny }]\n").length > 0, failed(":\n -").length > 0]).toEqual([2, true, true]);
  });
});

describe("comparing policies", () => {
  it("names what differs, once, and which way", () => {
    const { file } = parsePolicyFile("a", policyText(...ALL));
    const before = compileText(policyText(...ALL));
    const after = compileText(policyText(...ALL, rule("acme.tests", "deny", "{ file: { operations: [change], paths: [./test/**] } }", "roles: [bugfixer]"), rule("acme.env", "ask", "{ exec: { programs: [printenv] } }")));
    const { differences } = comparePolicies(before, after, file === null ? [] : [file]);
    expect(differences.map((one) => [one.subject, one.role, one.before.effect, one.after.effect, one.after.rule, one.tighter])).toEqual([
      [{ kind: "command", text: "rm -rf ." }, "bugfixer", "allow", "deny", "acme.tests", true],
      [{ kind: "command", text: "git clean -fdx" }, "bugfixer", "allow", "deny", "acme.tests", true],
      [{ kind: "command", text: "printenv" }, null, "allow", "ask", "acme.env", true],
      [{ kind: "write", text: "test/index.test.js" }, "bugfixer", "allow", "deny", "acme.tests", true],
      [{ kind: "delete", text: "test/index.test.js" }, "bugfixer", "allow", "deny", "acme.tests", true],
    ]);
    expect(comparePolicies(before, before, []).differences).toEqual([]);
  });
});

describe("learning", () => {
  const call = (text: string, at: string): LearnedCall => ({ evidence: at, subject: { kind: "command", text }, role: null, effect: "allow", rules: [], effects: evaluateShell(text, { cwd: "/workspace", root: "/workspace", home: "/home/agent", environment: new Map() }).effects });
  const calls = [call("cat src/a.js", "s/1"), call("cat .env", "s/2"), call("touch src/b.js", "s/3"), call("curl http://build.test/x -o x", "s/4"), call("$X", "s/5")];

  it("proposes a policy for all that was done, which compiles and allows just that", async () => {
    const lesson = learnRules(calls, await kimiDevPolicy(), CONTEXT, true);
    const compiled = compilePolicy([{ name: "learned", text: lesson.yaml }], { hash });
    if (!compiled.ok) throw new Error(compiled.error.map(formatIssue).join("\n"));
    const effect = (command: string): string => checkQuestion(compiled.value, { subject: { kind: "command", text: command }, role: null, root: "/workspace", cwd: "/workspace" }, PLACE).effect;
    expect(["cat src/a.js", "touch src/b.js", "cat .env", "cat src/other.js", "rm src/a.js", "curl http://build.test/x -o x"].map(effect)).toEqual(["allow", "allow", "deny", "deny", "deny", "deny"]);
  });

  it("proposes nothing away that a rule denies or nobody can tell, and says which rule holds it", async () => {
    const lesson = learnRules(calls, await kimiDevPolicy(), CONTEXT, false);
    expect([lesson.rules, lesson.held.map((one) => one.rule)]).toEqual([0, ["L2.environment-files", "kimi-dev.network", "L3.opaque-text"]]);
  });

  it("proposes what was refused for want of a rule, with its evidence", () => {
    const policy = compileText(policyText(rule("acme.run", "allow", "{ exec: { any: true } }")));
    const lesson = learnRules([call("cat docs/a.md", "ses_1/7"), call("cat docs/b.md docs/c.md docs/d.md docs/e.md", "ses_1/8")], policy, CONTEXT, false);
    expect(lesson.yaml).toContain('paths: ["./docs/*"]');
    expect(lesson.yaml).toContain("first in ses_1/7, ses_1/8");
  });
});

describe("models of programs", () => {
  const text = (row: string): string => `version: 1\nid: acme\ntitle: T\nprograms:\n  - ${row}\nrules:\n${ALL.map((one) => `  - ${one.replaceAll("\n", "\n    ")}\n`).join("")}`;
  const effect = (policy: string, command: string): string => checkQuestion(compileText(policy), { subject: { kind: "command", text: command }, role: null, root: "/workspace", cwd: "/workspace" }, PLACE).effect;
  const row = '{ names: [acme-sync, acme-copy], operands: "r w", options: "-o:w --from:r -v", traits: "" }';

  it("give a program the effects of its words", () => {
    const bare = policyText(...ALL);
    expect([effect(bare, "acme-sync a b"), effect(text(row), "acme-sync a b"), effect(text(row), "acme-copy a /etc/b"), effect(text(row), "acme-sync -o/etc/x a"), effect(text(row), "acme-sync --from=/etc/x a b")]).toEqual(["deny", "allow", "deny", "deny", "allow"]);
  });

  it("hold through wrappers, and come back from kept data", () => {
    const policy = compileText(text(row));
    const again = policyFromData(JSON.parse(JSON.stringify(policyData(policy))) as ReturnType<typeof policyData>);
    const ask = (command: string): string => checkQuestion(again, { subject: { kind: "command", text: command }, role: null, root: "/workspace", cwd: "/workspace" }, PLACE).effect;
    expect([again.digest === policy.digest, policy.digest === compileText(policyText(...ALL)).digest, ask("env A=1 acme-sync a b"), ask("timeout 5 acme-sync a /etc/b")]).toEqual([true, false, "deny", "deny"]);
    expect(ask("timeout 5 acme-sync a b")).toBe("allow");
  });

  it.each<[string, string, RegExp]>([
    ["a built-in program", "{ names: [rm], operands: r }", /`rm` has a built-in model/],
    ["an unknown role", '{ names: [a], operands: "q" }', /`q` is no role/],
    ["a broken option", '{ names: [a], options: "o:w" }', /`o:w` is no option/],
    ["an unknown mark", '{ names: [a], options: "-o!x" }', /`x` in `-o!x` is no mark/],
    ["an unknown trait", '{ names: [a], traits: "fast" }', /`fast` is no trait/],
    ["an unknown key", "{ names: [a], operand: r }", /unknown key `operand`/],
  ])("are refused with %s", (_name, bad, message) => {
    expect(issuesOf(text(bad)).map(formatIssue).join("\n")).toMatch(message);
  });
});

describe("the schema", () => {
  it("that is checked in is the one that policies are read with", async () => {
    const kept = await readFile(new URL("../../../policies/policy.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(kept)).toEqual(JSON.parse(JSON.stringify(policyJsonSchema())));
  });
});
