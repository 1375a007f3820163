// A recorded session made again in the engine: what is the same is said to be, the one call that differs is named, and answers of people
// are given again to the very same questions only.

import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/adapters/system/hasher.js";
import type { ScriptedRun } from "../../src/adapters/memory/sandbox.js";
import type { AuditEvent } from "../../src/core/session/index.js";
import { recordedApprover, rerunCalls, type RerunStep } from "../../src/engine/rerun.js";
import { bash, createRig, never, type Rig, type RigOptions } from "../support/rig.js";

const nothing = { readBlob: () => Promise.reject(new Error("no blob")), content: async () => null };
const writes = (path: string, content: string): ScriptedRun => ({ stdout: "", changes: (tree) => void tree.set(path, { kind: "file", content }) });
const PROGRAMS = { "python3 1.py": writes("one.txt", "1"), "python3 2.py": { stdout: "two\n" }, "python3 3.py": writes("three.txt", "3"), "python3 4.py": { stdout: "four\n", exitCode: 4 }, "deploy now": { stdout: "deployed\n" } };

async function record(given: RigOptions, calls: readonly string[], then?: (session: Awaited<ReturnType<Rig["open"]>>) => Promise<unknown>): Promise<readonly AuditEvent[]> {
  const rig = createRig({ programs: PROGRAMS, ...given });
  const session = await rig.open();
  for (const command of calls) await session.call(bash(command), {}, never);
  await then?.(session);
  await session.close("finished");
  return rig.events(session);
}

async function again(recorded: readonly AuditEvent[], given: RigOptions = {}, how: { readonly keepGoing?: boolean; readonly until?: number } = {}): Promise<readonly RerunStep[]> {
  const seen: AuditEvent[] = [];
  const rig = createRig({ programs: PROGRAMS, approver: recordedApprover(recorded), ...given, onEvent: (event) => void seen.push(event) });
  const session = await rig.open();
  const kept = { recorded: { ...nothing }, rerun: { ...nothing } };
  const steps = await rerunCalls({ recorded, seen, session, kept, argumentsOf: () => null, hash: sha256, until: how.until ?? 1_000, keepGoing: how.keepGoing === true, signal: never, onStep: () => undefined });
  await session.close("finished");
  return steps;
}

const told = (steps: readonly RerunStep[]): readonly string[] => steps.map(({ number, divergence }) => `${String(number)} ${divergence === null ? "same" : divergence.kind}`);
const ALL = ["python3 1.py", "python3 2.py", "echo x > protected/keep.txt", "python3 3.py", "python3 4.py"];

describe("a session run again", () => {
  it("is the same where nothing differs, refusals included", async () => {
    const recorded = await record({}, ALL);
    const steps = await again(recorded);
    expect(told(steps)).toEqual(["1 same", "2 same", "3 same", "4 same", "5 same"]);
    expect(steps.every(({ workspace }) => workspace?.recorded === workspace?.rerun)).toBe(true);
    expect(told(await again(recorded, {}, { until: 2 }))).toEqual(["1 same", "2 same"]);
  });

  it.each([
    ["output", 2, { ...PROGRAMS, "python3 2.py": { stdout: "other\n" } }],
    ["workspace", 4, { ...PROGRAMS, "python3 3.py": writes("three.txt", "4") }],
    ["exit", 5, { ...PROGRAMS, "python3 4.py": { stdout: "four\n", exitCode: 5 } }],
  ] as const)("names a difference of %s at step %i, and stops there unless told to go on", async (kind, at, programs) => {
    const recorded = await record({}, ALL);
    const steps = await again(recorded, { programs });
    expect(told(steps).at(-1)).toBe(`${at} ${kind}`);
    expect(steps).toHaveLength(at);
    expect(told(await again(recorded, { programs }, { keepGoing: true })).filter((line) => !line.endsWith("same"))).toEqual([`${at} ${kind}`]);
  });

  it("gives the answers that people gave, to the same questions", async () => {
    const asked = "deploy now";
    for (const answer of ["approved", "rejected"] as const) {
      const recorded = await record({ answers: [answer] }, [asked, "python3 2.py"]);
      expect(recorded.filter(({ type }) => type === "approval.resolved")).toHaveLength(1);
      expect(told(await again(recorded))).toEqual(["1 same", "2 same"]);
    }
    const recorded = await record({ answers: ["approved"] }, [asked]);
    const approver = recordedApprover(recorded);
    const request = { actionDigest: sha256("another"), policyDigest: sha256("p"), role: null, tool: "bash", action: "a", cwd: null, files: [], reasons: [], rejectedBefore: 0 };
    expect(await approver.request(request, never)).toMatchObject({ outcome: "rejected" });
  });

  it("goes on after a call that cannot be made again, each held against its own record", async () => {
    const recorded = (await record({}, ["python3 1.py", "python3 2.py", "python3 3.py", "python3 4.py"])).map((event) => (event.type === "call.closed" && event.call === "call_0002" ? { ...event, data: { ...event.data, outcome: "cancelled" as const } } : event));
    expect(told(await again(recorded, {}, { keepGoing: true }))).toEqual(["1 same", "2 unknown", "3 same", "4 same"]);
  });

  it("takes back what was taken back", async () => {
    const recorded = await record({}, ["python3 1.py", "python3 3.py"], async (session) => {
      await session.undo("0");
      await session.call(bash("python3 1.py"), {}, never);
    });
    expect(told(await again(recorded))).toEqual(["1 same", "2 same", "3 same"]);
  });

  it("puts an unreadable answer on record again", async () => {
    const recorded = await record({}, [], (session) => session.refuse({ label: "line 1", role: "bugfixer", format: "kimi-dev", issue: { code: "KIMI_CUT", message: "cut", hint: "send it again" }, reply: "", escape: true }));
    expect(told(await again(recorded))).toEqual(["1 same"]);
  });

  it("says what it cannot make again", async () => {
    const abort = new AbortController();
    const rig = createRig({ programs: { "python3 1.py": () => (abort.abort(), { stdout: "x" }) } });
    const session = await rig.open();
    await session.call(bash("python3 1.py"), {}, abort.signal).catch(() => undefined);
    await session.close("finished");
    const [step] = await again(await rig.events(session));
    if (step?.divergence?.kind === "unknown") expect(step).toMatchObject({ ran: false, workspace: null });
    else expect(step?.divergence).toBeNull();
  });
});
