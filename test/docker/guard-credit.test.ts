// The guard itself, spoken to in frames beside its orchestrator: what it owes it says at once, not when something else happens.

import { spawn } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { createFrameParser, decodeMessage, encodeFrame, encodeMessage, encodeStart, FRAME, type Message } from "../../src/core/channel/index.js";
import { containerOf, startedRig, whyNoEngine, type DockerRig } from "./sandbox-rig.js";

const missing = await whyNoEngine();
const note = missing === null ? "" : ` (skipped: ${missing})`;
/** Less than a pipe holds: the guard passes it on in the very turn it arrives, and nothing wakes it afterwards. */
const INPUT_BYTES = 40_000;
const STREAM = 1;
const ENOUGH_MS = 10_000;
const rigs: DockerRig[] = [];

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.clean();
});

function frame(message: Message): Uint8Array {
  const { type, payload } = encodeMessage(message);
  return encodeFrame(type, STREAM, payload);
}

/** Sends bytes to the guard of a container and gives the first message that comes back; null where none comes. */
function firstAnswer(container: string, bytes: readonly Uint8Array[]): Promise<Message | null> {
  return new Promise((resolve) => {
    const client = spawn("docker", ["attach", "--sig-proxy=false", container], { stdio: ["pipe", "pipe", "ignore"] });
    const parser = createFrameParser();
    const answer = (message: Message | null): void => {
      clearTimeout(timer);
      client.kill("SIGKILL");
      resolve(message);
    };
    const timer = setTimeout(() => answer(null), ENOUGH_MS);
    client.stdout.on("data", (chunk: Buffer) => {
      const [first] = parser.push(chunk).frames;
      if (first !== undefined) answer(decodeMessage(first));
    });
    client.stdin.on("error", () => undefined);
    client.stdin.write(Buffer.concat(bytes));
  });
}

describe.skipIf(missing !== null)(`credit for input${note}`, { timeout: 60_000 }, () => {
  it("comes as soon as the input is passed on, whatever the program does next", async () => {
    const { rig } = await startedRig({ direct: false });
    rigs.push(rig);
    const order = encodeStart({ kind: "program", argv: ["sleep", "1000"], cwd: "/workspace", environment: [], hasStdin: true, timeoutMs: 60_000, outputBytes: 100 });
    const answer = await firstAnswer(containerOf(rig.spec.sessionId), [encodeFrame(FRAME.start, STREAM, order), frame({ type: "stdin", bytes: new Uint8Array(INPUT_BYTES) })]);
    expect(answer).toEqual({ type: "credit", of: "stdin", bytes: INPUT_BYTES });
  });
});
