// After a crash: sessions whose process is gone are closed on record, and what was running is called in doubt, not guessed.

import { isSessionId } from "../core/shared/index.js";
import { openCalls, sessionState } from "../core/session/state.js";
import type { EventDraft } from "../core/session/event.js";
import type { EngineDeps } from "./deps.js";

export interface Recovered {
  readonly session: string;
  /** Calls that were started and whose end nobody saw. */
  readonly inDoubt: readonly string[];
}

/**
 * Closes every abandoned session. A session that cannot be recovered (its record was tampered with, or another process
 * holds it) is left as it is and reported to the operator's log.
 */
export async function recoverSessions(deps: Pick<EngineDeps, "store" | "openSessions" | "workspaces" | "telemetry">): Promise<readonly Recovered[]> {
  const recovered: Recovered[] = [];
  for (const id of await deps.openSessions.abandoned()) {
    try {
      const inDoubt = isSessionId(id) ? await recoverSession(deps, id) : [];
      recovered.push({ session: id, inDoubt });
      await deps.openSessions.clear(id);
    } catch (error) {
      deps.telemetry.warn("a session could not be recovered", { session: id, cause: String(error) });
    }
  }
  return recovered;
}

async function recoverSession(deps: Pick<EngineDeps, "store" | "workspaces">, id: `ses_${string}`): Promise<readonly string[]> {
  const known = (await deps.store.list()).some((listing) => listing.id === id);
  if (!known) {
    // It crashed before its first record: nothing ran, only its layers are there.
    await deps.workspaces.remove(id);
    return [];
  }
  const ledger = await deps.store.reopen(id);
  try {
    const state = sessionState(await deps.store.read(id));
    if (state === null || state.closed !== null) return [];
    const open = openCalls(state);
    const inDoubt = open.filter((call) => call.status === "executing" || call.status === "finished").map((call) => call.id);
    const drafts: EventDraft[] = open.map((call) => ({
      call: call.id,
      type: "call.closed",
      data: { outcome: inDoubt.includes(call.id) ? "in-doubt" : "cancelled", exitCode: null, observationDigest: null },
    }));
    const detail = inDoubt.length === 0 ? "the orchestrator ended without closing the session" : `in doubt: ${inDoubt.join(", ")}`;
    await ledger.append([...drafts, { call: null, type: "session.closed", data: { reason: "recovered", detail, calls: state.calls.length } }]);
    return inDoubt;
  } finally {
    await ledger.close();
  }
}
