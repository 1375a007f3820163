// What a call of the `process` tool does: open, write, read, close, list. What was judged is what is written.

import type { CommandAction, ProcessAction, ProcessKey } from "../core/action/index.js";
import { GuardError, LIMITS, printable, type CallId } from "../core/shared/index.js";
import type { ProcessEnd } from "../ports/process.js";
import type { OutputSink } from "../ports/sandbox.js";
import { within } from "./deadline.js";
import { describeAction } from "./describe.js";
import type { LiveSession } from "./live.js";
import { quiet } from "./output.js";
import type { Performed, PerformOptions } from "./perform.js";
import { endProcess, living, noteEnd, nothingUnread, renewLease, takeOutput, thawProcesses, type LiveProcess, type Reader } from "./processes.js";
import { environmentOf, judgedEnvironment } from "./surroundings.js";

/** A container has to be started for each. */
const OPEN_MS = 60_000;
/** Output that stops for this long counts as all there is for now. */
const QUIET_MS = 200;
const KEYS: Readonly<Record<ProcessKey, number>> = { "C-c": 3, "C-d": 4, "C-z": 26, "C-\\": 28 };

/** The words that run a command's form. */
export function argvOf(form: CommandAction["form"]): readonly string[] {
  return "shell" in form ? ["bash", "--noprofile", "--norc", "-c", form.shell] : form.argv;
}

/** Carries out one operation. One that cannot be done is a result; a fault of the sandbox is thrown. */
export async function performProcess(live: LiveSession, call: CallId, action: ProcessAction, options: PerformOptions): Promise<Performed> {
  const start = live.deps.clock.elapsedMs();
  const outcome = await operate(live, call, action, options);
  const { process = null, ok, text } = outcome;
  const output = process === null ? { stdout: new TextEncoder().encode(text), stderr: new Uint8Array(0), stdoutDropped: 0, stderrDropped: 0 } : takeOutput(process, readerOf(options));
  return {
    ...output,
    exitCode: ok ? 0 : 1,
    signal: null,
    ended: options.signal.aborted ? "cancelled" : "exit",
    detail: process === null ? null : text,
    durationMs: live.deps.clock.elapsedMs() - start,
    killed: 0,
    quiescent: true,
    wrote: null,
    read: null,
  };
}

function readerOf({ hooks }: Pick<PerformOptions, "hooks">): Reader {
  return hooks.by === undefined ? "agent" : "person";
}

interface Outcome {
  readonly ok: boolean;
  /** What is told; about `process` where it is there. */
  readonly text: string;
  readonly process?: LiveProcess;
}

async function operate(live: LiveSession, call: CallId, action: ProcessAction, options: PerformOptions): Promise<Outcome> {
  if (action.op === "open") return open(live, call, action, options);
  await thawProcesses(live);
  if (action.op === "list") return { ok: true, text: listing(live) };
  const process = live.processes.all.get(action.name);
  if (process === undefined) return no(`there is no process \`${printable(action.name)}\`\n`);
  if (action.op === "close") {
    await endProcess(live, process, "closed");
    live.processes.all.delete(action.name);
    return { ok: true, process, text: told(process) };
  }
  renewLease(live, process);
  const waiting = waitFor(process, action, options);
  const refused = action.op === "write" ? write(process, action) : null;
  const waited = await waiting;
  return { ok: refused === null && waited.came, process, text: refused ?? told(process, waited) };
}

function no(text: string): Outcome {
  return { ok: false, text };
}

async function open(live: LiveSession, call: CallId, action: ProcessAction, options: PerformOptions): Promise<Outcome> {
  const { sandbox, processes } = live;
  if (sandbox.openProcess === undefined || action.form === null) return no("this sandbox has no processes that outlive a call\n");
  if (processes.all.get(action.name)?.end === null) return no(`there is a process \`${action.name}\` already\n`);
  if (living(live).length >= LIMITS.processes) return no(`there are ${LIMITS.processes} processes already; close one\n`);
  await thawProcesses(live);
  const process: LiveProcess = {
    name: action.name,
    summary: live.deps.redactor.text(describeAction(action)),
    form: action.form,
    hasTerminal: action.terminal !== null,
    cwd: action.cwd,
    environment: judgedEnvironment(live.surroundings, live.options.defaults),
    opened: call,
    history: [],
    handle: null,
    unread: { agent: nothingUnread(), person: nothingUnread() },
    printed: { stdout: 0, stderr: 0 },
    watcher: null,
    end: null,
    ending: null,
    lease: null,
  };
  const sink: OutputSink = { stdout: (chunk) => took(process, "stdout", chunk), stderr: (chunk) => took(process, "stderr", chunk) };
  const request = { argv: argvOf(action.form), cwd: action.cwd, environment: environmentOf(live.surroundings, live.options.defaults), terminal: action.terminal, lifeMs: LIMITS.timeoutSeconds * 1000, outputBytes: LIMITS.processOutputBytes, ...(options.judge === undefined ? {} : { judge: options.judge }) };
  const { graceMs } = live.deadlines;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(OPEN_MS)]);
  const handle = await within(sandbox.openProcess(request, sink, signal).catch(notOpened), OPEN_MS + graceMs, "opening a process");
  if (handle instanceof GuardError) return no(`the process could not be opened: ${handle.message}\n`);
  process.handle = handle;
  processes.all.set(action.name, process);
  processes.events.push({ call, type: "process.opened", data: { name: process.name, summary: process.summary, terminal: action.terminal, leaseMs: live.options.defaults.processLeaseMs ?? LIMITS.processLeaseMs } });
  renewLease(live, process);
  void handle.ended.then((end) => noteEnd(live, process, end));
  const waited = await waitFor(process, action, options);
  return { ok: process.end === null || process.end.exitCode === 0, process, text: told(process, waited) };
}

