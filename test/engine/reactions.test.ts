// What policy does when a session's score rises or its findings add up: it asks more, pauses, stops and keeps a copy. Each on record,
// with its reason; a quiet call costs nothing.

import { afterEach, describe, expect, it } from "vitest";
import { mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createForensics } from "../../src/adapters/store/forensics.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import { LIMITS } from "../../src/core/shared/index.js";
import { sessionHistory } from "../../src/core/session/history.js";
import { sessionState } from "../../src/core/session/index.js";
import { openSession, type Session } from "../../src/engine/session.js";
import type { MemoryTree } from "../../src/adapters/memory/workspace.js";
import { compileWith, kimiDevPolicy } from "../support/policy.js";
import { bash, create, createRig, never, type Rig, type RigOptions } from "../support/rig.js";

const programs = {
  ls: {},
  "python3 build.py": { changes: (tree: MemoryTree) => tree.set("out/a.txt", { kind: "file" as const, content: "built\n" }) },
  "python3 hooks.py": { changes: (tree: MemoryTree) => tree.set(".git/hooks/pre-commit", { kind: "file" as const, content: "x" }) },
};

function policy(reactions: string): RigOptions["policy"] {
  return compileWith(`version: 1\nid: own\ntitle: reactions under test\nrules: []\nreactions:\n${reactions}`);
}

function reaction(id: string, kind: string, when: string): string {
  return `  - { id: own.${id}, do: ${kind}, layer: L7, threats: ["asi-2026:ASI10"], message: ${id} is due, when: [${when}] }\n`;
}

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function opened(reactions: string, options: RigOptions = {}): Promise<{ readonly rig: Rig; readonly session: Session; readonly state: string }> {
  const state = realpathSync(mkdtempSync(join(tmpdir(), "ringfence-react-")));
  folders.push(state);
  const rig = createRig({ programs, policy: policy(reactions) as NonNullable<RigOptions["policy"]>, ...options });
  const session = await openSession({ ...rig.deps, forensics: createForensics(state, sha256) }, rig.options, never);
  return { rig, session, state };
}

const HOOK = create(".git/config", "x");

describe("a threshold", () => {
  it("asks for every call from the next on, on record with its reason and its cause", async () => {
    const { rig, session } = await opened(reaction("all", "ask", "{ findings: { severity: high, count: 2 } }"), { answers: ["rejected", "approved"] });
    await session.call(HOOK, {}, never);
    expect((await session.call(bash("ls"), {}, never)).outcome).toBe("completed");
    await session.call(HOOK, {}, never);
    const [refused, agreed] = [await session.call(bash("ls"), {}, never), await session.call(bash("ls"), {}, never)];
    expect([refused.outcome, agreed.outcome]).toEqual(["rejected", "completed"]);
    expect(refused.decision.reasons[0]).toMatchObject({ rule: "own.all", effect: "ask", layer: "L7", threats: ["asi-2026:ASI10"] });
    await session.close("finished");
    const events = await rig.events(session);
    const tightened = events.filter((event) => event.type === "session.tightened");
    expect(tightened.map(({ data }) => data)).toEqual([{ reason: "all is due: 2 attempts, by rig.no-hooks", effect: "ask", reaction: "own.all", action: "ask", layer: "L7", threats: ["asi-2026:ASI10"], cause: expect.any(Number) }]);
    expect(events[tightened[0]?.data.cause ?? 0]?.type).toBe("decision.made");
    expect(sessionHistory(events).reacted.map(({ reaction: id }) => id)).toEqual(["own.all"]);
  });

  it("by score holds at the very start, where the posture is too weak", async () => {
    const { session } = await opened(reaction("weak", "ask", "{ aivss: 9.7 }"), { controls: [] });
    expect((await session.call(bash("ls"), {}, never)).outcome).toBe("rejected");
    const strong = await opened(reaction("weak", "ask", "{ aivss: 9.7 }"));
    expect((await strong.session.call(bash("ls"), {}, never)).outcome).toBe("completed");
  });

  it("for writes leaves reads and programs alone, and undoes what nobody agreed to", async () => {
    const { rig, session } = await opened(reaction("writes", "ask-writes", "{ findings: { severity: high } }"), { answers: ["rejected", "approved"] });
    await session.call(HOOK, {}, never);
    expect((await session.call(bash("ls"), {}, never)).outcome).toBe("completed");
    const built = await session.call(bash("python3 build.py"), {}, never);
    expect([built.outcome, [...new Set(built.findings.map(({ rule, reverted }) => `${rule} ${reverted ? "undone" : "stays"}`))]]).toEqual(["reverted", ["own.writes undone"]]);
    expect(rig.content(session, "out/a.txt")).toBeNull();
    const risky = session.risk().findings.get("own.writes");
    expect([risky?.severity, risky?.cvss]).toEqual(["info", null]);
    expect((await session.call(create("src/b.js", "x"), {}, never)).outcome).toBe("rejected");
    expect((await session.call(create("src/b.js", "x"), {}, never)).outcome).toBe("completed");
    expect(rig.content(session, "src/b.js")).toBe("x");
  });
});

