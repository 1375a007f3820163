// One session: a workspace, a sandbox, a record and a policy, opened and closed together. Calls are made one at a time.

import { GuardError, printable, type JsonObject, type SessionId } from "../core/shared/index.js";
import type { ToolCall } from "../core/action/action.js";
import type { Holdings } from "../core/reconcile/index.js";
import { initialRisk, profileData, riskProfile, type RiskState } from "../core/risk/index.js";
import type { AuditEvent, Control, EventData, EventDraft } from "../core/session/event.js";
import { emptyHistory, reduceHistory } from "../core/session/history.js";
import type { KeptBase } from "../ports/base.js";
import type { Ledger } from "../ports/ledger.js";
import type { Sandbox } from "../ports/sandbox.js";
import type { Workspace } from "../ports/workspace.js";
import { attestAgain, noteAttest } from "./attest-again.js";
import { attestRecord } from "./attest-record.js";
import { breakSession, brokenError, closeSandbox, closeWorkspace, leftSomething } from "./break-off.js";
import { DEADLINES } from "./deadline.js";
import type { EngineDeps } from "./deps.js";
import { guardCall } from "./guard.js";
import { heldIn } from "./held.js";
import { runHarness, type HarnessRequest, type HarnessRun } from "./harness.js";
import type { CallHooks } from "./hooks.js";
import { imageRecord } from "./image-record.js";
import type { LiveSession, SessionOptions } from "./live.js";
import type { Observation } from "./observation.js";
import { keepBase } from "./grounds.js";
import { prepareSession, takeDown, type Prepared } from "./prepare.js";
import { goOn, reactingBatch, stopIfDue, stoppedError } from "./react.js";
import { scoreBatch } from "./score-batch.js";
import { initialSurroundings } from "./surroundings.js";
import { listenForOrders } from "./orders.js";
import { notPaused, pauseSession, resumeSession } from "./pause.js";
import { endByHand, expireProcess, noProcesses, processInfos, takeProcessEvents, type ProcessInfo } from "./processes.js";
import { safeTelemetry } from "./telemetry.js";
import { takeBack, type TakenBack } from "./take-back.js";
import { followUserEdits, type UserEdits } from "./user-edits.js";
import { watchSession } from "./watch.js";
import { refuseUnreadable, type UnreadableCall } from "./unreadable.js";

export interface Session {
  readonly id: SessionId;
  readonly risk: () => RiskState;
  readonly isBroken: () => boolean;
  /** Why policy stopped the session; null when it did not. */
  readonly stopped: () => string | null;
  /** Guards and runs one call. Aborting ends the call, not the session. Rejects with GuardError only for faults of ours or of the sandbox. */
  call(call: ToolCall, hooks: CallHooks, signal: AbortSignal): Promise<Observation>;
  /** Puts a call on record that could not be read; nothing runs. */
  refuse(unreadable: UnreadableCall): Promise<Observation>;
  /** Runs tests in a fresh sandbox, on the base copy with accepted edits. */
  harness(request: HarnessRequest, hooks: CallHooks, signal: AbortSignal): Promise<HarnessRun>;
  /** Where the next command starts, as the agent sees it. */
  readonly cwd: () => string;
  /** The processes that calls opened, those that have ended too. */
  readonly processes: () => readonly ProcessInfo[];
  /** Ends one of them by hand; false where none of that name lives. */
  endProcess(name: string): Promise<boolean>;
  /** Freezes what runs and holds what would begin, until `resume`; false where it is so already, or the session ends. */
  pause(by: string, reason?: string | null): Promise<boolean>;
  /** Lets it go on; false where it was not paused. */
  resume(by: string): Promise<boolean>;
  /** Takes the workspace back to a step, between two calls: see `takeBack`. */
  undo(step: string | null): Promise<TakenBack>;
  /** Ends the sandbox under whatever runs in it, which is then in doubt, and closes the session. Never rejects. */
  abandon(why: string): Promise<void>;
  /** Idempotent. Ends the sandbox, then the record. A session whose sandbox dies closes itself. */
  close(reason: EventData["session.closed"]["reason"], detail?: string): Promise<void>;
}

