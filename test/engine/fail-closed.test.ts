// Every method of every port, failing in every way: nothing runs unguarded, no answer says all is well, and the record tells.
// A new port or method without a row fails the first test.

import { describe, expect, it, vi } from "vitest";
import { encodeName } from "../../src/core/reconcile/index.js";
import { callsInDoubt, netChanges, openCalls, sessionState, type AuditEvent } from "../../src/core/session/index.js";
import { GuardError } from "../../src/core/shared/index.js";
import type { HarnessRun } from "../../src/engine/harness.js";
import type { Observation } from "../../src/engine/observation.js";
import type { Session } from "../../src/engine/session.js";
import type { Fault } from "../support/faults.js";
import { bash, create, createRig, never, steps, toolCall, type Rig } from "../support/rig.js";

/**
 * `start`: the session does not open. `broken`: the call in which it happens is in doubt or was not begun, and the session is
 * broken. `refused`: the call is rejected, the session goes on. `unclosed`: the calls went well, the end did not.
 * `harmless`: nothing is different. `waits`: it waits, and nothing runs meanwhile. `trusted`: nobody could tell; says why.
 */
type Ending = "start" | "broken" | "refused" | "unclosed" | "harmless" | "waits" | { readonly trusted: string };

interface Row {
  readonly fault: Fault;
  readonly ending: Ending;
  /** The step in which it comes to light, where that is not the one in which it happens. */
  readonly shows?: string;
}

const fails = (ending: Ending, at?: number): Row => ({ fault: { kind: "throw", ...(at === undefined ? {} : { at }) }, ending });
const hangs = (ending: Ending, at?: number): Row => ({ fault: { kind: "hang", ...(at === undefined ? {} : { at }) }, ending });
const lies = (ending: Ending, answer: (real: never) => unknown, at?: number): Row => ({ fault: { kind: "lie", answer: answer as (real: unknown) => unknown, ...(at === undefined ? {} : { at }) }, ending });

/** The port is not used by a session that is open. Other tests are about it. */
const UNUSED: readonly Row[] = [];

const nothing = (): unknown => null;
/** Appends of the scenario: 0 opening, 1 and 2 an edit, 3 and 4 a command, 5 a question, 6 and 7 its run, 8 and 9 the harness, 10 the end. */
const APPENDS = 11;
const LAST = APPENDS - 1;

