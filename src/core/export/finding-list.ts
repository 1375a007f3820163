// What an export reports of a session: each rule that refused, asked or found something in a call, once a call and rule.

import { heldText } from "../reconcile/index.js";
import { verdictOf, type Step, type Timeline } from "../replay/timeline.js";

export interface Reported {
  readonly step: Step;
  readonly rule: string;
  /** `error`: refused, or found and not undone; `warning`: asked, or undone, or a mere notice. */
  readonly level: "error" | "warning";
  readonly message: string;
  /** What the rule matched, or the path of a change. */
  readonly subject: string;
  readonly layer: string | null;
  readonly threats: readonly string[];
  /** Workspace-relative path, where it is about a file of the workspace; else null. */
  readonly path: string | null;
}

const FILE_SUBJECT = /^(?:read|write|create|delete|metadata|change) (\/.+)$/u;

/** Everything to report, in the order of the calls. */
export function reportedOf({ state, steps }: Timeline): readonly Reported[] {
  const { root } = state.opened.workspace;
  return steps.flatMap((step) => [...decided(step, root), ...found(step)]);
}

function decided(step: Step, root: string): readonly Reported[] {
  const verdict = verdictOf(step);
  if (verdict === "allow" || verdict === "thought" || step.decision === null) return [];
  const level = verdict === "deny" || step.call.approval?.outcome === "rejected" ? "error" : "warning";
  return step.decision.reasons
    .filter((reason) => reason.effect === verdict)
    .map(({ rule, message, subject, layer, threats }) => ({ step, rule, level, message, subject, layer, threats, path: within(FILE_SUBJECT.exec(subject)?.[1] ?? null, root) }));
}

function found(step: Step): readonly Reported[] {
  return step.call.findings.map((finding) => {
    const { rule, message, path, layer, threats, reverted, about, held } = finding;
    const fate = held !== undefined ? ` (${heldText({ ...finding, held })})` : about === undefined ? (reverted ? " (undone)" : " (not undone)") : "";
    // Of home and the temporary folders the whole path is given.
    const inWorkspace = (about === undefined || about === "attempt") && path !== "" && !path.startsWith("/");
    // Says something of the session that harms nothing.
    const isNotice = about === "session" && finding.risk === null && threats.length === 0;
    return { step, rule, level: reverted || isNotice ? "warning" : "error", message: `${message}${fate}`, subject: path, layer, threats, path: inWorkspace ? path : null };
  });
}

function within(path: string | null, root: string): string | null {
  return path === null || !path.startsWith(`${root}/`) ? null : path.slice(root.length + 1);
}
