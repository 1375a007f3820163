// Whatever ends a session, nothing of it stays on the machine, and its record tells the truth: a normal end, Ctrl-C once and
// twice, and SIGKILL at any moment of start, run and close, each with one later command.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createRig, docker, leftInTheEnd, lines, pause, sessionFolders, whyNotHere, type Running } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const rig = createRig();
const workspace = rig.workspace({ "a.txt": "one\n" });
const SLOW = ["exec", "--json", "--workspace", workspace, "--shell", "echo ready; echo made > made.txt; sleep 30"];

afterAll(() => rig.remove());

const eventTypes = (text: string): readonly string[] => lines(text.slice(0, text.lastIndexOf("\n") + 1)).map((line) => (JSON.parse(line) as { readonly type: string }).type);
const reached = (process: Running, type: string): boolean => process.out().includes(`"type":"${type}"`);

interface Event {
  readonly type: string;
  readonly data: { readonly reason?: string; readonly detail?: string | null; readonly outcome?: string; readonly ended?: string };
}

const record = (session: string): readonly Event[] => lines(readFileSync(rig.ledger(session), "utf8")).map((line) => JSON.parse(line) as Event);

async function expectIntact(session: string): Promise<void> {
  const { code, out } = await rig.run(["log", "verify", session]);
  expect([session, code, out]).toEqual([session, 0, expect.stringMatching(/^intact .* records/u)]);
}

describe.skipIf(missing !== null)("after a session", () => {
  it("nothing is left when it ended by itself", async () => {
    const { code } = await rig.run(["exec", "--workspace", workspace, "--shell", "echo x > made.txt"]);
    const [session] = sessionFolders(rig.state);
    expect([code, session]).toEqual([0, expect.stringMatching(/^ses_/u)]);
    expect(await leftInTheEnd(sessionFolders(rig.state), rig.state)).toEqual([]);
  });

  it("Ctrl-C ends the call, closes the record and leaves with 130", async () => {
    const process = rig.start(SLOW);
    await process.until("the call started", () => reached(process, "execution.started"));
    process.kill("SIGINT");
    const { code, err, out } = await process.ended;
    expect([code, err]).toEqual([130, expect.stringContaining("stopping; once more to stop at once")]);
    expect(eventTypes(out).slice(-2)).toEqual(["call.closed", "session.closed"]);
    const [session = ""] = [...sessionFolders(rig.state)].filter((id) => out.includes(id));
    expect(record(session).at(-1)).toMatchObject({ type: "session.closed", data: { reason: "cancelled" } });
    expect(await leftInTheEnd([session], rig.state)).toEqual([]);
    await expectIntact(session);
  });

  it("Ctrl-C before the sandbox is up leaves neither sandbox nor session", async () => {
    const before = new Set(sessionFolders(rig.state));
    const process = rig.start(["exec", "--workspace", workspace, "--", "sleep", "30"]);
    await process.until("a session was marked", () => sessionMarks().length > 0);
    process.kill("SIGINT");
    const { code, err } = await process.ended;
    expect([code, lines(err).at(-1)]).toEqual([130, "ringfence: interrupted (nothing ran)"]);
    const made = sessionFolders(rig.state).filter((id) => !before.has(id));
    expect([made, sessionMarks()]).toEqual([[], []]);
    expect(await leftInTheEnd(["ses_"], rig.state).then((left) => left.filter((line) => line.includes(rig.state)))).toEqual([]);
  });

  it("Ctrl-C at a terminal does the same", async () => {
    const before = new Set(sessionFolders(rig.state));
    const process = rig.startOnTerminal(["exec", "--workspace", workspace, "--shell", "echo ready; sleep 30"]);
    await process.until("the command speaks", () => process.out().includes("ready"));
    process.stdin.write("\u0003");
    const { code } = await process.ended;
    const [session = ""] = sessionFolders(rig.state).filter((id) => !before.has(id));
    expect([code, record(session).at(-1)]).toEqual([130, expect.objectContaining({ type: "session.closed", data: expect.objectContaining({ reason: "cancelled" }) })]);
    expect(await leftInTheEnd([session], rig.state)).toEqual([]);
  });

  it("Ctrl-C twice ends at once, and the record is closed", async () => {
    const process = rig.start(SLOW);
    await process.until("the call started", () => reached(process, "execution.started"));
    process.kill("SIGINT");
    await process.until("the first was heard", () => process.err().includes("stopping"));
    process.kill("SIGINT");
    const { code, out } = await process.ended;
    expect(code).toBe(130);
    const [session = ""] = [...sessionFolders(rig.state)].filter((id) => out.includes(id));
    expect(record(session).at(-1)).toMatchObject({ type: "session.closed", data: { reason: "cancelled" } });
    expect(await leftInTheEnd([session], rig.state)).toEqual([]);
    await expectIntact(session);
  });
});

