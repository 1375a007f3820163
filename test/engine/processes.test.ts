// Processes that outlive their calls, as the engine sequences them: judged line by line, frozen between calls, on record from the first to
// the last, ended by their lease, by a call, by a person, with the session.

import { describe, expect, it } from "vitest";
import type { ScriptedProcess } from "../../src/adapters/memory/process.js";
import { sessionState } from "../../src/core/session/index.js";
import type { CallTerminal, TypedInput } from "../../src/engine/hooks.js";
import type { Observation } from "../../src/engine/observation.js";
import { LIMITS } from "../../src/core/shared/index.js";
import { recoverSessions } from "../../src/engine/recover.js";
import type { Session } from "../../src/engine/session.js";
import { bash, createRig, never, toolCall, type Rig, type RigOptions } from "../support/rig.js";

const REPL: ScriptedProcess = { greets: "ready\n", answers: (text) => (text === "exit()\n" ? null : `did ${text}`) };

async function opened(processes: RigOptions["processes"] = () => REPL, rest: RigOptions = {}): Promise<{ readonly rig: Rig; readonly session: Session; readonly use: (op: string, args?: Record<string, unknown>) => Promise<Observation> }> {
  const rig = createRig({ programs: { ls: {}, "python3 hooks.py": {} }, ...(processes === undefined ? {} : { processes }), ...rest });
  const session = await rig.open();
  const use = (op: string, args: Record<string, unknown> = {}): Promise<Observation> => session.call(toolCall("process", { op, ...(op === "list" ? {} : { name: "py" }), ...(args as Record<string, string>) }), {}, never);
  return { rig, session, use };
}
const OPEN = { argv: ["python3", "-i"], until: "ready", wait_ms: 2_000 };

