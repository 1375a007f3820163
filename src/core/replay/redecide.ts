// A recorded session judged under another policy: what it would refuse, ask or let through, call by call, against what was recorded.
// Pure. What the record does not hold stays unknown, and unknown never counts as allowed.

import type { ToolCall } from "../action/index.js";
import { isImportFormat, keepsShell } from "../import/index.js";
import type { Decision, DecisionContext, DecisionEffect, PolicySet, Reason } from "../policy/index.js";
import { emptyHistory, reduceHistory, type AuditEvent, type EventData, type HistoryState } from "../session/index.js";
import type { CallId, JsonObject, SessionId } from "../shared/index.js";
import { judgeAgain, type JudgedAgain, type ReplayWorld, type ShellPlace } from "./judge.js";

/** A decision, or that it cannot be told. */
export type Verdict = DecisionEffect | "unknown";
export const VERDICTS = ["allow", "ask", "deny", "unknown"] as const satisfies readonly Verdict[];

/** One call under both. */
export interface Redecided {
  readonly session: SessionId;
  readonly call: CallId;
  readonly summary: string;
  readonly tool: string;
  readonly before: Verdict;
  readonly after: Verdict;
  /** Rules behind each, the strictest first. */
  readonly rulesBefore: readonly string[];
  readonly rulesAfter: readonly Pick<Reason, "rule" | "effect" | "layer" | "threats" | "message" | "subject">[];
  /** Why it is unknown; null where it is not. */
  readonly why: string | null;
}

export interface RedecideOptions {
  readonly policy: PolicySet;
  /** Judged with this in place of what was recorded; null: the record is what is compared with. */
  readonly baseline: PolicySet | null;
  /** The agent's home where the record does not tell. */
  readonly home: string;
  /** What calls of a session are judged as, where it was not imported. */
  readonly containmentOf: (opened: EventData["session.opened"]) => DecisionContext["containment"];
  /** Arguments that are not in the record itself; null where they are not to be had. */
  readonly argumentsOf: (call: EventData["call.received"]) => JsonObject | null;
}

/** Every judged call of a session, in order. Calls that only carry a thought are left out. Empty without an opening. */
export function redecide(events: readonly AuditEvent[], options: RedecideOptions): readonly Redecided[] {
  const [first] = events;
  if (first?.type !== "session.opened") return [];
  const opened = first.data;
  const format = opened.imported?.format ?? null;
  const world = (policy: PolicySet): ReplayWorld => ({ policy, root: opened.workspace.root, home: opened.imported?.home ?? options.home, containment: opened.imported?.containment ?? options.containmentOf(opened), format: format !== null && isImportFormat(format) ? format : null });
  const isImported = opened.imported !== undefined;
  const after = createLine(world(options.policy), isImported);
  const before = options.baseline === null ? null : createLine(world(options.baseline), isImported);
  const out: Redecided[] = [];
  for (const calls of callsOf(events)) {
    const { received, decision: recorded } = calls;
    const values = received.data.argumentsBlob === undefined ? received.data.arguments : options.argumentsOf(received.data);
    const now = after.judge(calls, values);
    const then = before === null ? null : before.judge(calls, values);
    if (now === null || recorded === null) continue;
    const plain = { verdict: recorded.effect, rules: recorded.reasons.filter((reason) => reason.effect === recorded.effect).map((reason) => reason.rule) };
    const was = then === null ? plain : { verdict: then.verdict, rules: then.reasons.map((reason) => reason.rule) };
    out.push({ session: first.session, call: received.call ?? "call_", summary: recorded.action.summary, tool: received.data.tool, before: was.verdict, after: now.verdict, rulesBefore: was.rules, rulesAfter: now.reasons, why: now.why ?? then?.why ?? null });
  }
  return out;
}

/** The records of one call. */
interface CallRecords {
  readonly received: Extract<AuditEvent, { type: "call.received" }>;
  readonly decision: EventData["decision.made"] | null;
  readonly rest: readonly AuditEvent[];
}

/** The calls of a record, each with all that is on record of it. */
function callsOf(events: readonly AuditEvent[]): readonly CallRecords[] {
  const calls: { received: CallRecords["received"]; decision: CallRecords["decision"]; rest: AuditEvent[] }[] = [];
  const byId = new Map<CallId, (typeof calls)[number]>();
  for (const event of events) {
    if (event.call === null) continue;
    if (event.type === "call.received") {
      const one = { received: event, decision: null, rest: [] };
      calls.push(one);
      byId.set(event.call, one);
      continue;
    }
    const one = byId.get(event.call);
    if (one === undefined) continue;
    if (event.type === "decision.made") one.decision = event.data;
    else one.rest.push(event);
  }
  return calls;
}

interface Judgement {
  readonly verdict: Verdict;
  readonly reasons: Redecided["rulesAfter"];
  readonly why: string | null;
}

