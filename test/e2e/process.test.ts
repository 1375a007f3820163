// A session's processes and its pauses, from another process: looked at, written to and ended by a person; and a pause by policy that `resume`
// answers.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createRig, leftInTheEnd, lines, sessionFolders, trajectory, whyNotHere } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const rig = createRig();
afterAll(() => rig.remove());

interface Event {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const record = (state: string, session: string): readonly Event[] => lines(readFileSync(join(state, "sessions", session, "ledger.jsonl"), "utf8")).map((line) => JSON.parse(line) as Event);

const OPEN = { tool: "process", arguments: { op: "open", name: "sh", argv: ["bash"], wait_ms: 0 } };
const SLEEP = (seconds: number): { readonly tool: string; readonly arguments: object } => ({ tool: "bash", arguments: { command: `sleep ${String(seconds)}` } });

describe.skipIf(missing !== null)("a session of another process", () => {
  it("has its processes listed, written to, read and ended by a person; each line is judged", async () => {
    const folder = rig.workspace({ "a.txt": "one\n" });
    const running = rig.start(["run", "--json", "--workspace", folder, "--trajectory", trajectory(rig, "steered.jsonl", [OPEN, ...Array.from({ length: 12 }, () => SLEEP(1)), SLEEP(60)])]);
    await running.until("the process is there", () => running.out().includes('"type":"process.opened"'));
    const listed = await rig.run(["process", "list", "last"]);
    expect([listed.code, listed.out]).toEqual([0, expect.stringMatching(/^sh +lives +call_0001 +open process sh: bash$/mu)]);
    const written = await rig.run(["process", "write", "last", "sh", "--until", "2", "--", "echo $((1+1))"]);
    expect([written.code, written.out], written.err).toEqual([0, "2\n"]);
    const denied = await rig.run(["process", "write", "last", "sh", "--", "echo x > .git/hooks/pre-commit"]);
    expect([denied.code, denied.out, denied.err]).toEqual([3, "", expect.stringContaining("Refused by policy")]);
    expect((await rig.run(["process", "read", "last", "nobody"])).code).toBe(1);
    const waited = await rig.run(["process", "read", "last", "sh", "--until", "never", "--wait", "0"]);
    expect([waited.code, waited.err]).toEqual([1, expect.stringContaining("process sh: it lives; the text waited for did not come")]);
    const key = await rig.run(["-q", "process", "write", "last", "sh", "--key", "C-c"]);
    expect([key.code, key.err]).toEqual([1, expect.stringContaining("the process sh has no terminal")]);
    const nobody = await rig.run(["process", "write", "last", "nobody", "x"]);
    expect([nobody.code, nobody.err + nobody.out]).toEqual([1, expect.stringContaining("there is no process `nobody`")]);
    expect([nobody.out, nobody.err]).toEqual(["", expect.stringContaining("`ringfence process list` names them")]);
    const words = await rig.run(["process", "write", "last", "sh", "--until", "there", "--", "echo", "over", "there"]);
    expect([words.code, words.out], words.err).toEqual([0, "over there\n"]);
    const slip = await rig.run(["process", "read", "last", "Sh"]);
    expect([slip.code, slip.err]).toEqual([1, expect.stringContaining("no process `Sh` in ses_")]);
    expect(record(rig.state, sessionFolders(rig.state)[0] ?? "").filter(({ type, data }) => type === "call.received" && JSON.stringify(data).includes('"Sh"'))).toEqual([]);
    const ended = await rig.run(["process", "end", "last", "sh", "--json"]);
    expect([ended.code, JSON.parse(ended.out)]).toEqual([0, expect.objectContaining({ name: "sh", ended: true })]);
    expect((await rig.run(["process", "end", "last", "sh"])).code).toBe(1);
    running.kill("SIGINT");
    await running.ended;
    expect((await rig.run(["process", "read", "last", "sh"])).code).toBe(2);
    expect(await leftInTheEnd(sessionFolders(rig.state), rig.state)).toEqual([]);
  });

  it("goes on when somebody resumes it that policy paused, and is stopped at once where CI is set", async () => {
    const policy = 'version: 1\nid: own\ntitle: a pause\nrules: []\nreactions:\n  - { id: own.pause, do: pause, layer: L7, threats: ["asi-2026:ASI10"], message: somebody has to look, when: [{ findings: { severity: high } }] }\n';
    const folder = rig.workspace({ "a.txt": "one\n", ".ringfence/own.policy.yaml": policy });
    const args = ["run", "--workspace", folder, "--trajectory", trajectory(rig, "paused.jsonl", [{ tool: "bash", arguments: { command: "sudo ls" } }, { tool: "bash", arguments: { command: "echo went-on" } }])];
    const running = rig.start(args);
    await running.until("it is paused", () => running.err().includes("paused by policy: workspace.own-pause"));
    expect((await rig.run(["sessions"])).out).toMatch(/paused/u);
    const resumed = await rig.run(["resume", "last", "--json"]);
    expect([resumed.code, JSON.parse(resumed.out)]).toEqual([0, expect.objectContaining({ state: "running" })]);
    const { code, out, err } = await running.ended;
    expect([code, out], err).toEqual([0, expect.stringContaining("went-on")]);
    const [session = ""] = (await rig.sessions()).map(({ id }) => id);
    expect(record(rig.state, session).flatMap(({ type, data }) => (type === "approval.resolved" ? [[data["outcome"], data["detail"]]] : []))).toEqual([["approved", "resumed"]]);
    const alone = await rig.run(args, { env: { CI: "true" } });
    expect([alone.code, alone.err]).toEqual([6, expect.stringContaining("nobody said to go on (unavailable)")]);
    const shown = await rig.run(["show", "last"]);
    expect(shown.out).toMatch(/^ {2}copied +0 files into sessions\/ses_\w+\/forensic of the state folder$/mu);
  });
});
