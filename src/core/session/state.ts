// What a session is, as a pure function of its events. There is no second source of truth.

import type { CallId, JsonObject, Role, SessionId } from "../shared/index.js";
import type { DecisionEffect, Reason } from "../policy/decision.js";
import type { Change, Finding } from "../reconcile/change.js";
import type { AuditEvent, CallClaim, EventData, Reached } from "./event.js";

/** One call as far as the record goes. */
export interface CallState {
  readonly id: CallId;
  /** The agent's own name of the call. */
  readonly label: string;
  /** The person who gave it from another process; left out for the agent's own. */
  readonly by?: string;
  readonly tool: string;
  readonly role: Role | null;
  readonly arguments: JsonObject;
  readonly status: "received" | "decided" | "awaiting-approval" | "executing" | "finished" | "closed";
  readonly summary: string;
  readonly effect: DecisionEffect | null;
  readonly reasons: readonly Reason[];
  readonly approval: EventData["approval.resolved"] | null;
  readonly execution: EventData["execution.finished"] | null;
  /** What really ran; left out where nothing was recorded. */
  readonly programs?: EventData["programs.recorded"];
  /** What the file of an imported session claims; left out for every other. */
  readonly claimed?: { readonly call: CallClaim; readonly result: EventData["execution.imported"] | null };
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
  readonly outcome: EventData["call.closed"]["outcome"] | null;
  /** What of it reached the model; left out where that is not on record. */
  readonly reached?: readonly Reached[];
}

export interface SessionState {
  readonly id: SessionId;
  readonly opened: EventData["session.opened"];
  readonly openedAt: string;
  readonly closed: EventData["session.closed"] | null;
  readonly closedAt: string | null;
  readonly calls: readonly CallState[];
  readonly risk: EventData["risk.updated"] | null;
  readonly applied: readonly string[];
  readonly discarded: boolean;
  /** What it was last taken back to; null when it never was. */
  readonly undone: EventData["session.undone"] | null;
  /** Processes that outlived their calls, in the order they were opened; `closed` is null while one lives. */
  readonly processes: readonly ProcessState[];
  /** Why nothing runs just now; null while it goes on. */
  readonly paused: EventData["session.paused"] | null;
  readonly events: number;
}

export interface ProcessState {
  readonly opened: EventData["process.opened"];
  readonly call: CallId | null;
  readonly closed: EventData["process.closed"] | null;
}

/** Processes whose end is not on record. */
export function livingProcesses(state: SessionState): readonly ProcessState[] {
  return state.processes.filter(({ closed }) => closed === null);
}

/** State after one more event; null before `session.opened`. Events out of order leave the state as it is. */
export function reduceSession(state: SessionState | null, event: AuditEvent): SessionState | null {
  if (event.type === "session.opened") {
    if (state !== null) return state;
    return {
      id: event.session,
      opened: event.data,
      openedAt: event.time,
      closed: null,
      closedAt: null,
      calls: [],
      risk: null,
      applied: [],
      discarded: false,
      undone: null,
      processes: [],
      paused: null,
      events: 1,
    };
  }
  if (state === null) return null;
  return { ...step(state, event), events: state.events + 1 };
}

/** State after all of the events; null when the first is not `session.opened`. */
export function sessionState(events: readonly AuditEvent[]): SessionState | null {
  let state: SessionState | null = null;
  for (const event of events) state = reduceSession(state, event);
  return state;
}

/** Calls that were started and whose end is not on record. */
export function callsInDoubt(state: SessionState): readonly CallState[] {
  return state.calls.filter((call) => call.status === "executing" || call.outcome === "in-doubt");
}

/** Calls without an end on record, started or not. */
export function openCalls(state: SessionState): readonly CallState[] {
  return state.calls.filter((call) => call.status !== "closed");
}

function step(state: SessionState, event: Exclude<AuditEvent, { type: "session.opened" }>): SessionState {
  switch (event.type) {
    case "call.received":
      return event.call === null ? state : { ...state, calls: [...state.calls, received(event.call, event.data)] };
    case "decision.made":
      return withCall(state, event.call, {
        status: "decided",
        summary: event.data.action.summary,
        effect: event.data.effect,
        reasons: event.data.reasons,
      });
    case "approval.requested":
      return withCall(state, event.call, { status: "awaiting-approval" });
    case "approval.resolved":
      return withCall(state, event.call, { approval: event.data });
    case "execution.started":
      return withCall(state, event.call, { status: "executing" });
    case "execution.finished":
      return withCall(state, event.call, { status: "finished", execution: event.data });
    case "execution.imported":
      return withCall(state, event.call, ({ claimed }) => ({ status: "finished", ...(claimed === undefined ? {} : { claimed: { ...claimed, result: event.data } }) }));
    case "programs.recorded":
      return withCall(state, event.call, { programs: event.data });
    case "reconciliation.done":
      return withCall(state, event.call, ({ changes, findings }) => ({ changes: joined(changes, event.data.changes), findings: joined(findings, event.data.findings) }));
    case "call.closed":
      return withCall(state, event.call, { status: "closed", outcome: event.data.outcome, ...(event.data.reached === undefined ? {} : { reached: event.data.reached }) });
    case "risk.updated":
      return { ...state, risk: event.data };
    case "input.typed":
    case "controls.attested":
    case "session.tightened":
    case "import.finished":
    case "session.copied":
      return state;
    case "session.paused":
      return { ...state, paused: event.data };
    case "session.resumed":
      return { ...state, paused: null };
    case "process.opened":
      return { ...state, processes: [...state.processes, { opened: event.data, call: event.call, closed: null }] };
    case "process.closed":
      return { ...state, processes: state.processes.map((one) => (one.closed === null && one.opened.name === event.data.name ? { ...one, closed: event.data } : one)) };
    case "session.applied":
      return { ...state, applied: [...state.applied, ...event.data.paths] };
    case "session.undone":
      return { ...state, undone: event.data };
    case "session.discarded":
      return { ...state, discarded: true };
    case "session.closed":
      return { ...state, closed: event.data, closedAt: event.time };
  }
}

function received(id: CallId, data: EventData["call.received"]): CallState {
  return {
    id,
    label: data.label,
    ...(data.by === undefined ? {} : { by: data.by }),
    tool: data.tool,
    role: data.role,
    arguments: data.arguments,
    status: "received",
    summary: "",
    effect: null,
    reasons: [],
    approval: null,
    execution: null,
    changes: [],
    findings: [],
    outcome: null,
    ...(data.claimed === undefined ? {} : { claimed: { call: data.claimed, result: null } }),
  };
}

type Patch = Partial<CallState> | ((call: CallState) => Partial<CallState>);

function withCall(state: SessionState, id: CallId | null, patch: Patch): SessionState {
  const last = state.calls.length - 1;
  // Calls are made one at a time, so it is nearly always the last.
  const index = state.calls[last]?.id === id ? last : state.calls.findIndex((call) => call.id === id);
  const call = state.calls[index];
  if (call === undefined) return state;
  return { ...state, calls: state.calls.with(index, { ...call, ...(typeof patch === "function" ? patch(call) : patch) }) };
}

/** A call with very many changes has them in several records. */
function joined<T>(known: readonly T[], more: readonly T[]): readonly T[] {
  return known.length === 0 ? more : [...known, ...more];
}
