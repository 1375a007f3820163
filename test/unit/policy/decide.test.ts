import { describe, expect, it } from "vitest";
import type { Action } from "../../../src/core/action/action.js";
import type { ActionEffect } from "../../../src/core/action/effects.js";
import { decide, decideEffects, explainDecision, type PolicySet } from "../../../src/core/policy/index.js";
import { LIMITS } from "../../../src/core/shared/index.js";
import { compileText, connect, CONTEXT, exec, file, policyText, rule } from "./support.js";

const command = (...effects: readonly ActionEffect[]): Action => ({ kind: "command", form: { shell: "x" }, cwd: "/workspace", timeoutMs: null, effects });
const READ = rule("acme.read", "allow", "{ file: { operations: [read], any: true } }");
const WRITE = rule("acme.write", "allow", "{ file: { operations: [change], paths: [./**] } }");
const RUN = rule("acme.run", "allow", "{ exec: { any: true } }");
const set = (...rules: readonly string[]): PolicySet => compileText(policyText(...rules));
const judged = (policy: PolicySet, action: Action, more = {}): readonly [string, readonly string[]] => {
  const decision = decide(policy, action, { ...CONTEXT, ...more });
  return [decision.effect, decision.reasons.map((reason) => reason.rule)];
};

describe("deciding", () => {
  it("allows when a rule covers every effect, and says which", () => {
    expect(judged(set(READ, RUN), command(exec("cat", "a"), file("read", "/workspace/a")))).toEqual(["allow", ["acme.read", "acme.run"]]);
  });

  it("denies an effect that no rule covers, whatever covers the others", () => {
    expect(judged(set(READ, RUN), command(exec("cp"), file("read", "/workspace/a"), file("write", "/workspace/b")))).toEqual(["deny", ["default-deny"]]);
  });

  it("denies everything under a policy without rules, and says how to get some", () => {
    const decision = decide(set(), command(exec("ls")), CONTEXT);
    expect([decision.effect, decision.reasons[0]?.allowed]).toEqual(["deny", "nothing: this policy has no allow rules; `extends: [kimi-dev]` starts from the built-in profile"]);
  });

  it("lets the strictest rule win and lists the strictest first", () => {
    const policy = set(WRITE, rule("acme.ask", "ask", "{ file: { paths: [./a/**] } }"), rule("acme.deny", "deny", "{ file: { paths: [./a/b] } }"));
    expect(judged(policy, command(file("write", "/workspace/a/b")))).toEqual(["deny", ["acme.deny", "acme.ask"]]);
    expect(judged(policy, command(file("write", "/workspace/a/c")))).toEqual(["ask", ["acme.ask"]]);
    expect(judged(policy, command(file("write", "/workspace/c")))).toEqual(["allow", ["acme.write"]]);
  });

  it("does not let an ask rule allow what nothing allows", () => {
    expect(judged(set(rule("acme.ask", "ask", "{ exec: { programs: [ls] } }")), command(exec("ls")))).toEqual(["deny", ["default-deny", "acme.ask"]]);
  });

  it("never lets an allow rule cover text that cannot be told", () => {
    const decision = decide(set(READ, WRITE, RUN), command({ kind: "opaque-text", why: "a variable", from: "$X" }), CONTEXT);
    expect([decision.effect, decision.reasons.map((reason) => reason.message)]).toEqual(["deny", ["what this runs or touches cannot be told from its text: a variable"]]);
  });

  it("denies a call that could not be understood", () => {
    expect(judged(set(READ, WRITE, RUN), { kind: "opaque", tool: "magic", why: "an unknown tool", effects: [] })).toEqual(["deny", ["default-deny"]]);
  });

  it("says what of a call could not be understood, also where a rule denies it", () => {
    const { reasons } = decide(set(RUN, rule("acme.opaque", "deny", "{ opaque: true }")), { kind: "opaque", tool: "process", why: "a key is C-c or C-d", effects: [] }, CONTEXT);
    expect(reasons.map(({ rule: id, subject }) => [id, subject])).toEqual([["acme.opaque", "process: a key is C-c or C-d"]]);
  });

  it("takes an action without effects as a program that does nothing, which needs an allow rule too", () => {
    expect([judged(set(RUN), command()), judged(set(READ), command()), judged(set(RUN), { kind: "submit", effects: [] })]).toEqual([
      ["allow", ["acme.run"]],
      ["deny", ["default-deny"]],
      ["allow", ["acme.run"]],
    ]);
  });

  it("applies role rules to their role only", () => {
    const policy = set(WRITE, rule("acme.role", "deny", "{ file: { operations: [write], any: true } }", "roles: [bugfixer]"));
    const action = command(file("write", "/workspace/a"));
    expect([judged(policy, action, { role: "bugfixer" })[0], judged(policy, action, { role: "BugFixer" })[0], judged(policy, action, { role: "testwriter" })[0], judged(policy, action)[0]]).toEqual(["deny", "deny", "allow", "allow"]);
  });

  it("applies rules that need containment only where it is attested", () => {
    const policy = set(RUN, rule("acme.code", "allow", "{ code: { any: true } }", "containment: attested"));
    const action = command({ kind: "runs-code", source: "file", program: "python3", code: "x.py", upstream: [], from: "python3 x.py" });
    expect([judged(policy, action)[0], judged(policy, action, { containment: "none" })[0]]).toEqual(["allow", "deny"]);
  });

  it("denies when a rule fails, and reports the failure", () => {
    const policy = set(RUN, READ);
    const broken: PolicySet = {
      ...policy,
      compiledFor: (places) => [
        ...policy.compiledFor(places),
        {
          rule: { ...policy.rules[0]!, id: "acme.broken", effect: "ask" },
          kinds: new Set(["exec" as const]),
          matches: () => {
            throw new Error("a defect");
          },
        },
      ],
    };
    const decision = decide(broken, command(exec("ls")), CONTEXT);
    expect([decision.effect, decision.reasons.map((reason) => [reason.rule, reason.effect]), decision.errors.map((issue) => issue.code)]).toEqual(["deny", [["acme.broken", "deny"]], ["POLICY_RULE_FAILED"]]);
  });

  it("denies more effects than can be judged", () => {
    const many = Array.from({ length: LIMITS.effects + 10 }, (_, index) => file("read", `/workspace/${String(index)}`));
    expect(judged(set(READ), command(...many))).toEqual(["deny", ["default-deny"]]);
  });

  it("gives the shortest time limit of the rules that match as an obligation", () => {
    const policy = set(rule("acme.run", "allow", "{ exec: { any: true } }", "timeoutMs: 60000"), rule("acme.slow", "allow", "{ exec: { programs: [make] } }", "timeoutMs: 1000"));
    expect(decide(policy, command(exec("make")), CONTEXT).obligations).toEqual([{ kind: "timeout", ms: 1000 }]);
  });

  it("gives the guidance of the strictest rule", () => {
    const policy = set(RUN, rule("acme.ask", "ask", "{ exec: { programs: [rm] } }", "guidance: ask first"), rule("acme.deny", "deny", "{ exec: { programs: [rm] } }", "guidance: use mv"));
    expect(decide(policy, command(exec("rm")), CONTEXT).guidance).toBe("use mv");
  });

  it("judges observed changes like files a tool touches, and no change as nothing", () => {
    const policy = set(WRITE, rule("acme.deny", "deny", "{ file: { operations: [change], paths: [./.git/hooks/**] } }"));
    expect([decideEffects(policy, [file("create", "/workspace/.git/hooks/x")], CONTEXT).effect, decideEffects(policy, [file("write", "/workspace/a")], CONTEXT).effect, decideEffects(policy, [], CONTEXT).effect]).toEqual(["deny", "allow", "allow"]);
  });

  it("finds a protected file below a folder that is deleted, but not below one that is only rewritten as a whole", () => {
    const policy = set(WRITE, rule("acme.ci", "deny", "{ file: { operations: [change], paths: [./.github/workflows/**] } }"));
    const tree = (operation: "delete" | "metadata", path: string): string => decide(policy, command(file(operation, path, { recursive: true })), CONTEXT).effect;
    expect([tree("delete", "/workspace"), tree("delete", "/workspace/.github"), tree("metadata", "/workspace/.github"), tree("metadata", "/workspace"), tree("delete", "/workspace/src")]).toEqual(["deny", "deny", "deny", "allow", "allow"]);
  });
});

