// A session's state as a function of its events, and of nothing else.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callsInDoubt, openCalls, reduceSession, sessionState, type SessionState } from "../../../src/core/session/index.js";
import { anyDraft, closedCall, decided, differences, fileEntry, finding, finished, opening, OPENED, placed, received, reconciled, started } from "./events.js";

const RUNS = 150 * (process.env["RINGFENCE_SOAK"] === "1" ? 20 : 1);

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) frozen(member);
  }
  return value;
}

describe("the state of a session", () => {
  it("is nothing before the opening, whatever comes", () => {
    expect(sessionState([])).toBeNull();
    expect(sessionState(placed([received("call_0001"), started("call_0001")]))).toBeNull();
  });

  it("after the opening is an open session without calls", () => {
    const events = placed([opening]);
    expect(sessionState(events)).toEqual({ id: "ses_made01", opened: OPENED, openedAt: events[0]?.time, closed: null, closedAt: null, calls: [], risk: null, applied: [], discarded: false, undone: null, processes: [], paused: null, events: 1 });
  });

  it("follows a call step by step", () => {
    const id = "call_0001";
    const change = differences(new Map(), new Map([["a", fileEntry("x")]]));
    const steps = [received(id), decided(id, "ask"), { call: id, type: "approval.requested", data: { actionDigest: "sha256:1", policyDigest: "sha256:2", summary: "s", rules: ["r"] } } as const];
    const answer = { actionDigest: "sha256:1", outcome: "approved", by: "me", detail: null } as const;
    const events = placed([opening, ...steps, { call: id, type: "approval.resolved", data: answer }, started(id), finished(id, 3), reconciled(id, change, [finding("b", true)]), closedCall(id, "failed")]);
    const status = events.map((_event, index) => sessionState(events.slice(0, index + 1))?.calls[0]?.status ?? "none");
    expect(status).toEqual(["none", "received", "decided", "awaiting-approval", "awaiting-approval", "executing", "finished", "finished", "closed"]);
    expect(sessionState(events)?.calls).toEqual([
      {
        id,
        label: "label of call_0001",
        tool: "bash",
        role: "bugfixer",
        arguments: { command: "ls" },
        status: "closed",
        summary: "summary of call_0001",
        effect: "ask",
        reasons: [],
        approval: answer,
        execution: finished(id, 3).data,
        changes: change,
        findings: [finding("b", true)],
        outcome: "failed",
      },
    ]);
  });

  it("joins the changes and findings of one call that were recorded in pieces", () => {
    const changes = differences(new Map(), new Map([["a", fileEntry("x")], ["b", fileEntry("y")]]));
    const events = placed([opening, received("call_0001"), reconciled("call_0001", changes.slice(0, 1), [finding("a", true)]), reconciled("call_0001", changes.slice(1), [finding("b", false)])]);
    expect(sessionState(events)?.calls[0]).toMatchObject({ changes, findings: [finding("a", true), finding("b", false)] });
  });

  it("tells which calls are open, and which were started and not seen to end", () => {
    const events = placed([
      opening,
      received("call_0001"),
      closedCall("call_0001", "denied"),
      received("call_0002"),
      started("call_0002"),
      received("call_0003"),
      started("call_0003"),
      closedCall("call_0003", "in-doubt"),
      received("call_0004" as "call_0001"),
    ]);
    const state = sessionState(events) as SessionState;
    expect(openCalls(state).map(({ id }) => id)).toEqual(["call_0002", "call_0004"]);
    expect(callsInDoubt(state).map(({ id }) => id)).toEqual(["call_0002", "call_0003"]);
  });

  it("is the same taken event by event and as a whole, and never changes what it was given", () => {
    fc.assert(
      fc.property(fc.array(anyDraft, { maxLength: 30 }), fc.nat(), (drafts, at) => {
        const events = frozen(placed([opening, ...drafts]));
        const whole = sessionState(events);
        let state: SessionState | null = null;
        for (const [index, event] of events.entries()) {
          const next = reduceSession(frozen(state), event);
          if (index === at % events.length) expect(next).toEqual(sessionState(events.slice(0, index + 1)));
          state = next;
        }
        expect(state).toEqual(whole);
      }),
      { numRuns: RUNS },
    );
  });

  it("keeps who opened it: a second opening and events of unknown calls change nothing of it", () => {
    fc.assert(
      fc.property(fc.array(anyDraft, { maxLength: 30 }), (drafts) => {
        const state = sessionState(placed([opening, ...drafts]));
        expect(state?.opened).toEqual(OPENED);
        const ids = drafts.flatMap((draft) => (draft.type === "call.received" ? [draft.call] : []));
        expect(state?.calls.map(({ id }) => id)).toEqual(ids);
      }),
      { numRuns: RUNS },
    );
  });

  it("does not depend on the order of events of different calls", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }), (turns) => {
        const flow = (id: "call_0001" | "call_0002") => [decided(id), started(id), finished(id), reconciled(id, []), closedCall(id, "completed")];
        const [first, second] = [flow("call_0001"), flow("call_0002")];
        const mixed = turns.map((turn) => (turn ? first.shift() : second.shift())).filter((draft) => draft !== undefined);
        const calls = (drafts: readonly (typeof mixed)[number][]) => sessionState(placed([opening, received("call_0001"), received("call_0002"), ...drafts]))?.calls;
        expect(calls([...mixed, ...first, ...second])).toEqual(calls([...flow("call_0001"), ...flow("call_0002")]));
      }),
      { numRuns: RUNS },
    );
  });
});