/** Opens a session. Whatever fails on the way, nothing of it is left behind. */
export async function openSession(given: EngineDeps, options: SessionOptions, signal: AbortSignal): Promise<Session> {
  const deps: EngineDeps = { ...given, telemetry: safeTelemetry(given.telemetry) };
  return beginSession(deps, options, await prepareSession(deps, options, signal), signal);
}

/**
 * Opens a session on what was made for it: puts it on record. Whatever fails, nothing is left behind.
 * @param readyMs how long it had stood ready; left out for what was made for this very session
 */
export async function beginSession(given: EngineDeps, options: SessionOptions, { id, grounds, undo }: Prepared, signal: AbortSignal, readyMs?: number): Promise<Session> {
  const deps: EngineDeps = { ...given, telemetry: safeTelemetry(given.telemetry) };
  try {
    const { workspace, sandbox, enforced, enforcement } = grounds;
    const ledger = await deps.store.create(id);
    undo.push(() => ledger.close());
    const watch = enforced?.watch ?? null;
    const userEdits = enforced === null || watch === null ? null : followUserEdits({ watch, options, role: options.role, enforced, workspace, sandbox });
    // What stood ready has nothing kept of the folder: it is kept as it is now.
    const keeping = readyMs === undefined ? grounds.base : keepBase(deps, grounds, signal);
    const [record, image, base] = await Promise.all([attestRecord(deps.store, ledger, id, (deps.deadlines ?? DEADLINES).closeMs), imageRecord(deps, ledger, options.image, sandbox.imageId, signal), keeping]);
    const holdings = heldIn(enforced, sandbox, options);
    return await start({ deps, options, id, workspace, sandbox, ledger, image, readyMs: readyMs ?? null, enforcement: [...enforcement, record], base, holdings, userEdits });
  } catch (error) {
    await takeDown(deps, id, undo, leftSomething(error));
    throw error;
  }
}

interface Parts {
  readonly deps: EngineDeps;
  readonly options: SessionOptions;
  readonly id: SessionId;
  readonly workspace: Workspace;
  readonly sandbox: Sandbox;
  readonly ledger: Ledger;
  readonly image: EventData["session.opened"]["image"];
  readonly readyMs: number | null;
  /** What was seen to hold of what policy forbids, and of the record. */
  readonly enforcement: readonly Control[];
  readonly base: KeptBase | null;
  readonly holdings: Holdings | null;
  readonly userEdits: UserEdits | null;
}

