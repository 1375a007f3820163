// Asking a person. The request is on record before anybody is asked; only a clear yes in time approves, whatever the approver does.
// An approval is bound to the action's bytes, to the policy and to the files that the action would run: all are looked at again.

import type { Action } from "../core/action/action.js";
import { boundFiles, changedSince, type BoundFile } from "./bound-files.js";
import { breakSession, faultOf } from "./break-off.js";
import type { Decision } from "../core/policy/index.js";
import type { EventData, EventDraft } from "../core/session/event.js";
import { printable, type CallId, type Digest, type Role } from "../core/shared/index.js";
import type { ApprovalRequest } from "../ports/approver.js";
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
/** So often one and the same thing may be rejected before it is rejected unasked: a person is not worn down by asking again. */
const REPEATS = 3;
const MAX_REMEMBERED = 1_000;

/** Digest, under the store's key, of all that an action is: what was judged, what is asked about and what runs are the same. */
export function actionDigestOf(live: LiveSession, { effects: _effects, ...bound }: Action): Digest {
  const { cwd, carried } = live.surroundings;
  return live.deps.keyedDigest(JSON.stringify({ action: bound, cwd, carried: [...carried] }));
}

/** Records the request after `drafts` and gives the answer. Rejects only when the record cannot be written or the sandbox fails. */
export async function ask(live: LiveSession, question: Question, drafts: readonly EventDraft[], signal: AbortSignal): Promise<Answer> {
  const { actionDigest, decision, id, summary } = question;
  const rules = decision.reasons.filter((reason) => reason.effect === "ask").map((reason) => reason.rule);
  const files = await seen(live, question.action);
  const bound = typeof files === "string" || files.length === 0 ? {} : { files: files.map(({ path, digest }) => ({ path: printable(path), digest })) };
  await live.append([...drafts, { call: id, type: "approval.requested", data: { actionDigest, policyDigest: decision.policyDigest, summary, rules, ...bound } }]);
  if (typeof files === "string") return { actionDigest, outcome: "unavailable", by: "nobody", detail: `nobody was asked: ${files}` };
  const same = [actionDigest, decision.policyDigest, ...files.map(({ path, digest }) => `${path} ${String(digest)}`)].join("\n");
  const refused = live.rejections.get(same) ?? 0;
  if (refused >= REPEATS) return { actionDigest, outcome: "rejected", by: "guard", detail: `nobody was asked: the very same was rejected ${refused} times in this session` };
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(live.options.defaults.approvalTimeoutMs)]);
  const answer = await answerOf(live, { ...question, refused }, files, deadline);
  if (answer.outcome === "rejected" && (live.rejections.has(same) || live.rejections.size < MAX_REMEMBERED)) live.rejections.set(same, refused + 1);
  if (answer.outcome !== "approved") return answer;
  const other = await otherwise(live, question, files);
  return other === null ? answer : { actionDigest, outcome: "rejected", by: "guard", detail: `approved by ${answer.by}, but ${other}` };
}

/** Why what would run is not what was approved; null when it is. */
async function otherwise(live: LiveSession, question: Question, files: readonly BoundFile[]): Promise<string | null> {
  if (live.options.policy.digest !== question.decision.policyDigest) return "the policy is another now";
  if (actionDigestOf(live, question.action) !== question.actionDigest) return "the action is another now";
  return changedSince(files, await seen(live, question.action));
}

/** The files it would run; a sandbox that cannot show them is broken. */
async function seen(live: LiveSession, action: Action): Promise<readonly BoundFile[] | string> {
  try {
    return await boundFiles(live, action);
  } catch (error) {
    const fault = faultOf(error, "the files that a command runs could not be looked at");
    await breakSession(live, fault.message);
    throw fault;
  }
}

async function answerOf(live: LiveSession, question: Question & { readonly refused: number }, files: readonly BoundFile[], deadline: AbortSignal): Promise<Answer> {
  const { redactor } = live.deps;
  const { action, actionDigest, decision, id } = question;
  return consult(
    live,
    id,
    {
      actionDigest,
      policyDigest: decision.policyDigest,
      role: question.role === null ? null : printable(question.role),
      tool: printable(question.tool),
      action: redactor.text(describeAction(action, Number.MAX_SAFE_INTEGER)),
      cwd: action.kind === "command" ? printable(action.cwd, Number.MAX_SAFE_INTEGER) : null,
      files: files.map((file) => ({ ...file, path: printable(file.path, Number.MAX_SAFE_INTEGER) })),
      reasons: decision.reasons,
      rejectedBefore: question.refused,
    },
    deadline,
  );
}

/** Asks whoever there is to ask. Never rejects: an approver that fails, or answers nonsense, is none. */
export async function consult(live: LiveSession, call: CallId | null, request: ApprovalRequest, deadline: AbortSignal): Promise<Answer> {
  const { actionDigest } = request;
  const answered = async (): Promise<Answer> => {
    const read = readAnswer(await live.deps.approver.request(request, deadline), actionDigest);
    // An answer that comes after the deadline, or after the caller gave up, is no answer.
    return deadline.aborted && read.outcome === "approved" ? tooLate(actionDigest) : read;
  };
  try {
    return await Promise.race([answered(), passed(deadline, actionDigest)]);
  } catch (error) {
    live.deps.telemetry.error("approver failed", { session: live.id, call: call ?? "", cause: printable(String(error)) });
    return { actionDigest, outcome: "unavailable", by: "nobody", detail: "the approver failed" };
  }
}

/** Takes from an answer only what it may say; anything else is an approver that failed. */
function readAnswer(answer: unknown, actionDigest: Digest): Answer {
  const { outcome, by, detail, actionDigest: about } = answer as Readonly<Record<string, unknown>>;
  if (!OUTCOMES.has(outcome) || typeof by !== "string" || !(typeof detail === "string" || detail === null)) throw new TypeError("the approver's answer is no outcome");
  if (about !== undefined && about !== actionDigest) return { actionDigest, outcome: "rejected", by: "guard", detail: "the answer is about another action" };
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