/** One policy followed through a session: with the history that it would have had. */
function createLine(world: ReplayWorld, isImported: boolean): { judge(call: CallRecords, values: JsonObject | null): Judgement | null } {
  let history: HistoryState = emptyHistory(world.root);
  let place: ShellPlace = { cwd: world.root, carried: new Map() };
  const persists = world.format === null || keepsShell(world.format);
  const judgeOne = (call: CallRecords, values: JsonObject): JudgedAgain | null => {
    const { data } = call.received;
    const run = harnessCommand(call, values);
    // In a sandbox of its own, at the root, with nothing that earlier calls left; a session that is tightened does not ask about it.
    if (run !== null) return judgeAgain({ id: data.label, role: data.role, tool: "bash", arguments: { command: run } }, { cwd: world.root, carried: new Map() }, world, { ...history.history, reacted: [] });
    const asked: ToolCall = { id: data.label, role: data.role, tool: data.tool, arguments: values };
    const cwd = data.claimed?.cwd ?? call.decision?.action.cwd ?? (persists ? place.cwd : world.root);
    return judgeAgain(asked, { cwd, carried: persists ? place.carried : new Map() }, world, history.history);
  };
  return {
    judge: (call, values) => {
      const { decision: recorded } = call;
      if (recorded === null) return null;
      const own = recorded.reasons.some((reason) => reason.rule.startsWith("format."));
      const judged = own || values === null ? null : judgeOne(call, values);
      if (values === null) return unknown("its arguments are not on record", call);
      // What a codec could not read was refused before any policy.
      if (own) return { verdict: recorded.effect, reasons: recorded.reasons.map(shortReason), why: null };
      if (judged === null) return null;
      if (harnessCommand(call, values) === null) place = judged.after;
      const why = judged.decision.effect === "allow" ? unknownBecause(judged, values, recorded) : null;
      history = historyAfter(history, judged.decision, call, isImported);
      // The very policy that was asked then would say the same now, whatever it saw.
      if (why !== null && world.policy.digest === recorded.policyDigest) return { verdict: recorded.effect, reasons: recorded.reasons.filter((reason) => reason.effect === recorded.effect).map(shortReason), why: null };
      const verdict: Verdict = why === null ? judged.decision.effect : "unknown";
      return { verdict, reasons: judged.decision.reasons.filter((reason) => reason.effect === judged.decision.effect).map(shortReason), why };
    },
  };
  function unknown(why: string, call: CallRecords): Judgement {
    for (const event of call.rest) history = reduceHistory(history, event);
    return { verdict: "unknown", reasons: [], why };
  }
}

/** The command of a test that the harness ran; null for a call of an agent, whatever its tool is called: that was never a command. */
function harnessCommand({ received, decision }: CallRecords, values: JsonObject): string | null {
  const run = values["run"];
  return received.data.tool === "harness" && decision?.action.kind === "command" && typeof run === "string" ? run : null;
}

const REDACTED = "[redacted:";
/** What the record has for half a character, which no canonical form has a place for. */
const REPLACED = "\ufffd";

/** Why an allowed call may not have been the one that was made; null where it was. */
function unknownBecause(judged: JudgedAgain, values: JsonObject, recorded: EventData["decision.made"]): string | null {
  const text = JSON.stringify(values);
  if (text.includes(REDACTED)) return "a secret was taken out of its arguments";
  if (recorded.action.kind === "opaque" && judged.action.kind !== "opaque" && text.includes(REPLACED)) return "it held half a character, for which the record has another";
  const [script] = judged.unseen;
  return script === undefined ? null : `it runs ${script}, whose text is not on record`;
}

/** What rules over a session would have seen: a call that is refused did not run, unless it ran before any policy was asked. */
function historyAfter(before: HistoryState, decision: Decision, call: CallRecords, isImported: boolean): HistoryState {
  const { effect, reasons, marks } = decision;
  let after = reduceHistory(before, { type: "decision.made", data: { effect, reasons, ...(marks === undefined ? {} : { marks }) } as EventData["decision.made"] });
  const ran = call.rest.some((event) => event.type === "execution.started" || event.type === "execution.imported");
  if (effect === "deny" && !isImported) return reduceHistory(after, { type: "call.closed", data: { outcome: "denied", exitCode: null, observationDigest: null } });
  // Refused then, let through now: it would have run, and nobody knows what came of it.
  if (!ran && effect === "allow") after = reduceHistory(after, { type: "execution.started", data: { kind: "", cwd: null, environment: [], timeoutMs: 0 } });
  const fed = !ran && effect === "allow" ? [] : call.rest;
  return fed.reduce(reduceHistory, after);
}

function shortReason({ rule, effect, layer, threats, message, subject }: Reason): Redecided["rulesAfter"][number] {
  return { rule, effect, layer, threats, message, subject };
}
