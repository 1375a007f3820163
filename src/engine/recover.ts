// After a crash: sessions whose process is gone are closed on record, and what was running is called in doubt, not guessed.

import { GuardError, count, isSessionId, printable, were, type SessionId } from "../core/shared/index.js";
import { replayRisk } from "../core/risk/index.js";
import { livingProcesses, openCalls, sessionState } from "../core/session/state.js";
import type { AuditEvent, EventDraft } from "../core/session/event.js";
import type { Ledger, LedgerRecovery } from "../ports/ledger.js";
import type { CutApply } from "../ports/workspace.js";
import type { EngineDeps } from "./deps.js";
import { closedEvent } from "./records.js";
import { scoreBatch } from "./score-batch.js";

export interface Recovered {
  readonly session: string;
  /** Calls that were started and whose end nobody saw. */
  readonly inDoubt: readonly string[];
  /** Processes that were handed over and whose end nobody saw; they are gone with their containers. Left out when there were none. */
  readonly processes?: readonly string[];
  /** What became of taking its changes over, when that was cut off; left out when it was not. */
  readonly apply?: CutApply;
}

type RecoverDeps = Pick<EngineDeps, "store" | "openSessions" | "workspaces" | "telemetry">;

/**
 * Closes every abandoned session, and tells which. A session that cannot be recovered (its record was tampered with, or
 * another process holds it) is left as it is and reported to the operator's log.
 * @param isSwept the engine was looked at, and has nothing of dead owners any more. Else the marks stay, so that a later
 * command looks again, and so do layers, which may still be mounted.
 */
export async function recoverSessions(deps: RecoverDeps, isSwept = true): Promise<readonly Recovered[]> {
  const recovered: Recovered[] = [];
  for (const id of await deps.openSessions.abandoned()) {
    if (!isSessionId(id)) continue;
    try {
      const closed = await recoverSession(deps, id, isSwept);
      if (isSwept) await deps.openSessions.clear(id);
      if (closed !== null) recovered.push(closed);
    } catch (error) {
      deps.telemetry.warn("a session could not be recovered", { session: id, cause: printable(String(error)) });
    }
  }
  return recovered;
}

/** null where there was nothing to close on record: nothing had run, or it was closed already. */
async function recoverSession(deps: RecoverDeps, id: SessionId, isSwept: boolean): Promise<Recovered | null> {
  if (isSwept) await deps.workspaces.release?.(id);
  const ledger = await reopen(deps, id);
  if (ledger === null) {
    // It crashed before it had a record, or it was a harness's: only its layers are there, and maybe an empty file.
    if (isSwept) await deps.workspaces.remove(id);
    if (isSwept) await deps.store.removeEmpty(id);
    return null;
  }
  const end: { isEmpty: boolean } = { isEmpty: false };
  try {
    const events = await deps.store.read(id);
    const state = sessionState(events);
    if (state === null) {
      if (isSwept) await deps.workspaces.remove(id);
      end.isEmpty = isSwept && events.length === 0;
      return null;
    }
    if (state.closed !== null) return await endApply(deps, id, ledger, events);
    const open = openCalls(state);
    // Nothing of an imported session ran here.
    const inDoubt = state.opened.imported !== undefined ? [] : open.filter((call) => call.status === "executing" || call.status === "finished").map((call) => call.id);
    const lost = livingProcesses(state).map(({ opened }) => opened.name);
    const gone = lost.map((name): EventDraft => ({ call: null, type: "process.closed", data: { name, reason: "recovered", exitCode: null, signal: null, detail: "its end was not seen" } }));
    const ends: EventDraft[] = open.map((call) => closedEvent(call.id, inDoubt.includes(call.id) ? "in-doubt" : "cancelled"));
    const { drafts } = scoreBatch([...gone, ...ends], { risk: replayRisk(events), isScored: state.risk !== null, nextSeq: events.length });
    const detail = [state.opened.imported !== undefined ? "the import was cut off: the file may have more" : inDoubt.length === 0 ? "the orchestrator ended without closing the session" : `in doubt: ${inDoubt.join(", ")}`, ...(lost.length === 0 ? [] : [`handed over and ended: ${lost.join(", ")}`]), ...lossText(ledger.recovered ?? null)].join("; ");
    await ledger.append([...drafts, { call: null, type: "session.closed", data: { reason: "recovered", detail, calls: state.calls.length } }]);
    return { session: id, inDoubt, ...(lost.length === 0 ? {} : { processes: lost }) };
  } finally {
    await ledger.close();
    // It was killed between the making of its record and the first line of it.
    if (end.isEmpty) await deps.store.removeEmpty(id);
  }
}

/** An apply is only made on a closed session. */
async function endApply(deps: RecoverDeps, id: SessionId, ledger: Ledger, events: readonly AuditEvent[]): Promise<Recovered | null> {
  const apply = (await deps.workspaces.settleApply?.(id)) ?? null;
  if (apply === null) return null;
  const last = events.at(-1);
  const isOnRecord = last?.type === "session.applied" && apply.outcome === "finished" && JSON.stringify(last.data) === JSON.stringify(apply.applied);
  if (apply.outcome === "finished" && !isOnRecord) await ledger.append([{ call: null, type: "session.applied", data: apply.applied }]);
  await deps.workspaces.forgetApply?.(id);
  if (apply.outcome === "undone" && apply.left.length > 0) deps.telemetry.error("an apply that was cut off could not be taken back wholly", { session: id, left: apply.left.slice(0, 10).map((path) => printable(path)) });
  return { session: id, inDoubt: [], apply };
}

async function reopen(deps: RecoverDeps, id: SessionId): Promise<Ledger | null> {
  try {
    return await deps.store.reopen(id);
  } catch (error) {
    if (error instanceof GuardError && error.code === "SESSION_NOT_FOUND") return null;
    throw error;
  }
}

/** What the crash did to the record itself: a reader must be able to tell it from an addition by somebody else. */
function lossText(recovery: LedgerRecovery | null): readonly string[] {
  if (recovery === null) return [];
  const { tornBytes, unsignedRecords } = recovery;
  return [...(tornBytes === 0 ? [] : [`${count(tornBytes, "byte")} of a half-written record ${were(tornBytes)} cut off`]), ...(unsignedRecords === 0 ? [] : [`the last ${count(unsignedRecords, "record")} before this ${were(unsignedRecords)} not signed`])];
}
