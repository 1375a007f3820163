// The surface of replay: records judged again and summed up. Reads nothing, runs nothing.

export { homeOf, judgeAgain, type JudgedAgain, type ReplayWorld, type ShellPlace } from "./judge.js";
export { redecide, VERDICTS, type Redecided, type RedecideOptions, type Verdict } from "./redecide.js";
export { createSummariser, moveOf, type RedecideSummary, type RuleCount, type Summariser } from "./summary.js";
export { programTree, type ProgramLine, type ProgramTree } from "./program-tree.js";
export { endOf, searchText, stepOf, timelineHeadOf, timelineOf, titleOf, verdictOf, type ScoreAt, type Step, type Timeline, type TimelineHead } from "./timeline.js";
export { sessionPage, type PageOptions } from "./page.js";
export { diffLineKind, type FileDiff, type StepFiles } from "./step-files.js";
export type { StepTexts } from "./page-step.js";
export { divergenceOf, factsOf, stateDigest, type CallFacts, type CallTexts, type Divergence, type DivergenceKind } from "./diverge.js";
export { firstDifference, settleText } from "./settle-text.js";
export { repeatOf, type Repeat } from "./repeat.js";
export { claimDivergence, claimsOf, repeatImported, type Claim, type ClaimCompared } from "./claimed.js";
