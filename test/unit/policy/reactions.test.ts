// Reactions in a policy file: what is refused and where, whose count, and that they only ever make a decision stricter.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePolicy, decide, NO_HISTORY, policyData, policyFromData, REACTIONS, type Reacted } from "../../../src/core/policy/index.js";
import type { Action } from "../../../src/core/action/action.js";
import { compileText, CONTEXT, file, hash, issuesOf, policyText, rule } from "./support.js";

const GOOD = rule("acme.read", "allow", "{ file: { operations: [read], any: true } }");
const text = (...reactions: readonly string[]): string => `${policyText(GOOD)}reactions:\n${reactions.map((one) => `  - ${one}\n`).join("")}`;
const one = (changes: string): string => `{ id: acme.enough, do: pause, message: m, when: [{ aivss: 9.4 }]${changes} }`;

describe("a reaction", () => {
  it("is read with what it leaves out", () => {
    const { reactions } = compileText(text("{ id: acme.b, do: stop, layer: L5, threats: [\"asi-2026:ASI10\"], message: m, when: [{ findings: { severity: medium, count: 50 } }, { lost: [no-network] }] }", "{ id: acme.a, do: ask, message: m, when: [{ aivss: 9.4 }] }"));
    expect(reactions?.map(({ at: _at, ...rest }) => rest)).toEqual([
      { id: "acme.a", kind: "ask", layer: null, threats: [], message: "m", when: [{ on: "score", from: "9.4" }] },
      { id: "acme.b", kind: "stop", layer: "L5", threats: ["asi-2026:ASI10"], message: "m", when: [{ on: "findings", rules: [], threats: [], severity: "medium", outcome: "blocked", count: 50 }, { on: "lost", controls: ["no-network"] }] },
    ]);
  });

  it.each([
    ["no known action", "{ id: acme.a, do: halt, message: m, when: [{ aivss: 9 }] }", "POLICY_SCHEMA"],
    ["an unknown key", "{ id: acme.a, do: stop, message: m, wehn: [], when: [{ aivss: 9 }] }", "POLICY_UNKNOWN_KEY"],
    ["no condition", "{ id: acme.a, do: stop, message: m, when: [] }", "POLICY_SCHEMA"],
    ["two conditions in one", "{ id: acme.a, do: stop, message: m, when: [{ aivss: 9, lost: [no-network] }] }", "POLICY_RULE"],
    ["an empty condition", "{ id: acme.a, do: stop, message: m, when: [{ findings: {} }] }", "POLICY_RULE"],
    ["a score past ten", "{ id: acme.a, do: stop, message: m, when: [{ aivss: 11 }] }", "POLICY_SCHEMA"],
    ["a score with two decimals", "{ id: acme.a, do: stop, message: m, when: [{ aivss: 9.45 }] }", "POLICY_SCHEMA"],
    ["a threat of no catalogue", "{ id: acme.a, do: stop, message: m, threats: [maestro:L7/nothing], when: [{ aivss: 9 }] }", "POLICY_THREAT"],
    ["a reserved name", "{ id: workspace.a, do: stop, message: m, when: [{ aivss: 9 }] }", "POLICY_RULE"],
    ["the name of a rule", "{ id: acme.read, do: stop, message: m, when: [{ aivss: 9 }] }", "POLICY_DUPLICATE_ID"],
  ])("with %s is an error with its place", (_what, reaction, code) => {
    const [issue] = issuesOf(text(reaction));
    expect(issue).toMatchObject({ code, at: { file: "acme.policy.yaml" } });
    expect(issue?.at?.line).toBeGreaterThan(8);
  });

  it("counts in the digest, and comes back from data", () => {
    const [plain, with94, with93] = [policyText(GOOD), text(one("")), text(one("").replace("9.4", "9.3"))].map((source) => compileText(source));
    expect(new Set([plain?.digest, with94?.digest, with93?.digest]).size).toBe(3);
    if (with94 === undefined) throw new Error("no policy");
    expect(policyFromData(JSON.parse(JSON.stringify(policyData(with94))) as ReturnType<typeof policyData>).reactions).toEqual(with94.reactions);
  });

  it("of a workspace counts, and says so in our words", () => {
    const compiled = compilePolicy([{ name: "base", text: policyText(GOOD) }, { name: "w", text: text(one("")).replace("id: acme\n", "id: theirs\n").replace("acme.read", "acme.other"), tier: "workspace" }], { hash, examples: "skip" });
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
    expect(compiled.value.reactions).toMatchObject([{ id: "workspace.acme-enough", kind: "pause", message: "the workspace's own policy asks for this" }]);
  });
});

describe("a session that has reacted", () => {
  const RANK = { allow: 0, ask: 1, deny: 2 };
  const policy = compileText(policyText(GOOD, rule("acme.write", "allow", "{ file: { operations: [change], paths: [\"./**\"] } }"), rule("acme.no", "deny", "{ file: { operations: [change], paths: [\"./no/**\"] } }")));
  const reacted = fc.array(fc.constantFrom(...REACTIONS), { maxLength: 4 }).map((kinds) => kinds.map((kind, index): Reacted => ({ reaction: `acme.r${index}`, kind, message: "m", layer: null, threats: [] })));
  const operation = fc.constantFrom("read" as const, "write" as const, "create" as const, "delete" as const);
  const path = fc.constantFrom("/workspace/a", "/workspace/no/a", "/etc/hosts", "/tmp/x");

  it("never decides more mildly, and asks for exactly what its reactions are about", () => {
    fc.assert(
      fc.property(reacted, operation, path, (reactions, op, at) => {
        const action: Action = { kind: "command", form: { shell: "x" }, cwd: "/workspace", timeoutMs: null, effects: [file(op, at)] };
        const [before, after] = [decide(policy, action, CONTEXT), decide(policy, action, { ...CONTEXT, history: { ...NO_HISTORY, reacted: reactions } })];
        expect(RANK[after.effect]).toBeGreaterThanOrEqual(RANK[before.effect]);
        const isChange = op !== "read" && at.startsWith("/workspace");
        const asks = reactions.some(({ kind }) => kind === "ask" || (kind === "ask-writes" && isChange));
        expect(after.effect).toBe(before.effect === "allow" && asks ? "ask" : before.effect);
      }),
      { numRuns: 200, seed: 9 },
    );
  });
});
