// Whatever ends a session, nothing of it stays on the machine, and its record tells the truth: a normal end, Ctrl-C once and
// twice, and SIGKILL with one later command. Kills at random moments of a session's life are the soak suite `kills`.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createRig, docker, leftInTheEnd, lines, sessionFolders, whyNotHere, type Running } from "./rig.js";

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

describe.skipIf(missing !== null)("after SIGKILL and one later command", () => {
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
