// The spine: one tool call from receipt to answer. The order of the steps is the guarantee; nothing else knows it.
// Nothing runs before its intent is durable, and no answer leaves before its end is.

import type { Action, ToolCall } from "../core/action/action.js";
import { isThought } from "../core/action/index.js";
import { decide, type Decision, type DecisionContext } from "../core/policy/index.js";
import type { Evaluation } from "../core/shell/index.js";
import type { EventData, EventDraft, Reached } from "../core/session/event.js";
import { printable, type CallId, type Digest, type Role } from "../core/shared/index.js";
import { actionDigestOf, ask } from "./approve.js";
import { breakOff, breakSession, brokenError, faultOf } from "./break-off.js";
import { withNoted } from "./noted.js";
import { surroundingsAfter } from "./carry.js";
import { containmentOf } from "./containment.js";
import { within } from "./deadline.js";
import { deliver } from "./deliver.js";
import { describeAction } from "./describe.js";
import { copyKilled } from "./forensic.js";
import { heldFindings } from "./held.js";
import type { CallHooks } from "./hooks.js";
import type { LiveSession } from "./live.js";
import { nextCallId } from "./live.js";
import { findingText, nothingRan, refusalText, type Observation } from "./observation.js";
import { reachedOutputs, recordOutput, shownToModel } from "./output.js";
import { resumeSession, whilePaused } from "./pause.js";
import { perform, type Performed, type PerformOptions } from "./perform.js";
import { freezeProcesses, living, takeProcessEvents, thawProcesses } from "./processes.js";
import { judgePrograms, programsEvent, type ProgramJudge } from "./programs.js";
import { overLimit } from "./receive.js";
import { changeEvents, closedEvent, decisionEvent, keepBlob, receivedEvent } from "./records.js";
import { checkWritten, settle, type Settled } from "./settle.js";
import { environmentOf } from "./surroundings.js";
import { spendingFindings } from "./spending.js";
import { understand, type Understood } from "./understand.js";

interface Judged {
  readonly id: CallId;
  readonly call: ToolCall;
  readonly role: Role | null;
  readonly action: Action;
  /** What the command does to working directory and variables; null for other actions. */
  readonly evaluation: Evaluation | null;
  readonly readText: Understood["readText"];
  readonly decision: Decision;
  readonly context: DecisionContext;
  readonly actionDigest: Digest;
  readonly summary: string;
  /** What was received and decided, for the record; made when it is asked for. */
  readonly drafts: () => Promise<readonly EventDraft[]>;
}

/** Guards one call. Rejects with GuardError for faults of ours or of the sandbox; a refusal is an observation. */
export async function guardCall(live: LiveSession, call: ToolCall, hooks: CallHooks, signal: AbortSignal): Promise<Observation> {
  const broken = brokenError(live);
  if (broken !== null) throw broken;
  if (isThought(call)) return think(live, call);
  await holdForUser(live);
  const judged = await judge(live, call, hooks.by);
  const { drafts } = judged;
  if (live.options.gate === "off") return run(live, judged, drafts, null, hooks, signal);
  if (judged.decision.effect === "deny") return refuse(live, judged, await drafts(), null);
  if (judged.decision.effect === "allow") return run(live, judged, drafts, null, hooks, signal);
  const approval = await ask(live, { ...judged, tool: call.tool }, await drafts(), signal);
  const resolved: EventDraft = { call: judged.id, type: "approval.resolved", data: approval };
  if (approval.outcome !== "approved") return refuse(live, judged, [resolved], approval);
  return run(live, judged, async () => [resolved], approval, hooks, signal);
}

/** No call starts while a secret of the user's is in sight. Throws SANDBOX_BROKEN, and ends the session, where it cannot be hidden. */
async function holdForUser(live: LiveSession): Promise<void> {
  const why = (await live.userEdits?.settle()) ?? null;
  if (why === null) return live.userEdits?.begin();
  await breakSession(live, why);
  throw brokenError(live) ?? faultOf(why, "hiding what the user added");
}

/** A thought has no effect; it is on record all the same. */
async function think(live: LiveSession, call: ToolCall): Promise<Observation> {
  const id = nextCallId(live);
  const received = await receivedEvent(live, id, overLimit(call) === null ? call : { ...call, arguments: {} });
  await live.append([received, closedEvent(id, "completed")]);
  const decision: Decision = { effect: "allow", reasons: [], obligations: [], errors: [], guidance: null, policyDigest: live.options.policy.digest };
  return nothingRan({ id, call, summary: "a thought", decision }, "completed", null, "");
}

