// The orchestrator's end of the channel against a sandbox that lies, floods, breaks off or says nothing.

import { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { openSandboxChannel, type CallOrder, type SandboxChannel } from "../../src/adapters/docker/channel.js";
import { createFrameParser, decodeMessage, encodeFrame, encodeMessage, encodeStart, FRAME, type ExitMessage, type Message } from "../../src/core/channel/index.js";

const never = new AbortController().signal;

/** A start order stands for itself by its bytes: the other messages by what they say. */
interface Heard {
  readonly stream: number;
  readonly message: Message | { readonly type: "start"; readonly payload: string };
}

interface Peer {
  readonly channel: SandboxChannel;
  readonly stream: Duplex;
  /** What the orchestrator sent, oldest first. */
  readonly heard: Heard[];
  readonly say: (stream: number, message: Message) => void;
  /** Raw bytes of the container's standard output or error, in the engine's framing. */
  readonly sayBytes: (output: number, bytes: Uint8Array) => void;
}

function peer(): Peer {
  const heard: Heard[] = [];
  const parser = createFrameParser({ dataBytes: 65_536, controlBytes: 4_000_000 });
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      for (const frame of parser.push(chunk).frames) {
        const message = frame.type === FRAME.start ? { type: "start" as const, payload: Buffer.from(frame.payload).toString("latin1") } : decodeMessage(frame);
        if (message !== null) heard.push({ stream: frame.stream, message });
      }
      done();
    },
  });
  const sayBytes = (output: number, bytes: Uint8Array): void => {
    const head = Buffer.alloc(8);
    head.writeUInt8(output, 0);
    head.writeUInt32BE(bytes.length, 4);
    stream.push(Buffer.concat([head, bytes]));
  };
  const say = (number: number, message: Message): void => {
    const { type, payload } = encodeMessage(message);
    sayBytes(1, encodeFrame(type, number, payload));
  };
  return { channel: openSandboxChannel(stream), stream, heard, say, sayBytes };
}

const orderOf = (hasStdin: boolean): CallOrder => ({ payload: encodeStart({ kind: "program", argv: ["x"], cwd: "/", environment: [], hasStdin, timeoutMs: 60_000, outputBytes: 100 }), timeoutMs: 60_000, outputBytes: 100 });
const ORDER = orderOf(false);
const EXIT: ExitMessage = { type: "exit", exitCode: 0, signal: null, ended: "exit", stdoutBytes: 0, stderrBytes: 0, stdoutDropped: 0, stderrDropped: 0, killed: 0, quiescent: true, durationMs: 1, scratch: "none" };
const silent = { stdin: [], onStdout: () => undefined, onStderr: () => undefined };
const bytes = (size: number): Uint8Array => new Uint8Array(size).fill(0x61);

describe("a well-behaved sandbox", () => {
  it("greets, prints, and ends the call", async () => {
    const { channel, say, heard } = peer();
    say(0, { type: "hello", version: 3, probe: "done yes\n", tasks: 100, memory: null, record: "off", programs: 0, writes: 0 });
    expect(await channel.hello).toEqual({ type: "hello", version: 3, probe: "done yes\n", tasks: 100, memory: null, record: "off", programs: 0, writes: 0 });
    const out: number[] = [];
    const running = channel.call(ORDER, { ...silent, onStdout: (chunk) => out.push(chunk.length) }, never);
    say(1, { type: "stdout", bytes: bytes(60) });
    say(1, { type: "stdout", bytes: bytes(40) });
    say(1, EXIT);
    expect([(await running).exit, out]).toEqual([EXIT, [60, 40]]);
    expect(heard).toEqual([{ stream: 1, message: { type: "start", payload: Buffer.from(ORDER.payload).toString("latin1") } }]);
  });

  it("gets input only as far as its credit goes", async () => {
    const { channel, say, heard } = peer();
    const MIB = 1024 * 1024;
    const running = channel.call(orderOf(true), { ...silent, stdin: [bytes(MIB), bytes(MIB)] }, never);
    const sent = (): number => heard.reduce((sum, { message }) => sum + (message.type === "stdin" ? message.bytes.length : 0), 0);
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    await turn();
    expect(sent()).toBe(MIB);
    say(1, { type: "credit", of: "stdin", bytes: 1000 });
    await turn();
    expect(sent()).toBe(MIB + 1000);
    for (let i = 0; i < 3; i += 1) say(1, { type: "credit", of: "stdin", bytes: 500_000 });
    await turn();
    await turn();
    expect([sent(), heard.at(-1)?.message.type]).toEqual([2 * MIB, "stdinEnd"]);
    say(1, EXIT);
    await running;
  });

  it("is told to kill when the caller gives up, and the call ends by its answer", async () => {
    const { channel, say, heard } = peer();
    const controller = new AbortController();
    const running = channel.call(ORDER, silent, controller.signal);
    controller.abort();
    say(1, { ...EXIT, ended: "cancelled", exitCode: null });
    expect(await running).toMatchObject({ exit: { ended: "cancelled" } });
    expect(heard.map(({ message }) => message.type)).toEqual(["start", "kill"]);
  });
});

describe("the list of names", () => {
  it("comes with the end of the call, in one piece", async () => {
    const { channel, say } = peer();
    const running = channel.call(ORDER, silent, never);
    say(1, { type: "scratch", bytes: bytes(3) });
    say(1, { type: "scratch", bytes: bytes(2) });
    say(1, { ...EXIT, scratch: "new" });
    expect(await running).toEqual({ exit: { ...EXIT, scratch: "new" }, scratch: Buffer.from(bytes(5)) });
  });
});

