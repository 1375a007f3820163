// The operator's log, made harmless: losing it, or its throwing, changes no record.

import type { JsonObject } from "../core/shared/index.js";
import type { Telemetry } from "../ports/system.js";

/** The same log; what it throws is dropped. */
export function safeTelemetry(telemetry: Telemetry): Telemetry {
  const safe =
    (level: "debug" | "info" | "warn" | "error") =>
    (message: string, fields?: JsonObject): void => {
      try {
        telemetry[level](message, fields);
      } catch {
        // There is no other place to tell it.
      }
    };
  return { debug: safe("debug"), info: safe("info"), warn: safe("warn"), error: safe("error"), child: (fields) => safeTelemetry(telemetry.child(fields)) };
}
