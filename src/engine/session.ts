// One session: a workspace, a sandbox, a record and a policy, opened and closed together. Calls are made one at a time.

import { GuardError, type CallId, type Role, type SessionId } from "../core/shared/index.js";
import type { ToolCall } from "../core/action/action.js";
import type { PolicySet } from "../core/policy/index.js";
import type { Change } from "../core/reconcile/change.js";
import { initialRisk, reduceRisk, riskEvent, type RiskProfile, type RiskState } from "../core/risk/index.js";
import type { AgentInfo, AuditEvent, EventData, EventDraft } from "../core/session/event.js";
import type { Ledger } from "../ports/ledger.js";
import type { Sandbox } from "../ports/sandbox.js";
import type { Workspace } from "../ports/workspace.js";
import type { SessionDefaults } from "../ports/settings.js";
import type { EngineDeps, Preimages } from "./deps.js";
import { guardCall, type CallHooks } from "./guard.js";
import { runHarness, type HarnessRequest, type HarnessRun } from "./harness.js";
import type { Observation } from "./observation.js";
import { refuseUnreadable, type UnreadableCall } from "./unreadable.js";
import { initialSurroundings, type Surroundings } from "./surroundings.js";

/** Content before an edit; null when there was no file. */
export interface PreviousContent {
  readonly content: string | null;
}

export interface SessionOptions {
  readonly workspace: string;
  readonly image: string;
  readonly policy: PolicySet;
  readonly profile: string | null;
  readonly risk: RiskProfile;
  readonly role: Role | null;
  readonly source: EventData["session.opened"]["source"];
  readonly startedBy: string;
  readonly agent: AgentInfo;
  readonly defaults: SessionDefaults;
  /** Told of every event once it is durable, in order. Must not throw. */
  readonly onEvent?: (event: AuditEvent) => void;
}

export interface Session {
  readonly id: SessionId;
  readonly risk: () => RiskState;
  readonly isBroken: () => boolean;
  /** Guards and runs one call. Aborting ends the call, not the session. Rejects with GuardError only for faults of ours or of the sandbox. */
  call(call: ToolCall, hooks: CallHooks, signal: AbortSignal): Promise<Observation>;
  /** Puts a call on record that could not be read; nothing runs. */
  refuse(unreadable: UnreadableCall): Promise<Observation>;
  /** Runs tests in a fresh sandbox, on the base copy with accepted edits. */
  harness(request: HarnessRequest, hooks: CallHooks, signal: AbortSignal): Promise<HarnessRun>;
  /** Idempotent. Ends the sandbox, then the record. */
  close(reason: EventData["session.closed"]["reason"], detail?: string): Promise<void>;
}

/** What a running session holds. Only the engine sees it. */
export interface LiveSession {
  readonly id: SessionId;
  readonly deps: EngineDeps;
  readonly options: SessionOptions;
  readonly sandbox: Sandbox;
  readonly workspace: Workspace;
  readonly preimages: Preimages;
  surroundings: Surroundings;
  changes: readonly Change[];
  /** Earlier contents of files the edit tools changed, by path, for undo. */
  readonly edits: Map<string, readonly PreviousContent[]>;
  risk: RiskState;
  calls: number;
  /** Is the score of the start on record. */
  isScored: boolean;
  /** Sequence number of the next record. */
  nextSeq: number;
  broken: string | null;
  append(drafts: readonly EventDraft[]): Promise<readonly AuditEvent[]>;
  ledger: Ledger;
}

