// Carries out one judged action in the sandbox. What was judged is what is executed: no text is read a second time.

import type { Action, EditAction, ViewAction } from "../core/action/action.js";
import { applyEdit, renderView, unifiedDiff } from "../core/action/index.js";
import type { DecisionContext } from "../core/policy/index.js";
import { decodeName } from "../core/reconcile/index.js";
import { assertNever, GuardError, LIMITS, printable, type CallId, type Digest } from "../core/shared/index.js";
import type { EventData } from "../core/session/event.js";
import type { ProgramLog, ReadResult, RunRequest, RunResult } from "../ports/sandbox.js";
import { within } from "./deadline.js";
import type { CallHooks } from "./hooks.js";
import type { LiveSession } from "./live.js";
import { captureOutput, quiet } from "./output.js";
import { typedInput } from "./typed.js";
import { stoppedTime } from "./pause.js";
import { argvOf, performProcess } from "./process-call.js";
import { soundResult } from "./run-result.js";

export interface Performed {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly ended: EventData["execution.finished"]["ended"];
  readonly detail: string | null;
  readonly durationMs: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly stdoutDropped: number;
  readonly stderrDropped: number;
  readonly killed: number;
  readonly quiescent: boolean;
  /** What really ran; left out where nothing is recorded. */
  readonly programs?: ProgramLog;
  /** The file an edit says it wrote, null content for one it removed; null when it wrote none. */
  readonly wrote: Written | null;
  /** The file a tool read for the model; null when it read none. */
  readonly read: ReadFile | null;
}

/** A file as it was read. */
export interface ReadFile {
  readonly path: string;
  readonly digest: Digest;
  readonly bytes: number;
}

/** What must be there after an edit. */
export interface Written {
  readonly path: string;
  readonly digest: Digest | null;
}

export interface PerformOptions {
  readonly call: CallId;
  /** What the call was judged in. */
  readonly context: DecisionContext;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Most bytes it may add to the workspace; null is no limit but the sandbox's own. */
  readonly addedBytes: number | null;
  /** Called before a command runs, which waits for it. Only for commands. */
  readonly beforeStart?: RunRequest["beforeStart"];
  /** Asked about each program that the command runs; left out: none is asked about. */
  readonly judge?: RunRequest["judge"];
  readonly hooks: CallHooks;
  readonly signal: AbortSignal;
}

/** Runs an action. A failing command or edit is a result; a fault of the sandbox is thrown. */
export async function perform(live: LiveSession, action: Action, options: PerformOptions): Promise<Performed> {
  switch (action.kind) {
    case "command":
      return runCommand(live, action, options);
    case "view":
      return runTool(live, options, (signal) => view(live, action, signal));
    case "edit":
      return runTool(live, options, (signal) => edit(live, action, signal));
    case "process":
      return performProcess(live, options.call, action, options);
    case "submit":
      return runTool(live, options, async () => ({ ok: true, text: "" }));
    case "opaque":
      throw new GuardError("INTERNAL_BUG", "an opaque action reached the sandbox");
    default:
      return assertNever(action);
  }
}

/** A file tool, within its deadline. An abort by the caller ends the call; what was changed by then is seen afterwards. */
async function runTool(live: LiveSession, options: PerformOptions, tool: (signal: AbortSignal) => Promise<ToolOutcome>): Promise<Performed> {
  const { deps, deadlines } = live;
  const { filesMs, graceMs } = deadlines;
  const start = deps.clock.elapsedMs();
  const took = (): number => deps.clock.elapsedMs() - start;
  try {
    const work = tool(AbortSignal.any([options.signal, AbortSignal.timeout(filesMs)]));
    return toolResult(await within(work, filesMs + graceMs, "a file operation", { signal: options.signal, graceMs }), took(), quiet(options.hooks.output, deps.telemetry));
  } catch (error) {
    if (!(error instanceof GuardError && error.code === "CANCELLED" && options.signal.aborted)) throw error;
    return { ...toolResult({ ok: false, text: "" }, took(), () => undefined), exitCode: null, ended: "cancelled" };
  }
}

async function runCommand(live: LiveSession, action: Extract<Action, { kind: "command" }>, options: PerformOptions): Promise<Performed> {
  const { deadlines, options: session } = live;
  const { stdout, stderr, sink } = captureOutput(options.hooks.output, session.defaults.outputBytes, live.deps.telemetry);
  const argv = argvOf(action.form);
  const { environment, timeoutMs, signal } = options;
  // Who watches gets all of it, up to a limit of its own; what is kept is limited by the capture.
  const outputBytes = options.hooks.output === undefined ? session.defaults.outputBytes : LIMITS.watchedOutputBytes;
  const { terminal: typed } = options.hooks;
  // What steers a terminal is not passed on to a person's, so programs are told of one that cannot be steered.
  const terminal = typed === undefined ? {} : { terminal: { rows: typed.rows, columns: typed.columns, input: typedInput(live, options.call, action, options.context, typed) }, environment: { ...environment, ...AT_A_TERMINAL } };
  const request = { argv, cwd: action.cwd, environment, ...terminal, stdin: null, timeoutMs, outputBytes, ...(options.addedBytes === null ? {} : { addedBytes: options.addedBytes }), ...(options.judge === undefined ? {} : { judge: options.judge }), ...(options.beforeStart === undefined ? {} : { beforeStart: options.beforeStart }) };
  const result = soundResult(await within(live.sandbox.run(request, sink, signal), timeoutMs + deadlines.graceMs, "the command", { signal, graceMs: deadlines.graceMs, time: stoppedTime(live) }));
  return {
    exitCode: result.exitCode,
    signal: result.signal,
    ...endOf(result, timeoutMs),
    durationMs: result.durationMs,
    stdout: stdout.bytes(),
    stderr: stderr.bytes(),
    stdoutDropped: result.stdoutDropped + stdout.dropped(),
    stderrDropped: result.stderrDropped + stderr.dropped(),
    killed: result.killed,
    quiescent: result.quiescent,
    ...(result.programs === undefined ? {} : { programs: result.programs }),
    wrote: null,
    read: null,
  };
}

