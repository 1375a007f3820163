// Events of made-up sessions: whole ones in order, and arbitrary ones in none.

import * as fc from "fast-check";
import type { Change, Entry, Finding } from "../../../src/core/reconcile/change.js";
import { changeBetween } from "../../../src/core/reconcile/entries.js";
import type { AuditEvent, EventData, EventDraft } from "../../../src/core/session/index.js";
import type { CallId, Digest } from "../../../src/core/shared/index.js";

const digest = (text: string): Digest => `sha256:${text.padStart(64, "0")}`;

export const OPENED: EventData["session.opened"] = {
  product: "ringfence 0",
  agent: { name: null, model: null, endpoint: null, version: null, sampling: null },
  startedBy: "tester",
  source: "library",
  workspace: { path: "/w", root: "/workspace" },
  role: null,
  policy: { digest: digest("a"), sources: [], profile: null },
  image: { reference: "i", id: digest("b") },
  engine: { name: "memory", version: "1", runtime: "none" },
  controls: [],
};

/** Gives drafts their places. */
export function placed(drafts: readonly EventDraft[]): readonly AuditEvent[] {
  return drafts.map((draft, seq) => ({ ...draft, v: 1, seq, time: new Date(Date.UTC(2026, 0, 1) + seq).toISOString(), session: "ses_made01" }));
}

export const opening: EventDraft = { call: null, type: "session.opened", data: OPENED };

export function received(call: CallId): EventDraft {
  return { call, type: "call.received", data: { label: `label of ${call}`, role: "bugfixer", tool: "bash", arguments: { command: "ls" }, argumentsDigest: digest("c") } };
}

export function decided(call: CallId, effect: "allow" | "ask" | "deny" = "allow"): EventDraft {
  return {
    call,
    type: "decision.made",
    data: { action: { kind: "command", summary: `summary of ${call}`, cwd: "/workspace", effects: 1 }, actionDigest: digest("d"), effect, reasons: [], obligations: [], guidance: null, policyDigest: digest("a") },
  };
}

export function started(call: CallId): EventDraft {
  return { call, type: "execution.started", data: { kind: "command", cwd: "/workspace", environment: [], timeoutMs: 1 } };
}

export function finished(call: CallId, exitCode = 0): EventDraft {
  const none = { bytes: 0, dropped: 0, head: "", blob: null };
  return { call, type: "execution.finished", data: { exitCode, signal: null, ended: "exit", detail: null, durationMs: 1, stdout: none, stderr: none, killed: 0, quiescent: true } };
}

export function reconciled(call: CallId, changes: readonly Change[], findings: readonly Finding[] = []): EventDraft {
  return { call, type: "reconciliation.done", data: { changes, findings, hints: 0 } };
}

export function closedCall(call: CallId, outcome: EventData["call.closed"]["outcome"]): EventDraft {
  return { call, type: "call.closed", data: { outcome, exitCode: null, observationDigest: null } };
}

export function finding(path: string, reverted: boolean): Finding {
  return { rule: "t.rule", layer: null, threats: [], message: "no", path, operation: "modify", reverted, risk: null };
}

export function fileEntry(content: string, mode = 0o644): Entry {
  return { kind: "file", mode, bytes: content.length, digest: digest(Buffer.from(content).toString("hex")), target: null };
}

const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.tuple(fc.constantFrom("a", "bb", "ccc"), fc.constantFrom(0o644, 0o755)).map(([content, mode]) => fileEntry(content, mode)),
  fc.constant<Entry>({ kind: "directory", mode: 0o755, bytes: 0, digest: null, target: null }),
  fc.constantFrom("x", "y").map((target): Entry => ({ kind: "symlink", mode: 0o777, bytes: 1, digest: digest(target === "x" ? "e" : "f"), target })),
);

const PATHS = ["a", "b", "c/d"] as const;

/** Trees as a sequence of calls leaves them, the user's own first. */
export const trees: fc.Arbitrary<readonly ReadonlyMap<string, Entry>[]> = fc.array(
  fc.tuple(...PATHS.map((path) => fc.tuple(fc.constant(path), fc.option(entry)))).map((pairs) => new Map(pairs.flatMap(([path, one]) => (one === null ? [] : [[path, one] as const])))),
  { minLength: 1, maxLength: 8 },
);

/** The differences between two trees, sorted by path. */
export function differences(before: ReadonlyMap<string, Entry>, after: ReadonlyMap<string, Entry>): readonly Change[] {
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((path) => changeBetween(path, before.get(path) ?? null, after.get(path) ?? null) ?? []);
}

const callId = fc.constantFrom<CallId>("call_0001", "call_0002", "call_0003");

/** Any event, in no sensible order. */
export const anyDraft: fc.Arbitrary<EventDraft> = fc.oneof(
  callId.map(received),
  callId.map((call) => decided(call)),
  callId.map(started),
  callId.map((call) => finished(call)),
  fc.tuple(callId, trees).map(([call, [tree]]) => reconciled(call, differences(new Map(), tree ?? new Map()))),
  fc.tuple(callId, fc.constantFrom("completed", "denied", "in-doubt", "failed", "cancelled", "reverted", "rejected" as const)).map(([call, outcome]) => closedCall(call, outcome)),
  callId.map((call): EventDraft => ({ call, type: "approval.requested", data: { actionDigest: digest("1"), policyDigest: digest("a"), summary: "s", rules: [] } })),
  callId.map((call): EventDraft => ({ call, type: "approval.resolved", data: { actionDigest: digest("1"), outcome: "approved", by: "me", detail: null } })),
  fc.constant<EventDraft>({ call: null, type: "session.tightened", data: { reason: "r", effect: "ask" } }),
  fc.array(fc.constantFrom(...PATHS), { maxLength: 2 }).map((paths): EventDraft => ({ call: null, type: "session.applied", data: { paths } })),
  fc.option(callId).map((to): EventDraft => ({ call: null, type: "session.undone", data: { to, paths: 1 } })),
  fc.constant<EventDraft>({ call: null, type: "session.discarded", data: { reason: "r" } }),
  fc.constant<EventDraft>({ call: null, type: "session.closed", data: { reason: "finished", detail: null, calls: 1 } }),
  fc.constant(opening),
);
