// Signs of life on a line that goes through the engine: who sends them, what counts as one, and when the other end counts as gone.

import { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openSandboxChannel, type SandboxChannel } from "../../src/adapters/docker/channel.js";
import { createFrameParser, decodeMessage, encodeFrame, encodeMessage, encodeStart, PROTOCOL_VERSION, type Message } from "../../src/core/channel/index.js";

const HELLO: Message = { type: "hello", version: PROTOCOL_VERSION, probe: "", tasks: null, memory: null, record: "off", programs: 0, writes: 0 };
const CALL = { payload: encodeStart({ kind: "program", argv: ["x"], cwd: "/", environment: [], hasStdin: false, timeoutMs: 600_000, outputBytes: 1e6 }), timeoutMs: 600_000, outputBytes: 1e6 };
const QUIET = { stdin: [], onStdout: () => undefined, onStderr: () => undefined };

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

interface Peer {
  readonly channel: SandboxChannel;
  /** Types of what the orchestrator sent. */
  readonly heard: string[];
  say(message: Message, stream?: number): Promise<void>;
}

/** A turn of the event loop: what was said is heard. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function framed(message: Message, stream: number): Uint8Array {
  const { type, payload } = encodeMessage(message);
  return encodeFrame(type, stream, payload);
}

function sink(heard: string[]): Duplex {
  const parser = createFrameParser({ dataBytes: 65_536, controlBytes: 4_000_000 });
  return new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      for (const frame of parser.push(chunk).frames) heard.push(decodeMessage(frame)?.type ?? "start");
      done();
    },
  });
}

/** The engine's stream, with the engine's own framing around what the guard says. */
function throughEngine(): Peer {
  const heard: string[] = [];
  const stream = sink(heard);
  return {
    channel: openSandboxChannel(stream),
    heard,
    say: (message, number = 0) => {
      const bytes = framed(message, number);
      const head = Buffer.alloc(8);
      head.writeUInt8(1, 0);
      head.writeUInt32BE(bytes.length, 4);
      stream.push(Buffer.concat([head, bytes]));
      return turn();
    },
  };
}

function direct(): Peer {
  const heard: string[] = [];
  const line = sink(heard);
  const channel = openSandboxChannel(sink(heard));
  channel.useLine(line);
  return { channel, heard, say: (message, number = 0) => (line.push(framed(message, number)), turn()) };
}

describe("through an engine", () => {
  it("one sign goes out a second from the greeting on, and none after the end", async () => {
    const { channel, heard, say } = throughEngine();
    vi.advanceTimersByTime(5_000);
    expect(heard).toEqual([]);
    await say(HELLO);
    vi.advanceTimersByTime(3_000);
    expect(heard).toEqual(["ping", "ping", "ping"]);
    channel.end("closed");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a guard that answers, or says anything else, stays; one that says nothing for 60 signs is gone, and the call with it", async () => {
    const { channel, say } = throughEngine();
    await say(HELLO);
    const call = channel.call(CALL, QUIET, new AbortController().signal);
    const failed = call.catch((error: unknown) => error);
    vi.advanceTimersByTime(59_000);
    await say({ type: "pong" });
    vi.advanceTimersByTime(59_000);
    await say({ type: "stdout", bytes: new Uint8Array(1) }, 1);
    const state = { ended: "" };
    void channel.ended.then((reason) => (state.ended = reason));
    vi.advanceTimersByTime(60_000);
    await turn();
    expect(state.ended).toBe("");
    vi.advanceTimersByTime(1_000);
    expect(await channel.ended).toBe("nothing was heard of it for 60 seconds");
    expect(await failed).toMatchObject({ code: "SANDBOX_BROKEN", message: "the sandbox ended: nothing was heard of it for 60 seconds" });
  });
});

describe("on a direct line", () => {
  it("there are none: the kernel tells its end", async () => {
    const { channel, heard, say } = direct();
    await say(HELLO);
    expect(vi.getTimerCount()).toBe(0);
    expect(heard).toEqual([]);
    await say({ type: "pong" });
    expect(await channel.ended).toBe("a message of no call");
  });
});
