// Explaining and ordering: the tree tells what the decision says, and the most telling reason stands first.

import { describe, expect, it } from "vitest";
import { checkQuestion, explainQuestion, explanationJson, type CheckQuestion, type Explanation } from "../../../src/core/policy/index.js";
import { kimiDevPolicy } from "../../support/policy.js";
import { compileText, policyText, rule } from "./support.js";

const PLACE = { home: "/home/agent", containment: "attested" as const };
const command = (text: string, role: string | null = null): CheckQuestion => ({ subject: { kind: "command", text }, role, root: "/workspace", cwd: "/workspace" });

describe("the order of reasons", () => {
  it.each([
    ["rm -rf /", "L3.delete-outside"],
    ["find / -delete", "L3.delete-outside"],
    ["rm -rf .git", "L2.repository-history"],
    ["rm -rf ~", "L3.delete-everything"],
    ["rm -rf .", "L3.delete-everything"],
  ])("puts what %s itself is before what lies below it", async (text, first) => {
    expect(checkQuestion(await kimiDevPolicy(), command(text), PLACE).reasons[0]?.rule).toBe(first);
  });

  it("puts a graver rule first among those about the thing itself, and any of them before a graver one below it", () => {
    const policy = compileText(
      policyText(
        rule("acme.all", "allow", "{ exec: { any: true } }"),
        rule("acme.below", "deny", "{ file: { paths: [./a/b/secret] } }", "risk: { severity: critical }"),
        rule("acme.tree", "deny", "{ file: { paths: [./a/**] } }", "risk: { severity: low }"),
        rule("acme.very", "deny", "{ file: { operations: [delete], paths: [./a] } }", "risk: { severity: high }"),
      ),
    );
    expect(checkQuestion(policy, command("rm -r a"), PLACE).reasons.map((reason) => reason.rule)).toEqual(["acme.very", "acme.tree", "acme.below"]);
  });

  it("takes the direct subject of a rule for its reason when one rule is met both ways", () => {
    const policy = compileText(policyText(rule("acme.all", "allow", "{ exec: { any: true } }"), rule("acme.key", "deny", "{ file: { paths: [./a/key] } }")));
    expect(checkQuestion(policy, command("rm -r a; rm a/key"), PLACE).reasons[0]?.subject).toBe("delete /workspace/a/key");
  });
});

describe("explaining", () => {
  const tree = (explanation: Explanation): unknown => explanation.effects.map((effect) => [effect.verdict, effect.kind, effect.subject, effect.certainty, effect.rules.map((one) => `${one.effect} ${one.rule} ${one.on}${one.decides ? " decides" : ""}`)]);

  it("shows each effect with its certainty and every rule it meets, the deciding one marked", async () => {
    const explanation = explainQuestion(await kimiDevPolicy(), command("cat .env | $(cat x)"), PLACE);
    expect([explanation.decision.effect, tree(explanation)]).toEqual([
      "deny",
      [
        ["allow", "exec", "cat .env", "exact", ["allow kimi-dev.exec itself"]],
        ["deny", "file", "read /workspace/.env", "exact", ["deny L2.environment-files itself decides", "allow kimi-dev.read itself"]],
        ["allow", "exec", "cat x", "exact", ["allow kimi-dev.exec itself"]],
        ["allow", "file", "read /workspace/x", "exact", ["allow kimi-dev.read itself"]],
        ["deny", "opaque-text", "$(cat x)", "cannot be told", ["deny L3.opaque-text itself"]],
      ],
    ]);
  });

  it("agrees with the decision: some effect has its verdict, none a stricter one", async () => {
    const policy = await kimiDevPolicy();
    for (const text of ["ls", "rm -rf /", "cat .env; ls", "git push", "sed -i s/a/b/ .gitattributes", "echo x > /etc/passwd", "eval \"$X\"", "python3 x.py"]) {
      const { decision, effects } = explainQuestion(policy, command(text), PLACE);
      const verdicts = effects.map((effect) => effect.verdict);
      expect([text, verdicts.includes("deny") ? "deny" : verdicts.includes("ask") ? "ask" : "allow"]).toEqual([text, decision.effect]);
    }
  });

  it("names an effect that no rule allows", () => {
    const policy = compileText(policyText(rule("acme.run", "allow", "{ exec: { any: true } }")));
    expect(explainQuestion(policy, command("cat a"), PLACE).effects.map((effect) => [effect.uncovered, effect.verdict])).toEqual([
      [false, "allow"],
      [true, "deny"],
    ]);
  });

  it("tells where the rule stands, in JSON too", async () => {
    const json = explanationJson(explainQuestion(await kimiDevPolicy(), command("sudo ls"), PLACE));
    expect(JSON.stringify(json)).toMatch(/"at":\{"file":"builtin:[a-z0-9-]+\.policy\.yaml","line":\d+,"column":\d+\}/);
    expect(json["effect"]).toBe("deny");
  });
});

describe("shadow mode", () => {
  const HEAD = "version: 1\nid: trial\ntitle: Trial\nmode: shadow\nrules:\n";
  const shadow = (body: string): string => `${HEAD}  - ${body.replaceAll("\n", "\n    ")}\n`;

  it("records a refusal and decides nothing", () => {
    const policy = compileText(shadow(rule("trial.rm", "deny", "{ exec: { programs: [rm] } }")));
    const enforced = compileText(policyText(rule("acme.all", "allow", "{ exec: { any: true } }"), rule("acme.files", "allow", "{ file: { any: true, operations: [change] } }")));
    const both = { ...policy, rules: [...policy.rules, ...enforced.rules], compiledFor: (places: Parameters<typeof policy.compiledFor>[0]) => [...policy.compiledFor(places), ...enforced.compiledFor(places)] };
    const decision = checkQuestion(both, command("rm a"), PLACE);
    expect([decision.effect, decision.reasons.map((reason) => reason.rule), decision.shadow?.map((reason) => [reason.rule, reason.effect])]).toEqual(["allow", ["acme.all", "acme.files"], [["trial.rm", "deny"]]]);
    expect(checkQuestion(both, command("touch a"), PLACE).shadow).toBeUndefined();
  });

  it("allows nothing either", () => {
    const policy = compileText(shadow(rule("trial.all", "allow", "{ exec: { any: true } }")));
    expect(checkQuestion(policy, command("true"), PLACE)).toMatchObject({ effect: "deny", reasons: [{ rule: "default-deny" }] });
  });
});
