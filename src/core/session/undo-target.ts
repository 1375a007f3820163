// Which call a session is taken back to, from the words of a person and the record. Pure.

import { count, err, ok, printable, type CallId, type Result } from "../shared/index.js";
import type { AuditEvent } from "./event.js";
import { lastStanding } from "./net-changes.js";
import { sessionState } from "./state.js";

export interface UndoTarget {
  /** The last call whose changes stand; null is before the first. */
  readonly to: CallId | null;
  /** Its number among the session's calls, from 1; 0 is before the first. */
  readonly step: number;
}

/**
 * The call that `wanted` names: the number of a call from 1 on, 0 for before the first, or a call id. Without it, the call before the
 * last one whose changes stand. The error is a printable sentence.
 */
export function undoTarget(events: readonly AuditEvent[], wanted: string | null): Result<UndoTarget, string> {
  const calls = (sessionState(events)?.calls ?? []).map(({ id }) => id);
  if (wanted === null) {
    const last = lastStanding(events);
    return last === null ? err("no call changed anything that stands") : ok({ to: last.before, step: last.before === null ? 0 : calls.indexOf(last.before) + 1 });
  }
  if (wanted === "0") return ok({ to: null, step: 0 });
  const step = /^\d{1,9}$/u.test(wanted) ? Number(wanted) : calls.findIndex((id) => id === wanted) + 1;
  const to = calls[step - 1];
  return to === undefined ? err(`\`${printable(wanted)}\` is no step of the session: it has ${count(calls.length, "call")}, numbered from 1`) : ok({ to, step });
}
