// After a crash: abandoned sessions are closed on record, what was running is called in doubt, what cannot be read is left alone.

import { describe, expect, it } from "vitest";
import { replayRisk } from "../../src/core/risk/index.js";
import { riskSummary } from "../../src/core/risk/index.js";
import { callsInDoubt, sessionState } from "../../src/core/session/index.js";
import type { SessionId } from "../../src/core/shared/index.js";
import { recoverSessions } from "../../src/engine/recover.js";
import type { Session } from "../../src/engine/session.js";
import { bash, createRig, never, typesOf, type Rig } from "../support/rig.js";

/** The process dies: nothing more happens, its lock is free, its mark stays. `cut` takes so many records off the end. */
async function crash(rig: Rig, session: Session, cut = 0): Promise<void> {
  const text = rig.store.text(session.id);
  const lines = text.trimEnd().split("\n");
  rig.abandoned.push(session.id);
  rig.faults.order("ledger.append", { kind: "throw" });
  await session.close("finished").catch(() => undefined);
  rig.faults.clear();
  rig.store.replaceText(session.id, lines.slice(0, lines.length - cut).map((line) => `${line}\n`).join(""));
}

async function ranOnce(programs = { ls: {} }, calls = ["ls"]) {
  const rig = createRig({ programs, answers: ["approved"] });
  const session = await rig.open();
  for (const command of calls) await session.call(bash(command), {}, never);
  return { rig, session };
}

