// The score of a session is a function of its record: live, at every recorded step, and replayed from the events.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { initialRisk, KIMI_DEV, reduceRisk, replayRisk, riskEvent, riskSummary } from "../../src/core/risk/index.js";
import type { AuditEvent } from "../../src/core/session/index.js";
import type { MemoryTree } from "../../src/adapters/memory/workspace.js";
import { scoreBatch } from "../../src/engine/score-batch.js";
import { bash, create, createRig, never, toolCall } from "../support/rig.js";

const RUNS = 40 * (process.env["RINGFENCE_SOAK"] === "1" ? 20 : 1);

const programs = {
  ls: {},
  "python3 fails.py": { exitCode: 3 },
  "python3 leaves.py": { killed: 2 },
  slow: { runsForever: true },
  "deploy now": {},
  "python3 hooks.py": { changes: (tree: MemoryTree) => tree.set(".git/hooks/pre-commit", { kind: "file" as const, content: "x" }) },
  "python3 protected.py": { changes: (tree: MemoryTree) => tree.remove("protected") },
  "python3 dies.py": { breaks: "gone" },
};

const CALLS = [
  bash("ls"),
  bash("python3 fails.py"),
  bash("python3 leaves.py"),
  bash("slow"),
  bash("deploy now"),
  bash("python3 hooks.py"),
  bash("python3 protected.py"),
  create(".git/config", "x"),
  create("ci/build.yml", "x"),
  create("src/b.js", "x"),
  toolCall("nonsense", {}),
  toolCall("think", { thought: "x" }),
  bash("python3 dies.py"),
] as const;

/** Every recorded score is the replay of what lies before it, and names the event that moved it. */
function checkRecorded(events: readonly AuditEvent[]): void {
  let told: ReturnType<typeof replayRisk> | null = null;
  for (const [index, event] of events.entries()) {
    expect(event.seq).toBe(index);
    if (event.type !== "risk.updated") continue;
    const before = events.slice(0, index);
    const state = replayRisk(before, KIMI_DEV);
    // The event that last changed the score, by replay of each prefix.
    let cause = 0;
    let known = before[0]?.type === "session.opened" ? initialRisk(KIMI_DEV, before[0].data) : state;
    for (const one of before) {
      const next = reduceRisk(known, one);
      if (next.changes.length !== known.changes.length) cause = one.seq;
      known = next;
    }
    expect(event.data).toEqual(riskEvent(told, state, cause));
    expect(event.data.cause).toBeLessThan(event.seq);
    expect(event.data.reasons.length).toBeGreaterThan(0);
    told = state;
  }
}

describe("the recorded score", () => {
  it("is the replay of the record at every step, whatever the agent does", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...CALLS), { maxLength: 6 }), fc.array(fc.constantFrom("approved" as const, "rejected" as const), { maxLength: 3 }), async (calls, answers) => {
        const rig = createRig({ programs, answers, defaults: { timeoutMs: 2 } });
        const session = await rig.open();
        for (const call of calls) await session.call(call, {}, never).catch(() => null);
        await session.close("finished");
        const events = await rig.events(session);
        expect(riskSummary(session.risk())).toEqual(riskSummary(replayRisk(events, KIMI_DEV)));
        checkRecorded(events);
        const last = events.filter((event) => event.type === "risk.updated").at(-1);
        expect(last?.data.score).toBe(riskSummary(session.risk()).live.score);
      }),
      { numRuns: RUNS, seed: 7 },
    );
  });

  it("names the event that moved it, not one that was only noted on the way", async () => {
    const rig = createRig({ programs, answers: ["rejected"] });
    const session = await rig.open();
    await session.call(create("ci/build.yml", "x"), {}, never);
    await session.close("finished");
    const events = await rig.events(session);
    const causes = events.flatMap((event) => (event.type === "risk.updated" ? [events[event.data.cause]?.type] : []));
    expect(causes).toEqual(["session.opened", "decision.made", "approval.resolved"]);
  });

  it("names it also where another event of the same batch was noted after it", () => {
    const made = (call: "call_0001", effect: "deny" | "ask", risk: { readonly severity: "high"; readonly cvss: null; readonly factors: Readonly<Record<string, number>> } | null) => ({
      call,
      type: "decision.made" as const,
      data: {
        action: { kind: "command", summary: "s", cwd: null, effects: 1 },
        actionDigest: "sha256:1" as const,
        effect,
        reasons: [{ rule: `r.${effect}`, effect, layer: "L7" as const, threats: [], message: "m", allowed: null, subject: "s", at: null, risk }],
        obligations: [],
        guidance: null,
        policyDigest: "sha256:2" as const,
      },
    });
    const start = initialRisk(KIMI_DEV, { controls: [] });
    // A question without risk moves nothing, it only waits for its answer.
    const batch = scoreBatch([made("call_0001", "deny", { severity: "high", cvss: null, factors: {} }), made("call_0001", "ask", null)], { risk: start, isScored: true, nextSeq: 10 });
    expect(batch.risk.pending.size).toBe(1);
    expect(batch.drafts.map((draft) => (draft.type === "risk.updated" ? ["risk.updated", draft.data.cause] : draft.type))).toEqual(["decision.made", "decision.made", ["risk.updated", 10]]);
  });

  it("stands before the end of the call that moved it, and after an end that moves it itself", async () => {
    const rig = createRig({ programs });
    const session = await rig.open();
    await session.call(bash("python3 hooks.py"), {}, never);
    await session.call(bash("python3 dies.py"), {}, never).catch(() => null);
    await session.close("finished");
    const types = (await rig.events(session)).map(({ type }) => type);
    expect(types.slice(2)).toEqual([
      "call.received", "decision.made", "execution.started", "execution.finished", "reconciliation.done", "risk.updated", "call.closed",
      "call.received", "decision.made", "execution.started", "call.closed", "risk.updated",
      "session.closed",
    ]);
  });

  it("never falls", async () => {
    const rig = createRig({ programs, answers: ["approved", "rejected"] });
    const session = await rig.open();
    for (const call of CALLS) await session.call(call, {}, never).catch(() => null);
    await session.close("finished");
    const scores = (await rig.events(session)).flatMap((event) => (event.type === "risk.updated" ? [Number(event.data.score)] : []));
    expect(scores).toEqual([...scores].sort((a, b) => a - b));
    expect(scores.at(-1)).toBeGreaterThan(scores[0] ?? 0);
  });
});
