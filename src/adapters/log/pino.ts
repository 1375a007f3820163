// The operator's log: pino lines to a file in the state folder. Never evidence: deleting it changes no record.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { destination, pino, type Logger } from "pino";
import type { JsonObject } from "../../core/shared/index.js";
import type { Telemetry } from "../../ports/system.js";

const FIELD_LIMIT = 2_000;

export interface OperatorLog {
  readonly telemetry: Telemetry;
  readonly path: string;
  /** Writes what is buffered. */
  flush(): void;
}

/**
 * Opens `<stateDir>/log/ringfence.log`. Caller fields are nested under `data`, so that none of them can shadow
 * `level`, `time` or `msg`. When the file cannot be opened the log is silent: it must never stop a call.
 */
export function openOperatorLog(stateDir: string, level: string): OperatorLog {
  const directory = join(stateDir, "log");
  const path = join(directory, "ringfence.log");
  const logger = openLogger(directory, path, level);
  return { telemetry: wrap(logger), path, flush: () => flush(logger) };
}

function openLogger(directory: string, path: string, level: string): Logger {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const stream = destination({ dest: path, append: true, mkdir: false, sync: true, mode: 0o600 });
    stream.on("error", () => undefined);
    return pino({ level, base: { pid: process.pid }, nestedKey: "data" }, stream);
  } catch {
    return pino({ level: "silent" });
  }
}

function flush(logger: Logger): void {
  try {
    logger.flush();
  } catch {
    // The file went away: the operator's log is lost, nothing else.
  }
}

function wrap(logger: Logger): Telemetry {
  const write =
    (level: "debug" | "info" | "warn" | "error") =>
    (message: string, fields: JsonObject = {}): void => {
      try {
        logger[level](shorten(fields), message);
      } catch {
        // See flush.
      }
    };
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    // Bindings (session, call) stay at the top level: they are ours, never the agent's.
    child: (fields) => wrap(logger.child(fields)),
  };
}

function shorten(fields: JsonObject): JsonObject {
  const entries = Object.entries(fields).map(([key, value]) => [key, typeof value === "string" ? value.slice(0, FIELD_LIMIT) : value] as const);
  return Object.fromEntries(entries);
}
