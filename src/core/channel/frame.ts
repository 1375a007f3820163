// The binary frame of the channel between orchestrator and sandbox: length u32, type u8, stream u32 (big-endian), payload.
// Must never allocate by a length it has not checked.

/** Size of a frame's head, in bytes. */
export const FRAME_HEADER_BYTES = 9;

/** Largest payload of a frame that carries stream bytes. */
export const DATA_PAYLOAD_BYTES = 64 * 1024;

/** Largest payload of a control frame, unless a receiver allows more of a peer it trusts. */
export const CONTROL_PAYLOAD_BYTES = 256 * 1024;

/** Largest start order that sandboxd takes from the orchestrator: more than the kernel takes as arguments and environment. */
export const START_PAYLOAD_BYTES = 2 * 1024 * 1024;

/** Credit a stream starts with, in bytes: what may be under way without being asked for again. */
export const STREAM_WINDOW_BYTES = 1024 * 1024;

/** Version of frames and messages. Both ends must say the same. */
export const PROTOCOL_VERSION = 5;

/** Frame types on the wire. Numbers are never reused; sandboxd has the same list. */
export const FRAME = {
  hello: 1,
  start: 2,
  stdin: 3,
  stdinEnd: 4,
  stdout: 5,
  stderr: 6,
  credit: 7,
  exit: 8,
  kill: 9,
  ping: 10,
  pong: 11,
  error: 12,
  bye: 13,
  scratch: 14,
  programs: 20,
  verdict: 21,
  left: 30,
  go: 31,
} as const;

export type FrameName = keyof typeof FRAME;
export type FrameType = (typeof FRAME)[FrameName];

/** One frame. `stream` numbers the call it belongs to; 0 is the channel itself. */
export interface Frame {
  readonly type: FrameType;
  readonly stream: number;
  /** A view of received bytes where possible: copy it to keep it. */
  readonly payload: Uint8Array;
}

const TYPES: ReadonlySet<number> = new Set(Object.values(FRAME));

/** Tells whether a number is a frame type of this version. */
export function isFrameType(value: number): value is FrameType {
  return TYPES.has(value);
}

/** Tells whether frames of this type carry raw stream bytes. */
export function isDataType(type: FrameType): boolean {
  return type === FRAME.stdin || type === FRAME.stdout || type === FRAME.stderr || type === FRAME.scratch || type === FRAME.programs;
}

/** The nine bytes before a payload of `size` bytes. The caller keeps to the limits. */
export function encodeHeader(type: FrameType, stream: number, size: number): Uint8Array {
  const head = new Uint8Array(FRAME_HEADER_BYTES);
  writeHeader(head, type, stream, size);
  return head;
}

/** A whole frame in one piece of memory; for small payloads, where a second write would cost more than the copy. */
export function encodeFrame(type: FrameType, stream: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  writeHeader(bytes, type, stream, payload.length);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

function writeHeader(into: Uint8Array, type: FrameType, stream: number, size: number): void {
  const view = new DataView(into.buffer, into.byteOffset, FRAME_HEADER_BYTES);
  view.setUint32(0, size);
  view.setUint8(4, type);
  view.setUint32(5, stream);
}
