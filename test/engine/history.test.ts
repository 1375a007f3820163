// Budgets and sequences in a session: held before a call, looked at after it, and the same when the record is read again.

import { describe, expect, it } from "vitest";
import { normalise, type Action } from "../../src/core/action/index.js";
import { evaluateArgv, evaluateShell, simpleWords } from "../../src/core/shell/index.js";
import { decide } from "../../src/core/policy/index.js";
import { sessionHistory, type AuditEvent } from "../../src/core/session/index.js";
import type { MemoryTree } from "../../src/adapters/memory/workspace.js";
import { compileWith } from "../support/policy.js";
import { bash, create, createRig, never, only, type Rig, type RigOptions } from "../support/rig.js";

const rule = (id: string, effect: "ask" | "deny", when: string, example: string): string => `
  - id: own.${id}
    effect: ${effect}
    layer: L3
    threats: ["maestro:L3/denial-of-service"]
    message: ${id}
    risk: { severity: medium }
    when: [${when}]
    match: [${example}]
`;

function rigWith(rules: readonly string[], options: RigOptions = {}): Rig {
  return createRig({ policy: compileWith(`version: 1\nid: own\ntitle: budgets\nrules:${rules.join("")}`), programs: { ls: {}, "deploy now": {}, ...options.programs }, ...options });
}

const writes = (paths: readonly string[], content = "x") => ({ changes: (tree: MemoryTree) => paths.forEach((path) => tree.set(path, { kind: "file" as const, content })) });

describe("a budget", () => {
  it("of calls refuses the one after the last, and says so to the model", async () => {
    const rig = rigWith([rule("calls", "deny", "{ budget: { calls: 2 } }", "{ command: ls, spent: { calls: 2 } }")]);
    const session = await rig.open();
    const outcomes = [];
    for (const command of ["ls", "deploy now", "ls"]) outcomes.push(await session.call(bash(command), {}, never));
    expect(outcomes.map((one) => one.outcome)).toEqual(["completed", "rejected", "denied"]);
    expect(outcomes[2]?.message).toContain("own.calls [maestro:L3/denial-of-service]: calls (3 calls in one session, of at most 2)");
  });

  it("of time ends the call that would pass it, is a finding, and refuses the next", async () => {
    const rig = rigWith([rule("time", "deny", "{ budget: { seconds: 0.02 } }", "{ command: ls, spent: { seconds: 1 } }")], { programs: { "python3 slow.py": { runsForever: true }, ls: {} } });
    const session = await rig.open();
    const slow = await session.call(bash("python3 slow.py"), {}, never);
    expect(slow).toMatchObject({ ended: "timeout", outcome: "failed" });
    expect(slow.message).toContain("time limit of 20 ms");
    expect((await session.call(bash("ls"), {}, never)).outcome).toBe("denied");
  });

  it("of one call undoes the changes of a call that passes it, and tells which rule", async () => {
    const rig = rigWith([rule("few", "deny", "{ budget: { per: call, filesChanged: 2 } }", "{ command: ls, spent: { filesChanged: 3 } }")], { programs: { "python3 two.py": writes(["a", "b"]), "python3 three.py": writes(["c", "d", "e"]) } });
    const session = await rig.open();
    expect(await session.call(bash("python3 two.py"), {}, never)).toMatchObject({ outcome: "completed", findings: [] });
    const over = await session.call(bash("python3 three.py"), {}, never);
    expect(over).toMatchObject({ outcome: "reverted", changes: [] });
    expect(over.findings.map((finding) => [finding.rule, finding.path, finding.reverted])).toEqual([["own.few", "c", true], ["own.few", "d", true], ["own.few", "e", true]]);
    expect([rig.content(session, "a"), rig.content(session, "c")]).toEqual(["x", null]);
  });

  it("of a session that a call passes is a finding of that call, and refuses the next", async () => {
    const rig = rigWith([rule("bytes", "deny", "{ budget: { bytesWritten: 10 } }", "{ command: ls, spent: { bytesWritten: 11 } }")], { programs: { "python3 big.py": writes(["big"], "x".repeat(50)), ls: {} } });
    const session = await rig.open();
    const passed = await session.call(bash("python3 big.py"), {}, never);
    expect(passed.findings).toMatchObject([{ rule: "own.bytes", path: "", reverted: false, message: "bytes: 50 bytes written in one session, of at most 10" }]);
    expect(passed.message).toContain("own.bytes [maestro:L3/denial-of-service]: bytes: 50 bytes written in one session, of at most 10");
    expect(rig.content(session, "big")).toBe("x".repeat(50));
    expect((await session.call(bash("ls"), {}, never)).outcome).toBe("denied");
    expect(rig.sandboxes.opened[0]?.requests.map((request) => request.addedBytes)).toEqual([10]);
  });
});