const MATRIX: Readonly<Record<string, readonly Row[]>> = {
  "ids.next": [fails("start"), fails("broken", 1)],
  "clock.now": UNUSED,
  "clock.elapsedMs": [fails("broken")],
  "telemetry.debug": [fails("harmless")],
  "telemetry.info": [fails("harmless")],
  "telemetry.warn": [fails("harmless")],
  "telemetry.error": [fails("harmless")],
  "telemetry.child": UNUSED,
  "redactor.text": [fails("broken"), ...[1, 5, 9, 13, 17].map((at) => fails("broken", at))],
  "redactor.json": [fails("broken"), fails("broken", 1), fails("broken", 3)],

  "openSessions.mark": [fails("start"), fails("broken", 1), hangs("waits"), lies({ trusted: "a mark is only for the time after a crash" }, nothing)],
  "openSessions.clear": [fails("unclosed", 1), fails("broken", 0)],
  "openSessions.abandoned": UNUSED,

  "workspaces.create": [fails("start"), fails("broken", 1), hangs("waits"), lies("start", nothing)],
  "workspaces.reopen": UNUSED,
  "workspaces.remove": [fails("broken")],
  "workspace.changes": [
    ...[0, 1, 2, 3].map((at) => fails("broken", at)),
    ...[0, 2].map((at) => hangs("broken", at)),
    lies("broken", nothing),
    lies("broken", () => [], 0),
    lies({ trusted: "what the workspace says is the truth by definition; its own tests prove it" }, () => [], 3),
  ],
  "workspace.readBase": [fails("broken"), hangs("broken"), lies("broken", nothing), lies("broken", () => ({ content: new Uint8Array(3), entry: null }))],
  "workspace.readChanged": [fails("broken"), hangs("broken"), { ...lies("broken", nothing), shows: "> command" }],
  "workspace.openChanged": UNUSED,

  "preimages.remember": [fails("broken"), hangs("broken"), fails("broken", 1)],
  "preimages.load": [fails("broken"), hangs("broken"), lies("broken", nothing), lies("broken", () => new Uint8Array(3))],

  "sandboxes.open": [fails("start"), fails("broken", 1), hangs("waits"), lies("start", nothing)],
  "sandbox.run": [
    ...[0, 1, 2].map((at) => fails("broken", at)),
    ...[0, 1, 2].map((at) => hangs("broken", at)),
    lies("broken", nothing),
    lies("broken", (real: object) => ({ ...real, quiescent: false }), 0),
    lies("broken", (real: object) => ({ ...real, durationMs: Number.NaN }), 0),
  ],
  "sandbox.readFile": [fails("broken"), hangs("broken"), lies("broken", nothing)],
  "sandbox.apply": [
    ...[0, 1, 2].map((at) => fails("broken", at)),
    ...[0, 1, 2].map((at) => hangs("broken", at)),
    lies("broken", nothing, 0),
    lies("broken", nothing, 1),
    lies("broken", nothing, 2),
  ],
  "sandbox.close": [fails("broken", 0), hangs("broken", 0), fails("unclosed", 1), hangs("unclosed", 1), lies({ trusted: "the next command removes what is left on the engine" }, nothing)],

  "store.create": [fails("start"), hangs("waits"), lies("start", nothing), lies("start", () => ({}))],
  "store.reopen": UNUSED,
  "store.read": [fails("broken"), lies("broken", nothing)],
  // The record is then not attested, and the score says so.
  "store.readBlob": [fails("harmless"), hangs("harmless"), lies("harmless", () => new Uint8Array(3))],
  "store.list": UNUSED,
  "store.removeEmpty": UNUSED,
  "store.text": UNUSED,
  "store.replaceText": UNUSED,
  "ledger.append": [
    fails("start", 0),
    ...Array.from({ length: LAST - 1 }, (_none, index) => fails("broken", index + 1)),
    fails("unclosed", LAST),
    hangs("waits", 0),
    hangs("waits", 1),
    hangs("waits", 3),
    lies("start", nothing, 0),
    lies("broken", () => [], 1),
    lies("broken", (events: readonly AuditEvent[]) => events.slice(1), 3),
    lies("broken", (events: readonly AuditEvent[]) => events.map((event) => ({ ...event, seq: event.seq + 1 })), 4),
    lies("broken", (events: readonly AuditEvent[]) => [...events].reverse(), 2),
  ],
  "ledger.putBlob": [fails("harmless", 0), fails("broken", 1), lies("broken", () => "sha256:other", 1)],
  "ledger.close": [fails("unclosed")],

  "observer.start": [fails("harmless"), hangs("harmless"), lies("harmless", nothing), lies("harmless", () => ({}))],
  "watch.stop": [fails("harmless"), hangs("harmless")],

  "approver.request": [fails("refused"), hangs("refused"), lies("refused", nothing), lies("refused", () => ({ outcome: "yes" })), lies("refused", () => ({ outcome: "approved" }))],
};

const FEW_MS = { filesMs: 30, settleMs: 30, closeMs: 30, watchMs: 5, graceMs: 30 };

/** What each step gave: an observation, or the code it failed with. */
type Result = Observation | HarnessRun | { readonly code: string };
interface Played {
  readonly session: Session | null;
  readonly results: readonly Result[];
  readonly closed: string | null;
}

function rigged(): Rig {
  return createRig({
    files: { "src/a.js": "one\n", "protected/keep.txt": "keep\n" },
    answers: ["approved"],
    deadlines: FEW_MS,
    defaults: { timeoutMs: 30, approvalTimeoutMs: 15 },
    programs: {
      "python3 evil.py": {
        stdout: "x".repeat(3_000),
        changes: (tree) => {
          tree.set("src/b.js", { kind: "file", content: "evil\n" });
          tree.set(".git/hooks/pre-commit", { kind: "file", content: "#!/bin/sh\n" });
          tree.remove("protected");
        },
      },
      "deploy now": {},
      "npm test": { stdout: "TAP version 13\nok 1 - a\n1..1\n" },
    },
  });
}

/** An edit, a command that does forbidden things to allowed, protected and unknown files, a question, a harness run, the end. */
async function play(rig: Rig, session: Session): Promise<Omit<Played, "session">> {
  const codeOf = (error: unknown): { readonly code: string } => ({ code: (error as { readonly code?: string }).code ?? `no code: ${String(error)}` });
  const results: Result[] = [];
  const step = async (name: string, work: () => Promise<Result>): Promise<void> => {
    rig.journal.push(`> ${name}`);
    results.push(await work().catch(codeOf));
  };
  await step("edit", () => session.call(create("src/b.js", "fine\n"), {}, never));
  await step("command", () => session.call(bash("python3 evil.py", "testwriter"), {}, never));
  await step("question", () => session.call(bash("deploy now"), {}, never));
  await step("harness", () => session.harness({ label: "h", command: "npm test", editsOf: null, before: null }, {}, never));
  rig.journal.push("> close");
  const closed = await session.close("finished").then(
    () => null,
    (error: unknown) => codeOf(error).code,
  );
  return { results, closed };
}

