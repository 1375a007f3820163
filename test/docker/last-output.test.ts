// The end of a program's outputs: what it wrote in its last moment arrives whole, and whoever else goes on writing holds nothing up.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bash } from "../contract/sandbox.contract.js";
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

  it("is not put off by one that takes back what stands in them", async () => {
    // It fills its own output until nobody takes any more of it, waits until the program is over and what stands there is counted, and reads it away itself.
    const thief = `python3 -S -c "
import os, time
if os.fork(): os._exit(0)
os.set_blocking(1, False)
until = time.monotonic() + 0.45
while time.monotonic() < until:
    try: os.write(1, b'x' * 65536)
    except BlockingIOError: time.sleep(0.001)
taken = os.open('/proc/self/fd/1', os.O_RDONLY | os.O_NONBLOCK)
try:
    while os.read(taken, 65536): pass
except BlockingIOError: pass
time.sleep(60)"`;
    const { rig, sandbox } = held.rig ?? expect.unreachable("no sandbox");
    let begun = 0;
    // Nobody here takes anything meanwhile.
    const stdout = (): void => {
      begun ||= Date.now();
      while (Date.now() < begun + 800);
    };
    const ran = await sandbox.run(bash(rig.spec, `exec ${thief}`, { outputBytes: OUTPUT_BYTES, timeoutMs: 2000 }), { stdout, stderr: () => undefined }, new AbortController().signal);
    expect(ran).toMatchObject({ ended: "exit", exitCode: 0, quiescent: true });
    expect(ran.durationMs).toBeLessThan(2000);
  });
});
