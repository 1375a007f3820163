// The processes of a session that outlive their calls: named, frozen between calls, ended by their lease, by a call or with the session.
// Each lives in a sandbox of its own, so that one call's end still proves that nothing of the call is left.

import { LIMITS, printable, type CallId } from "../core/shared/index.js";
import type { EventData, EventDraft } from "../core/session/event.js";
import type { RunningProcess } from "../core/shell/index.js";
import type { ProcessEnd, SandboxProcess } from "../ports/process.js";
import { within } from "./deadline.js";
import type { LiveSession } from "./live.js";
import { programsEvent } from "./programs.js";
import { collectOutput, type OutputCollector } from "./output.js";

/** Whose calls read it. */
export type Reader = "agent" | "person";

export interface Unread {
  readonly stdout: OutputCollector;
  readonly stderr: OutputCollector;
}

export function nothingUnread(): Unread {
  return { stdout: collectOutput(LIMITS.processUnreadBytes), stderr: collectOutput(LIMITS.processUnreadBytes) };
}

/** One of them, as the engine holds it. */
export interface LiveProcess extends RunningProcess {
  readonly name: string;
  readonly summary: string;
  /** Folder and variables it was opened in. */
  readonly cwd: string;
  readonly environment: ReadonlyMap<string, string>;
  /** The call that opened it. */
  readonly opened: CallId;
  readonly history: string[];
  handle: SandboxProcess | null;
  /** What none of its readers has read yet: what a person looks at is still there for the agent. */
  readonly unread: Record<Reader, Unread>;
  /** Bytes of each stream in its whole life: past its limit nothing comes any more. */
  readonly printed: { stdout: number; stderr: number };
  /** Told of each piece of output, and of the end, while a call waits. */
  watcher: ((stream: "stdout" | "stderr" | "end", chunk: Uint8Array) => void) | null;
  end: ProcessEnd | null;
  /** Why we end it; null as long as we do not. */
  ending: { readonly reason: EventData["process.closed"]["reason"]; readonly detail: string | null } | null;
  lease: NodeJS.Timeout | null;
}

/** What a person is told of one. */
export interface ProcessInfo {
  readonly name: string;
  readonly summary: string;
  readonly opened: CallId;
  readonly hasTerminal: boolean;
  readonly end: ProcessEnd | null;
}

const KILLED: ProcessEnd = { reason: "killed", exitCode: null, signal: null, detail: null };

/** All of a session's. */
export interface Processes {
  readonly all: Map<string, LiveProcess>;
  /** Events of processes that are not on record yet. */
  readonly events: EventDraft[];
  /** Called when the lease of one is over. */
  onLease: (name: string) => void;
}

export function noProcesses(): Processes {
  return { all: new Map(), events: [], onLease: () => undefined };
}

/** Those that live, in the order they were opened. */
export function living(live: Pick<LiveSession, "processes">): readonly LiveProcess[] {
  return [...live.processes.all.values()].filter(({ end, handle }) => end === null && handle !== null);
}

export function processInfos(live: Pick<LiveSession, "processes">): readonly ProcessInfo[] {
  return [...live.processes.all.values()].map(({ name, summary, opened, hasTerminal, end }) => ({ name, summary, opened, hasTerminal, end }));
}

/** Events since they were taken last, to be put on record. */
export function takeProcessEvents(live: Pick<LiveSession, "processes">): readonly EventDraft[] {
  return live.processes.events.splice(0);
}

/** Begins the lease anew: the process was named by a call. */
export function renewLease(live: LiveSession, process: LiveProcess): void {
  if (process.lease !== null) clearTimeout(process.lease);
  process.lease = setTimeout(() => live.processes.onLease(process.name), live.options.defaults.processLeaseMs ?? LIMITS.processLeaseMs);
  process.lease.unref();
}