describe("an abandoned session", () => {
  it("with a call that was executing is closed as recovered, and the call is in doubt", async () => {
    const { rig, session } = await ranOnce();
    await crash(rig, session, 3);
    expect(typesOf(await rig.events(session)).at(-1)).toBe("execution.started");
    expect(await recoverSessions(rig.deps)).toEqual([{ session: session.id, inDoubt: ["call_0001"] }]);
    const events = await rig.events(session);
    expect(typesOf(events).slice(-3)).toEqual(["call.closed", "risk.updated", "session.closed"]);
    const state = sessionState(events);
    expect(state?.closed).toEqual({ reason: "recovered", detail: "in doubt: call_0001", calls: 1 });
    expect(state === null ? [] : callsInDoubt(state).map(({ id, outcome }) => [id, outcome])).toEqual([["call_0001", "in-doubt"]]);
    expect(state?.risk?.score).toBe(riskSummary(replayRisk(events)).live.score);
    expect(rig.marks.size).toBe(0);
  });

  it("that was killed between the making of its record and the first line of it leaves nothing", async () => {
    const { rig, session } = await ranOnce();
    await crash(rig, session);
    rig.store.replaceText(session.id, "");
    expect(await recoverSessions(rig.deps)).toEqual([]);
    expect(rig.marks.size).toBe(0);
    expect((await rig.store.list()).map(({ id }) => id)).not.toContain(session.id);
  });

  it("whose call had run, but was not closed, has it in doubt too", async () => {
    const { rig, session } = await ranOnce();
    await crash(rig, session, 1);
    expect(await recoverSessions(rig.deps)).toEqual([{ session: session.id, inDoubt: ["call_0001"] }]);
  });

  it("whose call waited for a person has it cancelled: nothing had run", async () => {
    const { rig, session } = await ranOnce({ "deploy now": {} } as never, ["deploy now"]);
    const asked = typesOf(await rig.events(session)).indexOf("approval.requested");
    await crash(rig, session, (await rig.events(session)).length - asked - 1);
    expect(await recoverSessions(rig.deps)).toEqual([{ session: session.id, inDoubt: [] }]);
    const state = sessionState(await rig.events(session));
    expect(state?.calls.map(({ outcome }) => outcome)).toEqual(["cancelled"]);
    expect(state?.closed).toMatchObject({ reason: "recovered", detail: "the orchestrator ended without closing the session" });
  });

  it("between calls is only closed, and its layers stay for review", async () => {
    const { rig, session } = await ranOnce();
    await crash(rig, session);
    expect(await recoverSessions(rig.deps)).toEqual([{ session: session.id, inDoubt: [] }]);
    expect(typesOf(await rig.events(session)).at(-1)).toBe("session.closed");
    expect(rig.view(session)).toBeDefined();
  });

  it("that was closed already only loses its mark, and is not told again", async () => {
    const { rig, session } = await ranOnce();
    await session.close("finished");
    rig.marks.add(session.id);
    rig.abandoned.push(session.id);
    const before = await rig.events(session);
    expect(await recoverSessions(rig.deps)).toEqual([]);
    expect(await rig.events(session)).toEqual(before);
    expect(rig.marks.size).toBe(0);
  });

  it("without any record, or one of the harness, has its layers removed", async () => {
    const rig = createRig();
    const id = "ses_nobody01";
    await rig.workspaces.create(id, rig.options.workspace);
    rig.marks.add(id);
    rig.abandoned.push(id);
    expect(await recoverSessions(rig.deps)).toEqual([]);
    expect(() => rig.workspaces.workspaceOf(id)).toThrow();
    expect(rig.marks.size).toBe(0);
  });

  it("keeps its mark, and its layers, while nobody could look at the engine; it is closed on record all the same, and told once", async () => {
    const { rig, session } = await ranOnce();
    await crash(rig, session, (await rig.events(session)).length - 1);
    const bare = "ses_nobody02";
    await rig.workspaces.create(bare, rig.options.workspace);
    for (const id of [session.id, bare]) rig.marks.add(id);
    rig.abandoned.push(bare);
    expect((await recoverSessions(rig.deps, false)).map((one) => one.session)).toEqual([session.id]);
    expect([rig.marks.size, sessionState(await rig.events(session))?.closed?.reason]).toEqual([2, "recovered"]);
    expect(rig.workspaces.workspaceOf(bare)).toBeDefined();
    expect(await recoverSessions(rig.deps, true)).toEqual([]);
    expect(rig.marks.size).toBe(0);
    expect(() => rig.workspaces.workspaceOf(bare)).toThrow();
  });

  it("with an empty record has its layers removed as well", async () => {
    const { rig, session } = await ranOnce();
    await crash(rig, session, (await rig.events(session)).length);
    expect(await recoverSessions(rig.deps)).toEqual([]);
    expect(() => rig.view(session)).toThrow();
    expect(rig.marks.size).toBe(0);
  });

  it.each([
    ["was changed", (text: string) => text.replace('"source":"library"', '"source":"xlibrary"')],
    ["lost a line in its middle", (text: string) => text.split("\n").toSpliced(2, 1).join("\n")],
    ["is no record", () => "hello\n"],
  ])("whose record %s is left alone, mark and all, and operators are told", async (_what, tamper) => {
    const { rig, session } = await ranOnce();
    await crash(rig, session);
    rig.store.replaceText(session.id, tamper(rig.store.text(session.id)));
    const before = rig.store.text(session.id);
    expect(await recoverSessions(rig.deps)).toEqual([]);
    expect(rig.store.text(session.id)).toBe(before);
    expect(rig.marks).toEqual(new Set([session.id]));
    expect(rig.lines.filter(({ level, message }) => level === "warn" && message === "a session could not be recovered").length).toBe(1);
  });

  it("that another process works on is left alone", async () => {
    const { rig, session } = await ranOnce();
    rig.abandoned.push(session.id);
    expect(await recoverSessions(rig.deps)).toEqual([]);
    expect(rig.marks).toEqual(new Set([session.id]));
    await session.close("finished");
  });

  it("whose record was torn says how much was lost", async () => {
    const { rig, session } = await ranOnce();
    await crash(rig, session);
    const real = rig.store;
    const store = {
      ...rig.deps.store,
      reopen: async (id: SessionId) => ({ ...(await real.reopen(id)), recovered: { tornBytes: 17, unsignedRecords: 2 } }),
    };
    await recoverSessions({ ...rig.deps, store });
    expect(sessionState(await rig.events(session))?.closed?.detail).toBe(
      "the orchestrator ended without closing the session; 17 bytes of a half-written record were cut off; the last 2 records before this were not signed",
    );
  });

  it("does not keep the others from being recovered, and a name that is none is passed over", async () => {
    const { rig, session: bad } = await ranOnce();
    const good = await rig.open();
    await good.call(bash("ls"), {}, never);
    await crash(rig, bad);
    await crash(rig, good);
    rig.store.replaceText(bad.id, "hello\n");
    rig.abandoned.unshift("../../etc");
    expect((await recoverSessions(rig.deps)).map(({ session }) => session)).toEqual([good.id]);
  });
});

describe("recovery twice", () => {
  it("changes nothing the second time", async () => {
    const { rig, session } = await ranOnce();
    await crash(rig, session, 3);
    await recoverSessions(rig.deps);
    const before = rig.store.text(session.id);
    await recoverSessions(rig.deps);
    expect(rig.store.text(session.id)).toBe(before);
  });
});
