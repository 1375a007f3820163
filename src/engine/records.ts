// The records of one call, as drafts: what was received, what was decided, what was really changed. Secrets are taken out here.

import type { ToolCall } from "../core/action/action.js";
import type { Decision } from "../core/policy/decision.js";
import type { Change, Finding } from "../core/reconcile/change.js";
import type { EventData, EventDraft } from "../core/session/event.js";
import { GuardError, LIMITS, printable, type CallId, type Digest, type JsonObject } from "../core/shared/index.js";
import type { EngineDeps } from "./deps.js";
import type { SessionOptions } from "./live.js";
import type { Ledger } from "../ports/ledger.js";

/** What making records takes: of a session that runs, or of one that is imported. */
export interface Recorder {
  readonly deps: Pick<EngineDeps, "redactor" | "keyedDigest" | "hasher">;
  readonly options: Pick<SessionOptions, "role">;
  readonly ledger: Pick<Ledger, "putBlob">;
}

const ROLE_CHARS = 64;
const BY_CHARS = 100;
const MARK_CHARS = 5_000;

/** A call as received. Arguments too long for a record go into the blob store, with secrets taken out as well. */
export async function receivedEvent(live: Recorder, id: CallId, call: ToolCall, by?: string): Promise<EventDraft> {
  const { redactor, keyedDigest } = live.deps;
  const kept = redactor.json(call.arguments) as JsonObject;
  const bytes = new TextEncoder().encode(JSON.stringify(kept));
  const role = call.role ?? live.options.role;
  const place = bytes.byteLength <= LIMITS.recordArgumentBytes ? { arguments: kept } : { arguments: {}, argumentsBlob: await keepBlob(live, bytes) };
  return {
    call: id,
    type: "call.received",
    data: {
      label: printable(redactor.text(call.id)),
      ...(by === undefined ? {} : { by: printable(by, BY_CHARS) }),
      role: role === null ? null : printable(role, ROLE_CHARS),
      tool: printable(redactor.text(call.tool)),
      ...place,
      argumentsDigest: keyedDigest(JSON.stringify(call.arguments)),
    },
  };
}

/** Stores redacted bytes and gives their digest; a store that names them otherwise has not kept them. */
export async function keepBlob(live: Recorder, bytes: Uint8Array): Promise<Digest> {
  const digest = await live.ledger.putBlob(bytes);
  if (digest !== live.deps.hasher(bytes)) throw new GuardError("LEDGER_APPEND_FAILED", "a blob was not kept as it is");
  return digest;
}

/** What policy said of a call. */
export function decisionEvent(
  live: Recorder,
  id: CallId,
  decision: Decision,
  about: { readonly action: EventData["decision.made"]["action"]; readonly actionDigest: Digest },
): EventDraft {
  const redacted = (reason: Decision["reasons"][number]): Decision["reasons"][number] => ({ ...reason, subject: live.deps.redactor.text(reason.subject) });
  const reasons = decision.reasons.map(redacted);
  const shadow = decision.shadow === undefined ? {} : { shadow: decision.shadow.map(redacted) };
  const noted = decision.noted === undefined ? {} : { noted: decision.noted.map(redacted) };
  const marks = decision.marks === undefined ? {} : { marks: decision.marks.map((mark) => printable(live.deps.redactor.text(mark), MARK_CHARS)) };
  const { effect, obligations, guidance, policyDigest } = decision;
  return { call: id, type: "decision.made", data: { ...about, effect, reasons, obligations, guidance, policyDigest, ...shadow, ...noted, ...marks } };
}

/** The end of a call. */
export function closedEvent(id: CallId, outcome: EventData["call.closed"]["outcome"], rest: Partial<EventData["call.closed"]> = {}): EventDraft {
  return { call: id, type: "call.closed", data: { exitCode: null, observationDigest: null, ...rest, outcome } };
}

/** What a call changed: one record, or several where one would be too long. Together they are the whole. */
export function changeEvents(id: CallId, changes: readonly Change[], findings: readonly Finding[], hints: number): readonly EventDraft[] {
  const changeParts = portions(changes);
  const findingParts = portions(findings);
  const drafts: EventDraft[] = [];
  for (let part = 0; part < Math.max(1, changeParts.length, findingParts.length); part += 1) {
    const data = { changes: changeParts[part] ?? [], findings: findingParts[part] ?? [], hints: part === 0 ? hints : 0 };
    drafts.push({ call: id, type: "reconciliation.done", data });
  }
  return drafts;
}

/** A list cut into pieces of at most `LIMITS.recordChangeBytes` each; a single longer item is a piece of its own. */
function portions<T>(items: readonly T[]): readonly (readonly T[])[] {
  const parts: T[][] = [];
  let room = 0;
  for (const item of items) {
    // A UTF-16 unit is at most three bytes.
    const size = JSON.stringify(item).length * 3;
    const last = parts.at(-1);
    if (last === undefined || size > room) {
      parts.push([item]);
      room = LIMITS.recordChangeBytes - size;
    } else {
      last.push(item);
      room -= size;
    }
  }
  return parts;
}
