// OpenTelemetry: a session as one trace, in the JSON form of OTLP (an ExportTraceServiceRequest), with the names of the GenAI conventions: one
// span for the agent, one `execute_tool` span a call. A collector takes it at /v1/traces, or from a file.

import { printable, type Hasher } from "../shared/index.js";
import { endOf, titleOf, verdictOf, type Step, type Timeline } from "../replay/timeline.js";
import { epochMs } from "./epoch.js";

const KIND_INTERNAL = 1;
const STATUS = { unset: 0, ok: 1, error: 2 } as const;
const TEXT = 4_000;

type Value = string | number | boolean | readonly string[] | null;

/** The request as JSON text. */
export function otelOf(timeline: Timeline, tools: { readonly version: string; readonly hash: Hasher }): string {
  return `${requestOf(spansOf(timeline, tools), tools.version)}\n`;
}

/** The same in several requests of at most so many spans, for a collector that limits what it takes at once. */
export function otelRequests(timeline: Timeline, tools: { readonly version: string; readonly hash: Hasher }, most: number): readonly { readonly spans: number; readonly body: string }[] {
  const spans = spansOf(timeline, tools);
  return Array.from({ length: Math.ceil(spans.length / most) }, (_, at) => {
    const part = spans.slice(at * most, (at + 1) * most);
    return { spans: part.length, body: requestOf(part, tools.version) };
  });
}

function requestOf(spans: readonly object[], version: string): string {
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: attributes({ "service.name": "ringfence", "service.version": version }) }, scopeSpans: [{ scope: { name: "ringfence", version }, spans }] }] });
}

function spansOf({ state, steps, risk }: Timeline, { hash }: { readonly hash: Hasher }): readonly object[] {
  const traceId = hexOf(hash, state.id, 32);
  const root = hexOf(hash, `${state.id}/agent`, 16);
  const { opened } = state;
  const times = steps.map((step) => spanTimes(step));
  const start = epochMs(state.openedAt);
  const end = Math.max(start, epochMs(state.closedAt ?? ""), ...times.map((one) => one.end));
  const agent = {
    traceId,
    spanId: root,
    name: `invoke_agent${opened.agent.name === null ? "" : ` ${printable(opened.agent.name, 80)}`}`,
    kind: KIND_INTERNAL,
    startTimeUnixNano: nano(start),
    endTimeUnixNano: nano(end),
    attributes: attributes({ "gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": state.id, "gen_ai.agent.name": opened.agent.name, "gen_ai.agent.version": opened.agent.version, "gen_ai.request.model": opened.agent.model, "ringfence.witnessed": opened.imported === undefined, "ringfence.policy.digest": opened.policy.digest, "ringfence.aivss.score": risk.live.score, "ringfence.aivss.band": risk.live.band }),
    status: { code: STATUS.unset },
  };
  const spans = steps.map((step, index) => callSpan(step, { traceId, parent: root, spanId: hexOf(hash, `${state.id}/${step.call.id}`, 16), session: state.id, times: times[index] ?? { start, end: start } }));
  return [agent, ...spans];
}

interface SpanPlace {
  readonly traceId: string;
  readonly parent: string;
  readonly spanId: string;
  readonly session: string;
  readonly times: { readonly start: number; readonly end: number };
}

function callSpan(step: Step, { traceId, parent, spanId, session, times }: SpanPlace): object {
  const { call, decision } = step;
  const verdict = verdictOf(step);
  const rules = (decision?.reasons ?? []).filter((reason) => reason.effect === decision?.effect && reason.effect !== "allow");
  const isBad = verdict === "deny" || call.outcome === "rejected" || call.outcome === "failed" || call.outcome === "in-doubt";
  return {
    traceId,
    spanId,
    parentSpanId: parent,
    name: `execute_tool ${printable(call.tool, 80)}`,
    kind: KIND_INTERNAL,
    startTimeUnixNano: nano(times.start),
    endTimeUnixNano: nano(times.end),
    attributes: attributes({
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": call.tool,
      "gen_ai.tool.call.id": call.label,
      "gen_ai.tool.type": "function",
      "gen_ai.conversation.id": session,
      "ringfence.call": call.id,
      "ringfence.action": titleOf(step),
      "ringfence.verdict": verdict,
      "ringfence.rules": rules.map((reason) => reason.rule),
      "ringfence.threats": [...new Set(rules.flatMap((reason) => reason.threats))],
      "ringfence.end": endOf(step),
      "ringfence.aivss.score": step.after?.score ?? null,
      "process.exit.code": call.execution?.exitCode ?? call.claimed?.result?.exitCode ?? null,
    }),
    status: isBad ? { code: STATUS.error, message: printable(rules[0]?.message ?? endOf(step), 300) } : { code: STATUS.unset },
  };
}

/** When a call was received, and how long it took. Of an imported one: when it was put on record, because no other time was seen. */
function spanTimes({ call, time }: Step): { readonly start: number; readonly end: number } {
  const start = epochMs(time);
  return { start, end: start + Math.round(call.execution?.durationMs ?? 0) };
}

function nano(ms: number): string {
  return `${ms}000000`;
}

function hexOf(hash: Hasher, text: string, digits: number): string {
  return hash(`ringfence trace ${text}`).slice("sha256:".length, "sha256:".length + digits);
}

function attributes(values: Readonly<Record<string, Value>>): readonly object[] {
  return Object.entries(values).flatMap(([key, value]) => (value === null ? [] : [{ key, value: anyValue(value) }]));
}

function anyValue(value: string | number | boolean | readonly string[]): object {
  if (typeof value === "string") return { stringValue: printable(value, TEXT) };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return { intValue: String(value) };
  return { arrayValue: { values: value.slice(0, 32).map((item) => ({ stringValue: printable(item, 200) })) } };
}
