// Reactions that are lawful and probably not meant, and what a decision counts towards.

import { describe, expect, it } from "vitest";
import { explainQuestion, lintPolicies, parsePolicyFile, type LintFinding } from "../../../src/core/policy/index.js";
import { evaluateArgv, evaluateShell } from "../../../src/core/shell/index.js";
import { compileText, policyText, rule } from "./support.js";

const RULES = [
  rule("acme.rm", "deny", "{ exec: { programs: [rm] } }", "risk: { severity: low }"),
  rule("acme.push", "ask", "{ exec: { programs: [push] } }", "risk: { severity: high }"),
  rule("acme.all", "allow", "{ exec: { any: true } }"),
  rule("acme.code", "allow", "{ code: { any: true } }"),
];

function reaction(id: string, kind: string, ...when: readonly string[]): string {
  return `  - { id: ${id}, do: ${kind}, layer: L3, threats: ["asi-2026:ASI10"], message: "${id} is due", when: [${when.join(", ")}] }`;
}

function text(...reactions: readonly string[]): string {
  return `${policyText(...RULES)}reactions:\n${reactions.join("\n")}\n`;
}

function lint(...reactions: readonly string[]): readonly string[] {
  const { file, issues } = parsePolicyFile("acme.policy.yaml", text(...reactions));
  if (file === null || issues.length > 0) throw new Error(JSON.stringify(issues));
  const found: readonly LintFinding[] = lintPolicies([file], [], ["no-network", "record-kept"]);
  return found.filter((one) => !one.rule.startsWith("acme.rm") && !one.rule.startsWith("acme.push") && !one.rule.startsWith("acme.all") && !one.rule.startsWith("acme.code")).map((one) => `${one.severity} ${one.code} ${one.rule}`);
}

describe("lint of reactions", () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ["a rule that no policy has", [reaction("acme.a", "stop", "{ findings: { rules: [acme.rn] } }")], ["warning LINT_NEVER acme.a"]],
    ["a threat that no rule answers", [reaction("acme.a", "stop", '{ findings: { threats: ["maestro:L1/*"] } }')], ["warning LINT_NEVER acme.a"]],
    ["an allow rule, which is no finding", [reaction("acme.a", "stop", "{ findings: { rules: [acme.all] } }")], ["warning LINT_NEVER acme.a"]],
    ["a severity that no named rule has", [reaction("acme.a", "stop", "{ findings: { rules: [acme.rm], severity: high } }")], ["warning LINT_NEVER acme.a"]],
    ["a control that nobody tests", [reaction("acme.a", "stop", "{ lost: [no-netwrk] }")], ["warning LINT_NEVER acme.a"]],
    ["one that a stricter one makes idle", [reaction("acme.a", "ask", "{ aivss: 9.5 }"), reaction("acme.b", "stop", "{ aivss: 9.0 }")], ["warning LINT_SHADOWED acme.a"]],
    ["one of two that are the same", [reaction("acme.a", "ask", "{ findings: { severity: medium, count: 5 } }"), reaction("acme.b", "ask", "{ findings: { severity: medium, count: 5 } }")], ["warning LINT_SHADOWED acme.b"]],
    ["a condition that another of its own is met before", [reaction("acme.a", "ask", "{ aivss: 9.5 }", "{ aivss: 9.0 }")], ["note LINT_SHADOWED acme.a"]],
  ])("finds %s", (_name, reactions, expected) => {
    expect(lint(...reactions)).toEqual(expected);
  });

  it.each<[string, readonly string[]]>([
    ["an escalation", [reaction("acme.a", "ask", "{ findings: { severity: medium, count: 5 } }"), reaction("acme.b", "stop", "{ findings: { severity: medium, count: 9 } }"), reaction("acme.c", "pause", "{ aivss: 9.0 }")]],
    ["a milder one that is due earlier by another way", [reaction("acme.a", "ask", "{ aivss: 9.5 }", "{ findings: { count: 2 } }"), reaction("acme.b", "stop", "{ aivss: 9.0 }")]],
    ["findings of the run and of the comparison", [reaction("acme.a", "stop", '{ findings: { rules: ["reconcile.*", run.not-quiescent] } }')]],
    ["a control that is tested", [reaction("acme.a", "stop", "{ lost: [no-network] }")]],
    ["named rules at their severity", [reaction("acme.a", "stop", '{ findings: { rules: ["acme.*"], severity: high, outcome: rejected } }')]],
  ])("leaves alone %s", (_name, reactions) => {
    expect(lint(...reactions)).toEqual([]);
  });
});

describe("the explanation of a decision", () => {
  const policy = compileText(text(reaction("acme.a", "ask", "{ findings: { severity: low, count: 5 } }"), reaction("acme.b", "stop", '{ findings: { rules: ["acme.push"], outcome: rejected } }'), reaction("acme.c", "pause", "{ aivss: 9.0 }")));
  const towards = (command: string): readonly string[] => explainQuestion(policy, { subject: { kind: "command", text: command }, role: null, root: "/workspace", cwd: "/workspace" }, { home: "/home/agent", containment: "attested" }, { shell: evaluateShell, argv: evaluateArgv }).reactions.map((one) => `${one.reaction} ${one.do} ${one.rule} ${one.outcome} ${one.count}`);

  it("names the reactions that it counts towards", () => {
    expect(towards("rm")).toEqual(["acme.a ask acme.rm blocked 5"]);
    // A question that is answered with no is `rejected`, which is less than the `blocked` that the first asks for.
    expect(towards("push")).toEqual(["acme.b stop acme.push rejected 1"]);
    expect(towards("ls")).toEqual([]);
  });
});
