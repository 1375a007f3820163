// `ringfence pause` and `resume`, from another process, on a command that runs.

import { afterAll, describe, expect, it } from "vitest";
import { createRig, leftInTheEnd, sessionFolders, whyNotHere } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const rig = createRig();
afterAll(() => rig.remove());

describe.skipIf(missing !== null)("a session of another process", () => {
  it("stops where it stands, whatever runs in it, goes on when told, and its time limit counts none of it", async () => {
    const folder = rig.workspace({ "a.txt": "one\n" });
    const running = rig.start(["exec", "--workspace", folder, "--timeout", "9", "--shell", "trap '' TERM HUP INT CONT TSTP; (setsid bash -c 'while :; do echo tick; sleep 0.02; done' &); sleep 5; echo end"]);
    await running.until("the first tick", () => running.out().includes("tick"));
    const paused = await rig.run(["pause", "last", "--reason", "a look", "--json"]);
    expect(JSON.parse(paused.out)).toMatchObject({ state: "paused", event: { type: "session.paused", data: { reason: "a look", call: "call_0001" } } });
    expect((await rig.run(["sessions"])).out).toMatch(/paused/u);
    const before = running.out().length;
    // With the five seconds that it runs, more than its limit.
    await new Promise((resolve) => setTimeout(resolve, 4_200));
    expect(running.out().length).toBe(before);
    expect((await rig.run(["pause", "last"])).code).toBe(0);
    expect((await rig.run(["resume", "last"])).code).toBe(0);
    const { code, out, err } = await running.ended;
    expect([code, out.endsWith("end\n") || out.includes("\nend\n")], err).toEqual([0, true]);
    expect((await rig.run(["pause", "last"])).code).toBe(2);
    expect((await rig.run(["show", "last"])).out).toMatch(/^ {2}paused {5}\d+ s by \S+, in call_0001: a look$/mu);
    expect(await leftInTheEnd(sessionFolders(rig.state), rig.state)).toEqual([]);
  });
});
