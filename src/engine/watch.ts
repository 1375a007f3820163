// Hints of changes while a session runs. Never evidence: a watcher that fails or hangs costs the hints, nothing else.

import { printable } from "../core/shared/index.js";
import { within, type Deadlines } from "./deadline.js";
import type { EngineDeps } from "./deps.js";
import type { Workspace } from "../ports/workspace.js";

export interface Watch {
  /** Hints since it was asked last. A hint may come a moment late and then counts for the next call. */
  takeHints(): number;
  /** Never rejects. */
  stop(): Promise<void>;
}

/** Watches the workspace of a session, once for all of its calls: a watcher takes longer to start than a command to run. */
export function watchSession(deps: EngineDeps, deadlines: Deadlines, id: string, workspace: Workspace): Watch {
  const { observer, telemetry } = deps;
  let count = 0;
  const failed = (error: unknown): null => {
    telemetry.warn("files are not watched", { session: id, cause: printable(String(error)) });
    return null;
  };
  const start = async () => observer?.start(workspace.mount, () => (count += 1)) ?? null;
  const running = within(start(), deadlines.watchMs, "starting to watch files").catch(failed);
  return {
    takeHints: () => {
      const taken = count;
      count = 0;
      return taken;
    },
    stop: async () => {
      const watcher = await running;
      if (watcher !== null) await within((async () => watcher.stop())(), deadlines.watchMs, "ending to watch files").catch(failed);
    },
  };
}
