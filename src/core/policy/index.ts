// The surface of policy: compile texts to a set, decide with it, explain the answer.

export type { Decision, DecisionContext, DecisionEffect, MaestroLayer, Obligation, Reason, RuleRisk } from "./decision.js";
export { compilePolicy, extendsOf, type CompileOptions, type PolicyText } from "./compile.js";
export { decide, decideEffects, DEFAULT_DENY } from "./decide.js";
export { NO_HISTORY, type SessionHistory } from "./history.js";
export { judgeCallSpent, judgeSessionSpent } from "./judge-history.js";
export type { ContentSubject } from "./content.js";
export { looksInside, type Inside } from "./looks-inside.js";
export { isProjectFile } from "./test-command.js";
export { explanationJson, type ExplainedEffect, type ExplainedRule, type Explanation } from "./explain-tree.js";
export { planEnforcement, type EnforcementPlan, type EnforceInput, type HeldName, type HeldPlace, type IndexedName, type UnmountedName } from "./enforce.js";
export { secretNames, type SecretNames } from "./enforce-secrets.js";
export { explainEnforcement, type ExplainedRule as HeldRule, type Holder, type RuleHold } from "./enforce-explain.js";
export { explainDecision, summariseDecision } from "./explain.js";
export { checkLine, checkQuestion, decisionJson, explainQuestion, questionOf, type CheckDefaults, type CheckedLine, type CheckQuestion, type CheckSubject, type Evaluators } from "./check-line.js";
export type { PolicySet, PolicySource } from "./policy-set.js";
export { judgeOutput, type JudgedOutput } from "./output.js";
export type { Tier } from "./tiers.js";
export type { Matcher, Rule, Spent } from "./rule.js";
export { policyJsonSchema } from "./schema.js";
export { MAESTRO_THREATS } from "./threats.js";
export { policyData, policyFromData, type PolicyData } from "./policy-data.js";
export { lintPolicies, type LintFinding } from "./lint.js";
export { heldBy, type Enforcement } from "./held-by.js";
export { parsePolicyFile, type ParsedFile } from "./parse-file.js";
export { checkCases, type CasesResult } from "./cases.js";
export { comparePolicies, type PolicyComparison, type PolicyDifference } from "./differ.js";
export { learnRules, type LearnedCall, type Lesson } from "./learn.js";
