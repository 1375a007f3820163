// A trajectory file, line by line, in one named format. Lazy: a line is read when it is asked for, so that what earlier
// calls changed can be seen by the codec. Never throws, and goes on after a bad line; the caller decides whether to stop.

import { assertNever, err, LIMITS, ok, type Result } from "../../shared/index.js";
import type { ToolCall } from "../action.js";
import { field, isObject, parseObject, splitLines } from "./fields.js";
import { formatError, type FormatError } from "./format-error.js";
import { parseJsonlLine } from "./jsonl.js";
import { parseKimiLine } from "./kimi-dev.js";
import type { Repository } from "./kimi-path.js";

/** The names `--format` takes. */
export const TRAJECTORY_FORMATS = ["jsonl", "kimi-dev"] as const;

export type TrajectoryFormat = (typeof TRAJECTORY_FORMATS)[number];

/** What one line gives: all of its calls, in order, or the reason for none. */
export interface TrajectoryLine {
  /** From 1; blank lines count but give nothing. */
  readonly line: number;
  readonly calls: Result<readonly ToolCall[], FormatError>;
  /** What the author of the file says about the line, for people; no part of any call. Untrusted. */
  readonly note?: string;
  /** The line is a model's answer: its edits belong together, and one that does not fit ends it. */
  readonly isAnswer?: true;
}

/** Tells whether a text names a format. */
export function isTrajectoryFormat(name: string): name is TrajectoryFormat {
  return (TRAJECTORY_FORMATS as readonly string[]).includes(name);
}

/** One line, without its line feed. Null for a blank one. */
export function parseTrajectoryLine(text: string, line: number, format: TrajectoryFormat, repository: Repository): TrajectoryLine | null {
  if (text.trim() === "") return null;
  return { line, calls: callsOf(text, line, format, repository), ...aboutLine(text, format) };
}

/** What a line says besides its calls; nothing of it is judged or run. Also told of a line whose calls are refused. */
function aboutLine(text: string, format: TrajectoryFormat): Pick<TrajectoryLine, "note" | "isAnswer"> {
  if (!text.includes('"note"') && !text.includes('"stage"')) return {};
  const parsed = parseObject(text);
  if (!parsed.ok) return {};
  const note = field(parsed.value, "note");
  const isAnswer = format === "kimi-dev" && field(parsed.value, "stage") !== undefined && field(parsed.value, "tool") === undefined;
  return { ...(typeof note === "string" && note.trim() !== "" ? { note } : {}), ...(isAnswer ? { isAnswer } : {}) };
}

/**
 * All lines of a trajectory, read as they are asked for.
 * @param source the whole text, or its lines without their line feeds
 */
export function* parseTrajectory(source: string | Iterable<string>, format: TrajectoryFormat, repository: Repository): Generator<TrajectoryLine, void, undefined> {
  let line = 0;
  for (const text of typeof source === "string" ? splitLines(source) : source) {
    line += 1;
    if (line > LIMITS.trajectoryLines) {
      const problem = { code: "TRAJECTORY_TOO_LONG", message: `the trajectory has more than ${LIMITS.trajectoryLines} lines` };
      yield { line, calls: err(formatError(line, problem, "Split it into several sessions.")) };
      return;
    }
    const parsed = parseTrajectoryLine(text, line, format, repository);
    if (parsed !== null) yield parsed;
  }
}

/**
 * The format of a trajectory, from some of its lines; null when no line tells. One Kimi-Dev line is enough, because such a
 * file may also hold calls in our own form.
 */
export function detectFormat(lines: Iterable<string>): TrajectoryFormat | null {
  let hasCalls = false;
  for (const text of lines) {
    const parsed = text.trim() === "" ? null : parseObject(text);
    if (parsed === null || !parsed.ok || !isObject(parsed.value)) continue;
    if (field(parsed.value, "tool") !== undefined) hasCalls = true;
    else if (field(parsed.value, "stage") !== undefined || field(parsed.value, "run") !== undefined) return "kimi-dev";
  }
  return hasCalls ? "jsonl" : null;
}

function callsOf(text: string, line: number, format: TrajectoryFormat, repository: Repository): Result<readonly ToolCall[], FormatError> {
  switch (format) {
    case "jsonl": {
      const call = parseJsonlLine(text, line);
      return call.ok ? ok([call.value]) : call;
    }
    case "kimi-dev":
      return parseKimiLine(text, line, repository);
    default:
      return assertNever(format);
  }
}
