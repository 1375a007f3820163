// Acting on the score: reactions of policy go on record in the batch that made them due, and hold from the next call on. A pause asks
// a person; a stop ends the sandbox, keeps a forensic copy of the workspace layer, and closes the session. A call that moves no
// score costs nothing here: the state of the score is then the very same object.

import { dueReactions } from "../core/risk/index.js";
import type { Reacted } from "../core/policy/index.js";
import type { EventData, EventDraft } from "../core/session/event.js";
import type { ApprovalRequest } from "../ports/approver.js";
import { GuardError, printable } from "../core/shared/index.js";
import { consult } from "./approve.js";
import { breakSession, brokenError, closeSandbox } from "./break-off.js";
import { keepForensicCopy } from "./forensic.js";
import type { LiveSession } from "./live.js";
import { pauseSession, resumeSession, whilePaused } from "./pause.js";
import type { ScoredBatch } from "./score-batch.js";

type Answer = EventData["approval.resolved"];

/** A batch with the reactions that it makes due. None with the gate off: they are part of it, and what is tested then is what holds without. */
export function reactingBatch(live: LiveSession, batch: ScoredBatch): ScoredBatch {
  const { reactions } = live.options.policy;
  if (reactions === undefined || live.options.gate === "off" || (batch.risk === live.risk && live.isScored) || live.stopped !== null || isEnd(batch.drafts)) return batch;
  const happened = new Set(live.history.history.reacted.map(({ reaction }) => reaction));
  const due = dueReactions(reactions, batch.risk, happened);
  if (due.length === 0) return batch;
  const drafts = due.map(({ reaction: { id, kind, layer, threats }, reason }): EventDraft => {
    const effect = kind === "stop" ? ("deny" as const) : ("ask" as const);
    return { call: null, type: "session.tightened", data: { reason: printable(reason, 600), effect, reaction: id, action: kind, layer, threats, cause: batch.cause } };
  });
  return { ...batch, drafts: [...batch.drafts, ...drafts] };
}

/** A session that has ended does not react any more. */
function isEnd(drafts: readonly EventDraft[]): boolean {
  return drafts.some(({ type }) => type === "session.closed");
}

/** What every later call of a stopped session is answered with; null while it goes on. */
export function stoppedError({ id, stopped }: Pick<LiveSession, "id" | "stopped">): GuardError | null {
  return stopped === null ? null : new GuardError("SESSION_STOPPED", `session ${id} was stopped: ${printable(stopped, 400)}`);
}

/** One piece of work in a session that may be paused or stopped: before it, and by it. Rejects with SESSION_STOPPED instead of beginning. */
export async function goOn<T>(live: LiveSession, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  // What the start itself made due.
  await stopIfDue(live);
  // Whoever resumes what a person paused has not been asked about what policy pauses.
  await whilePaused(live, signal);
  if (live.history.history.paused !== null && live.stopped === null && live.broken === null) await holdPaused(live, live.history.history.paused, signal);
  const stopped = stoppedError(live);
  if (stopped !== null) throw stopped;
  try {
    return await work();
  } finally {
    await stopIfDue(live);
  }
}

/** Who paused it, on record, where no person did. */
const BY_POLICY = "policy";

/**
 * Pauses the session for a person: whoever is asked here says whether it goes on, or whoever resumes it elsewhere. Anything but a clear
 * yes stops it.
 */
async function holdPaused(live: LiveSession, due: Reacted, signal: AbortSignal): Promise<void> {
  const { deps, options, pause } = live;
  const { digest: policyDigest } = options.policy;
  const actionDigest = deps.keyedDigest(JSON.stringify({ session: live.id, pause: due.reaction, at: live.nextSeq }));
  const summary = `go on with a session that was paused: ${printable(due.message, 400)}`;
  await live.append([{ call: null, type: "approval.requested", data: { actionDigest, policyDigest, summary, rules: [due.reaction] } }]);
  const isOver = (): boolean => signal.aborted || live.broken !== null || live.stopped !== null;
  // A person may pause it at this very moment.
  while (!(await pauseSession(live, BY_POLICY, `${due.reaction}: ${due.message}`)) && !isOver()) await whilePaused(live, signal);
  const elsewhere = new AbortController();
  const reason = { rule: due.reaction, effect: "ask" as const, layer: due.layer, threats: due.threats, message: due.message, allowed: null, subject: "the session", at: null, risk: null };
  const request = { actionDigest, policyDigest, role: null, tool: "session", action: summary, cwd: null, files: [], reasons: [reason], rejectedBefore: 0 };
  const resumed = pause.over.then((by): Answer => (by === null ? { actionDigest, outcome: "expired", by: "guard", detail: "the session ends" } : { actionDigest, outcome: "approved", by, detail: "resumed" }));
  const answer = await Promise.race([resumed, answeredHere(live, request, AbortSignal.any([signal, elsewhere.signal]))]);
  elsewhere.abort();
  if (answer.outcome === "approved") await resumeSession(live, answer.by);
  if (live.broken !== null) return;
  await live.append([{ call: null, type: "approval.resolved", data: answer }]);
  if (answer.outcome !== "approved") await stop(live, `${due.reaction} paused it and nobody said to go on (${answer.outcome})`);
}

/** The answer of whoever can be asked in this process; where nobody can, none until the wait for somebody elsewhere is over. */
async function answeredHere(live: LiveSession, request: ApprovalRequest, signal: AbortSignal): Promise<Answer> {
  const { approvalTimeoutMs, pauseWaitMs = 0 } = live.options.defaults;
  const answer = await consult(live, null, request, AbortSignal.any([signal, AbortSignal.timeout(approvalTimeoutMs)]));
  if (answer.outcome !== "unavailable" || pauseWaitMs === 0) return answer;
  const over = AbortSignal.any([signal, AbortSignal.timeout(pauseWaitMs)]);
  if (!over.aborted) await new Promise((resolve) => over.addEventListener("abort", resolve, { once: true }));
  return { ...answer, outcome: "expired", by: "timer", detail: signal.aborted ? "the wait was given up" : `nobody resumed it within ${String(pauseWaitMs / 1000)} s` };
}

/** Stops the session when a reaction that has happened says so. Never rejects. */
export async function stopIfDue(live: LiveSession): Promise<void> {
  if (live.stopped !== null || brokenError(live) !== null) return;
  const due = live.history.history.reacted.find(({ kind }) => kind === "stop");
  if (due !== undefined) await stop(live, `${due.reaction}: ${due.message}`);
}

/** Ends the sandbox first, so that nothing changes any more; then the copy, on record. Never rejects. */
async function stop(live: LiveSession, why: string): Promise<void> {
  live.stopped = why;
  live.deps.telemetry.warn("policy stops the session", { session: live.id, cause: printable(why, 400) });
  const unclosed = await closeSandbox(live);
  if (unclosed !== null) return breakSession(live, unclosed);
  try {
    const copied = await keepForensicCopy(live);
    if (copied !== null) await live.append([{ call: null, type: "session.copied", data: copied }]);
  } catch (error) {
    live.deps.telemetry.error("no forensic copy was made", { session: live.id, cause: printable(error instanceof Error ? error.message : String(error)) });
  }
}
