// A review opens the session's disk for reading. Killed at any moment it leaves no mount and no loop device behind, and what was
// written can still be read.

import { describe, expect, it } from "vitest";
import { createRig, leftInTheEnd, pause, sessionFolders, whyNotHere } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const KILLS = process.env["RINGFENCE_SOAK"] === "1" ? 100 : 8;

describe.skipIf(missing !== null)("a review that is killed", () => {
  it("leaves nothing mounted", async () => {
    const rig = createRig();
    try {
      const folder = rig.workspace({ "a.txt": "one\n" });
      const { code, err } = await rig.run(["exec", "--workspace", folder, "--shell", "echo made > made.txt"]);
      expect(code, err).toBe(0);
      const began = performance.now();
      await rig.run(["diff", "last"]);
      const wholeMs = performance.now() - began;
      for (let index = 0; index < KILLS; index += 1) {
        const process = rig.start(["diff", "last"]);
        // Evenly over the time it takes here: the moments between mounting and the end are among them.
        await Promise.race([pause((wholeMs * (index + 1)) / (KILLS + 1)), process.ended]);
        process.kill("SIGKILL");
        await process.ended;
      }
      expect((await rig.run(["diff", "last"])).out).toContain("+made");
      expect(await leftInTheEnd(sessionFolders(rig.state), rig.state)).toEqual([]);
    } finally {
      rig.remove();
    }
  });
});