/** A process has ended: on record with the next batch. Idempotent. */
export function noteEnd(live: Pick<LiveSession, "processes" | "deps">, process: LiveProcess, end: ProcessEnd): void {
  if (process.end !== null) return;
  const { reason, detail } = process.ending ?? end;
  process.end = { ...end, detail };
  if (process.lease !== null) clearTimeout(process.lease);
  live.processes.events.push({ call: null, type: "process.closed", data: { name: process.name, reason, exitCode: end.exitCode, signal: end.signal, detail } }, ...programsEvent(live, process.opened, end.programs));
  process.watcher?.("end", new Uint8Array(0));
}

/** What was printed and this reader has not read. */
export function takeOutput(process: LiveProcess, reader: Reader): { readonly stdout: Uint8Array; readonly stderr: Uint8Array; readonly stdoutDropped: number; readonly stderrDropped: number } {
  const { stdout, stderr } = process.unread[reader];
  process.unread[reader] = nothingUnread();
  return { stdout: stdout.bytes(), stderr: stderr.bytes(), stdoutDropped: stdout.dropped(), stderrDropped: stderr.dropped() };
}

/** Lets all of them run. One that cannot be set going again is ended. */
export async function thawProcesses(live: LiveSession): Promise<void> {
  await Promise.all(living(live).map((process) => orEnd(live, process, "thawing", (handle) => handle.thaw())));
}

/**
 * Stops all of them before anybody looks at what the call did. One that cannot be frozen is ended. Throws SANDBOX_FAILED where one can
 * be neither: then something of the agent may still run.
 */
export async function freezeProcesses(live: LiveSession): Promise<void> {
  await Promise.all(living(live).map((process) => orEnd(live, process, "freezing", (handle) => handle.freeze())));
}

async function orEnd(live: LiveSession, process: LiveProcess, what: string, work: (handle: SandboxProcess) => Promise<void>): Promise<void> {
  const { handle } = process;
  if (handle === null) return;
  const { graceMs } = live.deadlines;
  try {
    await within(work(handle), graceMs, `${what} the process ${process.name}`);
  } catch (error) {
    const cause = printable(error instanceof Error ? error.message : String(error), 300);
    live.deps.telemetry.warn("a process is ended", { session: live.id, process: process.name, cause });
    await endProcess(live, process, "fault", cause);
  }
}

/** Ends one for good. Throws SANDBOX_FAILED where it cannot be. */
export async function endProcess(live: LiveSession, process: LiveProcess, reason: EventData["process.closed"]["reason"], detail: string | null = null): Promise<void> {
  const { handle } = process;
  if (handle === null || process.end !== null) return;
  process.ending = { reason, detail };
  await within(handle.close(), live.deadlines.closeMs, `ending the process ${process.name}`);
  noteEnd(live, process, KILLED);
}

/** Ends all of them with the session. Never rejects: the sandbox ends them too. */
export async function endProcesses(live: LiveSession): Promise<void> {
  await Promise.allSettled(living(live).map((process) => endProcess(live, process, "session")));
  for (const process of living(live)) {
    process.ending = { reason: "session", detail: "its end was not seen" };
    noteEnd(live, process, KILLED);
  }
}

/** Its lease is over: nobody has named it for too long. Call between two calls. */
export async function expireProcess(live: LiveSession, name: string): Promise<void> {
  const process = live.processes.all.get(name);
  if (process === undefined || process.end !== null) return;
  await endProcess(live, process, "lease", "no call named it for as long as its lease");
  const events = takeProcessEvents(live);
  if (events.length > 0) await live.append(events);
}

/** A person ends one, `by` from another process; false where none of that name lives. */
export async function endByHand(live: LiveSession, name: string, by: string | null): Promise<boolean> {
  const process = live.processes.all.get(name);
  if (process === undefined || process.end !== null) return false;
  await endProcess(live, process, "killed", by === null ? "ended by hand" : `ended by hand, by ${printable(by, 100)}`);
  // The batch of a call that runs may have taken them already.
  const events = takeProcessEvents(live);
  if (events.length > 0) await live.append(events);
  return true;
}
