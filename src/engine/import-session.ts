// A session of another tool put on record: each call judged under the policy in force, each result kept as what a file claims.
// Nothing runs. The record is a ledger like any other, and says in its first event that nothing of it was witnessed.

import type { ToolCall } from "../core/action/action.js";
import { keepsShell, type ImportedCall, type ImportTally, type Trajectory } from "../core/import/index.js";
import type { Decision, DecisionEffect, PolicySet } from "../core/policy/index.js";
import { homeOf, judgeAgain, type ReplayWorld, type ShellPlace } from "../core/replay/judge.js";
import { initialRisk, type RiskProfile, type RiskState } from "../core/risk/index.js";
import type { Control, EventData, EventDraft } from "../core/session/event.js";
import { emptyHistory, reduceHistory, type HistoryState } from "../core/session/history.js";
import { GuardError, LIMITS, count, printable, type CallId, type Digest, type Role, type SessionId } from "../core/shared/index.js";
import type { Ledger } from "../ports/ledger.js";
import type { EngineDeps } from "./deps.js";
import { describeAction } from "./describe.js";
import { recordOutput } from "./output.js";
import { overLimit } from "./receive.js";
import { closedEvent, decisionEvent, receivedEvent, type Recorder } from "./records.js";
import { scoreBatch } from "./score-batch.js";

export type ImportDeps = Pick<EngineDeps, "store" | "ids" | "hasher" | "keyedDigest" | "redactor" | "product"> & {
  /** Marks of sessions that are being written, so that one that is cut off is closed by the next command; left out: none are made. */
  readonly openSessions?: Pick<EngineDeps["openSessions"], "mark" | "clear">;
};

export interface ImportRequest {
  readonly trajectory: Trajectory;
  readonly policy: PolicySet;
  readonly profile: string | null;
  readonly risk: RiskProfile;
  readonly file: { readonly path: string; readonly digest: Digest | null; readonly bytes: number };
  /** Folder the agent worked in, where the file does not tell or is wrong. */
  readonly root: string | null;
  readonly role: Role | null;
  readonly containment: "attested" | "none";
  readonly startedBy: string;
  /** Ends the import between two calls; left out: nothing does. */
  readonly signal?: AbortSignal;
}

/** What became of an import. */
export interface ImportedSession {
  readonly session: SessionId;
  readonly root: string;
  readonly records: number;
  /** Calls by decision; `thought` has none. */
  readonly decided: Readonly<Record<DecisionEffect | "thought", number>>;
  readonly score: RiskState;
}

/** Records that are made durable together. */
const BATCH = 400;
const DEFAULT_ROOT = "/workspace";
const NOT_WITNESSED: Control = { id: "witnessed", state: "missing", detail: "read from a file of another tool: what is in it is claimed, nothing was seen" };

/**
 * Puts a trajectory on record as a session of its own. Rejects with GuardError when the record cannot be written, and with CANCELLED when it
 * was interrupted: the session is then closed on record as one that was, with the calls it came to.
 */
export async function importSession(deps: ImportDeps, request: ImportRequest): Promise<ImportedSession> {
  const id: SessionId = `ses_${deps.ids.next()}`;
  await deps.openSessions?.mark(id);
  const ledger = await deps.store.create(id);
  try {
    return await write({ deps, request, id, ledger });
  } catch (error) {
    // What could not be closed on record keeps its mark.
    if (!(error instanceof GuardError) || error.code !== "CANCELLED") throw error;
    await deps.openSessions?.clear(id);
    throw error;
  } finally {
    await ledger.close();
  }
}

interface Parts {
  readonly deps: ImportDeps;
  readonly request: ImportRequest;
  readonly id: SessionId;
  readonly ledger: Ledger;
}