/** Steps 1 to 3: receive, normalise, decide. Nothing has an effect yet. */
async function judge(live: LiveSession, call: ToolCall, by: string | undefined): Promise<Judged> {
  const { deps, options, surroundings } = live;
  const id = nextCallId(live);
  const role = call.role ?? options.role;
  const tooBig = overLimit(call);
  const kept: ToolCall = tooBig === null ? call : { ...call, tool: printable(call.tool), arguments: {} };
  const { action, evaluation, readText } = await understand(live, kept, tooBig);
  const context: DecisionContext = {
    role,
    root: options.defaults.root,
    cwd: surroundings.cwd,
    home: options.defaults.home,
    containment: containmentOf(live.sandbox.controls),
    history: live.history.history,
  };
  const decision = await withNoted(live, action, decide(options.policy, action, context), context);
  const actionDigest = actionDigestOf(live, action);
  const summary = deps.redactor.text(describeAction(action));
  const cwd = action.kind === "command" ? surroundings.cwd : null;
  const drafts = async (): Promise<readonly EventDraft[]> => [
    await receivedEvent(live, id, kept, by),
    decisionEvent(live, id, decision, { action: { kind: action.kind, summary, cwd, effects: action.effects.length }, actionDigest }),
  ];
  return { id, call, role, action, evaluation, readText, decision, context, actionDigest, summary, drafts };
}

async function refuse(live: LiveSession, judged: Judged, drafts: readonly EventDraft[], approval: EventData["approval.resolved"] | null): Promise<Observation> {
  const outcome = approval === null ? "denied" : "rejected";
  await live.append([...drafts, closedEvent(judged.id, outcome)]);
  return nothingRan(judged, outcome, approval, refusalText(judged.decision, approval));
}

/** Steps 5 to 11: intend, execute, observe, reconcile, score, respond. */
async function run(
  live: LiveSession,
  judged: Judged,
  drafts: Judged["drafts"],
  approval: EventData["approval.resolved"] | null,
  hooks: CallHooks,
  signal: AbortSignal,
): Promise<Observation> {
  const { options } = live;
  const { action } = judged;
  const timeoutMs = action.kind === "process" ? Math.max(1, action.waitMs) : limitMs(options.defaults.timeoutMs, action.kind === "command" ? action.timeoutMs : null, judged.decision);
  const environment = environmentOf(live.surroundings, options.defaults);
  const started: EventDraft = {
    call: judged.id,
    type: "execution.started",
    data: { kind: action.kind, cwd: action.kind === "command" ? live.surroundings.cwd : null, environment: Object.keys(environment), timeoutMs },
  };
  const intent: { durable: Promise<void> | null } = { durable: null };
  const intend = (): Promise<void> => (intent.durable ??= drafts().then((before) => live.append([...before, started])).then(() => undefined));
  // A command is made ready while its intent is written, and held before its first instruction until that is durable.
  const isHeld = action.kind === "command" && living(live).length === 0;
  if (!isHeld) await intend();
  try {
    const approved = approvedRules(judged.decision, approval);
    const programs = judgePrograms(live, judged.context, approved);
    const gate = options.gate === "off" ? {} : { judge: programs.judge };
    const ran = await besideProcesses(live, action, { call: judged.id, context: judged.context, environment, timeoutMs, addedBytes: limitBytes(judged.decision), hooks, signal, ...gate, ...(isHeld ? { beforeStart: intend } : {}) });
    // Where nothing was started nobody asked for it.
    await intend();
    const performed: Performed = ran.ended === "refused" ? { ...ran, detail: programs.refused() ?? "a program that could not be looked at" } : ran;
    if (performed.ended === "timeout") await copyKilled(live, judged.id);
    const { settleMs, graceMs } = live.deadlines;
    const context = { ...judged.context, history: live.history.history };
    // Before anything is put back: what the user added meanwhile is no loss of the agent's, and hidden by now.
    const exposed = (await live.userEdits?.settle()) ?? null;
    const seen = await within(settle(live, context, approved, action.kind === "command" || action.kind === "process"), settleMs + graceMs, "looking at what the call changed");
    const settled = { ...seen, findings: [...seen.findings, ...programs.findings(performed.programs), ...(live.userEdits?.take() ?? []), ...spendingFindings(live, seen.changes, performed.durationMs, context)] };
    await within(checkWritten(live, performed.wrote, settled), settleMs, "looking at what was written");
    if (judged.evaluation !== null && action.kind === "command" && performed.ended === "exit") live.surroundings = await surroundingsAfter(live, action, judged.evaluation, judged.readText);
    const observation = await finish(live, judged, approval, { performed, settled, hints: live.watch.takeHints(), toModel: hooks.by === undefined, ...(options.gate === "off" ? {} : { programs }) });
    if (exposed !== null) await breakSession(live, exposed);
    return observation;
  } catch (error) {
    // What cannot be put on record never ran.
    await intend();
    throw await breakOff(live, judged.id, error);
  }
}