async function playAll(rig: Rig): Promise<Played> {
  rig.journal.push("> open");
  const session = await rig.open().catch(() => null);
  if (session === null) return { session, results: [], closed: null };
  return { session, ...(await play(rig, session)) };
}

const outcomeOf = (result: Result | undefined): string => (result === undefined ? "none" : "code" in result ? result.code : "observation" in result ? result.observation.outcome : result.outcome);
const WELL = ["completed", "reverted", "completed", "completed"];

/** In the journal, every touch of a sandbox lies between a durable intent and the durable end of the same call. */
/** What may only happen once it is on record. The guard itself reads the scripts that a command would run, to judge them. */
const EFFECT = /^sandbox\.(?:run|apply)$/u;

function unguardedTouches(journal: readonly string[]): readonly string[] {
  let intended = false;
  const bad: string[] = [];
  for (const entry of journal) {
    if (entry.startsWith("durable: ")) intended = (intended || entry.includes("execution.started")) && !entry.includes("call.closed");
    else if (EFFECT.test(entry) && !intended) bad.push(entry);
  }
  return bad;
}

function slotOf(journal: readonly string[], slot: string, at: number): string {
  let step = "> open";
  let count = 0;
  for (const entry of journal) {
    if (entry.startsWith("> ")) step = entry;
    else if (entry === slot && count++ === at) return step;
  }
  return "never";
}

async function events(rig: Rig, session: Session): Promise<readonly AuditEvent[]> {
  rig.faults.clear();
  return rig.events(session);
}

describe("without a fault the scenario", () => {
  it("uses every port that has a row, ends well, and leaves nothing behind", async () => {
    const rig = rigged();
    const { session, results, closed } = await playAll(rig);
    expect(results.map(outcomeOf)).toEqual(WELL);
    expect(closed).toBeNull();
    expect(rig.faults.calls.get("ledger.append")).toBe(APPENDS);
    expect(unguardedTouches(rig.journal)).toEqual([]);
    expect(rig.sandboxes.opened.map((sandbox) => sandbox.closed)).toEqual([true, true]);
    expect(rig.marks.size).toBe(0);
    expect(rig.content(session ?? { id: "" }, "src/b.js")).toBe("fine\n");
  });

  it("names every method of every port in the matrix, and no other", async () => {
    const rig = rigged();
    await playAll(rig);
    expect([...rig.faults.slots].sort()).toEqual(Object.keys(MATRIX).sort());
    const used = (slot: string): boolean => (rig.faults.calls.get(slot) ?? 0) > 0 || /^(?:telemetry\.|sandbox\.close)/u.test(slot);
    expect(Object.entries(MATRIX).filter(([slot, rows]) => rows.length > 0 && !used(slot) && slot !== "telemetry.debug").map(([slot]) => slot)).toEqual([]);
    expect(Object.entries(MATRIX).filter(([slot, rows]) => rows === UNUSED && (rig.faults.calls.get(slot) ?? 0) > 0).map(([slot]) => slot)).toEqual([]);
  });
});

const ROWS = Object.entries(MATRIX).flatMap(([slot, rows]) =>
  rows.map((row) => ({ ...row, slot, name: `${slot} ${row.fault.kind === "throw" ? "throws" : row.fault.kind === "hang" ? "hangs" : "lies"}${row.fault.at === undefined ? "" : ` at call ${row.fault.at}`}: ${typeof row.ending === "string" ? row.ending : "trusted"}` })),
);

