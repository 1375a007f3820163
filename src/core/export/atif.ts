// ATIF 1.4, the Agent Trajectory Interchange Format: a session for tools that read trajectories. Verdicts ride along in `extra`.

import { quietJson, type JsonObject } from "../shared/index.js";
import { titleOf, verdictOf, type Step, type Timeline } from "../replay/timeline.js";
import type { StepTexts } from "../replay/page-step.js";

const ISO_TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?$/u;

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
    extra: { ringfence: { session: state.id, root: state.opened.workspace.root, policy: state.opened.policy.digest, score: risk.live.score, band: risk.live.band, witnessed: imported === undefined } },
  };
  return `${quietJson(document, 2)}\n`;
}

function stepOf(step: Step, texts: StepTexts): JsonObject {
  const { call, decision } = step;
  const claim = call.claimed?.call;
  const time = claim === undefined ? step.time : claim.time;
  const hasResult = call.execution !== null || (call.claimed?.result ?? null) !== null;
  // Where it was made, so that who reads it again judges its paths as they were judged.
  const cwd = claim?.cwd ?? decision?.action.cwd ?? null;
  const exitCode = call.execution?.exitCode ?? call.claimed?.result?.exitCode ?? null;
  return {
    step_id: step.number,
    // Only a time that is one: the format wants ISO 8601.
    ...(time !== null && ISO_TIME.test(time) ? { timestamp: time } : {}),
    source: "agent",
    message: claim?.thought ?? titleOf(step),
    tool_calls: [{ tool_call_id: call.label === "" ? call.id : call.label, function_name: call.tool, arguments: texts.arguments ?? call.arguments }],
    ...(hasResult ? { observation: { results: [{ source_call_id: call.label === "" ? call.id : call.label, content: texts.output }] } } : {}),
    extra: { ringfence: { call: call.id, verdict: verdictOf(step), rules: (decision?.reasons ?? []).filter((reason) => reason.effect === decision?.effect).map((reason) => reason.rule), ...(cwd === null ? {} : { cwd }), ...(exitCode === null ? {} : { exit_code: exitCode }), ...(step.after === null ? {} : { score: step.after.score }) } },
  };
}