describe("a pause", () => {
  it("asks a person before the next call, and goes on with a yes", async () => {
    const { rig, session } = await opened(reaction("pause", "pause", "{ findings: { severity: high } }"), { answers: ["approved"] });
    await session.call(HOOK, {}, never);
    expect((await session.call(bash("ls"), {}, never)).outcome).toBe("completed");
    expect((await session.call(bash("ls"), {}, never)).outcome).toBe("completed");
    await session.close("finished");
    const events = await rig.events(session);
    expect(events.flatMap((event) => (event.call === null ? [event.type] : []))).toEqual(["session.opened", "risk.updated", "session.tightened", "approval.requested", "session.paused", "session.resumed", "approval.resolved", "session.closed"]);
    expect(sessionState(events)?.closed?.reason).toBe("finished");
  });

  it.each(["rejected", "expired", "unavailable"] as const)("stops the session where the answer is %s", async (answer) => {
    const { rig, session } = await opened(reaction("pause", "pause", "{ findings: { severity: high } }"), { answers: [answer] });
    await session.call(HOOK, {}, never);
    await expect(session.call(bash("ls"), {}, never)).rejects.toMatchObject({ code: "SESSION_STOPPED" });
    await session.close("finished");
    expect(sessionState(await rig.events(session))?.closed).toMatchObject({ reason: "stopped", detail: expect.stringContaining("own.pause") });
    expect(rig.sandboxes.opened.map(({ closed, requests }) => [closed, requests.length])).toEqual([[true, 0]]);
  });
});

describe("a pause that is answered elsewhere", () => {
  const due = reaction("pause", "pause", "{ findings: { severity: high } }");
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 30; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };

  it("goes on when somebody resumes the session, who is on record, with why it was paused; whoever is asked here is not waited for", async () => {
    for (const options of [{ answers: ["unavailable"], defaults: { pauseWaitMs: 60_000 } }, { approver: { request: () => new Promise<never>(() => undefined) } }] satisfies RigOptions[]) {
      const { rig, session } = await opened(due, options);
      await session.call(HOOK, {}, never);
      const call = session.call(bash("ls"), {}, never);
      await turns();
      expect(sessionState(await rig.events(session))?.paused).toEqual({ by: "policy", reason: "own.pause: pause is due: 1 attempt, by rig.no-hooks", call: null });
      expect(rig.sandboxes.opened[0]?.requests.length).toBe(0);
      expect(await session.resume("ann")).toBe(true);
      expect((await call).outcome).toBe("completed");
      expect((await session.call(bash("ls"), {}, never)).outcome).toBe("completed");
      const events = await rig.events(session);
      expect(events.flatMap((event) => (event.type === "session.resumed" ? [event.data.by] : []))).toEqual(["ann"]);
      expect(events.flatMap((event) => (event.type === "approval.resolved" ? [event.data] : []))).toMatchObject([{ outcome: "approved", by: "ann", detail: "resumed" }]);
    }
  });

  it("stops when nobody resumes it in time, and when the session ends meanwhile", async () => {
    const late = await opened(due, { answers: ["unavailable"], defaults: { pauseWaitMs: 20 } });
    await late.session.call(HOOK, {}, never);
    await expect(late.session.call(bash("ls"), {}, never)).rejects.toMatchObject({ code: "SESSION_STOPPED" });
    expect((await late.rig.events(late.session)).flatMap((event) => (event.type === "approval.resolved" ? [event.data.detail] : []))).toEqual(["nobody resumed it within 0.02 s"]);
    const ended = await opened(due, { answers: ["unavailable"], defaults: { pauseWaitMs: 60_000 } });
    await ended.session.call(HOOK, {}, never);
    const call = ended.session.call(bash("ls"), {}, never).catch((error: unknown) => error);
    await turns();
    await ended.session.close("cancelled");
    expect(await call).toMatchObject({ code: "SESSION_STOPPED" });
    expect((await ended.rig.events(ended.session)).at(-1)).toMatchObject({ type: "session.closed", data: { reason: "stopped" } });
  });

  it("is not answered by who resumes what a person paused", async () => {
    const { rig, session } = await opened(due, { answers: ["rejected"] });
    await session.call(HOOK, {}, never);
    await session.pause("ann", "a look");
    const call = session.call(bash("ls"), {}, never).catch((error: unknown) => error);
    await turns();
    await session.resume("ann");
    expect(await call).toMatchObject({ code: "SESSION_STOPPED" });
    expect(rig.approver.requests.length).toBe(1);
  });
});

