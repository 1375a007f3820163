// What a session did to the workspace in all: the recorded changes of its calls, folded by path.

import type { Change, Entry } from "../reconcile/change.js";
import type { CallId } from "../shared/index.js";
import type { AuditEvent } from "./event.js";

type Reconciled = Extract<AuditEvent, { type: "reconciliation.done" }>;

/** The records of changes that stand, newest first: one list that later states share. */
interface Standing {
  readonly event: Reconciled;
  readonly earlier: Standing | null;
}

/**
 * One change a path, from the state before the session to the last recorded one, sorted by path. `before` is the user's own
 * entry as first seen, so that an edit of the user's made meanwhile can be told. Paths that came back to what they were are left out,
 * and so is what was taken back with `session.undone`.
 */
export function netChanges(events: readonly AuditEvent[]): readonly Change[] {
  return fold(oldestFirst(standing(events)), () => false);
}

/** The same as it was just after a call, or before the first one. */
export function netChangesAfter(events: readonly AuditEvent[], call: CallId | null): readonly Change[] {
  return fold(oldestFirst(standing(events, { to: call })), () => false);
}

/**
 * The same of what policy accepted: a change with a finding is passed over as if it had not been made, also where it could
 * not be undone. A later change of the path that has no finding counts.
 */
export function acceptedChanges(events: readonly AuditEvent[]): readonly Change[] {
  const found = new Set<string>();
  for (const event of events) if (event.type === "reconciliation.done") for (const finding of event.data.findings) if (finding.about !== "attempt") found.add(`${event.call} ${finding.path}`);
  return fold(oldestFirst(standing(events)), (call, path) => found.has(`${call} ${path}`));
}

/** The records of changes that stand, oldest first. */
export function standingRecords(events: readonly AuditEvent[]): readonly Reconciled[] {
  return oldestFirst(standing(events));
}

/**
 * The last call that changed something that stands, and the one before it; null where there is none.
 */
export function lastStanding(events: readonly AuditEvent[]): { readonly call: CallId; readonly before: CallId | null } | null {
  let call: CallId | null = null;
  for (let one = standing(events); one !== null; one = one.earlier) {
    if (one.event.call === null || one.event.data.changes.length === 0 || one.event.call === call) continue;
    if (call !== null) return { call, before: one.event.call };
    call = one.event.call;
  }
  return call === null ? null : { call, before: null };
}

/**
 * What stands at the end. Taking back to a call puts those records back that stood when it ended: also later ones than stood
 * before, so that a taking back can itself be taken back. A call that is not on record changes nothing.
 * @param then taken back to at the very end
 */
function standing(events: readonly AuditEvent[], then?: { readonly to: CallId | null }): Standing | null {
  const after = new Map<CallId | null, Standing | null>([[null, null]]);
  // What a process ran is told of the call that opened it, long after that call.
  const closed = new Set<CallId>();
  let now: Standing | null = null;
  for (const event of events) {
    if (event.type === "reconciliation.done") now = { event, earlier: now };
    if (event.type === "session.undone") now = after.has(event.data.to) ? (after.get(event.data.to) ?? null) : now;
    else if (event.call !== null && !closed.has(event.call)) after.set(event.call, now);
    if (event.type === "call.closed" && event.call !== null) closed.add(event.call);
  }
  if (then === undefined || !after.has(then.to)) return now;
  return after.get(then.to) ?? null;
}

function oldestFirst(newest: Standing | null): readonly Reconciled[] {
  const list: Reconciled[] = [];
  for (let one = newest; one !== null; one = one.earlier) list.push(one.event);
  return list.reverse();
}

function fold(events: readonly Reconciled[], isRefused: (call: string | null, path: string) => boolean): readonly Change[] {
  const paths = new Map<string, { readonly before: Entry | null; readonly after: Entry | null }>();
  for (const event of events) {
    for (const change of event.data.changes) {
      const known = paths.get(change.path) ?? { before: change.before, after: change.before };
      paths.set(change.path, isRefused(event.call, change.path) ? known : { before: known.before, after: change.after });
    }
  }
  const net: Change[] = [];
  for (const [path, { before, after }] of paths) {
    const operation = operationOf(before, after);
    if (operation !== null) net.push({ path, operation, before, after });
  }
  return net.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function operationOf(before: Entry | null, after: Entry | null): Change["operation"] | null {
  if (before === null && after === null) return null;
  if (before === null) return "create";
  if (after === null) return "delete";
  if (before.kind !== after.kind || before.digest !== after.digest || before.target !== after.target || before.bytes !== after.bytes) return "modify";
  return before.mode === after.mode ? null : "metadata";
}
