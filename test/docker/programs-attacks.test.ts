// Attacks on the record of programs, where the guard hears of each program where it starts.

import { afterAll, beforeAll, describe } from "vitest";
import { attacksOnPrograms } from "./program-attacks.js";
import { startedRig, whyNoEngine, type StartedRig } from "./sandbox-rig.js";

const missing = await whyNoEngine();
const note = missing === null ? "" : ` (skipped: ${missing})`;

describe.skipIf(missing !== null)(`attacks on the record of programs${note}`, { timeout: 60_000 }, () => {
  const held: { rig?: StartedRig } = {};
  beforeAll(async () => {
    held.rig = await startedRig({ change: { record: "exec" } });
  }, 60_000);
  afterAll(async () => {
    await held.rig?.rig.clean();
  });

  attacksOnPrograms(() => {
    if (held.rig === undefined) throw new Error("no sandbox");
    return held.rig;
  });
});