describe("a stop", () => {
  it("ends the sandbox, keeps a forensic copy, closes the session, and says so to every later call", async () => {
    const { rig, session, state } = await opened(reaction("stop", "stop", "{ findings: { rules: [rig.no-hooks], outcome: undone } }"));
    await session.call(create("src/b.js", "kept for those who look\n"), {}, never);
    const last = await session.call(bash("python3 hooks.py"), {}, never);
    expect([last.outcome, session.stopped()]).toEqual(["reverted", "own.stop: stop is due: 1 occurrence, by rig.no-hooks"]);
    await expect(session.call(bash("ls"), {}, never)).rejects.toMatchObject({ code: "SESSION_STOPPED" });
    await session.close("finished");
    const events = await rig.events(session);
    expect(sessionState(events)?.closed).toMatchObject({ reason: "stopped", detail: "own.stop: stop is due: 1 occurrence, by rig.no-hooks" });
    expect(rig.sandboxes.opened.map(({ closed }) => closed)).toEqual([true]);
    const copied = events.flatMap((event) => (event.type === "session.copied" ? [event.data] : []));
    expect(copied).toEqual([{ place: `sessions/${session.id}/forensic`, digest: expect.any(String), files: 1, bytes: 24, left: 0 }]);
    const folder = join(state, copied[0]?.place ?? "");
    const manifest = readFileSync(join(folder, "manifest.json"));
    expect(sha256(manifest)).toBe(copied[0]?.digest);
    const { changes } = JSON.parse(manifest.toString("utf8")) as { changes: { path: string; content: string | null }[] };
    const kept = changes.find(({ path }) => path === "src/b.js")?.content?.slice("sha256:".length) ?? "";
    expect(readFileSync(join(folder, kept), "utf8")).toBe("kept for those who look\n");
    expect(statSync(join(folder, kept)).mode & 0o777).toBe(0o600);
  });

  it("names what a copy leaves out, and stops all the same where none can be made", async () => {
    const rule = reaction("stop", "stop", "{ findings: { severity: high } }");
    const gone = await opened(rule);
    await gone.session.call(create("src/b.js", "x"), {}, never);
    gone.rig.faults.order("workspace.readChanged", { kind: "throw" });
    await gone.session.call(HOOK, {}, never);
    await gone.session.close("finished");
    expect((await gone.rig.events(gone.session)).flatMap((event) => (event.type === "session.copied" ? [event.data.left] : []))).toEqual([1]);
    const rig = createRig({ programs, policy: policy(rule) as NonNullable<RigOptions["policy"]> });
    const session = await openSession({ ...rig.deps, forensics: { keep: () => Promise.reject(new Error("no room")) } }, rig.options, never);
    await session.call(HOOK, {}, never);
    await session.close("finished");
    expect(sessionState(await rig.events(session))?.closed?.reason).toBe("stopped");
    expect(rig.lines.some(({ message }) => message.includes("no forensic copy"))).toBe(true);
  });

  it("copies no file over the limit, and no more files than the limit, and names the rest", async () => {
    const MORE = 20;
    const changes = (tree: MemoryTree): void => {
      tree.set("a-big.bin", { kind: "file", content: "x".repeat(LIMITS.forensicFileBytes + 1) });
      for (let index = 0; index < LIMITS.forensicFiles + MORE; index += 1) tree.set(`many/f${String(index)}`, { kind: "file", content: "same" });
    };
    const { rig, session, state } = await opened(reaction("stop", "stop", "{ findings: { severity: high } }"), { programs: { ...programs, "python3 fill.py": { changes } } });
    await session.call(bash("python3 fill.py"), {}, never);
    await session.call(HOOK, {}, never);
    await session.close("finished");
    const [copied] = (await rig.events(session)).flatMap((event) => (event.type === "session.copied" ? [event.data] : []));
    expect(copied).toMatchObject({ files: LIMITS.forensicFiles, bytes: 4 * LIMITS.forensicFiles, left: MORE + 1 });
    const manifest = JSON.parse(readFileSync(join(state, copied?.place ?? "", "manifest.json"), "utf8")) as { changes: { path: string; left?: string }[] };
    expect(manifest.changes.find(({ path }) => path === "a-big.bin")?.left).toBe("past the limits of a forensic copy");
  });

  it("comes before a call that a person would have let run", async () => {
    const { rig, session } = await opened(reaction("stop", "stop", "{ aivss: 9.7 }"), { controls: [], answers: ["approved"] });
    await expect(session.call(bash("ls"), {}, never)).rejects.toMatchObject({ code: "SESSION_STOPPED" });
    expect(rig.approver.requests).toEqual([]);
    expect(rig.sandboxes.opened.flatMap(({ requests }) => requests)).toEqual([]);
  });
});