describe.skipIf(missing !== null)("Ctrl-C twice, with a guard that does not answer", () => {
  it("ends at once, and the next command cleans up and says what is in doubt", async () => {
    const own = createRig();
    try {
      const process = own.start(["exec", "--json", "--workspace", own.workspace({ "a.txt": "one\n" }), "--shell", "sleep 30"]);
      await process.until("the call started", () => reached(process, "execution.started"));
      const [session = ""] = sessionFolders(own.state);
      docker("pause", docker("ps", "--quiet", "--filter", `label=dev.ringfence.session=${session}`));
      process.kill("SIGINT");
      await process.until("the first was heard", () => process.err().includes("stopping"));
      const second = performance.now();
      process.kill("SIGINT");
      const { code } = await process.ended;
      expect(code).toBe(130);
      expect(performance.now() - second).toBeLessThan(2_500);
      const { err } = await own.run(["sessions"]);
      expect((await own.sessions()).map(({ id, status }) => [id, status])).toEqual([[session, "in doubt"]]);
      expect([err, marksIn(own.state)]).toEqual([expect.not.stringContaining("internal"), []]);
      expect(await leftInTheEnd([session], own.state)).toEqual([]);
      expect((await own.run(["log", "verify", session])).code).toBe(0);
    } finally {
      own.remove();
    }
  });
});