async function write({ deps, request, id, ledger }: Parts): Promise<ImportedSession> {
  const { trajectory, policy, containment } = request;
  const root = request.root ?? trajectory.root ?? DEFAULT_ROOT;
  const world: ReplayWorld = { policy, root, home: homeOf(root), containment, format: trajectory.format };
  const opened = openedEvent(deps, request, world);
  const recorder: Recorder = { deps, options: { role: request.role }, ledger };
  const scored: { risk: RiskState; isScored: boolean; nextSeq: number } = { risk: initialRisk(request.risk, opened), isScored: false, nextSeq: 0 };
  let waiting: EventDraft[] = [{ call: null, type: "session.opened", data: opened }];
  const flush = async (): Promise<void> => {
    const batch = scoreBatch(waiting, scored);
    waiting = [];
    scored.nextSeq += (await ledger.append(batch.drafts)).length;
    scored.risk = batch.risk;
    scored.isScored = true;
  };
  await flush();
  const decided = { allow: 0, ask: 0, deny: 0, thought: 0 };
  let place: ShellPlace = { cwd: root, carried: new Map() };
  let history = emptyHistory(root);
  for (const [index, call] of trajectory.calls.entries()) {
    const standing = { cwd: call.cwd ?? (keepsShell(trajectory.format) ? place.cwd : root), carried: place.carried };
    const one = await recordCall({ recorder, world, call, number: index + 1, place: standing, history });
    decided[one.effect] += 1;
    place = keepsShell(trajectory.format) ? one.after : { cwd: root, carried: place.carried };
    for (const draft of one.drafts) history = reduceHistory(history, draft);
    waiting.push(...one.drafts);
    if (waiting.length >= BATCH) await flush();
    if (request.signal?.aborted === true) {
      waiting.push({ call: null, type: "session.closed", data: { reason: "cancelled", detail: "the import was interrupted: the file has more", calls: index + 1 } });
      await flush();
      throw new GuardError("CANCELLED", `the import was interrupted: session ${id} has ${index + 1} of ${count(trajectory.calls.length, "call")}`);
    }
  }
  waiting.push({ call: null, type: "import.finished", data: redactedTally(trajectory.tally, deps) }, { call: null, type: "session.closed", data: { reason: "finished", detail: "imported", calls: trajectory.calls.length } });
  await flush();
  await deps.openSessions?.clear(id);
  return { session: id, root, records: scored.nextSeq, decided, score: scored.risk };
}

function openedEvent(deps: ImportDeps, request: ImportRequest, world: ReplayWorld): EventData["session.opened"] {
  const { trajectory, policy, file } = request;
  const { text } = deps.redactor;
  const orNull = (said: string | null): string | null => (said === null ? null : text(said));
  const { name, model, version } = trajectory.agent;
  return {
    product: deps.product,
    agent: { name: orNull(name), model: orNull(model), version: orNull(version), endpoint: null, sampling: null },
    startedBy: request.startedBy,
    source: "import",
    workspace: { path: printable(text(file.path), LIMITS.pathChars), root: printable(text(world.root), LIMITS.pathChars) },
    role: request.role,
    policy: { digest: policy.digest, sources: policy.sources.map((source) => source.name), profile: request.profile },
    image: { reference: "none", id: "" },
    engine: { name: "none", version: "", runtime: "nothing was run" },
    controls: [NOT_WITNESSED],
    imported: { format: trajectory.format, version: orNull(trajectory.version), file: printable(text(file.path), LIMITS.pathChars), digest: file.digest, bytes: file.bytes, session: orNull(trajectory.session), containment: world.containment, home: text(world.home) },
  };
}

/** Reasons and places hold words of the file. */
function redactedTally(tally: ImportTally, { redactor }: ImportDeps): ImportTally {
  const texts = (list: ImportTally["skipped"]): ImportTally["skipped"] => list.map(({ reason, count, places }) => ({ reason: redactor.text(reason), count, places: places.map((place) => redactor.text(place)) }));
  return { ...tally, skipped: texts(tally.skipped), parts: texts(tally.parts) };
}

