// A session as steps: each call with what was decided, what came of it, and where the score stood after it. Pure, one pass.

import { replayRisk, riskSummary, type RiskSummary } from "../risk/index.js";
import { sessionState, type AuditEvent, type CallState, type EventData, type SessionState } from "../session/index.js";
import type { CallId, Digest, SessionId } from "../shared/index.js";

export interface ScoreAt {
  readonly score: string;
  readonly band: string;
}

/** One call, in the order of the record. */
export interface Step {
  /** From 1. */
  readonly number: number;
  readonly call: CallState;
  /** When it was received, or imported. */
  readonly time: string;
  readonly decision: EventData["decision.made"] | null;
  /** Where arguments too long for the record are kept. */
  readonly argumentsBlob: Digest | null;
  /** The score before the call and after it; null where none is on record. */
  readonly before: ScoreAt | null;
  readonly after: ScoreAt | null;
  /** Something a reviewer should stop at: a refusal, a question, a finding, an end in doubt. */
  readonly isFinding: boolean;
}

export interface Timeline {
  readonly state: Omit<SessionState, "calls">;
  readonly steps: readonly Step[];
  /** What became of the records of an imported file. */
  readonly account: EventData["import.finished"] | null;
  readonly risk: RiskSummary;
}

/** The steps of a record; null where it does not begin with an opening. */
export function timelineOf(events: readonly AuditEvent[]): Timeline | null {
  const [first] = events;
  if (first?.type !== "session.opened") return null;
  const own = sessionState(events.filter((event) => event.call === null));
  if (own === null) return null;
  const grouped = new Map<CallId, AuditEvent[]>();
  const scores = new Map<CallId, { before: ScoreAt | null; after: ScoreAt | null }>();
  let score: ScoreAt | null = null;
  for (const event of events) {
    const { call } = event;
    if (call !== null) {
      const known = grouped.get(call);
      if (known === undefined) grouped.set(call, [event]);
      else known.push(event);
      if (!scores.has(call)) scores.set(call, { before: score, after: score });
    }
    if (event.type === "risk.updated") score = { score: event.data.score, band: event.data.band };
    const at = call === null ? undefined : scores.get(call);
    if (at !== undefined) at.after = score;
  }
  const steps = [...grouped.entries()].flatMap(([id, own]): readonly Step[] => {
    const step = stepOf(first, own, { number: 0, before: scores.get(id)?.before ?? null, after: scores.get(id)?.after ?? null });
    return step === null ? [] : [step];
  });
  const account = events.find((event) => event.type === "import.finished");
  const { calls: _calls, ...state } = own;
  const risk = own.risk ?? lastRisk(events);
  return { state: { ...state, risk, events: events.length }, steps: steps.map((step, index) => ({ ...step, number: index + 1 })), account: account?.type === "import.finished" ? account.data : null, risk: riskSummary(replayRisk(events)) };
}

/** One step from the records of its call; null where it was never received. */
export function stepOf(opened: AuditEvent, own: readonly AuditEvent[], about: Pick<Step, "number" | "before" | "after">): Step | null {
  const call = sessionState([opened, ...own])?.calls[0];
  const received = own.find((event) => event.type === "call.received");
  if (call === undefined || received?.type !== "call.received") return null;
  const decided = own.find((event) => event.type === "decision.made");
  const decision = decided?.type === "decision.made" ? decided.data : null;
  const isFinding = (decision !== null && decision.effect !== "allow") || call.findings.length > 0 || call.outcome === "in-doubt" || call.outcome === "reverted";
  return { ...about, call, time: received.time, decision, argumentsBlob: received.data.argumentsBlob ?? null, isFinding };
}

/** What stands above the steps of a session. */
export interface TimelineHead {
  readonly id: SessionId;
  readonly opened: EventData["session.opened"];
  readonly account: Timeline["account"];
  readonly verdicts: Readonly<Record<ReturnType<typeof verdictOf>, number>>;
  readonly live: ScoreAt;
}

export function timelineHeadOf({ state, steps, account, risk }: Timeline): TimelineHead {
  const verdicts = { allow: 0, ask: 0, deny: 0, thought: 0 };
  for (const step of steps) verdicts[verdictOf(step)] += 1;
  return { id: state.id, opened: state.opened, account, verdicts, live: risk.live };
}

function lastRisk(events: readonly AuditEvent[]): SessionState["risk"] {
  const last = events.findLast((event) => event.type === "risk.updated");
  return last?.type === "risk.updated" ? last.data : null;
}

/** What a call is, in one word: its decision, or that it was only thought. */
export function verdictOf(step: Step): "allow" | "ask" | "deny" | "thought" {
  return step.decision?.effect ?? "thought";
}

/** What a call is, in one line: its summary without line feeds at its end, or its tool. */
export function titleOf({ call }: Step): string {
  const summary = call.summary.replace(/(?:\\n|\s)+$/u, "");
  return summary === "" ? call.tool : summary;
}

/** How a call ended, in words that tell what was seen from what is claimed. */
export function endOf({ call }: Step): string {
  if (call.claimed !== undefined) {
    const { result } = call.claimed;
    if (result === null) return "no result in the file";
    if (!result.ran) return "the file says it did not run";
    if (result.exitCode !== null) return `claims exit ${result.exitCode}`;
    return result.failed === null ? "claims that it ran" : result.failed ? "claims a failure" : "claims success";
  }
  if (call.execution !== null) return call.execution.ended === "exit" ? `exit ${call.execution.exitCode ?? signalName(call.execution.signal)}` : call.execution.ended;
  return call.outcome ?? "open";
}

/** A signal has a name of its own; what is none is not shown. */
function signalName(signal: string | null): string {
  return signal !== null && /^[A-Z][A-Z0-9+-]{1,19}$/u.test(signal) ? signal : "?";
}

/** Text of a step for a search, in lower case. */
export function searchText(step: Step): string {
  const { call, decision } = step;
  return [call.id, call.label, call.tool, call.summary, verdictOf(step), ...(decision?.reasons ?? []).flatMap((reason) => [reason.rule, reason.message, ...reason.threats]), ...call.findings.flatMap((finding) => [finding.rule, finding.path]), ...call.changes.map((change) => change.path), JSON.stringify(call.arguments)].join("\n").toLowerCase();
}