describe("a process that is handed over", () => {
  it("is opened, written, read, listed and closed, each on record; between calls it is frozen", async () => {
    const { rig, session, use } = await opened();
    const first = await use("open", OPEN);
    expect([first.outcome, first.stdout, first.message]).toEqual(["completed", "ready\n", "ready\n\n[process py: it lives]"]);
    const [process] = rig.sandboxes.opened[0]?.processes ?? [];
    expect(process?.isFrozen()).toBe(true);
    expect(await use("write", { text: "print(1)", until: "did" })).toMatchObject({ outcome: "completed", stdout: "did print(1)\n" });
    expect((await use("read", { wait_ms: 0 })).stdout).toBe("");
    expect((await use("list")).stdout).toContain("process py: it lives, opened by call_0001: open process py: python3 -i");
    await session.call(bash("ls"), {}, never);
    expect(process?.journal).toEqual(["freeze", "thaw", "write print(1)\n", "freeze", "thaw", "freeze", "thaw", "freeze", "thaw", "freeze"]);
    expect((await use("close")).message).toContain("process py: ended (killed)");
    expect((await use("read")).message).toContain("there is no process `py`");
    await session.close("finished");
    const events = await rig.events(session);
    expect(events.flatMap((event) => (event.type === "process.opened" || event.type === "process.closed" ? [[event.type, event.data.name, event.type === "process.closed" ? event.data.reason : event.data.leaseMs]] : []))).toEqual([
      ["process.opened", "py", 1_800_000],
      ["process.closed", "py", "closed"],
    ]);
    expect(sessionState(events)?.processes).toMatchObject([{ call: "call_0001", closed: { reason: "closed" } }]);
  });

  it("says when the text that was waited for did not come; a read or a write then counts as failed, what was opened is open", async () => {
    const { use } = await opened();
    const missing = "; the text waited for did not come]";
    expect(await use("open", { ...OPEN, until: "never", wait_ms: 0 })).toMatchObject({ exitCode: 0, message: expect.stringContaining(`[process py: it lives${missing}`) as string });
    expect(await use("read", { until: "never", wait_ms: 0 })).toMatchObject({ exitCode: 1, message: expect.stringContaining(`; process py: it lives${missing}`) as string });
    expect(await use("write", { text: "print(1)", until: "never", wait_ms: 0 })).toMatchObject({ exitCode: 1, message: expect.stringContaining(`; process py: it lives${missing}`) as string });
    expect(await use("write", { text: "print(1)", until: "did" })).toMatchObject({ exitCode: 0, message: expect.stringContaining("[process py: it lives]") as string });
    expect(await use("write", { text: "exit()", until: "never" })).toMatchObject({ exitCode: 1, message: expect.stringContaining(`; process py: ended, exit code 0${missing}`) as string });
  });

  it("is told and recorded when it ends by itself", async () => {
    const { rig, session, use } = await opened();
    await use("open", OPEN);
    expect((await use("write", { text: "exit()" })).message).toContain("process py: ended, exit code 0");
    expect(session.processes()).toMatchObject([{ name: "py", end: { reason: "exit", exitCode: 0 } }]);
    // Nothing was forbidden, so nobody is told to write it otherwise, and it is no attempt.
    const late = await use("write", { text: "print(1)" });
    expect([late.decision.effect, late.exitCode, late.message]).toEqual(["allow", 1, expect.stringContaining("process py: ended, exit code 0")]);
    expect((await use("write", { name: "none", text: "x" })).message).toContain("there is no process `none`");
    expect((await use("open", OPEN)).outcome).toBe("completed");
    expect((await rig.events(session)).filter(({ type }) => type === "process.closed")).toHaveLength(1);
  });

  it("gets no line that policy refuses: the decision comes before it is set going, with what it was given before", async () => {
    const { rig, session, use } = await opened(() => ({}));
    await use("open", { argv: ["bash"] });
    await use("write", { text: "D=.git/hooks" });
    const [process] = rig.sandboxes.opened[0]?.processes ?? [];
    const before = process?.journal.length;
    const refused = await use("write", { text: "echo x > $D/pre-commit" });
    expect([refused.outcome, refused.decision.reasons[0]?.rule]).toEqual(["denied", "rig.no-hooks"]);
    for (const args of [{ text: "if true; then" }, { text: "a\u001b[A" }, { text: "x".repeat(20_000) }, { key: "Enter" }, {}]) expect((await use("write", args)).outcome, JSON.stringify(args)).toBe("denied");
    expect(process?.journal.length).toBe(before);
    expect((await rig.events(session)).filter((event) => event.type === "decision.made" && event.data.effect === "deny")).toHaveLength(6);
  });

  it("is refused where its own start is, past the limit, under a name twice, and where there are none", async () => {
    const { use, session } = await opened();
    expect((await use("open", { command: "touch .git/hooks/x" })).outcome).toBe("denied");
    for (const name of ["../x", "A", "", "a b"]) expect((await session.call(toolCall("process", { op: "open", name, argv: ["x"] }), {}, never)).outcome).toBe("denied");
    expect((await use("open", OPEN)).outcome).toBe("completed");
    expect((await use("open", OPEN)).message).toContain("there is a process `py` already");
    for (const name of ["b", "c", "d"]) expect((await session.call(toolCall("process", { op: "open", name, argv: ["x"] }), {}, never)).outcome).toBe("completed");
    expect((await session.call(toolCall("process", { op: "open", name: "e", argv: ["x"] }), {}, never)).message).toContain("there are 4 processes already");
    const none = createRig();
    const other = await none.open();
    expect((await other.call(toolCall("process", { op: "open", name: "a", argv: ["x"] }), {}, never)).message).toContain("has no processes that outlive a call");
    const failing = await opened(() => null);
    expect((await failing.use("open", OPEN)).message).toContain("the container could not be started");
    expect(failing.session.isBroken()).toBe(false);
  });
});

describe("a process that floods its output", () => {
  it("fills no screen: what is shown of it while a call waits has a limit, as what is kept has", async () => {
    const { session } = await opened(() => ({ floods: 5 * LIMITS.processUnreadBytes }));
    const shown = { bytes: 0 };
    const output = { stdout: (chunk: Uint8Array) => void (shown.bytes += chunk.byteLength), stderr: () => undefined };
    const first = await session.call(toolCall("process", { op: "open", name: "py", argv: ["yes"] }), { output }, never);
    expect([shown.bytes, first.message]).toEqual([LIMITS.processUnreadBytes, expect.stringContaining(`[process py: it lives; ${String(4 * LIMITS.processUnreadBytes)} bytes more than are shown]`)]);
  });

  it("is told when nothing of it is passed on any more", async () => {
    const { use } = await opened(() => ({ floods: LIMITS.processOutputBytes }));
    await use("open", { argv: ["yes"] });
    expect((await use("read", { wait_ms: 0 })).message).toContain("[process py: it lives; it has printed 256 MiB, and what it prints from here on is not passed on]");
  });
});

