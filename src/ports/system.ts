// The clock, ids and the operator's log: what the engine may not take from Node itself.

import type { JsonObject } from "../core/shared/index.js";

export interface Clock {
  /** ISO 8601, UTC, milliseconds. */
  now(): string;
  /** Monotonic milliseconds, for durations only. */
  elapsedMs(): number;
}

export interface IdSource {
  /** A new unguessable suffix of lower-case letters and digits. */
  next(): string;
}

/** For operators, never evidence: losing all of it changes no record. Must not throw. */
export interface Telemetry {
  debug(message: string, fields?: JsonObject): void;
  info(message: string, fields?: JsonObject): void;
  warn(message: string, fields?: JsonObject): void;
  error(message: string, fields?: JsonObject): void;
  child(fields: JsonObject): Telemetry;
}

/** How a program of the host ended. */
export interface ProgramResult {
  /** null when it was ended by a signal or by its time limit. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of the host, never one that an agent made. Rejects when it cannot be started. */
export type RunProgram = (file: string, args: readonly string[], timeoutMs: number) => Promise<ProgramResult>;