describe("a sequence", () => {
  const LEAK = rule("leak", "deny", "{ sequence: { after: [{ file: { operations: [read], paths: [./src/**] } }], then: { exec: { programs: [send] } } } }", "{ command: send, before: [{ read: src/a.js }] }");

  it("is refused once its beginning ran, and its beginning counts only when it ran", async () => {
    const rig = rigWith([LEAK], { programs: { send: {}, "cat src/a.js": {}, "cat src/a.js; deploy now": {} } });
    const session = await rig.open();
    const outcomes = [];
    for (const command of ["send", "cat src/a.js; deploy now", "send", "cat src/a.js", "send"]) outcomes.push((await session.call(bash(command), {}, never)).outcome);
    expect(outcomes).toEqual(["completed", "rejected", "completed", "completed", "denied"]);
  });

  it("about the same file follows what was seen to change", async () => {
    const own = rule("own", "deny", "{ sequence: { after: [{ file: { operations: [change], any: true } }], then: { code: { sources: [file] } }, same: true } }", "{ command: sh x.sh, before: [{ write: x.sh }] }");
    const rig = rigWith([own], { files: { "old.py": "1" }, programs: { "python3 old.py": {}, "./gen": writes(["hidden/new.py"]), "python3 hidden/new.py": {} } });
    const session = await rig.open();
    const outcomes = [];
    for (const command of ["python3 old.py", "./gen", "python3 hidden/new.py", "python3 old.py"]) outcomes.push((await session.call(bash(command), {}, never)).outcome);
    expect(outcomes).toEqual(["completed", "completed", "denied", "completed"]);
  });
});

describe("refusals in a row", () => {
  it("lead to a question, and end when a call ran", async () => {
    const rig = rigWith([rule("row", "ask", "{ refusals: { inRow: 2 } }", "{ command: ls, refused: [L2.x, L2.x] }")], { answers: ["approved"] });
    const session = await rig.open();
    const outcomes = [];
    for (const call of [create(".git/config", "x"), create(".git/config", "x"), bash("ls"), bash("ls")]) outcomes.push((await session.call(call, {}, never)).outcome);
    expect(outcomes).toEqual(["denied", "denied", "completed", "completed"]);
  });
});

describe("the record", () => {
  it("alone gives every decision of a session again", async () => {
    const rules = [rule("calls", "deny", "{ budget: { calls: 6, filesChanged: 2 } }", "{ command: ls, spent: { calls: 6 } }"), rule("leak", "ask", "{ sequence: { after: [{ exec: { programs: [ls] } }], then: { exec: { programs: [send] } } } }", "{ command: send, before: [{ command: ls }] }")];
    const rig = rigWith(rules, { programs: { ls: {}, send: {}, "python3 two.py": writes(["a", "b"]) }, answers: ["approved"] });
    const session = await rig.open();
    for (const call of [bash("send"), bash("ls"), bash("send"), bash("send"), bash("python3 two.py"), create("c.txt", "x"), bash("ls")]) await session.call(call, {}, never);
    const events = await rig.events(session);
    const made = events.filter((event) => event.type === "decision.made");
    expect(made.map((event) => (event as Extract<AuditEvent, { type: "decision.made" }>).data.effect)).toEqual(["allow", "allow", "ask", "ask", "allow", "deny", "deny"]);
    for (const [index, event] of events.entries()) {
      if (event.type !== "call.received") continue;
      const decided = events.slice(index).find((one): one is Extract<AuditEvent, { type: "decision.made" }> => one.type === "decision.made" && one.call === event.call);
      const again = decide(rig.options.policy, actionOf(event), { role: null, root: "/workspace", cwd: "/workspace", home: "/home/agent", containment: "attested", history: sessionHistory(events.slice(0, index)) });
      expect([event.data.label, again.effect, again.reasons.map((reason) => reason.subject), again.marks]).toEqual([event.data.label, decided?.data.effect, decided?.data.reasons.map((reason) => reason.subject), decided?.data.marks]);
    }
    expect(only(events, "session.opened").policy.digest).toBe(rig.options.policy.digest);
  });
});

function actionOf({ data }: Extract<AuditEvent, { type: "call.received" }>): Action {
  const places = { root: "/workspace", home: "/home/agent", cwd: "/workspace" };
  const context = { ...places, environment: new Map<string, string>() };
  return normalise({ id: data.label, role: data.role, tool: data.tool, arguments: data.arguments }, { ...places, split: simpleWords, evaluate: { shell: (text) => evaluateShell(text, context).effects, argv: (words) => evaluateArgv(words, context).effects } });
}