/** What was made for it is gone again; only a session whose own sandbox is lost cannot go on. */
function notOpened(error: unknown): GuardError {
  if (error instanceof GuardError && error.code !== "SANDBOX_BROKEN" && error.code !== "INTERNAL_BUG") return error;
  throw error;
}

function took(process: LiveProcess, stream: "stdout" | "stderr", chunk: Uint8Array): void {
  process.printed[stream] += chunk.byteLength;
  process.unread.agent[stream].push(chunk);
  process.unread.person[stream].push(chunk);
  process.watcher?.(stream, chunk);
}

/** Why nothing was written; null when it was. */
function write(process: LiveProcess, { input, key, endsInput }: ProcessAction): string | null {
  const { handle } = process;
  if (handle === null || process.end !== null) return told(process);
  if (key !== null && !process.hasTerminal) return `the process ${process.name} has no terminal that keys could be pressed on`;
  const bytes = key === null ? new TextEncoder().encode(input ?? "") : Uint8Array.of(KEYS[key]);
  if (!handle.write(bytes)) return `the process ${process.name} does not read what was written to it before`;
  if (input !== null && input !== "") remember(process, input);
  if (endsInput) handle.endInput();
  return null;
}

/** The judge needs what it was given; past twice what is judged, only that it is too much. */
function remember(process: LiveProcess, text: string): void {
  process.history.push(text);
  let size = process.history.reduce((sum, line) => sum + line.length, 0);
  while (size > 2 * LIMITS.processHistoryChars) size -= process.history.shift()?.length ?? size;
}

/** What came of a wait. */
interface Waited {
  /** False when what was waited for did not come. */
  readonly came: boolean;
  /** Bytes that came and whoever watches was not shown: one that floods would fill the screen for as long as the wait is. */
  readonly hidden: number;
}

/** Waits for output: until it holds what is waited for, else until it stops for a moment; for its end; at most as long as was asked. */
function waitFor(process: LiveProcess, { op, until, waitMs }: Pick<ProcessAction, "op" | "until" | "waitMs">, { hooks, signal }: Pick<PerformOptions, "hooks" | "signal">): Promise<Waited> {
  const passOn = quiet(hooks.output, { warn: () => undefined });
  const bytes = { shown: 0, hidden: 0 };
  const show = (stream: "stdout" | "stderr", chunk: Uint8Array): void => {
    const part = chunk.subarray(0, LIMITS.processUnreadBytes - bytes.shown);
    bytes.shown += part.byteLength;
    if (hooks.output !== undefined) bytes.hidden += chunk.byteLength - part.byteLength;
    if (part.byteLength > 0) passOn(stream, part);
  };
  const wanted = until === null ? null : Buffer.from(until, "utf8");
  const tails = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  const state = { came: wanted === null };
  return new Promise((resolve) => {
    const timers: { quiet: NodeJS.Timeout | null } = { quiet: null };
    const done = (): void => {
      clearTimeout(last);
      if (timers.quiet !== null) clearTimeout(timers.quiet);
      process.watcher = null;
      signal.removeEventListener("abort", done);
      resolve({ came: state.came, hidden: bytes.hidden });
    };
    const last = setTimeout(done, waitMs);
    process.watcher = (stream, chunk) => {
      if (stream === "end") return done();
      show(stream, chunk);
      if (wanted === null) {
        if (timers.quiet !== null) clearTimeout(timers.quiet);
        timers.quiet = setTimeout(done, QUIET_MS);
        return;
      }
      const seen = Buffer.concat([tails[stream], chunk]);
      state.came = seen.includes(wanted);
      if (state.came) return done();
      tails[stream] = seen.subarray(Math.max(0, seen.length - wanted.length + 1));
    };
    signal.addEventListener("abort", done, { once: true });
    // What came before this call waited counts too, but for a line that is only about to be written.
    for (const stream of op === "write" ? [] : (["stdout", "stderr"] as const)) {
      const unread = process.unread[readerOf({ hooks })][stream].bytes();
      if (unread.length > 0) process.watcher?.(stream, unread);
    }
    if (process.end !== null || signal.aborted) done();
  });
}

/** How one stands, in words. */
function told(process: LiveProcess, { came, hidden }: Waited = { came: true, hidden: 0 }): string {
  const { end, printed } = process;
  const most = LIMITS.processOutputBytes;
  const isMute = end === null && (printed.stdout >= most || printed.stderr >= most);
  const mute = isMute ? `; it has printed ${String(most / 1024 ** 2)} MiB, and what it prints from here on is not passed on` : "";
  return `process ${process.name}: ${end === null ? "it lives" : endWords(end)}${mute}${hidden === 0 ? "" : `; ${String(hidden)} bytes more than are shown`}${came ? "" : "; the text waited for did not come"}`;
}

function endWords({ reason, exitCode, signal, detail }: ProcessEnd): string {
  const how = reason === "exit" ? `ended, ${exitCode === null ? `signal ${signal ?? "?"}` : `exit code ${exitCode}`}` : `ended (${reason})`;
  return detail === null ? how : `${how}: ${printable(detail, 300)}`;
}

function listing(live: LiveSession): string {
  const lines = [...live.processes.all.values()].map((process) => `${told(process)}, opened by ${process.opened}: ${process.summary}`);
  return lines.length === 0 ? "no processes\n" : `${lines.join("\n")}\n`;
}