async function start(parts: Parts): Promise<Session> {
  const { deps, options, id, workspace, sandbox, ledger, holdings, userEdits } = parts;
  const opened = openedEvent(parts);
  const deadlines = deps.deadlines ?? DEADLINES;
  let appending: Promise<unknown> = Promise.resolve();
  const live: LiveSession = {
    id,
    deps,
    options,
    deadlines,
    sandbox,
    workspace,
    ledger,
    watch: watchSession(deps, deadlines, id, workspace),
    holdings,
    userEdits,
    preimages: deps.preimages(id),
    surroundings: initialSurroundings(options.defaults.root),
    changes: [],
    scratch: new Map(),
    edits: new Map(),
    rejections: new Map(),
    processes: noProcesses(),
    pause: notPaused(),
    risk: initialRisk(options.risk, opened),
    history: emptyHistory(options.defaults.root),
    calls: 0,
    copies: 0,
    isScored: false,
    nextSeq: 0,
    broken: null,
    stopped: null,
    attest: null,
    attestedAt: 0,
    // One batch after the other: a pause comes whenever it comes.
    append: (drafts) => {
      const turn = appending.then(() => appendScored(live, drafts));
      appending = turn.catch(() => undefined);
      return turn;
    },
  };
  await live.append([{ call: null, type: "session.opened", data: opened }]);
  deps.telemetry.info("session opened", { session: id, workspace: workspace.path, image: sandbox.imageId });

  let queue: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | null = null;
  const take = <T>(work: () => Promise<T>): Promise<T> => {
    if (closing !== null) return Promise.reject(brokenError(live) ?? stoppedError(live) ?? new GuardError("SESSION_ENDED", `session ${id} has ended`));
    const turn = queue.then(() => orBroken(live, work)).finally(closeIfStopped);
    queue = turn.catch(() => undefined).then(async () => between(live).then(closeIfStopped));
    return turn;
  };
  const close: Session["close"] = (reason, detail) => {
    closing ??= queue.then(() => end(live, reason, detail ?? null));
    // What waits for the end of a pause would wait for ever.
    void resumeSession(live, "the session ends", "guard").catch(() => undefined);
    return closing;
  };
  /** At once, so that nothing waits for a sandbox that is gone. Whoever closes the session gets the same end. */
  const closeIfStopped = (): void => {
    if (live.stopped !== null) void close("stopped").catch((error: unknown) => deps.telemetry.error("a stopped session could not be closed", { session: id, cause: printable(String(error)) }));
  };
  const closeBroken = async (why: string): Promise<void> => {
    live.broken ??= why;
    await close("broken").catch((error: unknown) => deps.telemetry.error("a broken session could not be closed", { session: id, cause: printable(String(error)) }));
  };
  // At once, not at the next call: whoever reads the record is to see it, and nothing is to be left meanwhile.
  void sandbox.ended.then(
    (ended) => (ended.reason === "broken" ? closeBroken(ended.detail) : undefined),
    (error: unknown) => closeBroken(printable(String(error))),
  );
  // Not in its turn: a person's word counts at once, also under a call that runs or is paused.
  const endProcess = async (name: string, by: string | null = null): Promise<boolean> => {
    if (closing !== null) throw brokenError(live) ?? stoppedError(live) ?? new GuardError("SESSION_ENDED", `session ${id} has ended`);
    return orBroken(live, () => endByHand(live, name, by));
  };
  live.pause.deaf = listenForOrders(live, {
    endProcess,
    call: (args, by, signal) =>
      take(() => {
        if (signal.aborted) throw new GuardError("SESSION_BUSY", "its turn did not come in time", { hint: "a call runs; try again when it has ended" });
        // Its end would be taken for an answer to the pause.
        if (live.pause.since !== null || live.history.history.paused !== null) throw new GuardError("SESSION_BUSY", "the session is paused", { hint: "`ringfence resume` lets it go on" });
        return goOn(live, signal, () => guardCall(live, { id: "by hand", role: null, tool: "process", arguments: args }, { by }, signal));
      }),
  });
  live.processes.onLease = (name) => void take(() => expireProcess(live, name)).catch((error: unknown) => deps.telemetry.warn("a lease that was over", { session: id, process: name, cause: printable(String(error)) }));
  return {
    id,
    risk: () => live.risk,
    isBroken: () => live.broken !== null,
    stopped: () => live.stopped,
    call: (call, hooks, signal) => take(() => goOn(live, signal, () => guardCall(live, call, hooks, signal))),
    refuse: (unreadable) => take(() => goOn(live, never, () => refuseUnreadable(live, unreadable))),
    harness: (request, hooks, signal) => take(() => goOn(live, signal, () => runHarness(live, request, hooks, signal))),
    cwd: () => live.surroundings.cwd,
    processes: () => processInfos(live),
    pause: (by, reason = null) => (closing === null ? pauseSession(live, by, reason) : Promise.resolve(false)),
    resume: (by) => resumeSession(live, by),
    endProcess: (name) => endProcess(name),
    undo: (step) => take(() => takeBack(live, step)),
    abandon: async (why) => {
      await breakSession(live, why);
      await closeBroken(why);
    },
    close,
  };
}

const never: AbortSignal = new AbortController().signal;

const GATE_OFF: Control = { id: "policy-gate", state: "missing", detail: "switched off by a test: nothing was refused before it ran" };

function openedEvent({ deps, options, workspace, sandbox, image, readyMs, enforcement, base, userEdits }: Parts): EventData["session.opened"] {
  return {
    product: deps.product,
    agent: options.agent,
    startedBy: options.startedBy,
    source: options.source,
    workspace: { path: workspace.path, root: options.defaults.root },
    role: options.role,
    policy: { digest: options.policy.digest, sources: options.policy.sources.map((source) => source.name), profile: options.profile },
    image,
    engine: sandbox.engine,
    ...(readyMs === null ? {} : { readyMs }),
    ...(options.risk === riskProfile(options.profile) ? {} : { riskProfile: profileData(options.risk) as JsonObject }),
    controls: [...controlsOf(sandbox, workspace), ...enforcement, ...(userEdits === null ? [] : [userEdits.control]), ...(options.gate === "off" ? [GATE_OFF] : [])],
    ...(base === null ? {} : { base: { digest: base.digest, files: base.files, bytes: base.bytes, why: base.why } }),
    ...(options.replayOf === undefined ? {} : { replayOf: options.replayOf }),
  };
}

