// ATIF, the Agent Trajectory Interchange Format, 1.0 to 1.8: one document; steps with tool calls and what was observed.

import type { JsonValue } from "../shared/index.js";
import type { Collector, FormatReader } from "./collector.js";
import { argumentsOf, at, exitAt, flatText, isObject, listAt, textAt, timeAt } from "./read.js";

const VERSION = /^ATIF-v(\d{1,4})\.(\d{1,4})$/u;
/** The newest version that was looked at. Compared as numbers: 1.10 comes after 1.8. */
const NEWEST = { major: 1, minor: 8 };

/** Reads one ATIF document. */
export function atifReader(collector: Collector): FormatReader {
  return { take: (value) => readDocument(value, collector), finish: () => undefined };
}

function readDocument(value: JsonValue, collector: Collector): void {
  const written = textAt(value, "schema_version");
  const [, major = "", minor = ""] = VERSION.exec(written ?? "") ?? [];
  if (major === "") collector.part("`schema_version` is none of ATIF", "document");
  else if (Number(major) > NEWEST.major || (Number(major) === NEWEST.major && Number(minor) > NEWEST.minor)) collector.part(`version ${major}.${minor} is newer than ${NEWEST.major}.${NEWEST.minor}: what is new in it is not read`, "document");
  collector.about({ format: major === "" ? null : `${major}.${minor}`, name: textAt(value, "agent", "name"), version: textAt(value, "agent", "version"), model: textAt(value, "agent", "model_name"), root: textAt(value, "extra", "ringfence", "root"), session: textAt(value, "session_id") ?? textAt(value, "trajectory_id") });
  for (const [index, step] of listAt(value, "steps").entries()) readStep(step, `step ${index + 1}`, collector);
  for (const [index, inner] of listAt(value, "subagent_trajectories").entries()) collector.part("trajectory of a sub-agent inside the document", `sub-agent ${index + 1}: ${textAt(inner, "session_id") ?? textAt(inner, "trajectory_id") ?? "unnamed"}`);
}

function readStep(step: JsonValue, place: string, collector: Collector): void {
  if (!isObject(step)) return collector.skip("step that is no object", place);
  if (at(step, "is_copied_context") === true) return collector.skip("step copied from an earlier trajectory", place);
  collector.about({ model: textAt(step, "model_name") });
  const calls = listAt(step, "tool_calls");
  const results = listAt(step, "observation", "results");
  // What our own export adds: the format itself tells no folder and no exit code.
  const ours = at(step, "extra", "ringfence");
  const thought = textAt(step, "reasoning_content") ?? (flatText(at(step, "message")) || null);
  collector.record(calls.length > 0 ? "calls" : results.length > 0 ? "results" : textAt(step, "source") === "system" ? "metadata" : "messages");
  for (const [index, call] of calls.entries()) {
    collector.call({ id: textAt(call, "tool_call_id") ?? `${place.replaceAll(" ", "-")}-${index + 1}`, tool: textAt(call, "function_name") ?? "", arguments: argumentsOf(at(call, "arguments")), place, time: timeAt(step, "timestamp"), thought, cwd: textAt(ours, "cwd") });
  }
  for (const result of results) readResult(result, place, exitAt(ours, "exit_code"), collector);
}

function readResult(result: JsonValue, place: string, exitOfStep: number | null, collector: Collector): void {
  for (const reference of listAt(result, "subagent_trajectory_ref")) collector.part("trajectory of a sub-agent in another file", `${place}: ${textAt(reference, "trajectory_path") ?? textAt(reference, "session_id") ?? textAt(reference, "trajectory_id") ?? "unnamed"}`);
  const extra = at(result, "extra");
  const isError = at(result, "is_error") ?? at(extra, "is_error");
  const isKnown = collector.answer(textAt(result, "source_call_id"), { output: flatText(at(result, "content")), exitCode: exitAt(extra, "exit_code") ?? exitAt(extra, "returncode") ?? exitOfStep, failed: typeof isError === "boolean" ? isError : null });
  if (!isKnown) collector.part("observation of no call", place);
}
