// Hints of changes while a call runs. Never evidence: a watcher that fails or hangs costs the hints, nothing else.

import { printable } from "../core/shared/index.js";
import { within } from "./deadline.js";
import type { LiveSession } from "./live.js";

export interface Watch {
  /** Hints so far. */
  readonly hints: () => number;
  /** Never rejects. */
  stop(): Promise<void>;
}

/** Starts watching the workspace of a session. Never rejects. */
export async function watchChanges(live: LiveSession): Promise<Watch> {
  const { observer, telemetry } = live.deps;
  const { watchMs } = live.deadlines;
  let count = 0;
  const failed = (error: unknown): null => {
    telemetry.warn("files are not watched", { session: live.id, cause: printable(String(error)) });
    return null;
  };
  const start = async () => observer?.start(live.workspace.mount, () => (count += 1)) ?? null;
  const running = await within(start(), watchMs, "starting to watch files").catch(failed);
  return {
    hints: () => count,
    stop: async () => {
      if (running !== null) await within((async () => running.stop())(), watchMs, "ending to watch files").catch(failed);
    },
  };
}