/** Opens a session. Whatever fails on the way, nothing of it is left behind. */
export async function openSession(deps: EngineDeps, options: SessionOptions, signal: AbortSignal): Promise<Session> {
  const id: SessionId = `ses_${deps.ids.next()}`;
  const undo: (() => Promise<void>)[] = [];
  try {
    const workspace = await deps.workspaces.create(id, options.workspace);
    undo.push(() => deps.workspaces.remove(id));
    await deps.openSessions.mark(id);
    undo.push(() => deps.openSessions.clear(id));
    const sandbox = await deps.sandboxes.open(
      {
        sessionId: id,
        image: options.image,
        workspace: workspace.mount,
        root: options.defaults.root,
        uid: workspace.uid,
        gid: workspace.gid,
        limits: options.defaults.sandbox,
      },
      signal,
    );
    undo.push(() => sandbox.close());
    const ledger = await deps.store.create(id);
    undo.push(() => ledger.close());
    return await start({ deps, options, id, workspace, sandbox, ledger });
  } catch (error) {
    for (const step of undo.reverse()) await step().catch((cause: unknown) => deps.telemetry.warn("clean-up of a failed start", { session: id, cause: String(cause) }));
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
}

async function start(parts: Parts): Promise<Session> {
  const { deps, options, id, workspace, sandbox, ledger } = parts;
  const opened = openedEvent(parts);
  const live: LiveSession = {
    id,
    deps,
    options,
    sandbox,
    workspace,
    ledger,
    preimages: deps.preimages(id),
    surroundings: initialSurroundings(options.defaults.root),
    changes: [],
    edits: new Map(),
    risk: initialRisk(options.risk, opened),
    calls: 0,
    isScored: false,
    nextSeq: 0,
    broken: null,
    append: (drafts) => appendScored(live, drafts),
  };
  await live.append([{ call: null, type: "session.opened", data: opened }]);
  void sandbox.ended.then((end) => {
    if (end.reason === "broken") live.broken ??= end.detail;
  });
  deps.telemetry.info("session opened", { session: id, workspace: workspace.path, image: sandbox.imageId });

  let queue: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | null = null;
  const take = <T>(work: () => Promise<T>): Promise<T> => {
    if (closing !== null) return Promise.reject(new GuardError("SESSION_ENDED", `session ${id} has ended`));
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  };
  return {
    id,
    risk: () => live.risk,
    isBroken: () => live.broken !== null,
    call: (call, hooks, signal) => take(() => guardCall(live, call, hooks, signal)),
    refuse: (unreadable) => take(() => refuseUnreadable(live, unreadable)),
    harness: (request, hooks, signal) => take(() => runHarness(live, request, hooks, signal)),
    close: (reason, detail) => (closing ??= queue.then(() => end(live, reason, detail ?? null))),
  };
}

function openedEvent({ deps, options, workspace, sandbox }: Parts): EventData["session.opened"] {
  return {
    product: deps.product,
    agent: options.agent,
    startedBy: options.startedBy,
    source: options.source,
    workspace: { path: workspace.path, root: options.defaults.root },
    role: options.role,
    policy: { digest: options.policy.digest, sources: options.policy.sources.map((source) => source.name), profile: options.profile },
    image: { reference: options.image, id: sandbox.imageId },
    engine: sandbox.engine,
    controls: sandbox.controls,
  };
}

/** Appends a batch with the risk it moves, before the record of the call's end. Scoring is pure and cannot fail. */
async function appendScored(live: LiveSession, drafts: readonly EventDraft[]): Promise<readonly AuditEvent[]> {
  const scored: EventDraft[] = [];
  let risk = live.risk;
  let cause = 0;
  const report = (call: CallId | null): void => {
    const data = riskEvent(live.isScored ? live.risk : null, risk, cause);
    if (data !== null) scored.push({ call, type: "risk.updated", data });
  };
  for (const draft of drafts) {
    const seq = (): number => live.nextSeq + scored.length;
    // The end of a call closes its records, so a score that moved comes before it, unless the end itself moves it.
    const closes = draft.type === "call.closed" && reduceRisk(risk, { ...draft, seq: seq() }) === risk;
    if (closes) report(draft.call);
    const next = reduceRisk(risk, { ...draft, seq: seq() });
    if (next !== risk) cause = seq();
    risk = next;
    scored.push(draft);
    if (draft === drafts.at(-1) && !closes) report(draft.call);
  }
  const events = await live.ledger.append(scored);
  live.risk = risk;
  live.isScored = true;
  live.nextSeq += events.length;
  for (const event of events) live.options.onEvent?.(event);
  return events;
}

async function end(live: LiveSession, reason: EventData["session.closed"]["reason"], detail: string | null): Promise<void> {
  const { deps, id } = live;
  try {
    await live.sandbox.close();
  } finally {
    const actual = live.broken === null ? { reason, detail } : { reason: "broken" as const, detail: live.broken };
    try {
      await live.append([{ call: null, type: "session.closed", data: { ...actual, calls: live.calls } }]);
    } finally {
      await live.ledger.close();
      await deps.openSessions.clear(id);
      deps.telemetry.info("session closed", { session: id, reason: actual.reason });
    }
  }
}

/** Id of the next call of a session. */
export function nextCallId(live: LiveSession): CallId {
  live.calls += 1;
  return `call_${String(live.calls).padStart(4, "0")}`;
}