describe("a fault of a port:", () => {
  it.each(ROWS.filter(({ ending }) => ending !== "waits"))("$name", async ({ slot, fault, ending, shows }) => {
    const rig = rigged();
    rig.faults.order(slot, fault);
    const { session, results, closed } = await playAll(rig);
    const outcomes = results.map(outcomeOf);
    const where = shows ?? slotOf(rig.journal, slot, fault.at ?? 0);

    // Whatever happens: nothing runs unguarded, and no failure is other than ours.
    expect(unguardedTouches(rig.journal)).toEqual([]);
    expect(outcomes.filter((outcome) => outcome.startsWith("no code"))).toEqual([]);

    if (ending === "start") {
      expect(session).toBeNull();
      rig.faults.clear();
      // What was made of nothing cannot be cleaned up: then the mark stays, for the next command.
      if (fault.kind === "throw") expect(rig.marks.size).toBe(0);
      expect(() => rig.workspaces.workspaceOf("ses_test0001")).toThrow();
      if (!(slot === "sandboxes.open" && fault.kind === "lie")) expect(rig.sandboxes.opened.filter((sandbox) => !sandbox.closed).length).toBe(0);
      return;
    }
    if (session === null) throw new Error("the session did not open");
    const record = await events(rig, session);
    const state = sessionState(record);
    if (state === null) throw new Error("there is no record");

    if (ending === "harmless" || typeof ending === "object") {
      expect(session.isBroken()).toBe(false);
      expect(outcomes).toEqual(WELL);
      expect(closed).toBeNull();
      return;
    }
    if (ending === "refused") {
      expect(session.isBroken()).toBe(false);
      expect(outcomes).toEqual(WELL.with(2, "rejected"));
      expect(state.calls[2]).toMatchObject({ outcome: "rejected", execution: null });
      return;
    }
    if (ending === "unclosed") {
      expect(outcomes).toEqual(WELL);
      expect(closed !== null || state.closed?.reason === "broken").toBe(true);
      // A mark stays where the end is not on record.
      if (state.closed === null) expect(rig.marks.has(session.id)).toBe(true);
      return;
    }
    // Broken: from that step on no answer says completed, later calls are refused, and the record does not say otherwise.
    const index = ["> edit", "> command", "> question", "> harness"].indexOf(where);
    expect(index).toBeGreaterThanOrEqual(0);
    expect(outcomes.slice(0, index)).toEqual(WELL.slice(0, index));
    expect(["completed", "reverted"]).not.toContain(outcomes[index]);
    expect(outcomes.slice(index + 1)).toEqual(WELL.slice(index + 1).map(() => "SANDBOX_BROKEN"));
    expect(session.isBroken()).toBe(true);
    const call = state.calls[index];
    expect(call?.outcome ?? "none").not.toBe("completed");
    if (call?.status === "executing" || call?.outcome === "in-doubt") expect(callsInDoubt(state)).toContainEqual(call);
    else if (outcomes[index] === "failed") expect(call?.findings.some((finding) => !finding.reverted)).toBe(true);
    else expect(rig.journal.slice(rig.journal.indexOf(where)).filter((entry) => EFFECT.test(entry))).toEqual([]);
    const ledgerDied = slot === "ledger.append";
    if (!ledgerDied) {
      expect(state.closed).toMatchObject({ reason: "broken" });
      expect(state.closed?.detail).not.toBe("");
      expect(openCalls(state).filter(({ status }) => status === "executing")).toEqual([]);
      expect(closed).toBeNull();
    }
    if (slot !== "sandbox.close") expect(rig.sandboxes.opened.filter((sandbox) => !sandbox.closed).length).toBe(0);
    if (ledgerDied) return;
    // What a broken call left is in no patch.
    const inDoubt = new Set(callsInDoubt(state).map(({ id }) => id));
    expect(record.filter((event) => event.type === "reconciliation.done" && event.call !== null && inDoubt.has(event.call as never))).toEqual([]);
    expect(netChanges(record).filter(({ path }) => path.startsWith("protected") && outcomes[index] !== "failed")).toEqual([]);
  });

  it.each(ROWS.filter(({ ending }) => ending === "waits"))("$name", async ({ slot, fault }) => {
    const rig = rigged();
    rig.faults.order(slot, fault);
    const ended = playAll(rig).then(() => "ended");
    const turns = new Promise((resolve) => setTimeout(() => resolve("waits"), 60));
    expect(await Promise.race([ended, turns])).toBe("waits");
    expect(unguardedTouches(rig.journal)).toEqual([]);
    expect(rig.journal.at(-1)).toBe(slot);
  });
});

