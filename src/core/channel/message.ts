// The typed messages that frames carry, and their way to bytes and back. Decoding is total: a malformed message is null.

import { assertNever } from "../shared/assert-never.js";
import type { JsonObject, JsonValue } from "../shared/index.js";
import { decodeAsciiJson, encodeAsciiJson } from "./ascii-json.js";
import { FRAME, type Frame, type FrameType } from "./frame.js";

/** The first message of sandboxd, after the probe ran. Raw findings: what they mean is for the orchestrator to say. */
export interface HelloMessage {
  readonly type: "hello";
  readonly version: number;
  /** What the probe printed, one character a byte. */
  readonly probe: string;
  /** Most tasks of the container; null when there is no limit. */
  readonly tasks: number | null;
  /** Most bytes of memory of the container; null when there is no limit. */
  readonly memory: number | null;
  /** What of programs is recorded here, and how many programs and openings for writing of the probe were seen. */
  readonly record: "off" | "exec" | "full";
  readonly programs: number;
  readonly writes: number;
}

export type StreamName = "stdin" | "stdout" | "stderr";

export interface ExitMessage {
  readonly type: "exit";
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly ended: "exit" | "timeout" | "cancelled" | "refused";
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  readonly stdoutDropped: number;
  readonly stderrDropped: number;
  readonly killed: number;
  readonly quiescent: boolean;
  readonly durationMs: number;
  /** The limit that was run into; left out when none was. */
  readonly limit?: "memory" | "processes" | "disk";
  /**
   * The names in the sandbox's own writable folders: none, those told last and untouched, those of the `scratch` messages of
   * this call, or more than can be told.
   */
  readonly scratch: "none" | "same" | "new" | "unknown";
}

/** Everything either end may say, but for the start order (start-order.ts). Raw stream bytes travel as they are. */
export type Message =
  | HelloMessage
  | ExitMessage
  | { readonly type: "stdin" | "stdout" | "stderr" | "scratch" | "programs" | "verdict"; readonly bytes: Uint8Array }
  | { readonly type: "credit"; readonly of: StreamName; readonly bytes: number }
  /** To the guard: the running call has this long from now on, in milliseconds. */
  | { readonly type: "left"; readonly ms: number }
  /** `go`: what a held order waited for has come. */
  | { readonly type: "stdinEnd" | "kill" | "bye" | "ping" | "pong" | "go" }
  /** A fault of sandboxd; the channel ends after it. */
  | { readonly type: "error"; readonly message: string };

const CREDIT_STREAMS: readonly StreamName[] = ["stdin", "stdout", "stderr"];
const EMPTY = new Uint8Array(0);

/** Type and payload of a message, ready to be framed. */
export function encodeMessage(message: Message): { readonly type: FrameType; readonly payload: Uint8Array } {
  const type = FRAME[message.type];
  switch (message.type) {
    case "stdin":
    case "stdout":
    case "stderr":
    case "scratch":
    case "programs":
    case "verdict":
      return { type, payload: message.bytes };
    case "credit":
      return { type, payload: encodeCredit(message.of, message.bytes) };
    case "left":
      return { type, payload: encodeLeft(message.ms) };
    case "stdinEnd":
    case "kill":
    case "bye":
    case "ping":
    case "pong":
    case "go":
      return { type, payload: EMPTY };
    case "hello":
    case "exit":
    case "error":
      return { type, payload: encodeAsciiJson(message as unknown as JsonObject) };
    default:
      return assertNever(message);
  }
}

function encodeCredit(of: StreamName, bytes: number): Uint8Array {
  const payload = new Uint8Array(5);
  const view = new DataView(payload.buffer);
  view.setUint8(0, CREDIT_STREAMS.indexOf(of));
  view.setUint32(1, bytes);
  return payload;
}

function encodeLeft(ms: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, ms);
  return payload;
}

