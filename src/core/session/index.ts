export type { AgentInfo, AuditEvent, CallClaim, Control, EventData, EventDraft, EventType, ImportSource, OutputRecord, Reached } from "./event.js";
export { isEvent } from "./event-shape.js";
export { callsInDoubt, livingProcesses, openCalls, reduceSession, sessionState, type CallState, type ProcessState, type SessionState } from "./state.js";
export { acceptedChanges, netChanges, netChangesAfter, standingRecords } from "./net-changes.js";
export { undoTarget, type UndoTarget } from "./undo-target.js";
export { emptyHistory, reduceHistory, sessionHistory, spentOf, type HistoryState } from "./history.js";
export { foldText, matchSession, SESSION_STATUSES, sessionFacts, sessionStatus, type CallText, type SessionFacts, type SessionQuery } from "./search.js";