describe("a start that fails", () => {
  it.each(["workspaces.remove", "sandbox.close", "ledger.close"])("keeps its mark when %s of the clean-up fails, so that the next command tries again", async (slot) => {
    const rig = rigged();
    rig.faults.order("ledger.append", { kind: "throw" });
    rig.faults.order(slot, { kind: "throw" });
    await expect(rig.open()).rejects.toMatchObject({ code: "LEDGER_APPEND_FAILED" });
    expect([...rig.marks]).toEqual(["ses_test0001"]);
    expect(steps(rig).slice(-3)).toEqual(["ledger.close", "sandbox.close", "workspaces.remove"]);
  });

  it("by an abort leaves nothing", async () => {
    const rig = rigged();
    await expect(rig.open(AbortSignal.abort())).rejects.toMatchObject({ code: "CANCELLED" });
    expect(rig.marks.size).toBe(0);
    expect(rig.sandboxes.opened).toEqual([]);
  });
});

describe("a call that is broken off", () => {
  it.each(["sandbox.run", "workspace.changes", "preimages.remember", "ledger.putBlob", "ledger.append"])("by %s has its sandbox destroyed before the answer leaves", async (slot) => {
    const rig = rigged();
    const session = await rig.open();
    rig.faults.order(slot, { kind: "throw", ...(slot === "ledger.append" ? { at: 2 } : {}) });
    await expect(session.call(bash("python3 evil.py"), {}, never)).rejects.toBeInstanceOf(GuardError);
    expect(rig.sandboxes.opened.map(({ closed }) => closed)).toEqual([true]);
    await session.close("finished").catch(() => undefined);
  });
});

describe("a sandbox that dies", () => {
  it("under a call leaves it in doubt and the session broken", async () => {
    const rig = createRig({ programs: { ls: { breaks: "out of memory" } } });
    const session = await rig.open();
    await expect(session.call(bash("ls"), {}, never)).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
    await expect(session.call(bash("ls"), {}, never)).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
    await expect(session.harness({ label: "h", command: "npm test", editsOf: null, before: null }, {}, never)).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
    await session.close("finished");
    const state = sessionState(await rig.events(session));
    expect(state?.calls.map(({ outcome }) => outcome)).toEqual(["in-doubt"]);
    expect(state?.closed).toMatchObject({ reason: "broken", calls: 1 });
  });

  it("between calls lets no further call begin", async () => {
    const rig = createRig({ programs: { ls: {} } });
    const session = await rig.open();
    rig.sandboxes.opened[0]?.breakNow("the engine went away");
    await expect(session.call(bash("ls"), {}, never)).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
    expect(rig.sandboxes.opened[0]?.requests).toEqual([]);
    await session.close("finished");
    expect(sessionState(await rig.events(session))?.closed).toMatchObject({ reason: "broken", detail: "the engine went away" });
  });

  it("between calls closes its session at once: on record, without a mark, and a call later says why", async () => {
    const rig = createRig({ programs: { ls: {} } });
    const session = await rig.open();
    rig.sandboxes.opened[0]?.breakNow("the engine went away");
    await vi.waitFor(() => expect(rig.marks.size).toBe(0), { timeout: 1_000 });
    expect(sessionState(await rig.events(session))?.closed).toMatchObject({ reason: "broken", detail: "the engine went away" });
    await expect(session.call(bash("ls"), {}, never)).rejects.toMatchObject({ code: "SANDBOX_BROKEN", message: expect.stringContaining("the engine went away") });
    await session.close("finished");
  });

  it("is ended under its call when the session is abandoned, and the call is in doubt", async () => {
    const rig = createRig({ programs: { ls: { runsForever: true } } });
    const session = await rig.open();
    const call = session.call(bash("ls"), {}, never);
    await vi.waitFor(() => expect(rig.sandboxes.opened[0]?.requests).toHaveLength(1));
    await session.abandon("stopped at once");
    await expect(call).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
    const state = sessionState(await rig.events(session));
    expect([state?.closed, state?.calls.map(({ outcome }) => outcome), rig.marks.size]).toEqual([expect.objectContaining({ reason: "broken", detail: "stopped at once" }), ["in-doubt"], 0]);
  });
});

describe("what was judged is what is touched:", () => {
  it.each(["\\x2eenv", "src\\x2fa.js", "a\\x5cb"])("the file tools take %s as that very name, not as an escape of another", async (name) => {
    const rig = rigged();
    const session = await rig.open();
    await session.call(create(name, "text\n"), {}, never);
    const [op] = rig.sandboxes.opened[0]?.operations ?? [];
    expect(encodeName(op?.path ?? "")).toEqual(new TextEncoder().encode(name));
    expect((await session.call(toolCall("str_replace_editor", { command: "view", path: `/workspace/${name}` }), {}, never)).stdout).toContain("text");
    await session.close("finished");
  });
});