describe("a process that nobody ends", () => {
  it("is ended when it cannot be frozen; when it cannot be ended either, the session is", async () => {
    const slips = await opened(() => ({ slips: true }));
    await slips.use("open", { argv: ["x"] });
    expect(slips.session.processes()).toMatchObject([{ end: { reason: "killed" } }]);
    expect(slips.session.isBroken()).toBe(false);
    expect((await slips.rig.events(slips.session)).find(({ type }) => type === "process.closed")?.data).toMatchObject({ reason: "fault", detail: "it cannot be frozen" });
    const stays = await opened(() => ({ slips: true, stays: true }));
    await expect(stays.use("open", { argv: ["x"] })).rejects.toMatchObject({ code: "SANDBOX_FAILED" });
    expect(stays.session.isBroken()).toBe(true);
    expect((await stays.rig.events(stays.session)).find(({ type }) => type === "call.closed")?.data).toMatchObject({ outcome: "in-doubt" });
  });

  it("is ended by its lease, by hand, and with the session", async () => {
    const leased = await opened(() => REPL, { defaults: { processLeaseMs: 30 } });
    await leased.use("open", OPEN);
    while (leased.session.processes()[0]?.end === null) await new Promise((resolve) => setImmediate(resolve));
    await leased.session.call(bash("ls"), {}, never);
    expect((await leased.rig.events(leased.session)).find(({ type }) => type === "process.closed")?.data).toMatchObject({ reason: "lease" });
    const { rig, session, use } = await opened();
    await use("open", OPEN);
    expect([await session.endProcess("py"), await session.endProcess("py"), await session.endProcess("no")]).toEqual([true, false, false]);
    await use("open", OPEN);
    await session.close("finished");
    const ends = (await rig.events(session)).flatMap((event) => (event.type === "process.closed" ? [event.data.reason] : []));
    expect(ends).toEqual(["killed", "session"]);
  });

  it("is named, and counted as ended, when a crash is found", async () => {
    const { rig, session, use } = await opened();
    await use("open", OPEN);
    const text = rig.store.text(session.id);
    expect(sessionState(await rig.events(session))?.processes[0]?.closed).toBeNull();
    rig.abandoned.push(session.id);
    rig.faults.order("ledger.append", { kind: "throw" });
    await session.close("finished").catch(() => undefined);
    rig.faults.clear();
    rig.store.replaceText(session.id, text);
    const [found] = await recoverSessions(rig.deps);
    expect(found).toMatchObject({ session: session.id, inDoubt: [], processes: ["py"] });
    const after = await rig.events(session);
    expect(after.find(({ type }) => type === "process.closed")?.data).toMatchObject({ name: "py", reason: "recovered" });
    expect(after.at(-1)?.data).toMatchObject({ detail: "the orchestrator ended without closing the session; handed over and ended: py" });
  });
});

describe("what a person types for the program of a call", () => {
  it("is judged as what it reads, put on record, and only then sent", async () => {
    const rig = createRig({ programs: { bash: { runsForever: true } } });
    const session = await rig.open();
    const abort = new AbortController();
    const at: { to: TypedInput | null; ended: boolean } = { to: null, ended: false };
    const terminal: CallTerminal = { rows: 24, columns: 80, attach: (to) => ((at.to = to), () => void (at.ended = true)) };
    const call = session.call(bash("bash"), { terminal }, abort.signal);
    while (at.to === null) await new Promise((resolve) => setImmediate(resolve));
    expect(await at.to.send("D=.git/hooks")).toBeNull();
    expect(await at.to.send("touch $D/x")).toContain("rig.no-hooks");
    expect(await at.to.send("if true; then")).toContain("Refused");
    expect(await at.to.send("x".repeat(20_000))).toContain("more was typed than is judged");
    at.to.press("C-c");
    at.to.resize(70_000, 0);
    at.to.resize(Number.NaN, 80);
    abort.abort();
    expect((await call).outcome).toBe("cancelled");
    expect([at.ended, rig.sandboxes.opened[0]?.typed]).toEqual([true, ["D=.git/hooks\n", "\u0003", "size 500 1", "size 1 80"]]);
    const lines = (await rig.events(session)).flatMap((event) => (event.type === "input.typed" ? [event.data] : []));
    expect(lines.map(({ text, effect, rules }) => [text, effect, effect === "deny" ? rules[0] : ""])).toEqual([
      ["D=.git/hooks", "allow", ""],
      ["touch $D/x", "deny", "rig.no-hooks"],
      ["if true; then", "deny", "default-deny"],
    ]);
  });
});
