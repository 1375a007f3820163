// Laws of the channel: frames survive any cutting of the byte stream, garbage gives one error, messages come back as sent.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDockerDemux } from "../../src/adapters/docker/docker-stream.js";
import {
  CONTROL_PAYLOAD_BYTES,
  DATA_PAYLOAD_BYTES,
  FRAME,
  createFrameParser,
  decodeAsciiJson,
  decodeMessage,
  encodeAsciiJson,
  encodeFrame,
  encodeHeader,
  encodeMessage,
  encodeStart,
  type Frame,
  type FrameType,
  type Message,
} from "../../src/core/channel/index.js";

const RUNS = process.env["RINGFENCE_SOAK"] === "1" ? 5_000 : 200;

const frameType = fc.constantFrom<FrameType>(...Object.values(FRAME));
const frame: fc.Arbitrary<Frame> = fc.record({ type: frameType, stream: fc.nat({ max: 0xffffffff }), payload: fc.uint8Array({ maxLength: 300 }) });

/** Cuts bytes at the given places, empty pieces included. */
function cut(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const sorted = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return sorted.map((end, index) => bytes.slice(index === 0 ? 0 : sorted[index - 1], end));
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

function parse(pieces: readonly Uint8Array[]): { readonly frames: readonly Frame[]; readonly errors: readonly string[]; readonly whole: boolean } {
  const parser = createFrameParser();
  const frames: Frame[] = [];
  const errors: string[] = [];
  for (const piece of pieces) {
    const parsed = parser.push(piece);
    frames.push(...parsed.frames.map((item) => ({ ...item, payload: item.payload.slice() })));
    if (parsed.error !== null) errors.push(parsed.error);
  }
  return { frames, errors, whole: parser.atBoundary() };
}

describe("frames", () => {
  it("come out as they went in, however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 30 }), (frames, places) => {
        const bytes = concat(frames.map(({ type, stream, payload }) => encodeFrame(type, stream, payload)));
        expect(parse(cut(bytes, places))).toEqual({ frames, errors: [], whole: true });
      }),
      { numRuns: RUNS },
    );
  });

  it("of any bytes at all give at most one error, and the same frames for every cutting", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(), { maxLength: 20 }), (bytes, places) => {
        const whole = parse([bytes]);
        expect(whole.errors.length).toBeLessThanOrEqual(1);
        expect(parse(cut(bytes, places))).toEqual(whole);
      }),
      { numRuns: RUNS },
    );
  });

  it("past a limit are refused by their head alone, before any payload", () => {
    const head = (type: FrameType, size: number): readonly string[] => parse([encodeHeader(type, 1, size)]).errors;
    expect(head(FRAME.stdout, DATA_PAYLOAD_BYTES)).toEqual([]);
    expect(head(FRAME.stdout, DATA_PAYLOAD_BYTES + 1)).toEqual(["frame of 65537 bytes, where 65536 are allowed"]);
    expect(head(FRAME.exit, CONTROL_PAYLOAD_BYTES)).toEqual([]);
    expect(head(FRAME.exit, CONTROL_PAYLOAD_BYTES + 1)).toEqual(["frame of 262145 bytes, where 262144 are allowed"]);
    expect(head(FRAME.hello, 0xffffffff)).toEqual(["frame of 4294967295 bytes, where 262144 are allowed"]);
  });

  it("after an error are never given again, and the error is given once", () => {
    const bad = Uint8Array.from([0, 0, 0, 0, 99, 0, 0, 0, 0]);
    const good = encodeFrame(FRAME.ping, 0, new Uint8Array(0));
    expect(parse([good, bad, good, bad])).toEqual({ frames: [{ type: FRAME.ping, stream: 0, payload: new Uint8Array(0) }], errors: ["frame of unknown type 99"], whole: false });
  });
});

const count = fc.nat({ max: 2 ** 31 });
const text = fc.string({ unit: "binary", maxLength: 40 });
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    type: fc.constant("hello" as const),
    version: count,
    probe: text,
    tasks: fc.option(count),
    memory: fc.option(count),
    record: fc.constantFrom("off" as const, "exec" as const, "full" as const),
    programs: count,
    writes: count,
  }),
  fc.record({
    type: fc.constant("exit" as const),
    exitCode: fc.option(count),
    signal: fc.option(count),
    ended: fc.constantFrom("exit" as const, "timeout" as const, "cancelled" as const, "refused" as const),
    stdoutBytes: count,
    stderrBytes: count,
    stdoutDropped: count,
    stderrDropped: count,
    killed: count,
    quiescent: fc.boolean(),
    durationMs: count,
    scratch: fc.constantFrom("none" as const, "same" as const, "new" as const, "unknown" as const),
  }),
  fc.record({ type: fc.constantFrom("stdin" as const, "stdout" as const, "stderr" as const, "scratch" as const, "programs" as const, "verdict" as const), bytes: fc.uint8Array({ maxLength: 50 }) }),
  fc.record({ type: fc.constant("credit" as const), of: fc.constantFrom("stdin" as const, "stdout" as const, "stderr" as const), bytes: count }),
  fc.record({ type: fc.constant("left" as const), ms: count }),
  fc.record({ type: fc.constantFrom("stdinEnd" as const, "kill" as const, "bye" as const, "ping" as const, "pong" as const) }),
  fc.record({ type: fc.constant("error" as const), message: text }),
);

