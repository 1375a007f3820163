// A session that is paused by hand: nothing begins, what runs is frozen, and everything that wants to end still can.

import { describe, expect, it } from "vitest";
import { sessionState } from "../../src/core/session/index.js";
import { within } from "../../src/engine/deadline.js";
import type { SessionOrder } from "../../src/ports/control.js";
import { bash, createRig, never, toolCall } from "../support/rig.js";

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe("a paused session", () => {
  it("holds the next call until it is resumed, on record with who and why", async () => {
    const rig = createRig({ pausable: true, programs: { ls: {} } });
    const session = await rig.open();
    expect([await session.pause("ann", "a look"), await session.pause("bob")]).toEqual([true, false]);
    let done = false;
    const call = session.call(bash("ls"), {}, never).finally(() => (done = true));
    await turns();
    expect([done, rig.sandboxes.opened[0]?.requests.length, sessionState(await rig.events(session))?.paused]).toEqual([false, 0, { by: "ann", reason: "a look", call: null }]);
    expect([await session.resume("bob"), await session.resume("bob")]).toEqual([true, false]);
    expect((await call).outcome).toBe("completed");
    const events = await rig.events(session);
    expect(events.map(({ type }) => type).filter((type) => type.startsWith("session."))).toEqual(["session.opened", "session.paused", "session.resumed"]);
    expect(sessionState(events)?.paused).toBeNull();
    expect(rig.sandboxes.opened[0]?.pauses).toEqual(["resume"]);
  });

  it("freezes the call that runs, and the processes beside it; that call can be given up", async () => {
    const rig = createRig({ pausable: true, programs: { "sleep 100": { runsForever: true } }, processes: () => ({}) });
    const session = await rig.open();
    await session.call(toolCall("process", { op: "open", name: "p", argv: ["x"], wait_ms: 0 }), {}, never);
    const abort = new AbortController();
    const call = session.call(bash("sleep 100"), {}, abort.signal);
    await turns();
    expect(await session.pause("ann")).toBe(true);
    const [sandbox] = rig.sandboxes.opened;
    expect([sandbox?.pauses, sandbox?.processes[0]?.isFrozen()]).toEqual([["pause"], true]);
    await session.resume("ann");
    expect(sandbox?.processes[0]?.isFrozen()).toBe(false);
    await session.pause("ann");
    abort.abort();
    expect((await call).outcome).toBe("cancelled");
    expect(sandbox?.pauses).toEqual(["pause", "resume", "pause", "resume"]);
    const paused = (await rig.events(session)).flatMap((event) => (event.type === "session.paused" ? [event.data.call] : []));
    expect(paused).toEqual(["call_0002", "call_0002"]);
  });

  it("ends all the same, and is not paused after its end", async () => {
    const rig = createRig({ pausable: true, programs: { ls: {} } });
    const session = await rig.open();
    await session.pause("ann");
    const call = session.call(bash("ls"), {}, never).catch((error: unknown) => error);
    await session.close("cancelled");
    await call;
    expect((await rig.events(session)).at(-1)?.type).toBe("session.closed");
    expect(await session.pause("ann")).toBe(false);
  });

  it("is ended where it cannot be frozen", async () => {
    const rig = createRig({ pausable: true, programs: { "sleep 100": { runsForever: true } } });
    const session = await rig.open();
    const call = session.call(bash("sleep 100"), {}, never).catch((error: unknown) => error);
    await turns();
    rig.faults.order("sandbox.pause", { kind: "throw" });
    await expect(session.pause("ann")).rejects.toMatchObject({ code: "SANDBOX_FAILED" });
    expect(session.isBroken()).toBe(true);
    expect(await call).toMatchObject({ code: "SANDBOX_BROKEN" });
  });

  it("takes orders of other processes, and none after its end", async () => {
    const rig = createRig({ pausable: true });
    const told: { take: ((order: SessionOrder) => void) | null; deaf: boolean } = { take: null, deaf: false };
    const control = { listen: (_id: string, take: NonNullable<typeof told.take>) => ((told.take = take), () => void (told.deaf = true)), answer: () => undefined };
    const { openSession } = await import("../../src/engine/session.js");
    const session = await openSession({ ...rig.deps, control }, rig.options, never);
    told.take?.({ order: "pause", by: "other", reason: null });
    await turns();
    expect(sessionState(await rig.events(session))?.paused?.by).toBe("other");
    told.take?.({ order: "resume", by: "other", reason: null });
    await turns();
    await session.close("finished");
    expect(told.deaf).toBe(true);
  });
});

describe("a wait in stopped time", () => {
  it("is over only when time that counts is", async () => {
    const time = { stopped: true, ms: 0 };
    const start = performance.now();
    const waiting = within(new Promise<never>(() => undefined), 20, "it", { signal: never, graceMs: 20, time: { isStopped: () => time.stopped, stoppedMs: () => time.ms } }).catch(() => performance.now() - start);
    setTimeout(() => Object.assign(time, { stopped: false, ms: 600 }), 300);
    expect(await waiting).toBeGreaterThan(600);
  });
});
