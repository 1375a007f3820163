// The spine: one tool call from receipt to answer. The order of the steps is the guarantee; nothing else knows it.
// Nothing runs before its intent is durable, and no answer leaves before its end is.

import type { Action, ToolCall } from "../core/action/action.js";
import { isThought, normalise } from "../core/action/index.js";
import { decide, type Decision, type DecisionContext } from "../core/policy/index.js";
import { evaluateArgv, evaluateShell, simpleWords, type Evaluation } from "../core/shell/index.js";
import type { EventData, EventDraft } from "../core/session/event.js";
import { GuardError, printable, type CallId, type Digest, type JsonObject, type Role } from "../core/shared/index.js";
import type { OutputSink } from "../ports/sandbox.js";
import { describeAction } from "./describe.js";
import { findingText, refusalText, type Observation } from "./observation.js";
import { modelText, recordOutput } from "./output.js";
import { perform, type Performed } from "./perform.js";
import { overLimit } from "./receive.js";
import { nextCallId, type LiveSession } from "./session.js";
import { settle, type Settled } from "./settle.js";
import { carryOn, environmentOf } from "./surroundings.js";

/** Who watches a call while it runs. */
export interface CallHooks {
  /** Raw output as it arrives. */
  readonly output?: OutputSink;
}

interface Judged {
  readonly id: CallId;
  readonly call: ToolCall;
  readonly role: Role | null;
  readonly action: Action;
  /** What the command does to working directory and variables; null for other actions. */
  readonly evaluation: Evaluation | null;
  readonly decision: Decision;
  readonly context: DecisionContext;
  readonly actionDigest: Digest;
  readonly summary: string;
  readonly drafts: readonly EventDraft[];
}

/** Guards one call. Rejects with GuardError for faults of ours or of the sandbox; a refusal is an observation. */
export async function guardCall(live: LiveSession, call: ToolCall, hooks: CallHooks, signal: AbortSignal): Promise<Observation> {
  if (live.broken !== null) throw new GuardError("SANDBOX_BROKEN", `the sandbox of ${live.id} has ended: ${printable(live.broken)}`);
  if (isThought(call)) return think(live, call);
  const judged = judge(live, call);
  if (judged.decision.effect === "deny") return refuse(live, judged, judged.drafts, null);
  if (judged.decision.effect === "allow") return run(live, judged, judged.drafts, null, hooks, signal);
  const approval = await ask(live, judged, signal);
  const resolved: EventDraft = { call: judged.id, type: "approval.resolved", data: approval };
  if (approval.outcome !== "approved") return refuse(live, judged, [resolved], approval);
  return run(live, judged, [resolved], approval, hooks, signal);
}

/** A thought has no effect; it is on record all the same. */
async function think(live: LiveSession, call: ToolCall): Promise<Observation> {
  const id = nextCallId(live);
  const received = receivedEvent(live, id, overLimit(call) === null ? call : { ...call, arguments: {} });
  await live.append([received, { call: id, type: "call.closed", data: { outcome: "completed", exitCode: null, observationDigest: null } }]);
  const decision: Decision = { effect: "allow", reasons: [], obligations: [], errors: [], guidance: null, policyDigest: live.options.policy.digest };
  return nothingRan({ id, call, summary: "a thought", decision }, "completed", null, "");
}

/** The record of a call as received, with secrets taken out. */
export function receivedEvent(live: LiveSession, id: CallId, call: ToolCall): EventDraft {
  const { redactor, keyedDigest } = live.deps;
  return {
    call: id,
    type: "call.received",
    data: {
      label: printable(call.id),
      role: call.role ?? live.options.role,
      tool: printable(call.tool),
      arguments: redactor.json(call.arguments) as JsonObject,
      argumentsDigest: keyedDigest(JSON.stringify(call.arguments)),
    },
  };
}

/** The answer to a call that ran nothing. */
export function nothingRan(
  judged: { readonly id: CallId; readonly call: ToolCall; readonly summary: string; readonly decision: Decision },
  outcome: Observation["outcome"],
  approval: EventData["approval.resolved"] | null,
  message: string,
): Observation {
  return {
    call: judged.id,
    label: judged.call.id,
    summary: judged.summary,
    outcome,
    decision: judged.decision,
    approval,
    exitCode: null,
    signal: null,
    ended: null,
    durationMs: 0,
    stdout: "",
    stderr: "",
    changes: [],
    findings: [],
    message,
  };
}