describe("matching programs", () => {
  const policy = set(RUN, rule("acme.force", "deny", "{ exec: { programs: [git], args: [push], flags: [-f, --force] } }"));
  const effect = (...argv: readonly (string | null)[]): string => decide(policy, command(exec(...argv)), CONTEXT).effect;

  it("finds words in order with others between, and options in every form", () => {
    expect([effect("git", "-C", "x", "push", "-f"), effect("git", "push", "-uf"), effect("git", "push", "--force=yes"), effect("git", "push", "--forc"), effect("GIT", "push", "-f")]).toEqual(["deny", "deny", "deny", "deny", "deny"]);
  });

  it("takes a word that cannot be told as the one that is refused", () => {
    expect([effect("git", null, "-f"), effect("git", "push", null), effect("git", "pull", "-f"), effect("git", "push", "--follow-tags")]).toEqual(["deny", "deny", "allow", "allow"]);
  });

  it("never lets an allow rule take a word that cannot be told", () => {
    const narrow = set(rule("acme.status", "allow", "{ exec: { programs: [git], args: [status] } }"));
    expect([decide(narrow, command(exec("git", "status", "-s")), CONTEXT).effect, decide(narrow, command(exec("git", null)), CONTEXT).effect, decide(narrow, command(exec("git", "-c", "status")), CONTEXT).effect]).toEqual(["allow", "deny", "deny"]);
  });
});

describe("matching hosts", () => {
  const policy = set(rule("acme.net", "allow", "{ connect: { hosts: [localhost, '*.example.com'] } }"), rule("acme.bad", "deny", "{ connect: { hosts: [bad.example.com] } }"));
  const effect = (host: string | null): string => decide(policy, command(connect(host)), CONTEXT).effect;

  it("compares names without letter case and final dot, and denies what it cannot read", () => {
    expect([effect("LOCALHOST"), effect("a.example.com."), effect("bad.example.com"), effect("evil\u0000.example.com"), effect("example.com"), effect(null)]).toEqual(["allow", "allow", "deny", "deny", "deny", "deny"]);
  });
});

describe("explaining", () => {
  it("shows rule, threats, subject and what would be allowed, without a hostile character", () => {
    const policy = set(RUN, rule("acme.deny", "deny", "{ exec: { programs: [rm] } }", "allowed: mv\nguidance: use mv"));
    expect(explainDecision(decide(policy, command(exec("rm", "a\u001b[2J")), CONTEXT))).toEqual([
      "denied",
      "  deny acme.deny [L3]: acme.deny matched",
      "    on: rm a\\x1b[2J",
      "    threats: maestro:L7/agent-tool-misuse",
      "    allowed: mv",
      "    from: acme.policy.yaml:10",
      "  instead: use mv",
    ]);
  });
});
