// A recorded session made again, call by call, in a session that was opened for it, and each call held against its record.

import type { TestRun } from "../core/harness/index.js";
import { claimDivergence, claimsOf, divergenceOf, factsOf, repeatImported, repeatOf, stateDigest, type ClaimCompared, type CallFacts, type CallTexts, type Divergence, type Repeat } from "../core/replay/index.js";
import type { AuditEvent, EventData, OutputRecord } from "../core/session/index.js";
import type { ImportFormat } from "../core/import/index.js";
import { GuardError, LIMITS, printable, type CallId, type Digest, type Hasher, type JsonObject } from "../core/shared/index.js";
import type { Approver } from "../ports/approver.js";
import type { Session } from "./session.js";

/** One step, as it was and as it is. */
export interface RerunStep {
  /** From 1; 0 is what holds for all of them. */
  readonly number: number;
  readonly call: CallId | null;
  readonly summary: string;
  /** False: it could not be made again. */
  readonly ran: boolean;
  /** What it left changed, as one digest; null where it did not run. */
  readonly workspace: { readonly recorded: Digest; readonly rerun: Digest } | null;
  readonly divergence: Divergence | null;
  /** Of an imported session: what its file tells of the call, so that it could be held against it. Left out for every other. */
  readonly compared?: ClaimCompared["compared"];
}

/** Where one of the two sessions keeps what its record points at. */
export interface Kept {
  readBlob(digest: Digest): Promise<Uint8Array>;
  /** Content that a file had after a call; null where it was not kept. */
  content(digest: Digest): Promise<Uint8Array | null>;
}

export interface RerunOptions {
  readonly recorded: readonly AuditEvent[];
  /** Events of the session that is run, as they come to be. */
  readonly seen: readonly AuditEvent[];
  readonly session: Session;
  readonly kept: { readonly recorded: Kept; readonly rerun: Kept };
  readonly argumentsOf: (digest: Digest) => JsonObject | null;
  readonly hash: Hasher;
  /** Where the recorded session was imported: its format, and the folder it worked in. Its calls are then held against what the file claims. */
  readonly imported?: { readonly format: ImportFormat; readonly root: string };
  /** The last step to make. */
  readonly until: number;
  /** Go on after a step that differs. */
  readonly keepGoing: boolean;
  readonly signal: AbortSignal;
  readonly onStep: (step: RerunStep) => void;
}

/** Makes the calls until the end, the first that differs, `until`, or an abort. Rejects with GuardError for faults of ours or of the sandbox. */
export async function rerunCalls(options: RerunOptions): Promise<readonly RerunStep[]> {
  const { recorded, session, signal, imported } = options;
  const values = ({ argumentsBlob }: EventData["call.received"]): JsonObject | null => (argumentsBlob === undefined ? null : options.argumentsOf(argumentsBlob));
  const work = imported === undefined ? repeatOf(recorded, values) : repeatImported(recorded, imported.format, imported.root, values);
  const runs = new Map<string, TestRun>();
  const steps: RerunStep[] = [];
  let number = 0;
  for (const one of work) {
    if (signal.aborted || number >= options.until) break;
    if (one.what !== "undo") number += 1;
    const step = await stepOf(options, one, number, runs);
    if (signal.aborted) break;
    if (step === null) continue;
    steps.push(step);
    options.onStep(step);
    if (step.divergence !== null && !options.keepGoing) break;
    if (session.isBroken() || session.stopped() !== null) break;
  }
  return steps;
}

async function stepOf(options: RerunOptions, one: Repeat, number: number, runs: Map<string, TestRun>): Promise<RerunStep | null> {
  const { session } = options;
  if (one.what === "undo") return undo(session, one.to, number);
  const head = { number, call: one.id, summary: one.summary };
  if (one.what === "unrepeatable") return { ...head, ran: false, workspace: null, divergence: { kind: "unknown", why: one.why, recorded: null, rerun: null } };
  const before = options.seen.length;
  try {
    await make(options, one, runs);
  } catch (error) {
    const isStopped = session.stopped() !== null;
    if (!(error instanceof GuardError) || (!isStopped && error.code !== "USAGE_INVALID")) throw error;
    return { ...head, ran: false, workspace: null, divergence: { kind: "decision", why: printable(error.message, 300), recorded: null, rerun: null } };
  }
  // A call that could not be made again has no number in the re-run: from there on the two count differently.
  const again = options.seen.slice(before).find(({ type }) => type === "call.received")?.call ?? one.id;
  const facts = { recorded: factsOf(options.recorded, one.id), rerun: factsOf(options.seen, again) };
  if (options.imported !== undefined) {
    const claim = claimsOf(options.recorded).get(one.id) ?? null;
    const texts = await textsOf(options.kept.rerun, facts.rerun, facts.recorded);
    const { divergence, compared } = claimDivergence(facts.recorded, claim, claim === null || one.what !== "call" || !COMMANDS.has(one.call.tool) ? null : await outputOf(options.kept.recorded, claim.output), { format: options.imported.format, facts: facts.rerun, texts });
    return { ...head, ran: true, workspace: null, divergence, compared };
  }
  const texts = { recorded: await textsOf(options.kept.recorded, facts.recorded, facts.rerun), rerun: await textsOf(options.kept.rerun, facts.rerun, facts.recorded) };
  const divergence = divergenceOf({ facts: facts.recorded, texts: texts.recorded }, { facts: facts.rerun, texts: texts.rerun });
  return { ...head, ran: true, workspace: { recorded: stateDigest(facts.recorded.changes, options.hash), rerun: stateDigest(facts.rerun.changes, options.hash) }, divergence };
}