/** Steps 1 to 3: receive, normalise, decide. Pure but for the ids and digests. */
function judge(live: LiveSession, call: ToolCall): Judged {
  const { deps, options, surroundings } = live;
  const id = nextCallId(live);
  const role = call.role ?? options.role;
  const tooBig = overLimit(call);
  const kept: ToolCall = tooBig === null ? call : { ...call, tool: printable(call.tool), arguments: {} };
  const { action, evaluation } = understand(live, kept, tooBig);
  const context: DecisionContext = {
    role,
    root: options.defaults.root,
    cwd: surroundings.cwd,
    home: options.defaults.home,
    containment: "attested",
  };
  const decision = decide(options.policy, action, context);
  const { effects, ...bound } = action;
  const actionDigest = deps.keyedDigest(JSON.stringify({ action: bound, cwd: surroundings.cwd, carried: [...surroundings.carried] }));
  const summary = deps.redactor.text(describeAction(action));
  const drafts: EventDraft[] = [
    receivedEvent(live, id, kept),
    {
      call: id,
      type: "decision.made",
      data: {
        action: { kind: action.kind, summary, cwd: action.kind === "command" ? surroundings.cwd : null, effects: effects.length },
        actionDigest,
        effect: decision.effect,
        reasons: decision.reasons.map((reason) => ({ ...reason, subject: deps.redactor.text(reason.subject) })),
        obligations: decision.obligations,
        guidance: decision.guidance,
        policyDigest: decision.policyDigest,
      },
    },
  ];
  return { id, call, role, action, evaluation, decision, context, actionDigest, summary, drafts };
}

/** Step 2. A call past a limit is opaque; a command is evaluated once, for its effects and for what it carries on. */
function understand(live: LiveSession, call: ToolCall, tooBig: string | null): { readonly action: Action; readonly evaluation: Evaluation | null } {
  const { defaults } = live.options;
  if (tooBig !== null) {
    const effects = [{ kind: "opaque-text", why: tooBig, from: printable(call.tool) }] as const;
    return { action: { kind: "opaque", tool: call.tool, why: tooBig, effects }, evaluation: null };
  }
  const { cwd, carried } = live.surroundings;
  const shell = { cwd, home: defaults.home, root: defaults.root, environment: carried };
  let evaluation: Evaluation | null = null;
  const action = normalise(call, {
    root: defaults.root,
    home: defaults.home,
    cwd,
    evaluate: {
      shell: (text) => (evaluation = evaluateShell(text, shell)).effects,
      argv: (words) => (evaluation = evaluateArgv(words, shell)).effects,
    },
    split: simpleWords,
  });
  return { action, evaluation };
}

/** Step 4. The request is durable before anybody is asked; only a clear yes in time approves. */
async function ask(live: LiveSession, judged: Judged, signal: AbortSignal): Promise<EventData["approval.resolved"]> {
  const { deps, options } = live;
  const { actionDigest, decision } = judged;
  const rules = decision.reasons.filter((reason) => reason.effect === "ask").map((reason) => reason.rule);
  const request: EventDraft = {
    call: judged.id,
    type: "approval.requested",
    data: { actionDigest, policyDigest: decision.policyDigest, summary: judged.summary, rules },
  };
  await live.append([...judged.drafts, request]);
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(options.defaults.approvalTimeoutMs)]);
  try {
    const outcome = await deps.approver.request(
      {
        actionDigest,
        policyDigest: decision.policyDigest,
        role: judged.role,
        tool: judged.call.tool,
        action: deps.redactor.text(describeAction(judged.action, Number.MAX_SAFE_INTEGER)),
        cwd: live.surroundings.cwd,
        reasons: decision.reasons,
      },
      deadline,
    );
    // An answer that comes after the deadline, or after the caller gave up, is no answer.
    if (deadline.aborted && outcome.outcome === "approved") return { actionDigest, outcome: "expired", by: "timer", detail: "answered too late" };
    return { actionDigest, ...outcome };
  } catch (error) {
    deps.telemetry.error("approver failed", { session: live.id, call: judged.id, cause: String(error) });
    return { actionDigest, outcome: "unavailable", by: "nobody", detail: "the approver failed" };
  }
}

async function refuse(live: LiveSession, judged: Judged, drafts: readonly EventDraft[], approval: EventData["approval.resolved"] | null): Promise<Observation> {
  const outcome = approval === null ? "denied" : "rejected";
  await live.append([...drafts, { call: judged.id, type: "call.closed", data: { outcome, exitCode: null, observationDigest: null } }]);
  return nothingRan(judged, outcome, approval, refusalText(judged.decision, approval));
}

