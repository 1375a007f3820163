// A crash while a session and its process are frozen, after which nothing is left. Alone: what another command on the same engine finds left behind it
// removes, and tells in place of the one that is looked at here.

import { describe, expect, it } from "vitest";
import { createRig, docker, leftInTheEnd, lines, sessionFolders, trajectory, whyNotHere } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);

const CALLS = [
  { tool: "process", arguments: { op: "open", name: "sh", argv: ["bash"], wait_ms: 0 } },
  { tool: "bash", arguments: { command: "sleep 60" } },
];

describe.skipIf(missing !== null)("after SIGKILL of a paused session with a process", () => {
  it("nothing is left frozen, and the next command names what is in doubt", async () => {
    const own = createRig();
    try {
      const running = own.start(["run", "--json", "--workspace", own.workspace({ "a.txt": "one\n" }), "--trajectory", trajectory(own, "killed.jsonl", CALLS)]);
      await running.until("the second call runs", () => running.out().split('"type":"execution.started"').length === 3);
      expect((await own.run(["pause", "last", "--reason", "a look"])).code).toBe(0);
      const [session = ""] = sessionFolders(own.state);
      const frozen = (): readonly string[] => lines(docker("ps", "--all", "--filter", `label=dev.ringfence.session=${session}`, "--format", "{{.Status}}"));
      expect(frozen().filter((status) => status.includes("Paused"))).toHaveLength(2);
      // Nobody waits for a turn that does not come.
      const read = await own.run(["process", "read", "last", "sh"]);
      expect([read.code, read.err]).toEqual([75, expect.stringMatching(/is paused .*ringfence resume ses_/u)]);
      running.kill("SIGKILL");
      await running.ended;
      const doctor = await own.run(["doctor", "--json"]);
      const { err } = await own.run(["sessions"]);
      const rows = (JSON.parse(doctor.out) as { readonly parts: readonly { readonly id: string; readonly detail: string }[] }).parts;
      expect(rows.filter(({ id }) => id === "orphans" || id === "abandoned").map(({ detail }) => detail)).toEqual([
        expect.stringMatching(/^removed what crashed sessions left: [12] containers?, [01] volumes?$/u),
        `closed on record: ${session}, in doubt: call_0002, handed over and ended: sh`,
      ]);
      expect(`${doctor.err}${err}`).toContain(`closed session ${session}, whose process ended early, in doubt: call_0002, handed over and ended: sh`);
      expect(frozen()).toEqual([]);
      expect(await leftInTheEnd([session], own.state)).toEqual([]);
      const shown = await own.run(["show", session]);
      expect(shown.out).toContain("in doubt");
      expect(shown.out).toMatch(/process +sh ended by a crash/u);
      expect(shown.out).toMatch(/was paused by .+: a look/u);
      expect((await own.run(["log", "verify", session])).code).toBe(0);
    } finally {
      own.remove();
    }
  });
});