async function undo(session: Session, to: CallId | null, number: number): Promise<RerunStep | null> {
  try {
    await session.undo(to ?? "0");
    return null;
  } catch (error) {
    if (!(error instanceof GuardError) || session.isBroken()) throw error;
    return { number, call: null, summary: "the workspace was taken back", ran: false, workspace: null, divergence: { kind: "workspace", why: printable(error.message, 300), recorded: null, rerun: null } };
  }
}

async function make({ session, signal }: RerunOptions, one: Exclude<Repeat, { what: "undo" | "unrepeatable" }>, runs: Map<string, TestRun>): Promise<void> {
  if (one.what === "call") await session.call({ ...one.call, arguments: one.received.arguments }, {}, signal);
  else if (one.what === "refusal") await session.refuse({ label: one.label, role: one.role, format: one.format, issue: { code: one.code, message: one.message, ...(one.hint === null ? {} : { hint: one.hint }) }, reply: "", escape: one.escape });
  else {
    const isBase = one.editsOf?.length === 0;
    const { run } = await session.harness({ label: one.label, command: one.command, editsOf: one.editsOf, before: isBase || one.editsOf !== null ? null : (runs.get(one.command) ?? null) }, {}, signal);
    if (isBase && !runs.has(one.command)) runs.set(one.command, run);
  }
}

/** Tools of our own whose output is that of a program. */
const COMMANDS: ReadonlySet<string> = new Set(["bash", "exec"]);

const CONTENT_BYTES = 1024 * 1024;
const STRICT = new TextDecoder("utf-8", { fatal: true });

/** Outputs in full, and the contents of files that the other run left otherwise. */
async function textsOf(kept: Kept, facts: CallFacts, other: CallFacts): Promise<CallTexts> {
  const left = new Set(other.changes.flatMap(({ after }) => (after?.digest === null || after?.digest === undefined ? [] : [after.digest])));
  const contents = new Map<Digest, string>();
  for (const { after } of facts.changes.slice(0, LIMITS.contentFiles)) {
    if (after?.kind !== "file" || after.digest === null || left.has(after.digest) || after.bytes > CONTENT_BYTES) continue;
    const content = await kept.content(after.digest);
    const text = content === null || content.length > CONTENT_BYTES ? null : decode(content);
    if (text !== null) contents.set(after.digest, text);
  }
  return { stdout: await outputOf(kept, facts.execution?.stdout), stderr: await outputOf(kept, facts.execution?.stderr), contentOf: (digest) => contents.get(digest) ?? null };
}

async function outputOf(kept: Kept, output: OutputRecord | undefined): Promise<string> {
  if (output === undefined) return "";
  return output.blob === null ? output.head : new TextDecoder().decode(await kept.readBlob(output.blob));
}

function decode(bytes: Uint8Array): string | null {
  try {
    return STRICT.decode(bytes);
  } catch {
    return null;
  }
}

/**
 * Answers as was answered then, to the very same question: the digest of the action binds the answer to what would run. A question that
 * nobody was asked then is rejected.
 */
export function recordedApprover(recorded: readonly AuditEvent[]): Approver {
  const answers = new Map<Digest | "session", Pick<EventData["approval.resolved"], "outcome" | "by">[]>();
  for (const event of recorded) {
    if (event.type !== "approval.resolved") continue;
    const { actionDigest, outcome, by } = event.data;
    // A pause is bound to its own session; the n-th answer is to the n-th.
    const key = event.call === null ? "session" : actionDigest;
    answers.set(key, [...(answers.get(key) ?? []), { outcome, by }]);
  }
  return {
    request: async ({ actionDigest, tool }) => {
      const answer = answers.get(actionDigest)?.shift() ?? (tool === "session" ? answers.get("session")?.shift() : undefined);
      if (answer === undefined) return { outcome: "rejected", by: "replay", detail: "nobody was asked this when it was recorded", actionDigest };
      return { outcome: answer.outcome, by: "replay", detail: `as ${printable(answer.by, 60)} answered when it was recorded`, actionDigest };
    },
  };
}
