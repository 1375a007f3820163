// The surface of actions: calls to actions, edits to texts, trajectory lines to calls.

export type { Action, CommandAction, Edit, EditAction, OpaqueAction, ProcessAction, ProcessKey, ProcessOp, SubmitAction, ToolCall, ViewAction } from "./action.js";
export type {
  ActionEffect,
  Certainty,
  CodeEffect,
  CodeSource,
  ConnectEffect,
  EnvironmentEffect,
  ExecEffect,
  FileEffect,
  FileOperation,
  OpaqueEffect,
} from "./effects.js";
export { filesRun } from "./files-run.js";
export { saidByCode, type SaidByCode } from "./said-by-code.js";
export { applyEdit, decodeText, renderView, unifiedDiff, utf8Length, type EditContext } from "./edit/index.js";
export {
  detectFormat,
  isTrajectoryFormat,
  parseJsonlLine,
  parseKimiLine,
  parseTrajectory,
  parseTrajectoryLine,
  TRAJECTORY_FORMATS,
  type FormatError,
  type Repository,
  type TrajectoryFormat,
  type TrajectoryLine,
} from "./formats/index.js";
export { normalise, type CommandEvaluator, type NormaliseContext } from "./normalise.js";
export { baseName, isInside, joinPath, normalisePath, parentOf, relativeTo } from "./paths.js";
export { MODEL_ROLES, ROLE_BUGFIXER, ROLE_HARNESS, ROLE_TESTWRITER } from "./roles.js";
export { isProcessName, PROCESS_NAMES } from "./process-call.js";
export { isThought, TOOL_NAMES } from "./tools.js";
