// What was really changed, what is wrong with it, how it is undone and how it is shown.

export { attemptFindings, type AttemptInput } from "./attempts.js";
export type { Change, Entry, FileKind, Finding, Held, HeldBy, ToldBy } from "./change.js";
export { changesOfCall, markReverted, reconcile, type Judge, type Judgement, type ReconcileInput, type Reconciliation } from "./compare.js";
export { changeBetween, isSameContent, isSameEntry } from "./entries.js";
export { heldText } from "./held-text.js";
export { holdingsOf, type Holding, type Holdings } from "./holdings.js";
export { comparePaths, decodeName, encodeName, isWorkspacePath, parentPath } from "./names.js";
export type { Hunk, TextDiff } from "./hunks.js";
export { leavesWorkspace, unkeptFinding } from "./own-findings.js";
export { fileDiff, whyMoved, withHunks, type Sides } from "./partial.js";
export { renderPatch, type PatchInput, type RenderedPatch } from "./patch.js";
export { needsContent, planRevert, revertOps, type RevertOp, type RevertPlan, type RevertStep } from "./revert.js";
export { isRunLater } from "./runs-later.js";
export { joinSelection, parseHunkChoice, runsLater, selectPaths, type HunkChoice, type Selection } from "./selection.js";
