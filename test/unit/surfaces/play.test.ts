// Playing a recorded trajectory: order, harness runs, unreadable lines, and when it stops.

import { describe, expect, it } from "vitest";
import type { ToolCall, TrajectoryLine } from "../../../src/core/action/index.js";
import type { Change } from "../../../src/core/reconcile/change.js";
import type { HarnessRequest, HarnessRun, Observation, OpenedSession } from "../../../src/compose.js";
import { GuardError } from "../../../src/core/shared/index.js";
import { play, type PlayOptions } from "../../../src/surfaces/cli/play.js";

const change: Change = { path: "a", operation: "create", before: null, after: null };
const call = (role: string | null, tool: string, command: string): ToolCall => ({ id: command, role, tool, arguments: { command } });
const line = (number: number, ...calls: readonly ToolCall[]): TrajectoryLine => ({ line: number, calls: { ok: true, value: calls } });
const unreadable = (number: number): TrajectoryLine => ({ line: number, calls: { ok: false, error: { code: "X", message: "no", reply: "again, please", escape: false, line: number, answerLine: null, block: null } } });

function observed(of: ToolCall, rest: Partial<Observation> = {}): Observation {
  return {
    call: "call_0001",
    label: of.id,
    summary: of.id,
    outcome: "completed",
    decision: { effect: "allow", reasons: [], obligations: [], errors: [], guidance: null, policyDigest: "sha256:0" },
    approval: null,
    exitCode: 0,
    signal: null,
    ended: "exit",
    durationMs: 1,
    stdout: "",
    stderr: "",
    changes: [],
    findings: [],
    message: "",
    ...rest,
  };
}

function harnessRun(passed: boolean, failed = 0): HarnessRun {
  const counts = { passed: 1, failed, skipped: 0 };
  return { observation: observed(call("harness", "harness", "x")), run: { exitCode: failed === 0 ? 0 : 1, report: { format: "tap", tests: [], planned: 0, incomplete: null } }, verdict: { passed, counts, reasons: [] } };
}

/** A session that writes down what it is asked, and answers as told. */
function fakeSession(answers: { readonly call?: (call: ToolCall) => Partial<Observation>; readonly harness?: (request: HarnessRequest) => HarnessRun } = {}) {
  const log: string[] = [];
  const session = {
    stopped: () => null,
    call: async (one: ToolCall) => {
      log.push(`call ${one.id}`);
      return observed(one, answers.call?.(one));
    },
    refuse: async (refused: { readonly label: string; readonly format: string; readonly reply: string }) => {
      log.push(`refuse ${refused.label} ${refused.format} ${refused.reply}`);
      return observed(call(null, "x", refused.label), { outcome: "denied" });
    },
    harness: async (request: HarnessRequest) => {
      log.push(`harness ${request.label} ${request.command} ${request.editsOf === null ? "all" : `[${request.editsOf.join()}]`}${request.before === null ? "" : " against base"}`);
      return answers.harness?.(request) ?? harnessRun(true);
    },
  };
  return { session: session as unknown as OpenedSession, log };
}

const told: string[] = [];
const listener = {
  onCall: (one: ToolCall) => void told.push(`call ${one.id}`),
  onHarness: (kind: string) => void told.push(`harness ${kind}`),
  onUnreadable: (number: number) => void told.push(`unreadable ${number}`),
};
const options = (rest: Partial<PlayOptions> = {}): PlayOptions => ({ keepGoing: false, format: "jsonl", signal: new AbortController().signal, onChanges: () => undefined, ...rest });

