// Clock, ids and operator's log that give the same values in every run.

import type { JsonObject } from "../../core/shared/index.js";
import type { Clock, IdSource, Telemetry } from "../../ports/system.js";

/** A clock that moves one millisecond with every look. */
export function createSteppingClock(startMs: number = Date.UTC(2026, 0, 1)): Clock {
  let ticks = 0;
  return {
    now: () => new Date(startMs + ticks++).toISOString(),
    elapsedMs: () => ticks,
  };
}

/** `prefix` followed by a counter. */
export function createCountingIds(prefix: string = "test"): IdSource {
  let count = 0;
  return { next: () => `${prefix}${String(++count).padStart(4, "0")}` };
}

export interface RecordedLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: JsonObject;
}

/** Keeps every line instead of writing it. */
export function createRecordingTelemetry(lines: RecordedLine[] = [], bindings: JsonObject = {}): Telemetry & { readonly lines: readonly RecordedLine[] } {
  const write =
    (level: RecordedLine["level"]) =>
    (message: string, fields: JsonObject = {}): void => {
      lines.push({ level, message, fields: { ...bindings, ...fields } });
    };
  return {
    lines,
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: (fields) => createRecordingTelemetry(lines, { ...bindings, ...fields }),
  };
}
