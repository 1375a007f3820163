// The end of a program's outputs: what it wrote in its last moment arrives whole, and whoever else goes on writing holds nothing up.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startedRig, whyNoEngine, type StartedRig } from "./sandbox-rig.js";

const missing = await whyNoEngine();
const note = missing === null ? "" : ` (skipped: ${missing})`;
const CALLS = 40;
const OUTPUT_BYTES = 64 * 1024 * 1024;

/** Enlarges the pipe it writes to, fills it past what may be on its way unread, and ends at once. */
const writes = (bytes: number): string => `exec python3 -S -c "
import fcntl, os
fcntl.fcntl(1, 1031, 1 << 20)
left = memoryview(b'x' * ${bytes})
while left: left = left[os.write(1, left):]
os._exit(0)"`;

describe.skipIf(missing !== null)(`the end of outputs${note}`, { timeout: 120_000 }, () => {
  const held: { rig?: StartedRig } = {};
  beforeAll(async () => {
    held.rig = await startedRig({ change: { record: "off" } });
  }, 60_000);
  afterAll(async () => {
    await held.rig?.rig.clean();
  });
  const run = (...args: Parameters<StartedRig["run"]>) => held.rig?.run(...args) ?? expect.unreachable("no sandbox");

  it.each([1_060_000, 1_300_000, 2_500_000])("is whole: %i bytes, more than may be on their way at once", async (bytes) => {
    for (let i = 0; i < CALLS; i += 1) {
      const { stdout, stdoutDropped, exitCode } = await run(writes(bytes), { outputBytes: OUTPUT_BYTES });
      expect([stdout.length, stdoutDropped, exitCode]).toEqual([bytes, 0, 0]);
    }
  });

  it("is not put off by others that go on writing past the limit of what is kept", async () => {
    const flood = "for i in 1 2 3 4 5 6; do yes & done; sleep 0.2; exit 3";
    for (let i = 0; i < 5; i += 1) {
      const { ended, exitCode, durationMs, quiescent } = await run(flood, { outputBytes: 1000, timeoutMs: 60_000 });
      expect([ended, exitCode, quiescent]).toEqual(["exit", 3, true]);
      // 0.2 s of its own and as much of grace; a loop that others feed would go on.
      expect(durationMs).toBeLessThan(10_000);
    }
  });
});
