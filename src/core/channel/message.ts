// The typed messages that frames carry, and their way to bytes and back. Decoding is total: a malformed message is null.

import { assertNever } from "../shared/assert-never.js";
import type { JsonObject, JsonValue } from "../shared/index.js";
import { decodeAsciiJson, encodeAsciiJson } from "./ascii-json.js";
import { FRAME, type Frame, type FrameType } from "./frame.js";

/** A protection as tested from inside; the same shape as a session's control. */
export interface TestedControl {
  readonly id: string;
  readonly state: "attested" | "configured" | "missing";
  readonly detail: string;
}

/** The first message of sandboxd, after its self-test. */
export interface HelloMessage {
  readonly type: "hello";
  readonly version: number;
  readonly controls: readonly TestedControl[];
  /** Content of the nonce file as read through the workspace mount; null when it was not there. */
  readonly nonce: string | null;
  /** Why the nonce could not be read or taken away; null when both worked. */
  readonly nonceProblem: string | null;
}

/** Runs one program as the agent. `program` names a command, `files` the runtime's own file tool. */
export interface StartMessage {
  readonly type: "start";
  readonly kind: "program" | "files";
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: readonly (readonly [string, string])[];
  readonly hasStdin: boolean;
  readonly timeoutMs: number;
  readonly outputBytes: number;
}

export type StreamName = "stdin" | "stdout" | "stderr";

export interface ExitMessage {
  readonly type: "exit";
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly ended: "exit" | "timeout" | "cancelled";
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  readonly stdoutDropped: number;
  readonly stderrDropped: number;
  readonly killed: number;
  readonly quiescent: boolean;
  readonly durationMs: number;
  /** The limit that was run into; left out when none was. */
  readonly limit?: "memory" | "processes" | "disk";
}

/** Everything either end may say. Raw stream bytes travel as they are. */
export type Message =
  | HelloMessage
  | StartMessage
  | ExitMessage
  | { readonly type: "stdin" | "stdout" | "stderr"; readonly bytes: Uint8Array }
  | { readonly type: "credit"; readonly of: StreamName; readonly bytes: number }
  | { readonly type: "stdinEnd" | "kill" | "bye" | "ping" | "pong" }
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
      return { type, payload: message.bytes };
    case "credit":
      return { type, payload: encodeCredit(message.of, message.bytes) };
    case "stdinEnd":
    case "kill":
    case "bye":
    case "ping":
    case "pong":
      return { type, payload: EMPTY };
    case "hello":
    case "start":
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

/** The message in a frame; null when it is malformed, which ends the channel. */
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
    case FRAME.start:
      return asStart(decodeObject(frame.payload));
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
  const { version, controls, nonce, nonceProblem } = value as { [key: string]: JsonValue };
  if (!isCount(version) || !Array.isArray(controls) || !isTextOrNull(nonce) || !isTextOrNull(nonceProblem)) return null;
  const tested = controls.map(asControl);
  if (tested.length > 100 || tested.some((control) => control === null)) return null;
  return { type: "hello", version, controls: tested.filter((control) => control !== null), nonce, nonceProblem };
}

function asControl(value: JsonValue): TestedControl | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const { id, state, detail } = value as { [key: string]: JsonValue };
  if (typeof id !== "string" || typeof detail !== "string") return null;
  return state === "attested" || state === "configured" || state === "missing" ? { id, state, detail } : null;
}

function asStart(value: JsonObject | null): StartMessage | null {
  if (value === null) return null;
  const { kind, argv, cwd, environment, hasStdin, timeoutMs, outputBytes } = value as { [key: string]: JsonValue };
  if ((kind !== "program" && kind !== "files") || typeof cwd !== "string" || typeof hasStdin !== "boolean") return null;
  if (!isTexts(argv) || !isCount(timeoutMs) || !isCount(outputBytes) || !Array.isArray(environment)) return null;
  const pairs = environment.filter((pair): pair is [string, string] => isTexts(pair) && pair.length === 2);
  if (pairs.length !== environment.length) return null;
  return { type: "start", kind, argv, cwd, environment: pairs, hasStdin, timeoutMs, outputBytes };
}

function asExit(value: JsonObject | null): ExitMessage | null {
  if (value === null) return null;
  const { exitCode, signal, ended, stdoutBytes, stderrBytes, stdoutDropped, stderrDropped, killed, quiescent, durationMs, limit } = value as {
    [key: string]: JsonValue;
  };
  if (!isCountOrNull(exitCode) || !isCountOrNull(signal) || typeof quiescent !== "boolean" || !isCount(durationMs)) return null;
  if (ended !== "exit" && ended !== "timeout" && ended !== "cancelled") return null;
  if (!isCount(stdoutBytes) || !isCount(stderrBytes) || !isCount(stdoutDropped) || !isCount(stderrDropped) || !isCount(killed)) return null;
  if (limit !== undefined && limit !== "memory" && limit !== "processes" && limit !== "disk") return null;
  return { type: "exit", exitCode, signal, ended, stdoutBytes, stderrBytes, stdoutDropped, stderrDropped, killed, quiescent, durationMs, ...(limit === undefined ? {} : { limit }) };
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function isCountOrNull(value: JsonValue | undefined): value is number | null {
  return value === null || isCount(value);
}

function isTextOrNull(value: JsonValue | undefined): value is string | null {
  return value === null || typeof value === "string";
}

function isTexts(value: JsonValue | undefined): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