/** Performs an action while the processes that were handed over run; they are frozen again before anybody looks at what it did. */
async function besideProcesses(live: LiveSession, action: Action, options: PerformOptions): Promise<Performed> {
  const { pause } = live;
  // A call that is given up must be able to end.
  const wake = (): void => void resumeSession(live, "the call was given up", "guard").catch(() => undefined);
  await whilePaused(live, options.signal);
  pause.running = options.call;
  options.signal.addEventListener("abort", wake, { once: true });
  try {
    if (action.kind === "command") await thawProcesses(live);
    return await perform(live, action, options);
  } finally {
    pause.running = null;
    options.signal.removeEventListener("abort", wake);
    await freezeProcesses(live);
    // It may have been paused as it ended: nobody looks at what it did in a sandbox that is frozen.
    await whilePaused(live, options.signal);
  }
}

interface Outcome {
  readonly performed: Performed;
  readonly settled: Settled;
  readonly hints: number;
  /** False for what a person looks at. */
  readonly toModel: boolean;
  /** Left out with the gate off. */
  readonly programs?: Pick<ProgramJudge, "against">;
}

async function finish(
  live: LiveSession,
  judged: Judged,
  approval: EventData["approval.resolved"] | null,
  { performed, settled, hints, toModel, programs }: Outcome,
): Promise<Observation> {
  const { deps } = live;
  const putBlob = (bytes: Uint8Array): Promise<Digest> => keepBlob(live, bytes);
  const outcome = outcomeOf(performed, settled);
  const texts = { stdout: shownToModel(performed.stdout, performed.stdoutDropped, deps.redactor), stderr: shownToModel(performed.stderr, performed.stderrDropped, deps.redactor) };
  const shown = { stdout: texts.stdout.text, stderr: texts.stderr.text };
  const { stdout, stderr, findings: printed } = deliver(live, shown, judged.context);
  const findings = [...settled.findings, ...printed, ...heldFindings(live, { ...judged, approval }, [shown.stdout, shown.stderr], settled)];
  const message = [stdout, stderr, endText(performed), findingText(findings)].filter((part) => part !== "").join("\n");
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
    ...takeProcessEvents(live),
    ...programsEvent(live, judged.id, performed.programs, programs),
    ...changeEvents(judged.id, settled.changes, findings, hints),
    closedEvent(judged.id, outcome, { exitCode: performed.exitCode, observationDigest: deps.hasher(message), reached: toModel ? [...reachedOutputs(texts, { stdout, stderr }, deps.hasher), ...reachedFile(performed)] : [] }),
  ]);
  // What policy forbids and nobody could undo would lie there for the next call.
  if (settled.left.length > 0) await breakSession(live, `forbidden changes could not be undone: ${settled.left.slice(0, 5).map((path) => printable(path)).join(", ")}`);
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
    findings,
    message,
  };
}

function reachedFile({ read }: Performed): readonly Reached[] {
  return read === null ? [] : [{ what: "file", path: read.path, digest: read.digest, length: read.bytes, left: 0, dropped: 0 }];
}

/** Rules a person approved for this call: changes they cover are not undone. */
function approvedRules(decision: Decision, approval: EventData["approval.resolved"] | null): ReadonlySet<string> {
  if (approval?.outcome !== "approved") return new Set();
  return new Set(decision.reasons.filter((reason) => reason.effect === "ask").map((reason) => reason.rule));
}

function outcomeOf(performed: Performed, settled: Settled): Observation["outcome"] {
  if (performed.ended === "cancelled") return "cancelled";
  if (settled.left.length > 0) return "failed";
  if (settled.findings.some((finding) => finding.reverted && finding.about === undefined)) return "reverted";
  return performed.ended === "exit" && performed.exitCode === 0 ? "completed" : "failed";
}

function endText(performed: Performed): string {
  if (performed.ended === "exit") {
    const parts = [...(performed.exitCode === 0 ? [] : [`exit code ${performed.exitCode ?? `signal ${performed.signal ?? "?"}`}`]), ...(performed.detail === null ? [] : [performed.detail])];
    return parts.length === 0 ? "" : `[${parts.join("; ")}]`;
  }
  return `[ended: ${performed.ended}${performed.detail === null ? "" : `, ${performed.detail}`}]`;
}

/** Most bytes a call may add, by the rules that allow it; null is no limit but the sandbox's own. */
export function limitBytes(decision: Decision): number | null {
  const asked = decision.obligations.flatMap((obligation) => (obligation.kind === "bytes-written" ? [obligation.bytes] : []));
  return asked.length === 0 ? null : Math.min(...asked);
}

/** Time limit of a call: the least of the session's, the call's own and those of the rules that allow it. */
export function limitMs(session: number, call: number | null, decision: Decision): number {
  const asked = decision.obligations.flatMap((obligation) => (obligation.kind === "timeout" ? [obligation.ms] : []));
  return Math.max(1, Math.min(session, call ?? session, ...asked));
}