describe("a direct line", () => {
  /** A line that notes what is written to it. */
  function line(): { readonly socket: Duplex; readonly written: Buffer[] } {
    const written: Buffer[] = [];
    const socket = new Duplex({ read: () => undefined, write: (chunk: Buffer, _encoding, done) => (written.push(chunk), done()) });
    return { socket, written };
  }
  const greeting = (socket: Duplex): void => {
    const { type, payload } = encodeMessage({ type: "hello", version: 3, probe: "", tasks: null, memory: null, record: "off", programs: 0, writes: 0 });
    socket.push(encodeFrame(type, 0, payload));
  };

  it("carries the calls, and the attached stream nothing", async () => {
    const { channel, heard } = peer();
    const { socket, written } = line();
    channel.useLine(socket);
    greeting(socket);
    await channel.hello;
    const running = channel.call(ORDER, silent, never);
    const { type, payload } = encodeMessage(EXIT);
    socket.push(encodeFrame(type, 1, payload));
    expect((await running).exit).toEqual(EXIT);
    expect([Buffer.concat(written), heard]).toEqual([Buffer.from(encodeFrame(FRAME.start, 1, ORDER.payload)), []]);
  });

  it.each<readonly [string, (p: Peer, socket: Duplex) => void, string]>([
    ["words beside it", ({ say }) => say(0, { type: "pong" }), "words beside the direct line"],
    ["its own end", (_, socket) => socket.push(null), "its container stopped"],
    ["the end of the attached stream", ({ stream }) => stream.push(null), "its container stopped"],
  ])("ends the channel by %s", async (_, act, reason) => {
    const made = peer();
    const { socket } = line();
    made.channel.useLine(socket);
    act(made, socket);
    expect(await made.channel.ended).toBe(reason);
    expect([made.stream.destroyed, socket.destroyed]).toEqual([true, true]);
  });

  it("is refused after the greeting, and a second time", async () => {
    const made = peer();
    made.say(0, { type: "hello", version: 3, probe: "", tasks: null, memory: null, record: "off", programs: 0, writes: 0 });
    await made.channel.hello;
    const [late, first, second] = [line(), line(), line()];
    made.channel.useLine(late.socket);
    const other = peer();
    other.channel.useLine(first.socket);
    other.channel.useLine(second.socket);
    expect([late, first, second].map(({ socket }) => socket.destroyed)).toEqual([true, false, true]);
  });
});

describe("a sandbox that misbehaves", () => {
  const cases: readonly { readonly name: string; readonly act: (p: Peer) => void; readonly reason: string }[] = [
    { name: "breaks off", act: ({ stream }) => stream.push(null), reason: "its container stopped" },
    { name: "loses its connection", act: ({ stream }) => stream.destroy(new Error("reset")), reason: "the connection to the engine failed (reset)" },
    { name: "sends garbage", act: ({ sayBytes }) => sayBytes(1, Uint8Array.from([9, 9, 9, 9, 9, 9, 9, 9, 9])), reason: "frame of 151587081 bytes, where 262144 are allowed" },
    { name: "sends a malformed message", act: ({ sayBytes }) => sayBytes(1, encodeFrame(8, 1, bytes(3))), reason: "a malformed message" },
    { name: "prints more than was asked for", act: ({ say }) => say(1, { type: "stdout", bytes: bytes(101) }), reason: "more stdout than was asked for" },
    { name: "lists more names than there can be", act: ({ say }) => { for (let i = 0; i < 300; i += 1) say(1, { type: "scratch", bytes: bytes(65_536) }); }, reason: "a longer list of names than is made" },
    { name: "sends an order", act: ({ sayBytes }) => sayBytes(1, encodeFrame(FRAME.start, 1, ORDER.payload)), reason: "a malformed message" },
    { name: "prints for another call", act: ({ say }) => say(2, { type: "stdout", bytes: bytes(1) }), reason: "a message of no call" },
    { name: "orders us about", act: ({ say }) => say(1, { type: "kill" }), reason: "unexpected message kill" },
    { name: "gives up, with words of its own", act: ({ say }) => say(0, { type: "error", message: "bad\u001b[2Jluck" }), reason: "bad\\x1b[2Jluck" },
    { name: "speaks on an unknown output", act: ({ sayBytes }) => sayBytes(3, bytes(1)), reason: "the engine sent output number 3" },
  ];
  for (const { name, act, reason } of cases) {
    it(`ends, and its call with it, when it ${name}`, async () => {
      const made = peer();
      const running = made.channel.call(ORDER, silent, never);
      const outcome = expect(running).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
      act(made);
      expect(await made.channel.ended).toBe(reason);
      await outcome;
      await expect(made.channel.call(ORDER, silent, never)).rejects.toMatchObject({ code: "SANDBOX_BROKEN" });
      await expect(made.channel.hello).rejects.toMatchObject({ code: "SANDBOX_FAILED" });
      expect(made.stream.destroyed).toBe(true);
    });
  }

  it("is quoted, made printable, with what its guard said last", async () => {
    const made = peer();
    made.sayBytes(2, new TextEncoder().encode("sandboxd: out of \u0007luck\n"));
    made.stream.push(null);
    expect(await made.channel.ended).toBe("its container stopped; the guard said: sandboxd: out of \\x07luck");
  });
});

describe("a sink that throws", () => {
  it("is our bug: the call is ended, and rejected as such", async () => {
    const { channel, say, heard } = peer();
    const running = channel.call(ORDER, { ...silent, onStdout: () => { throw new Error("sink"); } }, never);
    const outcome = expect(running).rejects.toMatchObject({ code: "INTERNAL_BUG" });
    say(1, { type: "stdout", bytes: bytes(1) });
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard.map(({ message }) => message.type)).toEqual(["start", "kill"]);
    say(1, { ...EXIT, ended: "cancelled" });
    await outcome;
  });
});
