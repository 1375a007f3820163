// ATIF 1.4, the Agent Trajectory Interchange Format: a session for tools that read trajectories. Verdicts ride along in `extra`.

import type { JsonObject } from "../shared/index.js";
import { titleOf, verdictOf, type Step, type Timeline } from "../replay/timeline.js";
import type { StepTexts } from "../replay/page-step.js";

/** The document as JSON text. */
export function atifOf({ state, steps, risk }: Timeline, product: string, textsOf: (step: Step) => StepTexts): string {
  const { agent, imported } = state.opened;
  const document = {
    schema_version: "ATIF-v1.4",
    session_id: imported?.session ?? state.id,
    agent: { name: agent.name ?? "unknown", version: agent.version ?? "unknown", ...(agent.model === null ? {} : { model_name: agent.model }) },
    steps: steps.map((step) => stepOf(step, textsOf(step))),
    notes: `Exported by ${product} from ${state.id}${imported === undefined ? "" : `, which was imported from ${imported.format} and not witnessed`}. Secrets of known forms are taken out.`,
    final_metrics: { total_steps: steps.length },
    extra: { ringfence: { session: state.id, policy: state.opened.policy.digest, score: risk.live.score, band: risk.live.band, witnessed: imported === undefined } },
  };
  return `${quietJson(document)}\n`;
}

/** Control, bidi and invisible characters as JSON escapes: the same value, and a file that can be looked at. */
function quietJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]/gu, (sign) => Array.from({ length: sign.length }, (_, at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""));
}

function stepOf(step: Step, texts: StepTexts): JsonObject {
  const { call, decision } = step;
  const claim = call.claimed?.call;
  const time = claim === undefined ? step.time : claim.time;
  const hasResult = call.execution !== null || (call.claimed?.result ?? null) !== null;
  const exitCode = call.execution?.exitCode ?? call.claimed?.result?.exitCode ?? null;
  return {
    step_id: step.number,
    // Only a time that is one: the format wants ISO 8601.
    ...(time !== null && /^\d{4}-\d\d-\d\dT\d\d:\d\d/u.test(time) ? { timestamp: time } : {}),
    source: "agent",
    message: claim?.thought ?? titleOf(step),
    tool_calls: [{ tool_call_id: call.label === "" ? call.id : call.label, function_name: call.tool, arguments: texts.arguments ?? call.arguments }],
    ...(hasResult ? { observation: { results: [{ source_call_id: call.label === "" ? call.id : call.label, content: texts.output }] } } : {}),
    extra: { ringfence: { call: call.id, verdict: verdictOf(step), rules: (decision?.reasons ?? []).filter((reason) => reason.effect === decision?.effect).map((reason) => reason.rule), ...(exitCode === null ? {} : { exit_code: exitCode }), ...(step.after === null ? {} : { score: step.after.score }) } },
  };
}