/** Programs that meet a person keep what is typed in files that policy takes for tampering with a log; where they can be told, they keep none. */
const AT_A_TERMINAL: Readonly<Record<string, string>> = { TERM: "dumb", HISTFILE: "/dev/null", PYTHON_HISTORY: "/dev/null", NODE_REPL_HISTORY: "", PSQL_HISTORY: "/dev/null", SQLITE_HISTORY: "/dev/null" };

/** A program that a limit ended, or one that only ran into it: the first is an end of its own kind, the second a note. */
function endOf(result: RunResult, timeoutMs: number): Pick<Performed, "ended" | "detail"> {
  if (result.ended === "timeout") return { ended: "timeout", detail: `time limit of ${timeoutMs} ms` };
  if (result.limit === undefined) return { ended: result.ended, detail: null };
  const limit = result.limit === "processes" ? "process" : result.limit;
  const isEnd = result.ended === "cancelled" || result.signal === "SIGKILL" || result.signal === "SIGXFSZ";
  return isEnd ? { ended: "limit", detail: `${limit} limit of the sandbox` } : { ended: "exit", detail: `the ${limit} limit of the sandbox was reached` };
}

interface ToolOutcome {
  readonly ok: boolean;
  readonly text: string;
  readonly wrote?: Written;
  readonly read?: ReadFile;
}

function toolResult(outcome: ToolOutcome, durationMs: number, show: ReturnType<typeof quiet>): Performed {
  const bytes = new TextEncoder().encode(outcome.text);
  const none = new Uint8Array(0);
  if (bytes.byteLength > 0) show(outcome.ok ? "stdout" : "stderr", bytes);
  return {
    exitCode: outcome.ok ? 0 : 1,
    signal: null,
    ended: "exit",
    detail: null,
    durationMs,
    stdout: outcome.ok ? bytes : none,
    stderr: outcome.ok ? none : bytes,
    stdoutDropped: 0,
    stderrDropped: 0,
    killed: 0,
    quiescent: true,
    wrote: outcome.wrote ?? null,
    read: outcome.read ?? null,
  };
}

async function view(live: LiveSession, action: ViewAction, signal: AbortSignal): Promise<ToolOutcome> {
  const read = await live.sandbox.readFile(inWorkspace(live.options.defaults.root, action.path), LIMITS.editBytes, signal);
  if (!read.ok) return failure(action.path, read);
  const text = decode(read.content);
  if (text === null) return { ok: false, text: `${printable(action.path)} is not UTF-8 text\n` };
  const rendered = renderView(action.path, text, action.range);
  return rendered.ok ? { ok: true, text: rendered.value, read: readFileOf(live, action.path, read.content) } : { ok: false, text: `${rendered.error.message}\n` };
}

async function edit(live: LiveSession, action: EditAction, signal: AbortSignal): Promise<ToolOutcome> {
  const path = inWorkspace(live.options.defaults.root, action.path);
  const read = await live.sandbox.readFile(path, LIMITS.editBytes, signal);
  if (!read.ok && read.reason !== "missing") return failure(action.path, read);
  const current = read.ok ? decode(read.content) : null;
  if (read.ok && current === null) return { ok: false, text: `${printable(action.path)} is not UTF-8 text\n` };
  const history = live.edits.get(path) ?? [];
  const next = applyEdit(current, action.edit, { path: action.path, previous: history.at(-1) });
  if (!next.ok) return { ok: false, text: `${next.error.message}${next.error.hint === undefined ? "" : `: ${next.error.hint}`}\n` };
  const content = next.value;
  const bytes = content === null ? null : new TextEncoder().encode(content);
  const op = bytes === null ? ({ op: "remove", path } as const) : ({ op: "write", path, content: bytes, mode: read.ok ? read.mode : 0o644 } as const);
  const [failed] = await live.sandbox.apply([op], signal);
  if (failed !== null) return { ok: false, text: `cannot write ${printable(action.path)}: ${failed ?? "no answer"}\n` };
  live.edits.set(path, action.edit.op === "undo" ? history.slice(0, -1) : [...history, { content: current }].slice(-MAX_UNDO));
  return { ok: true, text: unifiedDiff(path, current, content), ...(read.ok ? { read: readFileOf(live, action.path, read.content) } : {}), wrote: { path, digest: bytes === null ? null : live.deps.hasher(bytes) } };
}

function readFileOf({ deps }: LiveSession, path: string, content: Uint8Array): ReadFile {
  return { path: printable(deps.redactor.text(path), LIMITS.pathChars), digest: deps.hasher(content), bytes: content.byteLength };
}

const MAX_UNDO = 20;

/** The name below the root that a tool's path means, as the sandbox takes names. Throws INTERNAL_BUG for one outside. */
export function inWorkspace(root: string, path: string): string {
  if (path === root) return ".";
  if (!path.startsWith(`${root}/`)) throw new GuardError("INTERNAL_BUG", `\`${printable(path)}\` is outside the workspace`);
  // A path of a tool is plain text. The sandbox takes names, in which `\x2e` is an escape: written out, it means what was judged.
  return decodeName(new TextEncoder().encode(path.slice(root.length + 1)));
}

function failure(path: string, read: Extract<ReadResult, { ok: false }>): ToolOutcome {
  return { ok: false, text: `cannot read ${printable(path)}: ${read.reason}${read.detail === "" ? "" : ` (${read.detail})`}\n` };
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