/** A small repeatable generator (mulberry32): the same moments in every run unless RINGFENCE_SEED says otherwise. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Phase = "start" | "run" | "close";

describe.skipIf(missing !== null)("after SIGKILL and one later command", () => {
  const seed = Number(process.env["RINGFENCE_SEED"] ?? "1");

  it(`nothing is left, and each record is intact and says what is in doubt (seed ${seed})`, async () => {
    const next = random(seed);
    const own = createRig();
    try {
      const folder = own.workspace({ "a.txt": "one\n" });
      const command = (program: string): readonly string[] => ["exec", "--json", "--workspace", folder, "--shell", program];
      // How long a start takes here and now, so that moments fall into it on a slow machine too.
      const began = performance.now();
      const probe = own.start(command("true"));
      await probe.until("the session opened", () => reached(probe, "session.opened"));
      const startMs = performance.now() - began;
      await probe.ended;

      const moments: readonly { readonly phase: Phase; readonly at: number }[] = [
        ...Array.from({ length: 6 }, () => ({ phase: "start" as const, at: next() * startMs })),
        ...Array.from({ length: 3 }, () => ({ phase: "run" as const, at: next() * 400 })),
        ...Array.from({ length: 3 }, () => ({ phase: "close" as const, at: next() * 200 })),
      ];
      const killed = await inPairs(moments, async ({ phase, at }) => {
        const process = own.start(command(phase === "close" ? "echo made > made.txt" : "echo made > made.txt; sleep 30"));
        if (phase === "run") await process.until("the call started", () => reached(process, "execution.started"));
        if (phase === "close") await process.until("the call ended", () => reached(process, "call.closed"));
        await Promise.race([pause(at), process.ended]);
        process.kill("SIGKILL");
        const { code } = await process.ended;
        return { phase, code, err: process.err(), types: eventTypes(process.out()), session: /"session":"(ses_[a-z0-9]+)"/u.exec(process.out())?.[1] ?? null };
      });
      expect(killed.filter(({ phase, code }) => phase !== "close" && code !== 137)).toEqual([]);

      // A crash is told of by the next command, which may be the start of the next session that is killed.
      const later = await own.run(["exec", "--json", "--workspace", folder, "--", "true"]);
      expect(later.code, later.err).toBe(0);
      const all = sessionFolders(own.state);
      expect(await leftInTheEnd(all, own.state)).toEqual([]);
      expect(marksIn(own.state)).toEqual([]);

      const told = [...killed.map(({ err }) => err), later.err].join("");
      const status = new Map((await own.sessions()).map(({ id, status }) => [id, status]));
      for (const { phase, session, types, code } of killed) {
        if (session === null) continue;
        const started = types.includes("execution.started") && !types.includes("call.closed");
        const stands = status.get(session) ?? "";
        // What the process printed last may lag behind the record by one batch, never run ahead of it.
        if (started) expect([phase, stands]).toEqual([phase, "in doubt"]);
        else expect([code, stands]).toEqual([code, expect.stringMatching(code === 137 ? /^(?:recovered|in doubt|finished)$/u : /^finished$/u)]);
        if (stands !== "finished") expect(told).toContain(`closed session ${session}, whose process ended early${stands === "in doubt" ? ", in doubt: call_0001" : ""}\n`);
        const { code: verdict, out } = await own.run(["log", "verify", session, "--json"]);
        expect([session, verdict, JSON.parse(out)]).toEqual([session, 0, expect.objectContaining({ ok: true })]);
      }
      expect(killed.filter(({ phase }) => phase === "run").map(({ session }) => status.get(session ?? ""))).toEqual(["in doubt", "in doubt", "in doubt"]);
      expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("one\n");
    } finally {
      own.remove();
    }
  });

  it("`sessions` is such a later command too", async () => {
    const own = createRig();
    try {
      const folder = own.workspace({ "a.txt": "one\n" });
      const process = own.start(["exec", "--json", "--workspace", folder, "--shell", "sleep 30"]);
      await process.until("the call started", () => reached(process, "execution.started"));
      process.kill("SIGKILL");
      await process.ended;
      const [session = ""] = sessionFolders(own.state);
      const { err } = await own.run(["sessions"]);
      expect(err).toContain(`closed session ${session}, whose process ended early, in doubt: call_0001`);
      expect(await own.sessions()).toEqual([expect.objectContaining({ id: session, status: "in doubt" })]);
      expect(await leftInTheEnd([session], own.state)).toEqual([]);
    } finally {
      own.remove();
    }
  });

  it("a record that was tampered with after the crash is not closed, and is told of", async () => {
    const own = createRig();
    try {
      const folder = own.workspace({ "a.txt": "one\n" });
      const process = own.start(["exec", "--json", "--workspace", folder, "--shell", "sleep 30"]);
      await process.until("the call started", () => reached(process, "execution.started"));
      process.kill("SIGKILL");
      await process.ended;
      const [session = ""] = sessionFolders(own.state);
      const text = readFileSync(own.ledger(session), "utf8");
      writeFileSync(own.ledger(session), text.replace("sleep 30", "sleep 31"));
      const { code } = await own.run(["exec", "--workspace", folder, "--", "true"]);
      const verdict = await own.run(["log", "verify", session]);
      expect([code, verdict.code, (await own.sessions()).find(({ id }) => id === session)?.status]).toEqual([0, 5, "invalid"]);
      expect(readFileSync(own.ledger(session), "utf8")).toContain("sleep 31");
      expect(await leftInTheEnd([session], own.state)).toEqual([]);
    } finally {
      own.remove();
    }
  });
});

function sessionMarks(): readonly string[] {
  return marksIn(rig.state);
}

function marksIn(state: string): readonly string[] {
  try {
    return readdirSync(join(state, "open"));
  } catch {
    return [];
  }
}

/** Two at a time: sessions side by side are part of what is tested, more would only measure the machine. */
async function inPairs<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += 2) results.push(...(await Promise.all(items.slice(at, at + 2).map(work))));
  return results;
}