describe("messages", () => {
  it("come back as they were sent", () => {
    fc.assert(
      fc.property(message, (sent) => {
        const { type, payload } = encodeMessage(sent);
        expect(decodeMessage({ type, stream: 1, payload })).toEqual(sent);
      }),
      { numRuns: RUNS },
    );
  });

  it("that start a program carry every text as the kernel takes it", () => {
    const word = fc.string({ unit: fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit === 0 ? 1 : unit)), maxLength: 40 });
    const order = fc.record({
      kind: fc.constantFrom("program" as const, "files" as const),
      argv: fc.array(word, { maxLength: 5 }),
      cwd: word,
      environment: fc.array(fc.tuple(word, word), { maxLength: 5 }),
      hasStdin: fc.boolean(),
      timeoutMs: count,
      outputBytes: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    });
    fc.assert(
      fc.property(order, (sent) => {
        const bytes = Buffer.from(encodeStart(sent));
        const texts = [sent.cwd, ...sent.argv, ...sent.environment.map(([name, value]) => `${name}=${value}`)];
        expect([bytes[0], bytes.readUInt32BE(1), bytes.readUInt32BE(5) * 2 ** 32 + bytes.readUInt32BE(9)]).toEqual([(sent.hasStdin ? 1 : 0) + (sent.kind === "files" ? 2 : 0), sent.timeoutMs, sent.outputBytes]);
        expect([bytes.readUInt32BE(13), bytes.readUInt32BE(17)]).toEqual([sent.argv.length, sent.environment.length]);
        expect(bytes.subarray(21)).toEqual(Buffer.from(texts.map((one) => `${one}\0`).join(""), "utf8"));
      }),
      { numRuns: RUNS },
    );
  });

  it("of any payload at all are decoded or refused, never thrown at", () => {
    fc.assert(
      fc.property(frameType, fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.json().map((value) => new TextEncoder().encode(value))), (type, payload) => {
        const decoded = decodeMessage({ type, stream: 0, payload });
        expect(decoded === null || FRAME[decoded.type] === type).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  it("as JSON are plain ASCII and keep every character, lone surrogates too", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit)), maxLength: 60 }), (value) => {
        const bytes = encodeAsciiJson(value);
        expect(bytes.every((byte) => byte >= 0x20 && byte < 0x7f)).toBe(true);
        expect(decodeAsciiJson(bytes)).toBe(value);
      }),
      { numRuns: RUNS },
    );
  });
});

describe("the engine's own framing", () => {
  it("comes off however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 60 })), { maxLength: 10 }), fc.array(fc.nat(), { maxLength: 20 }), (parts, places) => {
        const bytes = concat(parts.flatMap(([output, data]) => [Uint8Array.from([output, 0, 0, 0, 0, 0, 0, data.length]), data]));
        const got: Record<1 | 2, number[]> = { 1: [], 2: [] };
        const faults: string[] = [];
        const demux = createDockerDemux({ onStdout: (chunk) => got[1].push(...chunk), onStderr: (chunk) => got[2].push(...chunk), onFault: (why) => faults.push(why) });
        for (const piece of cut(bytes, places)) demux.push(piece);
        const expected = (output: number): number[] => parts.filter(([of]) => of === output).flatMap(([, data]) => [...data]);
        expect({ got, faults }).toEqual({ got: { 1: expected(1), 2: expected(2) }, faults: [] });
      }),
      { numRuns: RUNS },
    );
  });

  it("of an unknown output is a fault, told once", () => {
    const faults: string[] = [];
    const demux = createDockerDemux({ onStdout: () => undefined, onStderr: () => undefined, onFault: (why) => faults.push(why) });
    for (let i = 0; i < 3; i += 1) demux.push(Uint8Array.from([7, 0, 0, 0, 0, 0, 0, 1, 65]));
    expect(faults).toEqual(["the engine sent output number 7"]);
  });
});
