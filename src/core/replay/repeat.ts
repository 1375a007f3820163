// A record as work to be done again: its calls in order, how each was made, and which of them cannot be made a second time. Pure.

import type { ToolCall } from "../action/index.js";
import type { AuditEvent } from "../session/index.js";
import type { CallId, JsonObject, Role } from "../shared/index.js";

type Received = Extract<AuditEvent, { type: "call.received" }>;

/** One thing that a session did, in the order of its record. */
export type Repeat =
  | { readonly what: "call"; readonly id: CallId; readonly summary: string; readonly call: Omit<ToolCall, "arguments">; readonly received: Received["data"] }
  /** Tests that the program around the agent ran, in a sandbox of their own. */
  | { readonly what: "harness"; readonly id: CallId; readonly summary: string; readonly label: string; readonly command: string; readonly editsOf: readonly Role[] | null }
  /** An answer that no call could be read from. */
  | { readonly what: "refusal"; readonly id: CallId; readonly summary: string; readonly label: string; readonly role: Role | null; readonly format: string; readonly code: string; readonly message: string; readonly hint: string | null; readonly escape: boolean }
  /** The workspace was taken back to how it was after a call, or before the first. */
  | { readonly what: "undo"; readonly to: CallId | null }
  /** A call that cannot be made again, and why. */
  | { readonly what: "unrepeatable"; readonly id: CallId; readonly summary: string; readonly why: string };

const REDACTED = "[redacted:";

/** What a session did up to its end, in order. `argumentsOf` gives arguments that are not in the record itself; null where they are not to be had. */
export function repeatOf(events: readonly AuditEvent[], argumentsOf: (received: Received["data"]) => JsonObject | null): readonly Repeat[] {
  const ends = new Map<CallId, { summary: string; kind: string; rules: readonly string[]; hint: string | null; outcome: string | null; ended: string | null }>();
  for (const event of events) {
    if (event.call === null) continue;
    const known = ends.get(event.call) ?? { summary: "", kind: "", rules: [], hint: null, outcome: null, ended: null };
    if (event.type === "decision.made") {
      const { action, reasons } = event.data;
      ends.set(event.call, { ...known, summary: action.summary, kind: action.kind, rules: reasons.map(({ rule }) => rule), hint: reasons[0]?.allowed ?? null });
    } else if (event.type === "execution.finished") ends.set(event.call, { ...known, ended: event.data.ended });
    else if (event.type === "call.closed") ends.set(event.call, { ...known, outcome: event.data.outcome });
    else ends.set(event.call, known);
  }
  const out: Repeat[] = [];
  for (const event of events) {
    if (event.type === "session.closed") break;
    if (event.type === "session.undone") out.push({ what: "undo", to: event.data.to });
    if (event.type !== "call.received" || event.call === null) continue;
    const { data, call: id } = event;
    const end = ends.get(id);
    const summary = end?.summary ?? "";
    const values = data.argumentsBlob === undefined ? data.arguments : argumentsOf(data);
    const why = end === undefined || values === null ? "its arguments are not on record" : whyNot(end, values);
    if (why !== null || values === null) out.push({ what: "unrepeatable", id, summary, why: why ?? "" });
    else if (end?.rules.some((rule) => rule.startsWith("format.")) === true) out.push({ what: "refusal", id, summary, label: data.label, role: data.role, format: data.tool, code: text(values["error"]), message: text(values["message"]), hint: end.hint, escape: end.rules.includes("format.path-escape") });
    else if (data.tool === "harness" && end?.kind === "command") out.push({ what: "harness", id, summary, label: data.label, command: text(values["run"]), editsOf: rolesOf(values["edits"]) });
    else out.push({ what: "call", id, summary, call: { id: data.label, role: data.role, tool: data.tool }, received: { ...data, arguments: values } });
  }
  return out;
}

function whyNot({ outcome, ended }: { readonly outcome: string | null; readonly ended: string | null }, values: JsonObject): string | null {
  if (outcome === null || outcome === "in-doubt" || ended === "fault") return "how it ended is not on record";
  if (outcome === "cancelled" || ended === "cancelled") return "it was cancelled: how far it came cannot be told";
  return JSON.stringify(values).includes(REDACTED) ? "a secret was taken out of its arguments" : null;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function rolesOf(value: unknown): readonly Role[] | null {
  return Array.isArray(value) ? value.filter((role): role is Role => typeof role === "string") : null;
}
