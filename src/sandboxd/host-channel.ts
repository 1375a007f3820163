// The framed channel to the orchestrator on standard input and output. End of input means the orchestrator is gone.
// Must never queue without bound: what is sent under credit is bounded by it, all else is small.

import { Socket } from "node:net";
import {
  CONTROL_PAYLOAD_BYTES,
  DATA_PAYLOAD_BYTES,
  START_PAYLOAD_BYTES,
  createFrameParser,
  decodeMessage,
  encodeFrame,
  encodeHeader,
  encodeMessage,
  type Message,
} from "../core/channel/index.js";

export interface HostChannel {
  /** Sends in order with the stream's bytes: output, and the exit after it. */
  readonly send: (stream: number, message: Message) => void;
  /** Sends before all queued output: credit, pongs, faults. */
  readonly sendFirst: (stream: number, message: Message) => void;
  /** Resolves when everything queued has been handed to the system. */
  readonly flushed: () => Promise<void>;
}

/** Opens the channel. `onMessage` gets messages in order; `onEnd` is called once, with the reason, when it is over. */
export function openHostChannel(onMessage: (stream: number, message: Message) => void, onEnd: (reason: string) => void): HostChannel {
  const input = new Socket({ fd: 0, readable: true, writable: false });
  const output = new Socket({ fd: 1, readable: false, writable: true });
  const parser = createFrameParser({ dataBytes: DATA_PAYLOAD_BYTES, controlBytes: Math.max(START_PAYLOAD_BYTES, CONTROL_PAYLOAD_BYTES) });
  const first: Uint8Array[] = [];
  const later: Uint8Array[] = [];
  const idle: (() => void)[] = [];
  let blocked = false;
  let ended = false;

  const end = (reason: string): void => {
    if (ended) return;
    ended = true;
    onEnd(reason);
  };

  const pump = (): void => {
    output.cork();
    while (!blocked) {
      const bytes = first.shift() ?? later.shift();
      if (bytes === undefined) break;
      if (!output.write(bytes)) blocked = true;
    }
    output.uncork();
    if (first.length + later.length === 0 && !blocked) for (const wake of idle.splice(0)) wake();
  };
  output.on("drain", () => {
    blocked = false;
    pump();
  });

  const queue = (into: Uint8Array[], stream: number, message: Message): void => {
    const { type, payload } = encodeMessage(message);
    if (payload.length < 1024) into.push(encodeFrame(type, stream, payload));
    // Two pieces that must stay together: nothing from `first` may come between, so they are one entry when blocked.
    else into.push(Buffer.concat([encodeHeader(type, stream, payload.length), payload]));
    pump();
  };

  input.on("data", (chunk: Buffer) => {
    const { frames, error } = parser.push(chunk);
    for (const frame of frames) {
      const message = decodeMessage(frame);
      if (message === null) return end("malformed message");
      onMessage(frame.stream, message);
    }
    if (error !== null) end(error);
  });
  input.on("end", () => end("end of input"));
  input.on("error", (error) => end(`input: ${error.message}`));
  output.on("error", (error) => end(`output: ${error.message}`));
  input.on("close", () => end("input closed"));

  return {
    send: (stream, message) => queue(later, stream, message),
    sendFirst: (stream, message) => queue(first, stream, message),
    flushed: () => (first.length + later.length === 0 && !blocked ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
  };
}