/** Steps 5 to 11: intend, execute, observe, reconcile, score, respond. */
async function run(
  live: LiveSession,
  judged: Judged,
  drafts: readonly EventDraft[],
  approval: EventData["approval.resolved"] | null,
  hooks: CallHooks,
  signal: AbortSignal,
): Promise<Observation> {
  const { deps, options } = live;
  const { action } = judged;
  const timeoutMs = limitMs(options.defaults.timeoutMs, action.kind === "command" ? action.timeoutMs : null, judged.decision);
  const environment = environmentOf(live.surroundings, options.defaults);
  await live.append([
    ...drafts,
    {
      call: judged.id,
      type: "execution.started",
      data: { kind: action.kind, cwd: action.kind === "command" ? live.surroundings.cwd : null, environment: Object.keys(environment), timeoutMs },
    },
  ]);
  let performed: Performed;
  let settled: Settled;
  let hints = 0;
  try {
    const watch = await deps.observer?.start(live.workspace.mount, () => (hints += 1));
    try {
      performed = await perform(live, action, { environment, timeoutMs, hooks, signal });
    } finally {
      await watch?.stop();
    }
    settled = await settle(live, judged.context, approvedRules(judged.decision, approval));
  } catch (error) {
    throw await breakOff(live, judged, error);
  }
  return finish(live, judged, approval, performed, settled, hints);
}

async function finish(
  live: LiveSession,
  judged: Judged,
  approval: EventData["approval.resolved"] | null,
  performed: Performed,
  settled: Settled,
  hints: number,
): Promise<Observation> {
  const { deps } = live;
  const putBlob = (bytes: Uint8Array): Promise<Digest> => live.ledger.putBlob(bytes);
  const outcome = outcomeOf(performed, settled);
  const stdout = modelText(performed.stdout, performed.stdoutDropped, deps.redactor);
  const stderr = modelText(performed.stderr, performed.stderrDropped, deps.redactor);
  const message = [stdout, stderr, endText(performed), findingText(settled.findings)].filter((part) => part !== "").join("\n");
  const { evaluation } = judged;
  if (evaluation !== null && performed.ended === "exit") live.surroundings = carryOn(live.surroundings, evaluation);
  await live.append([
    {
      call: judged.id,
      type: "execution.finished",
      data: {
        exitCode: performed.exitCode,
        signal: performed.signal,
        ended: performed.ended,
        detail: performed.detail,
        durationMs: Math.round(performed.durationMs * 1000) / 1000,
        stdout: await recordOutput(performed.stdout, performed.stdoutDropped, deps.redactor, putBlob),
        stderr: await recordOutput(performed.stderr, performed.stderrDropped, deps.redactor, putBlob),
        killed: performed.killed,
        quiescent: performed.quiescent,
      },
    },
    { call: judged.id, type: "reconciliation.done", data: { changes: settled.changes, findings: settled.findings, hints } },
    { call: judged.id, type: "call.closed", data: { outcome, exitCode: performed.exitCode, observationDigest: deps.hasher(message) } },
  ]);
  return {
    call: judged.id,
    label: judged.call.id,
    summary: judged.summary,
    outcome,
    decision: judged.decision,
    approval,
    exitCode: performed.exitCode,
    signal: performed.signal,
    ended: performed.ended,
    durationMs: performed.durationMs,
    stdout,
    stderr,
    changes: settled.changes,
    findings: settled.findings,
    message,
  };
}

/** What the call did cannot be told: record that, and destroy the sandbox. */
async function breakOff(live: LiveSession, judged: Judged, error: unknown): Promise<GuardError> {
  const fault = error instanceof GuardError ? error : new GuardError("SANDBOX_FAILED", `the call could not be brought to an end: ${printable(String(error))}`, { cause: error });
  live.broken ??= fault.message;
  live.deps.telemetry.error("call broken off", { session: live.id, call: judged.id, cause: fault.message });
  await live.sandbox.close().catch((cause: unknown) => live.deps.telemetry.warn("closing a broken sandbox", { session: live.id, cause: String(cause) }));
  await live.append([{ call: judged.id, type: "call.closed", data: { outcome: "in-doubt", exitCode: null, observationDigest: null } }]);
  return fault;
}

/** Rules a person approved for this call: changes they cover are not undone. */
function approvedRules(decision: Decision, approval: EventData["approval.resolved"] | null): ReadonlySet<string> {
  if (approval?.outcome !== "approved") return new Set();
  return new Set(decision.reasons.filter((reason) => reason.effect === "ask").map((reason) => reason.rule));
}

function outcomeOf(performed: Performed, settled: Settled): Observation["outcome"] {
  if (performed.ended === "cancelled") return "cancelled";
  if (settled.findings.some((finding) => finding.reverted)) return "reverted";
  return performed.ended === "exit" && performed.exitCode === 0 ? "completed" : "failed";
}

function endText(performed: Performed): string {
  if (performed.ended === "exit") return performed.exitCode === 0 ? "" : `[exit code ${performed.exitCode ?? `signal ${performed.signal ?? "?"}`}]`;
  return `[ended: ${performed.ended}${performed.detail === null ? "" : `, ${performed.detail}`}]`;
}

function limitMs(session: number, call: number | null, decision: Decision): number {
  const asked = decision.obligations.flatMap((obligation) => (obligation.kind === "timeout" ? [obligation.ms] : []));
  return Math.max(1, Math.min(session, call ?? session, ...asked));
}
