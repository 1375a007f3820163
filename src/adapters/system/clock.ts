// Wall clock and monotonic time from Node. The only place that reads them for the engine.

import { performance } from "node:perf_hooks";
import type { Clock } from "../../ports/system.js";

/** The machine's clock: ISO 8601 UTC with milliseconds, and monotonic milliseconds. */
export function createSystemClock(): Clock {
  return {
    now: () => new Date().toISOString(),
    elapsedMs: () => performance.now(),
  };
}
