// The record of a session folded to what rules ask of it. The same events give the same history, live and in replay.

import { afterCall, afterChanges, afterFindings, afterPause, afterReaction, afterRefusal, afterSpending, afterStart, NO_HISTORY, type Refusal, type SessionHistory } from "../policy/history.js";
import type { Spent } from "../policy/rule.js";
import type { Change, Finding } from "../reconcile/change.js";
import type { AuditEvent } from "./event.js";

/** A history under way: with what is known of the call that is open. */
export interface HistoryState {
  readonly history: SessionHistory;
  /** Where the workspace is mounted. */
  readonly root: string;
  readonly open: { readonly marks: readonly string[]; readonly refusal: Refusal };
}

const NO_CALL: HistoryState["open"] = { marks: [], refusal: { rules: [], threats: [] } };

/** The history of a session without calls. @param root where the workspace is mounted */
export function emptyHistory(root: string): HistoryState {
  return { history: NO_HISTORY, root, open: NO_CALL };
}

/** The history after one more event. */
export function reduceHistory(state: HistoryState, event: Pick<AuditEvent, "type" | "data">): HistoryState {
  return { ...state, ...step(state, event as AuditEvent) };
}

/** The history of recorded events; that of a session without calls when there are none. */
export function sessionHistory(events: readonly AuditEvent[]): SessionHistory {
  return events.reduce(reduceHistory, emptyHistory("/workspace")).history;
}

function step({ history, root, open }: HistoryState, event: AuditEvent): Partial<HistoryState> {
  switch (event.type) {
    case "session.opened":
      return { root: event.data.workspace.root };
    case "decision.made": {
      const against = event.data.reasons.filter((reason) => reason.effect === event.data.effect);
      const refusal = { rules: against.map((reason) => reason.rule), threats: [...new Set(against.flatMap((reason) => reason.threats))] };
      return { history: afterCall(history), open: { marks: event.data.marks ?? [], refusal } };
    }
    case "execution.started":
      return { history: afterStart(history, open.marks) };
    // It ran, whatever policy would have said: what the next calls build on is there.
    case "execution.imported":
      return event.data.ran ? { history: afterSpending(afterStart(history, open.marks), { seconds: (event.data.durationMs ?? 0) / 1000 }) } : {};
    case "execution.finished":
      return { history: afterSpending(history, { seconds: event.data.durationMs / 1000 }) };
    case "reconciliation.done": {
      const { bytesWritten, deletions } = spentOf(event.data.changes);
      const paths = event.data.changes.filter(isFile).map((change) => `${root}/${change.path}`);
      return { history: afterFindings(afterChanges(afterSpending(history, { bytesWritten, deletions }), paths), event.data.findings.filter(isKnown).map((finding) => finding.rule)) };
    }
    case "call.closed":
      return event.data.outcome === "denied" || event.data.outcome === "rejected" ? { history: afterRefusal(history, open.refusal), open: NO_CALL } : { open: NO_CALL };
    case "session.tightened": {
      const { reaction, action, reason, layer = null, threats = [] } = event.data;
      return reaction === undefined || action === undefined ? {} : { history: afterReaction(history, { reaction, kind: action, message: reason, layer, threats }) };
    }
    case "approval.resolved":
      return event.call === null && event.data.outcome === "approved" ? { history: afterPause(history) } : {};
    default:
      return {};
  }
}

/** What a program merely says of itself makes no rule of a sequence true. */
function isKnown({ held }: Finding): boolean {
  return held === undefined || held.told.includes("text");
}

/** What changes come to. Folders count for nothing, bytes for the files that are there now. */
export function spentOf(changes: readonly Change[]): Pick<Spent, "bytesWritten" | "filesChanged" | "deletions"> {
  const files = changes.filter(isFile);
  return {
    bytesWritten: files.reduce((sum, { operation, after }) => sum + (operation === "create" || operation === "modify" ? (after?.bytes ?? 0) : 0), 0),
    filesChanged: files.length,
    deletions: files.filter((change) => change.operation === "delete").length,
  };
}

function isFile({ before, after }: Change): boolean {
  return (after ?? before)?.kind !== "directory";
}