interface CallParts {
  readonly recorder: Recorder;
  readonly world: ReplayWorld;
  readonly call: ImportedCall;
  /** From 1. */
  readonly number: number;
  readonly place: ShellPlace;
  readonly history: HistoryState;
}

interface RecordedCall {
  readonly drafts: readonly EventDraft[];
  readonly effect: DecisionEffect | "thought";
  readonly after: ShellPlace;
}

/** The records of one call: received, decided, what the file claims came of it, closed. */
async function recordCall({ recorder, world, call, number, place, history }: CallParts): Promise<RecordedCall> {
  const id: CallId = `call_${String(number).padStart(4, "0")}`;
  const asked: ToolCall = { id: call.id, role: recorder.options.role, tool: call.tool, arguments: call.arguments };
  const tooBig = overLimit(asked);
  const kept: ToolCall = tooBig === null ? asked : { ...asked, tool: printable(call.tool), arguments: {} };
  const judged = judgeAgain(kept, place, world, history.history);
  const received = await receivedEvent(recorder, id, kept);
  const claimed = claimOf(recorder, call, judged?.cwd ?? place.cwd);
  const drafts: EventDraft[] = [received.type === "call.received" ? { ...received, data: { ...received.data, claimed } } : received];
  if (judged !== null) {
    const decision: Decision = tooBig === null ? judged.decision : { ...judged.decision, guidance: tooBig };
    const { effects: _effects, ...bound } = judged.action;
    const { action } = judged;
    const about = { kind: action.kind, summary: recorder.deps.redactor.text(describeAction(action)), cwd: action.kind === "command" ? recorder.deps.redactor.text(judged.cwd) : null, effects: action.effects.length };
    drafts.push(decisionEvent(recorder, id, decision, { action: about, actionDigest: recorder.deps.keyedDigest(JSON.stringify({ action: bound, cwd: judged.cwd, carried: [...place.carried] })) }));
  }
  if (call.result !== null) drafts.push(await resultEvent(recorder, id, call.result));
  drafts.push(closedEvent(id, "imported", { exitCode: call.result?.exitCode ?? null }));
  return { drafts, effect: judged?.decision.effect ?? "thought", after: judged?.after ?? place };
}

function claimOf({ deps }: Recorder, call: ImportedCall, cwd: string): EventData["call.received"]["claimed"] & {} {
  const whole = (text: string): string => deps.redactor.text(text.replace(/\p{Surrogate}/gu, "\ufffd"));
  const thought = call.thought === null ? null : whole(call.thought);
  const cut = thought !== null && thought.length > LIMITS.importThoughtChars ? `${thought.slice(0, LIMITS.importThoughtChars).replace(/[\ud800-\udbff]$/u, "")}…` : thought;
  return { place: printable(whole(call.place)), time: call.time === null ? null : whole(call.time), thought: cut, cwd: printable(whole(cwd), LIMITS.pathChars), sidechain: call.sidechain };
}

/** Some thirty years: no call took longer, and a file may say any number. */
const MOST_MS = 1e12;

/** What the file claims came of a call, with the output kept like one of our own: whole up to the limit, the rest counted. */
async function resultEvent({ deps, ledger }: Recorder, id: CallId, result: NonNullable<ImportedCall["result"]>): Promise<EventDraft> {
  const bytes = new TextEncoder().encode(result.output);
  const kept = bytes.subarray(0, LIMITS.outputBytes);
  const output = await recordOutput(kept, bytes.byteLength - kept.byteLength, deps.redactor, (blob) => ledger.putBlob(blob));
  const { durationMs: told } = result;
  const durationMs = told !== null && told >= 0 && told <= MOST_MS ? Math.round(told * 1000) / 1000 : null;
  return { call: id, type: "execution.imported", data: { ran: result.ran, exitCode: result.exitCode, failed: result.failed, durationMs, output } };
}