describe("fifty medium probes", () => {
  it("escalate under the built-in policy: changes are held, then everything, then a person must say so, and the session stops", async () => {
    const rig = createRig({ programs, policy: await kimiDevPolicy(), profile: "kimi-dev" });
    const session = await openSession(rig.deps, rig.options, never);
    let probes = 0;
    while (session.stopped() === null && probes < 80) {
      probes += 1;
      await session.call(bash(`curl https://host${probes}.test/`), {}, never).catch(() => null);
    }
    await session.close("finished");
    const events = await rig.events(session);
    const steps = events.flatMap((event) => (event.type === "session.tightened" ? [[event.data.action, event.data.reaction]] : []));
    expect(steps).toEqual([["ask-writes", "kimi-dev.hold-changes"], ["ask", "kimi-dev.hold-everything"], ["pause", "kimi-dev.many-probes"]]);
    expect(probes).toBe(51);
    expect(sessionState(events)?.closed).toMatchObject({ reason: "stopped" });
  });
});

describe("one call that meets very many rules", () => {
  it("is one attempt, and holds nothing by itself", async () => {
    const rig = createRig({ programs, policy: await kimiDevPolicy(), profile: "kimi-dev" });
    const session = await rig.open();
    const refused = await session.call(bash("rm -rf /"), {}, never);
    expect(refused.decision.reasons.length).toBeGreaterThan(20);
    expect((await session.call(bash("ls"), {}, never)).outcome).toBe("completed");
    await session.close("finished");
    expect((await rig.events(session)).filter(({ type }) => type === "session.tightened")).toEqual([]);
  });
});

describe("a call that moves no score", () => {
  it("makes no more calls of ports with reactions than without", async () => {
    const journal = async (options: RigOptions): Promise<readonly string[]> => {
      const rig = createRig({ programs, ...options });
      const session = await rig.open();
      const from = rig.journal.length;
      await session.call(bash("ls"), {}, never);
      return rig.journal.slice(from);
    };
    const all = reaction("all", "ask", "{ findings: { severity: high } }") + reaction("stop", "stop", "{ aivss: 10 }");
    expect(await journal({ policy: policy(all) as NonNullable<RigOptions["policy"]> })).toEqual(await journal({}));
  });
});

describe("a call that is killed at its deadline", () => {
  const changes = (tree: MemoryTree): void => {
    tree.set("out/a.txt", { kind: "file", content: "half\n" });
    tree.set(".git/hooks/pre-commit", { kind: "file", content: "evil\n" });
  };

  it("leaves a copy of what it changed, what policy undoes included, of the first three only", async () => {
    const { rig, session, state } = await opened(reaction("none", "ask", "{ aivss: 10 }"), { programs: { "python3 hang.py": { runsForever: true, changes: (tree, { environment }) => (changes(tree), tree.set("out/n", { kind: "file", content: `${Object.keys(environment).length}${Math.random()}` })) }, "python3 idle.py": { runsForever: true } }, defaults: { timeoutMs: 20 } });
    for (const command of ["python3 idle.py", "python3 hang.py", "python3 hang.py", "python3 hang.py", "python3 hang.py"]) await session.call(bash(command), {}, never);
    expect(rig.content(session, ".git/hooks/pre-commit")).toBeNull();
    await session.close("finished");
    const copies = (await rig.events(session)).flatMap((event) => (event.type === "session.copied" ? [{ call: event.call, place: event.data.place }] : []));
    expect(copies).toEqual(["call_0002", "call_0003", "call_0004"].map((call) => ({ call, place: `sessions/${session.id}/forensic-${call}` })));
    const manifest = JSON.parse(readFileSync(join(state, copies[0]?.place ?? "", "manifest.json"), "utf8")) as { changes: { path: string; content: string }[] };
    const hook = manifest.changes.find(({ path }) => path === ".git/hooks/pre-commit");
    expect(readFileSync(join(state, copies[0]?.place ?? "", (hook?.content ?? "").slice("sha256:".length)), "utf8")).toBe("evil\n");
  });
});
