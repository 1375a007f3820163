// What a session did to the workspace in all: the recorded changes of its calls, folded by path.

import type { Change, Entry } from "../reconcile/change.js";
import type { AuditEvent } from "./event.js";

/**
 * One change a path, from the state before the session to the last recorded one, sorted by path. `before` is the user's own
 * entry as first seen, so that an edit of the user's made meanwhile can be told. Paths that came back to what they were are left out.
 */
export function netChanges(events: readonly AuditEvent[]): readonly Change[] {
  const paths = new Map<string, { readonly before: Entry | null; readonly after: Entry | null }>();
  for (const event of events) {
    if (event.type !== "reconciliation.done") continue;
    const reverted = new Set(event.data.findings.filter((finding) => finding.reverted).map((finding) => finding.path));
    for (const change of event.data.changes) {
      if (reverted.has(change.path)) continue;
      const known = paths.get(change.path);
      paths.set(change.path, { before: known === undefined ? change.before : known.before, after: change.after });
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
