// What a session did to the workspace in all: the recorded changes of its calls, folded by path.

import type { Change, Entry } from "../reconcile/change.js";
import type { AuditEvent } from "./event.js";

/**
 * One change a path, from the state before the session to the last recorded one, sorted by path. `before` is the user's own
 * entry as first seen, so that an edit of the user's made meanwhile can be told. Paths that came back to what they were are left out.
 */
export function netChanges(events: readonly AuditEvent[]): readonly Change[] {
  return fold(events, () => false);
}

/**
 * The same of what policy accepted: a change with a finding is passed over as if it had not been made, also where it could
 * not be undone. A later change of the path that has no finding counts.
 */
export function acceptedChanges(events: readonly AuditEvent[]): readonly Change[] {
  const found = new Set<string>();
  for (const event of events) if (event.type === "reconciliation.done") for (const finding of event.data.findings) found.add(`${event.call} ${finding.path}`);
  return fold(events, (call, path) => found.has(`${call} ${path}`));
}

function fold(events: readonly AuditEvent[], isRefused: (call: string | null, path: string) => boolean): readonly Change[] {
  const paths = new Map<string, { readonly before: Entry | null; readonly after: Entry | null }>();
  for (const event of events) {
    if (event.type !== "reconciliation.done") continue;
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
