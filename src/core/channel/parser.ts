// Cuts a byte stream into frames, however it arrives. Total; after the first malformed byte it says so once and stays deaf.
// Must never join what it received before: each payload byte is copied at most once.

import { CONTROL_PAYLOAD_BYTES, DATA_PAYLOAD_BYTES, FRAME_HEADER_BYTES, isDataType, isFrameType, type Frame, type FrameType } from "./frame.js";

/** What one piece of input gave: whole frames in order, then at most one error, ever. */
export interface ParsedFrames {
  readonly frames: readonly Frame[];
  /** Printable; null while the stream is well-formed. Given once. */
  readonly error: string | null;
}

export interface FrameParser {
  /** Takes the next bytes. Payloads may be views into `chunk`. */
  readonly push: (chunk: Uint8Array) => ParsedFrames;
  /** True when the stream may end here: no frame is half received. */
  readonly atBoundary: () => boolean;
}

/** Largest payloads taken; larger ones are an error before any memory is set aside. */
export interface FrameLimits {
  readonly dataBytes: number;
  readonly controlBytes: number;
}

const DEFAULT_LIMITS: FrameLimits = { dataBytes: DATA_PAYLOAD_BYTES, controlBytes: CONTROL_PAYLOAD_BYTES };

interface Pending {
  readonly type: FrameType;
  readonly stream: number;
  readonly bytes: Uint8Array;
  filled: number;
}

/** A parser for one direction of one channel. */
export function createFrameParser(limits: FrameLimits = DEFAULT_LIMITS): FrameParser {
  const head = new Uint8Array(FRAME_HEADER_BYTES);
  const view = new DataView(head.buffer);
  let headFilled = 0;
  let pending: Pending | null = null;
  let deaf = false;

  const push = (chunk: Uint8Array): ParsedFrames => {
    const frames: Frame[] = [];
    if (deaf) return { frames, error: null };
    let at = 0;
    while (at < chunk.length) {
      if (pending !== null) {
        const take = Math.min(pending.bytes.length - pending.filled, chunk.length - at);
        pending.bytes.set(chunk.subarray(at, at + take), pending.filled);
        pending.filled += take;
        at += take;
        if (pending.filled < pending.bytes.length) break;
        frames.push({ type: pending.type, stream: pending.stream, payload: pending.bytes });
        pending = null;
        continue;
      }
      const take = Math.min(FRAME_HEADER_BYTES - headFilled, chunk.length - at);
      head.set(chunk.subarray(at, at + take), headFilled);
      headFilled += take;
      at += take;
      if (headFilled < FRAME_HEADER_BYTES) break;
      headFilled = 0;
      const size = view.getUint32(0);
      const type = view.getUint8(4);
      const stream = view.getUint32(5);
      const error = isFrameType(type) ? tooLarge(type, size, limits) : `frame of unknown type ${type}`;
      if (error !== null || !isFrameType(type)) {
        deaf = true;
        return { frames, error };
      }
      if (chunk.length - at >= size) {
        frames.push({ type, stream, payload: chunk.subarray(at, at + size) });
        at += size;
      } else {
        pending = { type, stream, bytes: new Uint8Array(size), filled: 0 };
      }
    }
    return { frames, error: null };
  };

  return { push, atBoundary: () => !deaf && pending === null && headFilled === 0 };
}

function tooLarge(type: FrameType, size: number, limits: FrameLimits): string | null {
  const most = isDataType(type) ? limits.dataBytes : limits.controlBytes;
  return size <= most ? null : `frame of ${size} bytes, where ${most} are allowed`;
}