describe("playing", () => {
  it("makes the calls of every line in order and counts what was refused and undone", async () => {
    const { session, log } = fakeSession({
      call: ({ id }) => (id === "bad" ? { outcome: "denied" } : id === "asked" ? { outcome: "rejected" } : id === "hook" ? { findings: [{ path: "a", reverted: true }, { path: "a", reverted: true }, { path: "b", reverted: false }] as never } : {}),
    });
    told.length = 0;
    const result = await play(session, [line(1, call(null, "bash", "a"), call(null, "bash", "bad")), line(2), line(3, call(null, "bash", "asked"), call(null, "bash", "hook"))], listener, options());
    expect(log).toEqual(["call a", "call bad", "call asked", "call hook"]);
    expect(told).toEqual(log);
    expect(result).toMatchObject({ calls: 4, refused: 2, reverted: 1, unreadable: 0, tests: null, withoutFix: null, failsWithoutFix: null });
  });

  it("tells what each call changed before the next line is read", async () => {
    const order: string[] = [];
    const { session } = fakeSession({ call: () => ({ changes: [change] }) });
    function* lines(): Generator<TrajectoryLine> {
      for (const number of [1, 2]) {
        order.push(`read ${number}`);
        yield line(number, call(null, "bash", String(number)));
      }
    }
    await play(session, lines(), listener, options({ onChanges: (changes) => void order.push(`changed ${changes.map(({ path }) => path).join()}`) }));
    expect(order).toEqual(["read 1", "changed a", "read 2", "changed a"]);
  });

  it("refuses a line that cannot be read on record and stops there, or goes on when told", async () => {
    const lines = [line(1, call(null, "bash", "a")), unreadable(2), line(3, call(null, "bash", "b"))];
    const stops = fakeSession();
    expect(await play(stops.session, lines, listener, options())).toMatchObject({ calls: 1, unreadable: 1 });
    expect(stops.log).toEqual(["call a", "refuse line 2 jsonl again, please"]);
    const goes = fakeSession();
    expect(await play(goes.session, lines, listener, options({ keepGoing: true }))).toMatchObject({ calls: 2, unreadable: 1 });
    expect(goes.log).toEqual(["call a", "refuse line 2 jsonl again, please", "call b"]);
  });

  it("stops after the call in which it is aborted", async () => {
    const stop = new AbortController();
    const { session, log } = fakeSession({ call: ({ id }) => (id === "b" && stop.abort(), {}) });
    await play(session, [line(1, call(null, "bash", "a"), call(null, "bash", "b"), call(null, "bash", "c")), line(2, call(null, "bash", "d"))], listener, options({ signal: stop.signal }));
    expect(log).toEqual(["call a", "call b"]);
  });

  it("ends where policy stops the session, before or by a call", async () => {
    for (const throws of [false, true]) {
      const { session, log } = fakeSession();
      const stops: { why: string | null } = { why: null };
      const stopping = {
        ...session,
        stopped: () => stops.why,
        call: async (one: ToolCall, ...rest: readonly unknown[]) => {
          if (one.id === "two") stops.why = "X.stop-escape";
          if (stops.why !== null && throws) throw new GuardError("SESSION_STOPPED", "stopped");
          return (session.call as (...args: readonly unknown[]) => Promise<Observation>)(one, ...rest);
        },
      } as unknown as OpenedSession;
      const result = await play(stopping, [line(1, call(null, "bash", "one"), call(null, "bash", "two"), call(null, "bash", "three")), line(2, call(null, "bash", "four"))], {}, { keepGoing: true, format: "jsonl", signal: new AbortController().signal, onChanges: () => undefined } satisfies PlayOptions);
      expect([result.stopped, result.calls]).toEqual(["X.stop-escape", throws ? 1 : 2]);
      expect(log).toEqual(throws ? ["call one"] : ["call one", "call two"]);
    }
  });

  it("passes on a fault of ours", async () => {
    const { session } = fakeSession({
      call: () => {
        throw new GuardError("SANDBOX_BROKEN", "gone");
      },
    });
    await expect(play(session, [line(1, call(null, "bash", "a"))], listener, options())).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
  });
});

describe("harness lines", () => {
  const tests = call("harness", "bash", "npm test");
  const fix = call("bugfixer", "bash", "fix");
  const test = call("testwriter", "bash", "test");
  const changing = { call: () => ({ changes: [change] }) };

  it("run on the base copy once, then with the accepted edits, held against the base", async () => {
    const { session, log } = fakeSession(changing);
    const result = await play(session, [line(1, tests), line(2, fix), line(3, tests), line(4, tests)], listener, options());
    expect(log).toEqual(["harness base npm test []", "call fix", "harness accepted npm test all against base", "harness accepted npm test all against base"]);
    expect(result).toMatchObject({ calls: 4, tests: { passed: true }, withoutFix: null, failsWithoutFix: null });
  });

  it("also run the new tests without the fix, which must fail there", async () => {
    const { session, log } = fakeSession({ ...changing, harness: ({ label }) => (label === "tests-only" ? harnessRun(false, 1) : harnessRun(true)) });
    const result = await play(session, [line(1, fix, test, tests)], listener, options());
    expect(log.slice(2)).toEqual(["harness base npm test []", "harness tests-only npm test [testwriter]", "harness accepted npm test all against base"]);
    expect(result).toMatchObject({ tests: { passed: true }, withoutFix: { passed: false }, failsWithoutFix: true });
  });

  it("say so when the new tests do not fail without the fix, and take no unreadable report for a failure", async () => {
    const passing = fakeSession(changing);
    expect(await play(passing.session, [line(1, fix, test, tests)], listener, options())).toMatchObject({ failsWithoutFix: false });
    const silent = fakeSession({ ...changing, harness: () => ({ ...harnessRun(false), run: { exitCode: 1, report: null }, verdict: { passed: false, counts: null, reasons: ["no report"] } }) });
    expect(await play(silent.session, [line(1, fix, test, tests)], listener, options())).toMatchObject({ tests: { passed: false }, failsWithoutFix: false });
  });

  it("run the new tests alone again only when there are new ones, and without a fix nothing else", async () => {
    const { session, log } = fakeSession(changing);
    const result = await play(session, [line(1, test, tests, tests), line(2, fix, tests), line(3, test, tests)], listener, options());
    expect(log.filter((entry) => entry.startsWith("harness")).map((entry) => entry.split(" ")[1])).toEqual(["base", "tests-only", "accepted", "tests-only", "accepted"]);
    expect(result.tests?.passed).toBe(true);
  });

  it("are those of the harness with a shell command, and no others", async () => {
    const { session, log } = fakeSession();
    await play(session, [line(1, { ...tests, tool: "exec" }, { ...tests, role: "bugfixer" }, { ...tests, arguments: { command: 1 } })], listener, options());
    expect(log).toEqual(["call npm test", "call npm test", "call npm test"]);
  });
});
