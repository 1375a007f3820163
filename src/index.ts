// The library: everything the command line can do, for programs. Named exports only; adding one is a public act.

export { composeEngine, type ComposeOptions, type OpenedSession, type OpenOptions, type Orchestrator } from "./compose.js";
export { openStore, type Stored } from "./compose-store.js";
export { discardSession, openReview, resolveSession, type Review } from "./compose-review.js";
export { exportBundle, type ExportedBundle } from "./compose-bundle.js";
export { verifyBundle } from "./compose-bundle-check.js";
export { undoSession, type Undone } from "./compose-undo.js";
export { steerSession, type ProcessAnswer, type ProcessInput, type ProcessWait, type SessionHandle } from "./compose-control.js";
export { importTrajectories, type ImportOptions, type ImportOutcome } from "./compose-import.js";
export { redecideSessions, type RedecideAnswer, type RedecideRequest } from "./compose-redecide.js";
export { exportStored, openReplay, writeSessionPage, type ReplayView } from "./compose-replay.js";
export { loadPolicy } from "./compose-policy.js";
export { checkUp, type Checkup } from "./compose-doctor.js";
export type { CallHooks } from "./engine/hooks.js";
export type { HarnessRequest, HarnessRun } from "./engine/harness.js";
export type { Observation } from "./engine/observation.js";
export type { Session } from "./engine/session.js";
export { normalise, parseTrajectory, type Action, type ActionEffect, type ToolCall } from "./core/action/index.js";
export { evaluateArgv, evaluateShell, type Evaluation, type ShellContext } from "./core/shell/index.js";
export { checkLine, compilePolicy, decide, decideEffects, explainDecision, type Decision, type DecisionContext, type PolicySet } from "./core/policy/index.js";
export { calculate, replayRisk, riskSummary } from "./core/risk/index.js";
export { netChanges, netChangesAfter, sessionState, type AuditEvent, type EventData } from "./core/session/index.js";
export { verifyLedger } from "./core/ledger/index.js";
export { ERRORS, GuardError, type ErrorCode } from "./core/shared/index.js";
export type { ApprovalOutcome, ApprovalRequest, Approver } from "./ports/approver.js";
