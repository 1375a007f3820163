// The surface of shell evaluation. Total and bounded: every text gets an answer, what cannot be told is opaque.

export { evaluateArgv, evaluateShell } from "./evaluate-shell.js";
export { evaluateInput, type RunningProcess } from "./evaluate-input.js";
export type { Evaluation, PathKind, ShellContext } from "./types.js";
export { sessionEnvironment, type CallPlace } from "./session-environment.js";
export { simpleWords } from "./simple-words.js";
export { compileModels, rowProblem, type Model, type ModelRow } from "./model.js";
export { isBuiltinProgram } from "./programs.js";
