// Composition of replay: records read, verified and shown. Needs no engine; nothing is run.

import { sha256 } from "./adapters/system/hasher.js";
import { packageFile } from "./adapters/system/package-root.js";
import { writePage } from "./adapters/files/write-page.js";
import { argumentsText, blobText } from "./compose-arguments.js";
import { isBundleName, openRecord } from "./compose-bundle-open.js";
import { resolveSession } from "./compose-review.js";
import { stepFiles } from "./compose-step-files.js";
import { openStore, type Stored } from "./compose-store.js";
import { productVersion } from "./config/product.js";
import { exportSession, needsTexts, otelRequests, type ExportFormat } from "./core/export/index.js";
import { sessionPage, stepOf, timelineOf, type ScoreAt, type Step, type StepFiles, type StepTexts, type Timeline, type TimelineHead } from "./core/replay/index.js";
import { GuardError, isSessionId, type SessionId } from "./core/shared/index.js";
import type { AuditEvent } from "./core/session/index.js";

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
  const { stored, id } = await openRecord(wanted, env);
  try {
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
  if (isBundleName(wanted)) return null;
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
