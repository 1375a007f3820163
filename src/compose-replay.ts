// Composition of replay: records read and verified, judged again or shown. Needs no engine; nothing is run.

import { sha256 } from "./adapters/system/hasher.js";
import { packageFile } from "./adapters/system/package-root.js";
import { writePage } from "./adapters/files/write-page.js";
import { loadPolicy } from "./compose-policy.js";
import { resolveSession } from "./compose-review.js";
import { stepFiles } from "./compose-step-files.js";
import { openStore, type Stored } from "./compose-store.js";
import { DEFAULTS } from "./config/defaults.js";
import { productVersion } from "./config/product.js";
import { exportSession, needsTexts, otelRequests, type ExportFormat } from "./core/export/index.js";
import type { PolicySet } from "./core/policy/index.js";
import { createSummariser, redecide, sessionPage, stepOf, timelineOf, type Redecided, type RedecideSummary, type ScoreAt, type Step, type StepFiles, type StepTexts, type Timeline, type TimelineHead } from "./core/replay/index.js";
import { GuardError, isSessionId, type Digest, type JsonObject, type SessionId } from "./core/shared/index.js";
import type { AuditEvent } from "./core/session/index.js";
import { containmentOf } from "./engine/containment.js";

export interface RedecideRequest {
  /** Ids, beginnings of ids, `last`; empty with `all`. */
  readonly sessions: readonly string[];
  readonly all: boolean;
  readonly policies: readonly string[];
  /** Judge with these in place of what was recorded. */
  readonly baseline: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly onSession?: (session: SessionId, calls: readonly Redecided[]) => void;
}

export interface RedecideAnswer {
  readonly summary: RedecideSummary;
  readonly policy: Pick<PolicySet, "digest">;
  readonly baseline: Pick<PolicySet, "digest"> | null;
  /** Sessions whose record cannot be trusted or read, with the reason; they are in no count. */
  readonly left: readonly { readonly session: string; readonly reason: string }[];
}

/** Judges recorded sessions under other policies. A record that does not verify is left out by name; one alone rejects. */
export async function redecideSessions(request: RedecideRequest): Promise<RedecideAnswer> {
  const policy = await loadPolicy(request.policies, request.env);
  const baseline = request.baseline.length === 0 ? null : await loadPolicy(request.baseline, request.env);
  const stored = await openStore(request.env);
  try {
    const ids = request.all ? (await stored.store.list()).map(({ id }) => id) : await resolveAll(stored, request.sessions);
    const summariser = createSummariser();
    const left: { session: string; reason: string }[] = [];
    for (const id of ids) {
      try {
        const calls = await redecideOne(stored, id, policy, baseline);
        summariser.add(calls);
        request.onSession?.(id, calls);
      } catch (error) {
        if (!(error instanceof GuardError) || ids.length === 1) throw error;
        left.push({ session: id, reason: error.message });
      }
    }
    return { summary: summariser.result(), policy, baseline, left };
  } finally {
    await stored.close();
  }
}

async function resolveAll(stored: Stored, wanted: readonly string[]): Promise<readonly SessionId[]> {
  const ids = new Set<SessionId>();
  for (const one of wanted) ids.add(await resolveSession(stored.store, one));
  return [...ids];
}

async function redecideOne(stored: Stored, id: SessionId, policy: PolicySet, baseline: PolicySet | null): Promise<readonly Redecided[]> {
  const events = await stored.store.read(id);
  const blobs = await argumentBlobs(stored, id, events);
  return redecide(events, { policy, baseline, home: DEFAULTS.home, containmentOf: (opened) => containmentOf(opened.controls), argumentsOf: ({ argumentsBlob }) => (argumentsBlob === undefined ? null : (blobs.get(argumentsBlob) ?? null)) });
}

/** Arguments that were too long for the record, as far as they are still there. */
export async function argumentBlobs(stored: Stored, id: SessionId, events: readonly AuditEvent[]): Promise<ReadonlyMap<Digest, JsonObject>> {
  const found = new Map<Digest, JsonObject>();
  for (const event of events) {
    const digest = event.type === "call.received" ? event.data.argumentsBlob : undefined;
    if (digest === undefined || found.has(digest)) continue;
    const values = await argumentsText(stored, id, digest);
    if (values !== null) found.set(digest, values);
  }
  return found;
}

async function blobText(stored: Stored, id: SessionId, digest: Digest): Promise<string> {
  return new TextDecoder().decode(await stored.store.readBlob(id, digest));
}

/** Most characters shown of one output, and of all outputs of one page. */
const SHOWN_OUTPUT = 20_000;
const SHOWN_TOTAL = 64_000_000;
/** Most steps of one page whose changed files are shown. */
const SHOWN_STEPS = 300;

/** A recorded session as steps, with the texts of a step on demand. */
export interface ReplayView {
  readonly id: SessionId;
  readonly timeline: Timeline;
  textsOf(step: Step): Promise<StepTexts>;
  /** What a step changed, and how the workspace stood after it. */
  filesOf(step: Step): Promise<StepFiles>;
  close(): Promise<void>;
}

/** Opens a session for looking at. Its record is verified first. */
export async function openReplay(wanted: string, env: NodeJS.ProcessEnv): Promise<ReplayView> {
  const stored = await openStore(env);
  try {
    const id = await resolveSession(stored.store, wanted);
    const events = await stored.store.readAndIndex(id);
    const timeline = timelineOf(events);
    if (timeline === null) throw new GuardError("SESSION_NOT_FOUND", `session ${id} has no opening record`);
    return { id, timeline, textsOf: (step) => textsOf(stored, id, step), filesOf: stepFiles(stored.stateDir, id, events), close: () => stored.close() };
  } catch (error) {
    await stored.close();
    throw error;
  }
}

