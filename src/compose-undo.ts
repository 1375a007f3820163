// Taking a session back to one of its steps, and forward again: what stands is told by the record, the layers stay as they are.

import { createPreimages } from "./adapters/files/preimages.js";
import { rolledBack } from "./adapters/files/rolled-back.js";
import { resolveSession } from "./compose-review.js";
import { openStore } from "./compose-store.js";
import type { Change } from "./core/reconcile/change.js";
import { changesOfCall } from "./core/reconcile/index.js";
import { netChanges, netChangesAfter, sessionState, undoTarget } from "./core/session/index.js";
import { GuardError, printable, type CallId, type SessionId } from "./core/shared/index.js";

const SCAN_MS = 600_000;
const NAMED = 5;

export interface Undone {
  readonly id: SessionId;
  /** The last call whose changes stand; null is before the first. */
  readonly to: CallId | null;
  /** Its number, from 1; 0 is before the first. */
  readonly step: number;
  /** What moved, from what stood before to what stands now, sorted by path. */
  readonly moved: readonly Change[];
  /** What stands now. */
  readonly changes: readonly Change[];
  /** Paths taken over into the user's folder before: they stay there as they are. */
  readonly applied: readonly string[];
}

/**
 * Takes a session that has ended back to a step, and puts that on record. Nothing is lost: a later step can be named as well.
 * @param wanted number of a call, 0 for before the first, or a call id; null is the step before the last change
 * Throws USAGE_INVALID for a step that there is not, APPLY_CONFLICT when what it held was not kept; then nothing changed.
 */
export async function undoSession(session: string, wanted: string | null, env: NodeJS.ProcessEnv): Promise<Undone> {
  const stored = await openStore(env);
  try {
    const id = await resolveSession(stored.store, session);
    const ledger = await stored.store.reopen(id);
    try {
      const events = await stored.store.read(id);
      const state = sessionState(events);
      if (state === null) throw new GuardError("SESSION_NOT_FOUND", `session ${id} has no opening record`);
      if (state.discarded) throw new GuardError("USAGE_INVALID", `the changes of ${id} were discarded`, { hint: "`ringfence show` still tells what was done" });
      const target = undoTarget(events, wanted);
      if (!target.ok) throw new GuardError("USAGE_INVALID", target.error, { hint: "`ringfence show` lists the calls" });
      const { to, step } = target.value;
      const before = netChanges(events);
      const changes = netChangesAfter(events, to);
      await checkKept(stored, id, changes);
      const moved = changesOfCall(before, changes);
      await ledger.append([{ call: null, type: "session.undone", data: { to, paths: moved.length } }]);
      return { id, to, step, moved, changes, applied: state.applied };
    } finally {
      await ledger.close();
    }
  } finally {
    await stored.close();
  }
}

/** Looks for every content that the step needs, before anything is on record. */
async function checkKept(stored: Awaited<ReturnType<typeof openStore>>, id: SessionId, changes: readonly Change[]): Promise<void> {
  const workspace = await stored.workspaces.reopen(id);
  try {
    const observed = await workspace.changes(AbortSignal.timeout(SCAN_MS));
    const { lost } = await rolledBack(workspace, observed, changes, createPreimages({ stateDir: stored.stateDir, sessionId: id }));
    if (lost.length === 0) return;
    const names = lost.slice(0, NAMED).map(({ path }) => `\`${printable(path)}\``).join(", ");
    throw new GuardError("APPLY_CONFLICT", `nothing was undone: what ${names}${lost.length > NAMED ? ` and ${String(lost.length - NAMED)} more` : ""} held at that step was not kept`, { hint: "files over 64 MiB, pipes and sockets are not kept; name another step" });
  } finally {
    await workspace.close?.();
  }
}
