// OCSF 1.8: JSON Lines for security data lakes. One event a call (process, file or API activity), one Detection Finding for each rule that
// refused, asked or found something.

import { printable, type Hasher } from "../shared/index.js";
import { titleOf, verdictOf, type Step, type Timeline } from "../replay/timeline.js";
import { epochMs } from "./epoch.js";
import { reportedOf, type Reported } from "./finding-list.js";

const VERSION = "1.8.0";
const TEXT = 4_000;
/** `device` is of the one, `action_id` and `disposition_id` of the other: an event says which it uses. */
const PROFILES = ["host", "security_control"] as const;
const SEVERITY = { error: 4, warning: 3 } as const;
/** `action_id`: 1 allowed, 2 denied; `disposition_id`: 1 allowed, 2 blocked, 0 unknown. */
const DECIDED = { allow: { action_id: 1, disposition_id: 1 }, ask: { action_id: 0, disposition_id: 0 }, deny: { action_id: 2, disposition_id: 2 }, thought: { action_id: 0, disposition_id: 0 } } as const;

/** The events, one a line. */
export function ocsfOf(timeline: Timeline, { version, hash }: { readonly version: string; readonly hash: Hasher }): string {
  const head = (uid: string, profiles: readonly string[]) => ({ metadata: { version: VERSION, ...(profiles.length === 0 ? {} : { profiles }), product: { name: "Ringfence", vendor_name: "Ringfence", version }, uid, correlation_uid: timeline.state.id, ...(timeline.state.opened.imported === undefined ? {} : { labels: ["imported", "not witnessed"] }) } });
  const calls = timeline.steps.map((step) => ({ ...head(`${timeline.state.id}/${step.call.id}`, PROFILES), ...activity(step, timeline) }));
  const findings = reportedOf(timeline).map((one, index) => ({ ...head(`${timeline.state.id}/${one.step.call.id}/${index}`, []), ...finding(one, hash) }));
  return `${[...calls, ...findings].map((event) => JSON.stringify(event)).join("\n")}\n`;
}

function common(step: Step, { state }: Timeline) {
  const { agent } = state.opened;
  const verdict = verdictOf(step);
  const imported = state.opened.imported !== undefined;
  // What a file claims was not stopped by anybody here.
  const decided = imported && verdict === "deny" ? { action_id: 0, disposition_id: 0 } : DECIDED[verdict];
  return {
    time: epochMs(step.time),
    severity_id: verdict === "deny" ? 4 : verdict === "ask" ? 3 : 1,
    status_id: step.call.outcome === "completed" ? 1 : step.call.outcome === "failed" || step.call.outcome === "denied" || step.call.outcome === "rejected" ? 2 : 0,
    ...decided,
    actor: { app_name: printable(agent.name ?? "unknown agent", 120), session: { uid: state.id } },
    device: { type_id: 0, name: imported ? "not told" : "ringfence sandbox" },
    message: printable(titleOf(step), TEXT),
    unmapped: { ringfence: { call: step.call.id, verdict, witnessed: !imported, score: step.after?.score ?? null } },
  };
}

/** The class by what the action was. */
function activity(step: Step, timeline: Timeline): object {
  const base = common(step, timeline);
  const kind = step.decision?.action.kind ?? "";
  const path = typeof step.call.arguments["path"] === "string" ? step.call.arguments["path"] : typeof step.call.arguments["file_path"] === "string" ? step.call.arguments["file_path"] : titleOf(step);
  if (kind === "command") return { ...classOf(1, 1007, 1), ...base, process: { uid: `${timeline.state.id}/${step.call.id}`, cmd_line: printable(titleOf(step), TEXT), name: printable(step.call.tool, 120) }, ...(step.call.execution?.exitCode === undefined || step.call.execution.exitCode === null ? {} : { exit_code: step.call.execution.exitCode }) };
  if (kind === "view") return { ...classOf(1, 1001, 2), ...base, file: fileOf(path) };
  if (kind === "edit") return { ...classOf(1, 1001, 3), ...base, file: fileOf(path) };
  return { ...classOf(6, 6003, 99), activity_name: "tool call", ...base, api: { operation: printable(step.call.tool, 120) }, src_endpoint: { name: "agent" } };
}

function fileOf(path: string): object {
  return { name: printable(path.slice(path.lastIndexOf("/") + 1), 400), path: printable(path, TEXT), type_id: 1 };
}

function classOf(category: number, uid: number, activityId: number): object {
  return { category_uid: category, class_uid: uid, activity_id: activityId, type_uid: uid * 100 + activityId };
}

function finding(one: Reported, hash: Hasher): object {
  const { step, rule, level, message, subject, threats, layer } = one;
  return {
    ...classOf(2, 2004, 1),
    time: epochMs(step.time),
    severity_id: SEVERITY[level],
    status_id: 1,
    message: printable(`${message}: ${titleOf(step)}`, TEXT),
    finding_info: { title: printable(message, TEXT), uid: hash(`${rule}\n${step.call.id}\n${subject}`).slice("sha256:".length), analytic: { type_id: 1, uid: printable(rule, 200), name: printable(rule, 200) }, types: [...(layer === null ? [] : [`MAESTRO ${layer}`]), ...threats.slice(0, 8).map((threat) => printable(threat, 200))] },
    evidences: [{ data: { call: step.call.id, subject: printable(subject, TEXT) } }],
  };
}
