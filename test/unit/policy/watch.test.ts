// Files in watch and in shadow mode: noted, never refused and never held; only of what runs, only of what is certain.

import { describe, expect, it } from "vitest";
import { denyGuards } from "../../../src/core/policy/enforce-guards.js";
import { checkLine, compilePolicy, decideEffects, noteSaid, type PolicySet } from "../../../src/core/policy/index.js";
import { compileText, CONTEXT, file, hash, policyText, rule } from "./support.js";

const ALLOW = [rule("acme.read", "allow", "{ file: { operations: [read], any: true } }"), rule("acme.exec", "allow", "{ exec: { any: true } }"), rule("acme.code", "allow", "{ code: { any: true } }")];
const DENY = rule("acme.no-key", "deny", "{ file: { paths: [\"/etc/key/**\"] } }", "risk: { severity: high }");
const watched = (mode: string): PolicySet => {
  const text = policyText(rule("look.etc", "ask", "{ file: { paths: [\"/etc/**\"] } }", "risk: { severity: low }")).replace("id: acme\n", `id: look\nmode: ${mode}\n`);
  const set = compilePolicy([{ name: "a", text: policyText(...ALLOW, DENY) }, { name: "b", text }], { hash, examples: "skip" });
  if (!set.ok) throw new Error("no policy");
  return set.value;
};

describe("watch mode", () => {
  const policy = watched("watch");
  const judge = (command: string, set: PolicySet = policy): ReturnType<typeof checkLine> => checkLine(set, { id: "1", command }, { role: null, root: "/workspace", home: "/home/agent", containment: "attested" });

  it("notes what it matches, and refuses and asks nothing", () => {
    const decision = decideEffects(policy, [file("read", "/etc/hosts")], CONTEXT);
    expect([decision.effect, decision.noted?.map((one) => [one.rule, one.subject]), decision.shadow]).toEqual(["allow", [["look.etc", "read /etc/hosts"]], undefined]);
    expect(judge("cat /etc/hosts")).toMatchObject({ decision: { effect: "allow", noted: [{ rule: "look.etc" }] } });
    expect(decideEffects(watched("shadow"), [file("read", "/etc/hosts")], CONTEXT)).toMatchObject({ effect: "allow", shadow: [{ rule: "look.etc" }] });
    expect(decideEffects(watched("shadow"), [file("read", "/etc/hosts")], CONTEXT).noted).toBeUndefined();
  });

  it("says nothing of what is refused, of what lies below, and of what may be anywhere", () => {
    expect(decideEffects(policy, [file("read", "/etc/key/a")], CONTEXT)).toMatchObject({ effect: "deny" });
    expect(decideEffects(policy, [file("read", "/etc/key/a")], CONTEXT).noted).toBeUndefined();
    for (const effect of [file("read", "/", { recursive: true }), file("read", "/**", { certainty: "pattern" }), file("read", "/e*/x", { certainty: "pattern" })]) expect(decideEffects(policy, [effect], CONTEXT).noted).toBeUndefined();
    expect(decideEffects(policy, [file("read", "/etc/*.conf", { certainty: "pattern" })], CONTEXT).noted).toHaveLength(1);
  });

  it("notes what code says that other rules refuse, and never changes the decision", () => {
    const runs = decideEffects(policy, [{ kind: "runs-code", source: "inline", program: "python3", code: "", upstream: [], from: "" }], CONTEXT);
    const noted = noteSaid(policy, runs, [file("read", "/etc/key/a", { by: "code" }), file("read", "/etc/hosts", { by: "code" }), file("write", "/nowhere", { by: "code" }), { kind: "opaque-text", why: "x", from: "" }], CONTEXT);
    expect([noted.effect, noted.reasons, noted.noted?.map((one) => one.rule)]).toEqual(["allow", runs.reasons, ["acme.no-key", "look.etc"]]);
    const refused = decideEffects(policy, [file("read", "/etc/key/a")], CONTEXT);
    expect(noteSaid(policy, refused, [file("read", "/etc/hosts")], CONTEXT)).toBe(refused);
    expect(noteSaid(policy, runs, [file("read", "src/a.js")], CONTEXT)).toBe(runs);
  });
});

describe("a deny rule in shadow mode", () => {
  it("holds nothing: no mount and no mask is made for it", () => {
    const enforced = compileText(policyText(DENY));
    const shadow = compileText(policyText(DENY).replace("id: acme\n", "id: acme\nmode: shadow\n"));
    expect([denyGuards(enforced, CONTEXT).length, denyGuards(shadow, CONTEXT).length]).toEqual([1, 0]);
  });
});
