// SWE-agent `.traj`: one document; each step of `trajectory` is an action with its observation. Demonstrations hold `history` alone,
// runs with retries hold `attempts`.

import type { JsonValue } from "../shared/index.js";
import type { Collector, FormatReader } from "./collector.js";
import { at, flatText, isObject, listAt, numberAt, textAt, timeAt } from "./read.js";
import { parseStrictJson } from "../action/formats/strict-json.js";

/** Commands of the bundles that are no programs: their meaning is known without a shell. */
const BUNDLE: ReadonlySet<string> = new Set(["open", "goto", "scroll_up", "scroll_down", "create", "edit", "insert", "search_dir", "search_file", "find_file", "submit", "connect_start"]);
/** The file that a command opens, where nothing else tells. */
const OPENED = /^\s*(?:open|create)\s+["']?([^"'\s]{1,4096})/u;
const WORD = /^\s*([a-z_]+)/u;

/** Reads one `.traj` document. */
export function sweAgentReader(collector: Collector): FormatReader {
  return {
    take: (value, place) => {
      const info = at(value, "info");
      collector.about({ name: "SWE-agent", version: textAt(info, "swe_agent_version"), model: modelOf(value), format: textAt(info, "swe_agent_version") ?? shapeOf(value), session: textAt(value, "environment") });
      const attempts = listAt(value, "attempts");
      const runs = attempts.length === 0 ? [{ value, place: "" }] : attempts.map((attempt, index) => ({ value: attempt, place: `attempt ${index + 1}, ` }));
      for (const run of runs) {
        if (listAt(run.value, "trajectory").length > 0 || listAt(run.value, "history").length === 0) readSteps(run.value, run.place, collector);
        else readHistory(listAt(run.value, "history"), run.place, collector);
      }
      if (listAt(value, "trajectory").length > 0 && listAt(value, "history").length > 0) collector.part("`history` says the same as the steps again", place);
    },
    finish: () => undefined,
  };
}

/** What the shape of a document tells of the version that wrote it. */
function shapeOf(value: JsonValue): string {
  const steps = [...listAt(value, "trajectory"), ...listAt(value, "attempts").flatMap((attempt) => listAt(attempt, "trajectory"))];
  const [first] = steps;
  if (first === undefined) return "demonstration";
  if (at(first, "query") !== undefined) return "1.1 or later";
  if (at(first, "messages") !== undefined) return "1.0";
  if (isObject(at(first, "state"))) return "0.8 or 1.0";
  return at(first, "execution_time") === undefined ? "before 0.7" : "0.7";
}

function modelOf(value: JsonValue): string | null {
  const text = textAt(value, "replay_config");
  const parsed = text === null ? null : parseStrictJson(text);
  return parsed?.ok === true ? (textAt(parsed.value, "agent", "model", "name") ?? textAt(parsed.value, "agent", "model", "model_name")) : null;
}

interface ShellState {
  readonly cwd: string | null;
  readonly file: string | null;
}

const NO_STATE: ShellState = { cwd: null, file: null };

/** The state that a step tells: an object tells it as after the step, a text, which older versions write, as before it. */
function stateOf(step: JsonValue): ShellState {
  const raw = at(step, "state");
  const parsed = typeof raw === "string" ? parseStrictJson(raw) : null;
  const state = parsed === null ? raw : parsed.ok ? parsed.value : undefined;
  const file = textAt(state, "open_file");
  return { cwd: textAt(state, "working_dir"), file: file === "n/a" ? null : file };
}

function readSteps(value: JsonValue, prefix: string, collector: Collector): void {
  let before: ShellState = NO_STATE;
  for (const [index, step] of listAt(value, "trajectory").entries()) {
    const place = `${prefix}step ${index + 1}`;
    if (!isObject(step)) {
      collector.skip("step that is no object", place);
      continue;
    }
    const told = stateOf(step);
    const isBefore = typeof at(step, "state") === "string";
    if (isBefore) before = { cwd: told.cwd ?? before.cwd, file: told.file };
    collector.about({ root: told.cwd });
    const action = textAt(step, "action");
    if (action === null || action.trim() === "") collector.record("messages");
    else {
      collector.record("calls");
      const seconds = numberAt(step, "execution_time");
      const id = place.replaceAll(" ", "-").replaceAll(",", "");
      // Before the first step the state is not told: a step that changes no folder leaves it as it finds it.
      const cwd = before.cwd ?? (/\bcd\b/u.test(action) ? null : told.cwd);
      collector.call({ id, ...lineCall(action, before.file), place, thought: textAt(step, "thought"), cwd, time: timeAt(step, "timestamp") });
      collector.answer(id, { output: flatText(at(step, "observation")), durationMs: seconds === null ? null : seconds * 1000 });
    }
    if (!isBefore) before = { cwd: told.cwd ?? before.cwd, file: told.file };
  }
}

function readHistory(history: readonly JsonValue[], prefix: string, collector: Collector): void {
  let open: string | null = null;
  let file: string | null = null;
  for (const [index, entry] of history.entries()) {
    const place = `${prefix}entry ${index + 1}`;
    const action = textAt(entry, "action");
    if (!isObject(entry)) collector.skip("entry that is no object", place);
    else if (action !== null && textAt(entry, "role") === "assistant") {
      open = place.replaceAll(" ", "-").replaceAll(",", "");
      collector.record("calls");
      collector.call({ id: open, ...lineCall(action, file), place, thought: textAt(entry, "thought") });
      file = OPENED.exec(action)?.[1] ?? file;
    } else if (open !== null && (textAt(entry, "message_type") === "observation" || textAt(entry, "role") === "tool" || textAt(entry, "role") === "user")) {
      collector.record("results");
      collector.answer(open, { output: flatText(at(entry, "content")) });
      open = null;
    } else collector.record("messages");
  }
}

/** A shell line as a call: of the bundle's command it begins with, where that is its only line or takes a text; else of the shell. */
function lineCall(action: string, file: string | null): { readonly tool: string; readonly arguments: { readonly command: string; readonly open_file?: string } } {
  const [, word = ""] = WORD.exec(action) ?? [];
  const isWhole = word === "edit" || word === "insert" || !action.trim().includes("\n");
  const tool = isWhole && BUNDLE.has(word) ? word : "bash";
  return { tool, arguments: { command: action, ...(tool === "bash" || file === null ? {} : { open_file: file }) } };
}