/** The sandbox tells that the workspace is not limited, the workspace why. */
function controlsOf(sandbox: Sandbox, { unlimited }: Workspace): readonly Control[] {
  if (unlimited === undefined || unlimited === null || unlimited === "") return sandbox.controls;
  return sandbox.controls.map((control) => (control.id === "disk-limited" ? { ...control, detail: `${control.detail}; no disk of its own: ${printable(unlimited, 300)}` } : control));
}

/** Between two calls: what the last one made due. Never rejects. */
async function between(live: LiveSession): Promise<void> {
  if (live.attest === null) return;
  await attestAgain(live);
  await stopIfDue(live);
}

/** Anything but a GuardError is a bug of ours: nobody can say what it left undone, so the session ends. */
async function orBroken<T>(live: LiveSession, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof GuardError) throw error;
    const message = `internal error: ${printable(error instanceof Error ? error.message : String(error))}`;
    live.deps.telemetry.error("a bug ends the session", { session: live.id, cause: message });
    await breakSession(live, message);
    throw new GuardError("INTERNAL_BUG", message, { cause: error });
  }
}

/** Appends a batch with the risk it moves. A record that cannot be written, or is not what was handed in, ends the session. */
async function appendScored(live: LiveSession, drafts: readonly EventDraft[]): Promise<readonly AuditEvent[]> {
  const batch = reactingBatch(live, scoreBatch(drafts, live));
  let events: readonly AuditEvent[];
  try {
    events = await live.ledger.append(batch.drafts);
    const isWhole = events.length === batch.drafts.length && events.every((event, index) => event.seq === live.nextSeq + index && event.type === batch.drafts[index]?.type);
    if (!isWhole) throw new GuardError("LEDGER_APPEND_FAILED", "the record is not what was written to it");
  } catch (error) {
    live.broken ??= `the record cannot be written: ${printable(error instanceof Error ? error.message : String(error))}`;
    throw error instanceof GuardError ? error : new GuardError("LEDGER_APPEND_FAILED", live.broken, { cause: error });
  }
  live.risk = batch.risk;
  live.isScored = true;
  live.nextSeq += events.length;
  live.history = events.reduce(reduceHistory, live.history);
  noteAttest(live, events);
  for (const event of events) tell(live, event);
  return events;
}

/** A listener that throws does not undo what is on record. */
function tell(live: LiveSession, event: AuditEvent): void {
  try {
    live.options.onEvent?.(event);
  } catch (error) {
    live.deps.telemetry.error("an event listener failed", { session: live.id, seq: event.seq, cause: printable(String(error)) });
  }
}

async function end(live: LiveSession, reason: EventData["session.closed"]["reason"], detail: string | null): Promise<void> {
  const { deps, id } = live;
  live.pause.deaf();
  await live.watch.stop();
  live.userEdits?.stop();
  const ends = [await closeSandbox(live), await closeWorkspace(live)];
  const events = takeProcessEvents(live);
  if (events.length > 0) await live.append(events).catch(() => undefined);
  const unclosed = ends.find((end) => end !== null) ?? null;
  if (unclosed !== null) live.broken ??= unclosed;
  const actual = live.broken !== null ? { reason: "broken" as const, detail: live.broken } : live.stopped !== null ? { reason: "stopped" as const, detail: live.stopped } : { reason, detail };
  try {
    await live.append([{ call: null, type: "session.closed", data: { ...actual, calls: live.calls } }]);
  } finally {
    await live.ledger.close();
  }
  // The mark stays where the end could not be recorded, or the sandbox not be removed: the next command then does what is left.
  if (unclosed === null) await deps.openSessions.clear(id);
  deps.telemetry.info("session closed", { session: id, reason: actual.reason });
}
