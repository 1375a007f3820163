// Builders of the few events that the live score reads. Fixed ids and times, so that whole values can be compared.

import type { AuditEvent, EventData, EventDraft } from "../../../src/core/session/event.js";
import type { Reason, RuleRisk } from "../../../src/core/policy/decision.js";
import type { Finding } from "../../../src/core/reconcile/change.js";

export const DIGEST = `sha256:${"0".repeat(64)}` as const;
export const ALL_CONTROLS = ["caps-empty", "no-new-privs", "seccomp", "rootfs-read-only", "no-network", "guard-unreachable", "processes-limited", "memory-limited", "disk-limited", "workspace-copy"];

export function controls(ids: readonly string[], state: "attested" | "configured" | "missing" = "attested"): EventData["session.opened"]["controls"] {
  return ids.map((id) => ({ id, state, detail: "" }));
}

export function opened(ids: readonly string[] = ALL_CONTROLS): EventDraft {
  return {
    call: null,
    type: "session.opened",
    data: {
      product: "ringfence 0",
      agent: { name: "kimi-dev", model: null, endpoint: null, version: null, sampling: null },
      startedBy: "test",
      source: "run",
      workspace: { path: "/w", root: "/workspace" },
      role: null,
      policy: { digest: DIGEST, sources: [], profile: "kimi-dev" },
      image: { reference: "x", id: "y" },
      engine: { name: "docker", version: "27", runtime: "runc" },
      controls: controls(ids),
    },
  };
}

export function risk(severity: RuleRisk["severity"], factors: RuleRisk["factors"] = {}, cvss: string | null = null): RuleRisk {
  return { severity, cvss, factors };
}

export function reason(rule: string, asserted: RuleRisk | null, effect: Reason["effect"] = "deny"): Reason {
  return { rule, effect, layer: "L7", threats: ["asi-2026:ASI02"], message: "m", allowed: null, subject: "s", at: null, risk: asserted };
}

export function decision(effect: Reason["effect"], reasons: readonly Reason[], call = 1): EventDraft {
  return {
    call: `call_${call}`,
    type: "decision.made",
    data: { action: { kind: "shell", summary: "s", cwd: null, effects: 1 }, actionDigest: DIGEST, effect, reasons, obligations: [], guidance: null, policyDigest: DIGEST },
  };
}

export function denied(rule: string, asserted: RuleRisk | null): EventDraft {
  return decision("deny", [reason(rule, asserted)]);
}

/** A call that ran because a container holds it, with what was noted of it. */
export function noted(reasons: readonly Reason[], call = 1): EventDraft {
  const allowed = decision("allow", [reason("kimi-dev.exec", null, "allow")], call);
  return allowed.type === "decision.made" ? { ...allowed, data: { ...allowed.data, noted: reasons } } : allowed;
}

export function answered(outcome: EventData["approval.resolved"]["outcome"], call = 1): EventDraft {
  return { call: `call_${call}`, type: "approval.resolved", data: { actionDigest: DIGEST, outcome, by: "someone", detail: null } };
}

export function reconciled(findings: readonly Pick<Finding, "rule" | "reverted" | "risk">[]): EventDraft {
  return {
    call: "call_1",
    type: "reconciliation.done",
    data: { changes: [], hints: 0, findings: findings.map((finding) => ({ layer: "L7" as const, threats: [], message: "m", path: "p", operation: "create" as const, ...finding })) },
  };
}

export function finished(changes: Partial<EventData["execution.finished"]> = {}): EventDraft {
  const empty = { bytes: 0, dropped: 0, head: "", blob: null };
  return { call: "call_1", type: "execution.finished", data: { exitCode: 0, signal: null, ended: "exit", detail: null, durationMs: 1, stdout: empty, stderr: empty, killed: 0, quiescent: true, ...changes } };
}

export function closed(outcome: EventData["call.closed"]["outcome"]): EventDraft {
  return { call: "call_1", type: "call.closed", data: { outcome, exitCode: 0, observationDigest: null } };
}

export const DISCARDED: EventDraft = { call: null, type: "session.discarded", data: { reason: "r" } };

/** Drafts as they stand in a log, numbered from 0. */
export function log(drafts: readonly EventDraft[]): readonly AuditEvent[] {
  return drafts.map((draft, seq) => ({ ...draft, v: 1, seq, time: "2026-01-01T00:00:00.000Z", session: "ses_test" }));
}
