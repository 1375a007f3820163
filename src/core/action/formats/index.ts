// The surface of the trajectory codecs: text to tool calls, or to an error with its place.

export type { FormatError } from "./format-error.js";
export { parseJsonlLine } from "./jsonl.js";
export { parseKimiLine } from "./kimi-dev.js";
export type { Repository } from "./kimi-path.js";
export {
  detectFormat,
  isTrajectoryFormat,
  parseTrajectory,
  parseTrajectoryLine,
  TRAJECTORY_FORMATS,
  type TrajectoryFormat,
  type TrajectoryLine,
} from "./trajectory.js";
