// What comes back of a call: for the model as text, for a surface as a value.

import type { ToolCall } from "../core/action/action.js";
import { printable, type CallId } from "../core/shared/index.js";
import type { Decision } from "../core/policy/decision.js";
import type { Change, Finding } from "../core/reconcile/change.js";
import { heldText } from "../core/reconcile/index.js";
import type { EventData } from "../core/session/event.js";

export interface Observation {
  readonly call: CallId;
  readonly label: string;
  readonly summary: string;
  readonly outcome: EventData["call.closed"]["outcome"];
  readonly decision: Decision;
  readonly approval: EventData["approval.resolved"] | null;
  /** null when nothing ran or a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly ended: EventData["execution.finished"]["ended"] | null;
  readonly durationMs: number;
  /** Redacted text of each stream, cut in the middle past the limit. */
  readonly stdout: string;
  readonly stderr: string;
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
  /** What to tell the model, in one text. */
  readonly message: string;
}

/** The answer to a call that ran nothing. */
export function nothingRan(
  judged: { readonly id: CallId; readonly call: Pick<ToolCall, "id">; readonly summary: string; readonly decision: Decision },
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

/** The refusal as the model reads it: what was refused, by which rule, for which threat, and what would be allowed. */
export function refusalText(decision: Decision, approval: EventData["approval.resolved"] | null): string {
  const lead =
    approval === null
      ? "Refused by policy. Nothing was run."
      : `This needs a person's approval, and it was not given (${approval.outcome}). Nothing was run.`;
  const reasons = decision.reasons
    .filter((reason) => reason.effect === decision.effect)
    .slice(0, 8)
    .map((reason) => {
      const threats = reason.threats.length === 0 ? "" : ` [${reason.threats.join(", ")}]`;
      const allowed = reason.allowed === null ? "" : ` Allowed: ${reason.allowed}`;
      return `- ${reason.rule}${threats}: ${reason.message} (${printable(reason.subject)})${allowed}`;
    });
  const errors = decision.errors.slice(0, 3).map((issue) => `- ${issue.code}: ${issue.message}`);
  const guidance = decision.guidance === null ? [] : [decision.guidance];
  return [lead, ...reasons, ...errors, ...guidance].join("\n");
}

/** Lines about changes that were undone and attempts that were held. */
export function findingText(findings: readonly Finding[]): string {
  return findings
    .slice(0, 20)
    .map((finding) => {
      const threats = finding.threats.length === 0 ? "" : ` [${finding.threats.join(", ")}]`;
      if (finding.held !== undefined) return `${heldText({ ...finding, held: finding.held })}: ${finding.rule}${threats}: ${finding.message}`;
      if (finding.path === "") return `${finding.rule}${threats}: ${finding.message}${finding.reverted && finding.about === undefined ? "; the changes of this call were undone" : ""}`;
      const fate = finding.reverted ? "was undone" : "could not be undone";
      return `The ${finding.operation} of ${printable(finding.path)} ${fate}: ${finding.rule}${threats}: ${finding.message}`;
    })
    .join("\n");
}
