// Records judged again: the same policy says the same, another says otherwise where it must, and unknown is never allowed.

import { describe, expect, it } from "vitest";
import { sha256 } from "../../../src/adapters/system/hasher.js";
import { compilePolicy, type PolicySet } from "../../../src/core/policy/index.js";
import { createSummariser, redecide, timelineOf, verdictOf, type RedecideOptions } from "../../../src/core/replay/index.js";
import type { EventDraft } from "../../../src/core/session/index.js";
import type { JsonObject } from "../../../src/core/shared/index.js";
import { OPENED, placed } from "../session/events.js";

const digest = `sha256:${"0".repeat(64)}` as const;

function policy(rules: string): PolicySet {
  const text = `version: 1\nid: t\ntitle: T\nrules:\n  - { id: t.all, effect: allow, layer: L3, threats: ["maestro:L7/agent-tool-misuse"], message: m, when: [{ exec: { any: true } }, { file: { operations: [read, write, create, delete, metadata], paths: ["**", "/**"] } }, { code: { sources: [file, inline, stdin, project, program] } }, { environment: { any: true } }], match: [{ command: ls }], notMatch: [] }\n${rules}`;
  const compiled = compilePolicy([{ name: "t.policy.yaml", text }], { hash: sha256, examples: "skip" });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
  return compiled.value;
}

const OPEN = policy("");
const NO_RM = policy('  - { id: t.rm, effect: deny, layer: L3, threats: ["maestro:L7/agent-tool-misuse"], message: no deleting, when: [{ file: { operations: [delete], paths: ["**"] } }], match: [{ command: rm a }], notMatch: [] }\n');
const ASK_RM = policy('  - { id: t.rm, effect: ask, layer: L3, threats: ["maestro:L7/agent-tool-misuse"], message: ask, when: [{ file: { operations: [delete], paths: ["**"] } }], match: [{ command: rm a }], notMatch: [] }\n');

function call(id: number, values: JsonObject, effect: "allow" | "ask" | "deny", more: Partial<Extract<EventDraft, { type: "call.received" }>["data"]> = {}): readonly EventDraft[] {
  const name = `call_${String(id).padStart(4, "0")}` as const;
  const reasons = effect === "allow" ? [] : [{ rule: "old.rule", effect, layer: null, threats: [], message: "m", allowed: null, subject: "s", at: null, risk: null }];
  return [
    { call: name, type: "call.received", data: { label: String(id), role: null, tool: "bash", arguments: values, argumentsDigest: digest, ...more } },
    { call: name, type: "decision.made", data: { action: { kind: "command", summary: `summary ${id}`, cwd: "/workspace", effects: 1 }, actionDigest: digest, effect, reasons, obligations: [], guidance: null, policyDigest: digest } },
    { call: name, type: "call.closed", data: { outcome: effect === "allow" ? "completed" : "denied", exitCode: 0, observationDigest: null } },
  ];
}

const opened: EventDraft = { call: null, type: "session.opened", data: OPENED };
const options = (set: PolicySet, rest: Partial<RedecideOptions> = {}): RedecideOptions => ({ policy: set, baseline: null, home: "/home/agent", containmentOf: () => "attested", argumentsOf: () => null, ...rest });
const verdicts = (drafts: readonly EventDraft[], given: RedecideOptions): readonly string[] => redecide(placed(drafts), given).map(({ before, after, why }) => `${before}→${after}${why === null ? "" : `: ${why}`}`);

