// Asking a person. The request is on record before anybody is asked; only a clear yes in time approves, whatever the approver does.

import type { Action } from "../core/action/action.js";
import type { Decision } from "../core/policy/index.js";
import type { EventData, EventDraft } from "../core/session/event.js";
import { printable, type CallId, type Digest, type Role } from "../core/shared/index.js";
import { describeAction } from "./describe.js";
import type { LiveSession } from "./live.js";

/** What is asked about. */
export interface Question {
  readonly id: CallId;
  readonly tool: string;
  readonly role: Role | null;
  readonly action: Action;
  readonly decision: Decision;
  readonly actionDigest: Digest;
  readonly summary: string;
}

type Answer = EventData["approval.resolved"];

const OUTCOMES: ReadonlySet<unknown> = new Set(["approved", "rejected", "expired", "unavailable"]);
const NAME_CHARS = 100;
const DETAIL_CHARS = 400;

/** Records the request after `drafts` and gives the answer. Rejects only when the record cannot be written. */
export async function ask(live: LiveSession, question: Question, drafts: readonly EventDraft[], signal: AbortSignal): Promise<Answer> {
  const { actionDigest, decision, id, summary } = question;
  const rules = decision.reasons.filter((reason) => reason.effect === "ask").map((reason) => reason.rule);
  await live.append([...drafts, { call: id, type: "approval.requested", data: { actionDigest, policyDigest: decision.policyDigest, summary, rules } }]);
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(live.options.defaults.approvalTimeoutMs)]);
  try {
    return await Promise.race([requested(live, question, deadline), passed(deadline, actionDigest)]);
  } catch (error) {
    live.deps.telemetry.error("approver failed", { session: live.id, call: id, cause: printable(String(error)) });
    return { actionDigest, outcome: "unavailable", by: "nobody", detail: "the approver failed" };
  }
}

async function requested(live: LiveSession, question: Question, deadline: AbortSignal): Promise<Answer> {
  const { redactor } = live.deps;
  const { action, actionDigest, decision } = question;
  const answer: unknown = await live.deps.approver.request(
    {
      actionDigest,
      policyDigest: decision.policyDigest,
      role: question.role === null ? null : printable(question.role),
      tool: printable(question.tool),
      action: redactor.text(describeAction(action, Number.MAX_SAFE_INTEGER)),
      cwd: action.kind === "command" ? printable(action.cwd, Number.MAX_SAFE_INTEGER) : null,
      reasons: decision.reasons,
    },
    deadline,
  );
  const read = readAnswer(answer, actionDigest);
  // An answer that comes after the deadline, or after the caller gave up, is no answer.
  return deadline.aborted && read.outcome === "approved" ? tooLate(actionDigest) : read;
}

/** Takes from an answer only what it may say; anything else is an approver that failed. */
function readAnswer(answer: unknown, actionDigest: Digest): Answer {
  const { outcome, by, detail } = answer as Readonly<Record<string, unknown>>;
  if (!OUTCOMES.has(outcome) || typeof by !== "string" || !(typeof detail === "string" || detail === null)) throw new TypeError("the approver's answer is no outcome");
  return { actionDigest, outcome: outcome as Answer["outcome"], by: printable(by, NAME_CHARS), detail: detail === null ? null : printable(detail, DETAIL_CHARS) };
}

/** Settles when the deadline has passed: an approver that ignores it does not hold the call. */
function passed(deadline: AbortSignal, actionDigest: Digest): Promise<Answer> {
  return new Promise((resolve) => {
    const expire = (): void => resolve({ actionDigest, outcome: "expired", by: "timer", detail: "no answer in time" });
    // One turn later, so that an approver which heeds the deadline is still heard.
    const soon = (): void => void setTimeout(expire, 0);
    if (deadline.aborted) soon();
    else deadline.addEventListener("abort", soon, { once: true });
  });
}

function tooLate(actionDigest: Digest): Answer {
  return { actionDigest, outcome: "expired", by: "timer", detail: "answered too late" };
}