/** One step of a session, read without the others. */
export interface OpenedStep {
  readonly head: TimelineHead;
  readonly step: Step;
  readonly texts: StepTexts;
}

/**
 * Opens one step, from 1, by the signed index beside the record: only what is shown is read, each record held against the index, and the
 * index against the signed head. Null where that gives no answer; then `openReplay` reads and verifies all of it.
 */
export async function openStep(wanted: string, number: number, env: NodeJS.ProcessEnv): Promise<OpenedStep | null> {
  const stored = await openStore(env);
  try {
    const id = isSessionId(wanted) ? wanted : await resolveSession(stored.store, wanted);
    const found = await stored.store.readStep(id, number);
    const score = (event: AuditEvent | null): ScoreAt | null => (event?.type === "risk.updated" ? { score: event.data.score, band: event.data.band } : null);
    if (found?.opened.type !== "session.opened") return null;
    const live = score(found.last);
    const step = stepOf(found.opened, found.records, { number, before: score(found.before), after: score(found.after) });
    if (live === null || step === null) return null;
    const account = found.account?.type === "import.finished" ? found.account.data : null;
    return { head: { id, opened: found.opened.data, account, verdicts: found.verdicts, live }, step, texts: await textsOf(stored, id, step) };
  } finally {
    await stored.close();
  }
}

async function textsOf(stored: Stored, id: SessionId, { call, argumentsBlob }: Step): Promise<StepTexts> {
  const streams = call.claimed?.result === undefined || call.claimed.result === null ? (call.execution === null ? [] : [call.execution.stdout, call.execution.stderr]) : [call.claimed.result.output];
  const texts: string[] = [];
  for (const { blob, head } of streams) texts.push(blob === null ? head : await blobText(stored, id, blob).catch(() => head));
  const whole = texts.join("");
  const output = whole.length > SHOWN_OUTPUT ? whole.slice(0, SHOWN_OUTPUT).replace(/[\ud800-\udbff]$/u, "") : whole;
  return { arguments: argumentsBlob === null ? null : await argumentsText(stored, id, argumentsBlob), output, cut: whole.length - output.length };
}

async function argumentsText(stored: Stored, id: SessionId, digest: Digest): Promise<JsonObject | null> {
  const parsed = await blobText(stored, id, digest).then((text) => JSON.parse(text) as unknown, () => null);
  return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? (parsed as JsonObject) : null;
}

/** Texts of every step, as long as there is room for them. */
async function allTexts(view: ReplayView, withFiles = false): Promise<(step: Step) => StepTexts> {
  const texts = new Map<Step, StepTexts>();
  let left = SHOWN_TOTAL;
  let files = SHOWN_STEPS;
  for (const step of view.timeline.steps) {
    const one = await view.textsOf(step);
    if (withFiles && files > 0 && step.call.changes.length > 0) {
      files -= 1;
      texts.set(step, { ...one, files: await view.filesOf(step) });
    }
    const output = one.output.slice(0, Math.max(0, left));
    left -= output.length;
    texts.set(step, { ...texts.get(step), ...one, output, cut: one.cut + one.output.length - output.length });
  }
  return (step) => texts.get(step) ?? NO_TEXTS;
}

const NO_TEXTS: StepTexts = { arguments: null, output: "", cut: 0 };

/** Writes a session as one page. @returns bytes written */
export async function writeSessionPage(wanted: string, path: string, env: NodeJS.ProcessEnv): Promise<{ readonly session: SessionId; readonly bytes: number }> {
  const view = await openReplay(wanted, env);
  try {
    const page = sessionPage(view.timeline, { hash: sha256, product: `Ringfence ${installed()}`, textsOf: await allTexts(view, true) });
    return { session: view.id, bytes: writePage(path, page) };
  } finally {
    await view.close();
  }
}

function installed(): string {
  return productVersion(packageFile("package.json"));
}

/** A session in a form of others: the text, or where it was written. */
export async function exportStored(wanted: string, format: ExportFormat, path: string | null, env: NodeJS.ProcessEnv): Promise<{ readonly session: SessionId; readonly text: string | null; readonly bytes: number }> {
  const view = await openReplay(wanted, env);
  try {
    const textsOf = needsTexts(format) ? await allTexts(view) : () => NO_TEXTS;
    const text = exportSession(view.timeline, format, { hash: sha256, version: installed(), textsOf });
    return path === null ? { session: view.id, text, bytes: text.length } : { session: view.id, text: null, bytes: writePage(path, text) };
  } finally {
    await view.close();
  }
}

/** Most spans sent at once: some megabytes, which collectors take. */
const SPANS = 1_000;

export interface SentSpans {
  readonly session: SessionId;
  readonly spans: number;
  readonly requests: number;
}

/** Sends a session as spans to a collector. Throws EXPORT_FAILED when it was not taken, or not wholly. */
export async function sendSpans(wanted: string, address: string, env: NodeJS.ProcessEnv, options: { readonly signal: AbortSignal; readonly onAgain?: (why: string, pauseMs: number) => void }): Promise<SentSpans> {
  const { otlpTarget, sendOtlp } = await import("./adapters/otlp/send.js");
  const target = otlpTarget(address, env["OTEL_EXPORTER_OTLP_TRACES_HEADERS"] ?? env["OTEL_EXPORTER_OTLP_HEADERS"]);
  const view = await openReplay(wanted, env);
  try {
    const requests = otelRequests(view.timeline, { hash: sha256, version: installed() }, SPANS);
    for (const { body } of requests) await sendOtlp(target, body, options);
    return { session: view.id, spans: requests.reduce((sum, { spans }) => sum + spans, 0), requests: requests.length };
  } finally {
    await view.close();
  }
}
