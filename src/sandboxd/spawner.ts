// The client of rf-call, which starts the agent's processes and carries their streams. One process at a time.
// The exit status comes over this private socket only: nothing the agent prints can be taken for it.

import { Socket } from "node:net";
import { FRAME, createFrameParser, decodeMessage, encodeFrame, encodeMessage, type Frame, type StreamName } from "../core/channel/index.js";
import { SPAWNER_FD } from "./paths.js";

/** What to run as the agent. Texts hold no zero character. */
export interface SpawnOrder {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: readonly (readonly [string, string])[];
  readonly hasStdin: boolean;
  /** Output of each stream that may come before credit is given. */
  readonly windowBytes: number;
}

/** How the process ended: by itself, by a signal, or not at all because of a fault of ours. */
export type SpawnExit = { readonly kind: "code"; readonly code: number } | { readonly kind: "signal"; readonly signal: number } | { readonly kind: "fault" };

export interface SpawnEvents {
  readonly onOutput: (of: "stdout" | "stderr", bytes: Uint8Array) => void;
  /** The process took or dropped so many bytes of input. */
  readonly onInputTaken: (bytes: number) => void;
  /** Comes last, after all output. */
  readonly onExit: (exit: SpawnExit) => void;
}

export interface Spawner {
  readonly start: (stream: number, order: SpawnOrder, events: SpawnEvents) => void;
  readonly write: (bytes: Uint8Array) => void;
  readonly endInput: () => void;
  readonly credit: (of: StreamName, bytes: number) => void;
}

/** Connects to the resident spawner; `onLost` is called when it is gone, which ends the container. */
export function connectSpawner(onLost: (reason: string) => void): Spawner {
  const socket = new Socket({ fd: SPAWNER_FD, readable: true, writable: true });
  const parser = createFrameParser();
  let running: { readonly stream: number; readonly events: SpawnEvents } | null = null;

  const take = (frame: Frame): void => {
    const call = running;
    if (call === null || frame.stream !== call.stream) return;
    if (frame.type === FRAME.stdout) call.events.onOutput("stdout", frame.payload);
    else if (frame.type === FRAME.stderr) call.events.onOutput("stderr", frame.payload);
    else if (frame.type === FRAME.credit) {
      const message = decodeMessage(frame);
      if (message?.type === "credit") call.events.onInputTaken(message.bytes);
    } else if (frame.type === FRAME.exit) {
      running = null;
      call.events.onExit(readExit(frame.payload));
    }
  };

  socket.on("data", (chunk: Buffer) => {
    const { frames, error } = parser.push(chunk);
    for (const frame of frames) take(frame);
    if (error !== null) onLost(error);
  });
  socket.on("close", () => onLost("the spawner is gone"));
  socket.on("error", (error) => onLost(error.message));

  const send = (type: Parameters<typeof encodeFrame>[0], payload: Uint8Array): void => {
    if (running !== null) socket.write(encodeFrame(type, running.stream, payload));
  };

  return {
    start: (stream, order, events) => {
      running = { stream, events };
      send(FRAME.start, encodeOrder(order));
    },
    write: (bytes) => send(FRAME.stdin, bytes),
    endInput: () => send(FRAME.stdinEnd, new Uint8Array(0)),
    credit: (of, bytes) => send(FRAME.credit, encodeMessage({ type: "credit", of, bytes }).payload),
  };
}

/** Window u32, input flag u8, counts u32, then texts that end with a zero byte: cwd, arguments, variables. */
function encodeOrder(order: SpawnOrder): Uint8Array {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(order.windowBytes, 0);
  head.writeUInt8(order.hasStdin ? 1 : 0, 4);
  head.writeUInt32BE(order.argv.length, 5);
  head.writeUInt32BE(order.environment.length, 9);
  const texts = [order.cwd, ...order.argv, ...order.environment.map(([name, value]) => `${name}=${value}`)];
  return Buffer.concat([head, Buffer.from(`${texts.join("\0")}\0`, "utf8")]);
}

function readExit(payload: Uint8Array): SpawnExit {
  if (payload.length !== 5) return { kind: "fault" };
  const value = new DataView(payload.buffer, payload.byteOffset, 5).getUint32(1);
  if (payload[0] === 0) return { kind: "code", code: value };
  return payload[0] === 1 ? { kind: "signal", signal: value } : { kind: "fault" };
}