describe("redecide", () => {
  const session = [opened, ...call(1, { command: "ls" }, "allow"), ...call(2, { command: "rm a" }, "allow"), ...call(3, { command: "rm b" }, "deny")];

  it("compares with what was recorded, or with a baseline", () => {
    expect(verdicts(session, options(NO_RM))).toEqual(["allow→allow", "allow→deny", "deny→deny"]);
    expect(verdicts(session, options(OPEN))).toEqual(["allow→allow", "allow→allow", "deny→allow"]);
    expect(verdicts(session, options(ASK_RM, { baseline: NO_RM }))).toEqual(["allow→allow", "deny→ask", "deny→ask"]);
    expect(redecide(placed(session.slice(1)), options(OPEN))).toEqual([]);
  });

  it("what is not on record is unknown where it would be allowed, and refused where that can be told", () => {
    const partial = [opened, ...call(1, { command: "echo [redacted:token:12345678]" }, "allow"), ...call(2, { command: "rm x [redacted:token:12345678]" }, "allow"), ...call(3, {}, "allow", { argumentsBlob: digest }), ...call(4, { command: "bash run.sh" }, "allow")];
    expect(verdicts(partial, options(NO_RM))).toEqual(["allow→unknown: a secret was taken out of its arguments", "allow→deny", "allow→unknown: its arguments are not on record", "allow→unknown: it runs /workspace/run.sh, whose text is not on record"]);
    expect(verdicts(partial, options(NO_RM, { argumentsOf: () => ({ command: "rm y" }) }))[2]).toBe("allow→deny");
  });

  it("a test that the harness ran is the command it ran, at the root; a tool of an agent that has its name is not", () => {
    const harness = { tool: "harness", role: "harness", label: "base" } as const;
    const run = (id: number, command: string): readonly EventDraft[] => call(id, { run: command, edits: [] }, "allow", harness);
    expect(verdicts([opened, ...call(1, { command: "cd /tmp" }, "allow"), ...run(2, "npm test"), ...run(3, "rm a")], options(NO_RM))).toEqual(["allow→allow", "allow→allow", "allow→deny"]);
    const agents = call(1, { run: "ls", edits: [] }, "deny", { tool: "harness" }).map((draft) => (draft.type === "decision.made" ? { ...draft, data: { ...draft.data, action: { ...draft.data.action, kind: "opaque" } } } : draft));
    expect(verdicts([opened, ...agents], options(OPEN))).toEqual(["deny→deny"]);
  });

  it("a text that could not be read for half a character in it is not what the record has in its place", () => {
    const opaque = call(1, { command: "ls a\ufffd" }, "deny").map((draft) => (draft.type === "decision.made" ? { ...draft, data: { ...draft.data, action: { ...draft.data.action, kind: "opaque" } } } : draft));
    const whole = call(2, { command: "ls a\ufffd" }, "allow");
    expect(verdicts([opened, ...opaque, ...whole], options(OPEN))).toEqual(["deny→unknown: it held half a character, for which the record has another", "allow→allow"]);
    const same = placed([opened, ...opaque]).map((event) => (event.type === "decision.made" ? { ...event, data: { ...event.data, policyDigest: OPEN.digest } } : event));
    expect(redecide(same, options(OPEN)).map(({ after }) => after)).toEqual(["deny"]);
  });

  it("the very policy that was asked says the same, whatever it saw", () => {
    const same = placed([opened, ...call(1, { command: "bash run.sh" }, "allow"), ...call(2, { command: "bash run.sh" }, "ask")]).map((event) => (event.type === "decision.made" ? { ...event, data: { ...event.data, policyDigest: OPEN.digest } } : event));
    expect(redecide(same, options(OPEN)).map(({ after }) => after)).toEqual(["allow", "ask"]);
  });

  it("answers that no codec could read stay refused, thoughts are left out", () => {
    const unreadable = call(1, { error: "X" }, "deny").map((draft) => (draft.type === "decision.made" ? { ...draft, data: { ...draft.data, reasons: draft.data.reasons.map((reason) => ({ ...reason, rule: "format.unreadable" })) } } : draft));
    const thought: readonly EventDraft[] = [{ call: "call_0002", type: "call.received", data: { label: "2", role: null, tool: "think", arguments: { thought: "x" }, argumentsDigest: digest } }, { call: "call_0002", type: "call.closed", data: { outcome: "completed", exitCode: null, observationDigest: null } }];
    expect(verdicts([opened, ...unreadable, ...thought], options(OPEN))).toEqual(["deny→deny"]);
  });

  it("sums up over sessions: from what to what, by rule, looser and stricter apart from unknown", () => {
    const summariser = createSummariser(1);
    for (let round = 0; round < 3; round += 1) summariser.add(redecide(placed(session), options(NO_RM)));
    summariser.add(redecide(placed([opened, ...call(1, { command: "bash x.sh" }, "deny")]), options(OPEN)));
    const { sessions, calls, matrix, stricter, looser, unknown, rules, changes, more } = summariser.result();
    expect([sessions, calls, matrix.allow, matrix.deny, stricter, looser, unknown, changes.length, more]).toEqual([4, 10, { allow: 3, ask: 0, deny: 3, unknown: 0 }, { allow: 0, ask: 0, deny: 3, unknown: 1 }, 3, 0, 1, 1, 3]);
    expect(rules).toMatchObject([{ rule: "t.rm", effect: "deny", calls: 6, sessions: 1, changed: 3 }]);
  });
});

describe("the timeline of a session", () => {
  it("gives each call its decision and the score before and after it", () => {
    const risk = (score: string): EventDraft => ({ call: "call_0002", type: "risk.updated", data: { formula: "f", score, band: "High", peak: score, cause: 1, reasons: [], detail: {} } });
    const first: EventDraft = { ...(risk("5.0") as Extract<EventDraft, { type: "risk.updated" }>), call: null };
    const [one = [], two = []] = [call(1, { command: "ls" }, "allow"), call(2, { command: "rm -rf /" }, "deny")];
    const timeline = timelineOf(placed([opened, first, ...one, ...two.slice(0, 2), risk("6.0"), ...two.slice(2)]));
    expect(timeline?.steps.map((step) => [step.number, verdictOf(step), step.before?.score, step.after?.score, step.isFinding])).toEqual([[1, "allow", "5.0", "5.0", false], [2, "deny", "5.0", "6.0", true]]);
    expect(timelineOf([])).toBeNull();
  });
});
