// Wall clock and monotonic time from Node. The only place that reads them for the engine.

import { performance } from "node:perf_hooks";
import type { Clock } from "../../ports/system.js";

/** The machine's clock: ISO 8601 UTC with milliseconds, and monotonic milliseconds. */
export function createSystemClock(): Clock {
  // A record asks for it while its caller waits: the second it is in is written out once.
  const written = { second: Number.NaN, text: "" };
  return {
    now: () => {
      const ms = Date.now();
      const second = Math.floor(ms / 1000);
      if (second !== written.second) Object.assign(written, { second, text: new Date(second * 1000).toISOString().slice(0, -"000Z".length) });
      return `${written.text}${String(ms - second * 1000).padStart(3, "0")}Z`;
    },
    elapsedMs: () => performance.now(),
  };
}
