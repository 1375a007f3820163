// What a person in another process does with a session's processes: in its turn, judged and on record with a name, and apart from what the
// agent reads.

import { describe, expect, it } from "vitest";
import type { ScriptedProcess } from "../../src/adapters/memory/process.js";
import { openSession, type Session } from "../../src/engine/session.js";
import type { OrderAnswer, SessionOrder } from "../../src/ports/control.js";
import { bash, createRig, never, toolCall, type Rig } from "../support/rig.js";

const REPL: ScriptedProcess = { greets: "ready\n", answers: (text) => `did ${text}` };

interface Steered {
  readonly rig: Rig;
  readonly session: Session;
  order(what: Record<string, unknown>, withinMs?: number): Promise<OrderAnswer>;
}

async function steered(): Promise<Steered> {
  const rig = createRig({ pausable: true, processes: () => REPL, programs: { ls: {}, "sleep 100": { runsForever: true } } });
  const given: { take: (order: SessionOrder) => void } = { take: () => undefined };
  const answers = new Map<string, (answer: OrderAnswer) => void>();
  const control = {
    listen: (_id: string, take: typeof given.take) => ((given.take = take), () => undefined),
    answer: (_session: string, id: string, answer: OrderAnswer) => answers.get(id)?.(answer),
  };
  const session = await openSession({ ...rig.deps, control }, rig.options, never);
  await session.call(toolCall("process", { op: "open", name: "py", argv: ["python3", "-i"], until: "ready", wait_ms: 2_000 }), {}, never);
  return {
    rig,
    session,
    order: (what, withinMs = 5_000) =>
      new Promise((resolve) => {
        const id = String(answers.size).padStart(16, "0");
        answers.set(id, resolve);
        given.take({ order: "process", by: "ann", id, what: what as { end: string }, withinMs });
      }),
  };
}

describe("a person elsewhere", () => {
  it("writes to a process and reads it, on record with a name; what the agent has not read stays there for it", async () => {
    const { rig, session, order } = await steered();
    expect(await order({ call: { op: "write", name: "py", text: "print(1)", until: "did" } })).toMatchObject({ ok: true, call: "call_0002", outcome: "completed", exitCode: 0, stdout: "ready\ndid print(1)\n" });
    expect(await order({ call: { op: "read", name: "py", wait_ms: 0 } })).toMatchObject({ stdout: "" });
    expect((await session.call(toolCall("process", { op: "read", name: "py", wait_ms: 0 }), {}, never)).stdout).toBe("did print(1)\n");
    const events = await rig.events(session);
    expect(events.flatMap((event) => (event.type === "call.received" ? [event.data.by ?? "agent"] : []))).toEqual(["agent", "ann", "ann", "agent"]);
    expect(events.flatMap((event) => (event.type === "call.closed" ? [(event.data.reached ?? []).length] : []))).toEqual([1, 0, 0, 1]);
  });

  it("is refused what the agent would be, told of what is not there, and nothing else of the tool is done", async () => {
    const { rig, order } = await steered();
    expect(await order({ call: { op: "write", name: "py", text: "open('.git/hooks/pre-commit','w')" } })).toMatchObject({ ok: true, outcome: "denied" });
    expect(rig.sandboxes.opened[0]?.processes[0]?.journal.filter((line) => line.startsWith("write"))).toEqual([]);
    expect(await order({ call: { op: "read", name: "no", wait_ms: 0 } })).toMatchObject({ ok: true, exitCode: 1, stdout: "there is no process `no`\n" });
    for (const op of ["open", "close", "list"]) expect(await order({ call: { op, name: "x", argv: ["ls"] } })).toMatchObject({ ok: false, code: "USAGE_INVALID" });
  });

  it("ends one, on record with a name", async () => {
    const { rig, session, order } = await steered();
    expect([await order({ end: "py" }), await order({ end: "py" })]).toEqual([{ ok: true, ended: true }, { ok: true, ended: false }]);
    expect((await rig.events(session)).flatMap((event) => (event.type === "process.closed" ? [[event.data.reason, event.data.detail]] : []))).toEqual([["killed", "ended by hand, by ann"]]);
  });

  it("ends one while a call runs, and while that call is paused, without waiting for its turn", async () => {
    for (const isPaused of [false, true]) {
      const { rig, session, order } = await steered();
      const abort = new AbortController();
      const began = new Promise<void>((resolve) => void rig.programs.set("sleep 100", () => (resolve(), { runsForever: true })));
      const call = session.call(bash("sleep 100"), {}, abort.signal);
      await began;
      if (isPaused) await session.pause("bob");
      expect([await order({ end: "py" }), await order({ end: "py" })]).toEqual([{ ok: true, ended: true }, { ok: true, ended: false }]);
      const closed = (await rig.events(session)).findLast(({ type }) => type === "process.closed");
      expect(closed?.data).toMatchObject({ name: "py", reason: "killed", detail: "ended by hand, by ann" });
      if (isPaused) await session.resume("bob");
      abort.abort();
      await call;
      await session.close("finished");
      expect((await rig.events(session)).filter(({ type }) => type === "process.closed")).toHaveLength(1);
    }
  });

  it("waits for its turn as long as it says, and is no answer to a pause", async () => {
    const { session, order } = await steered();
    await session.pause("bob");
    expect(await order({ call: { op: "read", name: "py", wait_ms: 0 } })).toMatchObject({ ok: false, code: "SESSION_BUSY", message: "the session is paused" });
    await session.resume("bob");
    const abort = new AbortController();
    const call = session.call(bash("sleep 100"), {}, abort.signal);
    const late = order({ call: { op: "read", name: "py", wait_ms: 0 } }, 20);
    await new Promise((resolve) => setTimeout(resolve, 40));
    abort.abort();
    await call;
    expect(await late).toMatchObject({ ok: false, code: "SESSION_BUSY" });
    expect(await order({ call: { op: "read", name: "py", wait_ms: 0 } })).toMatchObject({ ok: true });
  });
});