/** The message in a frame; null when it is malformed, which ends the channel. A start order is only ever sent, so it is malformed too. */
export function decodeMessage(frame: Frame): Message | null {
  switch (frame.type) {
    case FRAME.stdin:
      return { type: "stdin", bytes: frame.payload };
    case FRAME.stdout:
      return { type: "stdout", bytes: frame.payload };
    case FRAME.stderr:
      return { type: "stderr", bytes: frame.payload };
    case FRAME.credit:
      return decodeCredit(frame.payload);
    case FRAME.stdinEnd:
      return { type: "stdinEnd" };
    case FRAME.kill:
      return { type: "kill" };
    case FRAME.bye:
      return { type: "bye" };
    case FRAME.ping:
      return { type: "ping" };
    case FRAME.pong:
      return { type: "pong" };
    case FRAME.hello:
      return asHello(decodeObject(frame.payload));
    case FRAME.go:
      return { type: "go" };
    case FRAME.start:
      return null;
    case FRAME.left:
      return frame.payload.length === 4 ? { type: "left", ms: new DataView(frame.payload.buffer, frame.payload.byteOffset, 4).getUint32(0) } : null;
    case FRAME.scratch:
      return { type: "scratch", bytes: frame.payload };
    case FRAME.programs:
      return { type: "programs", bytes: frame.payload };
    case FRAME.verdict:
      return { type: "verdict", bytes: frame.payload };
    case FRAME.exit:
      return asExit(decodeObject(frame.payload));
    case FRAME.error: {
      const text = decodeObject(frame.payload)?.["message"];
      return typeof text === "string" ? { type: "error", message: text } : null;
    }
    default:
      return assertNever(frame.type);
  }
}

function decodeCredit(payload: Uint8Array): Message | null {
  if (payload.length !== 5) return null;
  const view = new DataView(payload.buffer, payload.byteOffset, 5);
  const of = CREDIT_STREAMS[view.getUint8(0)];
  return of === undefined ? null : { type: "credit", of, bytes: view.getUint32(1) };
}

function decodeObject(payload: Uint8Array): JsonObject | null {
  const value = decodeAsciiJson(payload);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

function asHello(value: JsonObject | null): HelloMessage | null {
  if (value === null) return null;
  // An older guard says nothing of programs; that it is older is told by its version.
  const { version, probe, tasks, memory, record = "off", programs = 0, writes = 0 } = value as { [key: string]: JsonValue };
  if (!isCount(version) || typeof probe !== "string" || !isCountOrNull(tasks) || !isCountOrNull(memory)) return null;
  if ((record !== "off" && record !== "exec" && record !== "full") || !isCount(programs) || !isCount(writes)) return null;
  return { type: "hello", version, probe, tasks, memory, record, programs, writes };
}

function asExit(value: JsonObject | null): ExitMessage | null {
  if (value === null) return null;
  const { exitCode, signal, ended, stdoutBytes, stderrBytes, stdoutDropped, stderrDropped, killed, quiescent, durationMs, scratch, limit } = value as {
    [key: string]: JsonValue;
  };
  if (!isCountOrNull(exitCode) || !isCountOrNull(signal) || typeof quiescent !== "boolean" || !isCount(durationMs)) return null;
  if (ended !== "exit" && ended !== "timeout" && ended !== "cancelled" && ended !== "refused") return null;
  if (!isCount(stdoutBytes) || !isCount(stderrBytes) || !isCount(stdoutDropped) || !isCount(stderrDropped) || !isCount(killed)) return null;
  if (limit !== undefined && limit !== "memory" && limit !== "processes" && limit !== "disk") return null;
  if (scratch !== "none" && scratch !== "same" && scratch !== "new" && scratch !== "unknown") return null;
  return { type: "exit", exitCode, signal, ended, stdoutBytes, stderrBytes, stdoutDropped, stderrDropped, killed, quiescent, durationMs, scratch, ...(limit === undefined ? {} : { limit }) };
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function isCountOrNull(value: JsonValue | undefined): value is number | null {
  return value === null || isCount(value);
}
