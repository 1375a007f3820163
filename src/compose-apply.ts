// An apply under way, noted so that the next command can end it when this process dies: a mark among the open sessions, and
// what is exchanged with what.

import { join } from "node:path";
import { openJournal, type ApplyJournal } from "./adapters/files/apply-journal.js";
import { currentLease, isLeaseAlive } from "./adapters/system/lease.js";
import { createOpenSessions } from "./adapters/system/open-sessions.js";
import type { SessionId } from "./core/shared/index.js";

export interface NotedApply {
  readonly journal: ApplyJournal;
  /** The end is on record, or nothing was written. Without it the next command brings the apply to its end. */
  forget(): Promise<void>;
  /** True once all was written. */
  readonly isWritten: () => boolean;
}

/** Call under the lock of the session's ledger: nobody else marks it meanwhile. Throws STATE_UNUSABLE. */
export async function noteApply(stateDir: string, id: SessionId): Promise<NotedApply> {
  const open = createOpenSessions({ stateDir, lease: currentLease(), isLeaseAlive });
  // A mark that is there says more than ours would: something of the session is still on the engine.
  const isMarked = await open.isMarked(id);
  if (!isMarked) await open.mark(id);
  const journal = openJournal(join(stateDir, "sessions", id));
  let written = false;
  return {
    journal: {
      staging: (folder, stage) => journal.staging(folder, stage),
      exchanging: (steps) => journal.exchanging(steps),
      exchanged: (applied) => {
        journal.exchanged(applied);
        written = true;
      },
    },
    isWritten: () => written,
    forget: async () => {
      journal.clear();
      if (!isMarked) await open.clear(id);
    },
  };
}
