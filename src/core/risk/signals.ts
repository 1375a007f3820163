// What an event is evidence of. Closed over the event union: a new event type does not compile until it is placed here.

import type { Reason } from "../policy/decision.js";
import type { Finding } from "../reconcile/change.js";
import { assertNever } from "../shared/index.js";
import type { EventData, EventDraft } from "../session/event.js";
import { OUTCOMES, RUN_SIGNALS, UNEXPLAINED_CHANGE, type Outcome, type RunSignal } from "./catalogue.js";
import type { Signal } from "./finding.js";

/** Signals of an event, one a rule, ordered by rule. Approvals and tests of controls are handled by the reducer, which knows what was before. */
export function signalsOf(event: EventDraft): readonly Signal[] {
  switch (event.type) {
    case "decision.made":
      return byRule(decisionSignals(event.data));
    case "reconciliation.done":
      return byRule(event.data.findings.map(findingSignal));
    case "execution.finished":
      return byRule(executionSignals(event.data));
    case "call.closed":
      return event.data.outcome === "in-doubt" ? [runSignal("run.in-doubt", "blocked")] : [];
    case "session.opened":
    case "controls.attested":
    case "session.tightened":
    case "session.copied":
    case "input.typed":
    case "session.paused":
    case "session.resumed":
    case "process.opened":
    case "process.closed":
    case "session.closed":
    case "session.applied":
    case "session.discarded":
    case "session.undone":
    case "call.received":
    case "approval.requested":
    case "approval.resolved":
    case "execution.started":
    case "programs.recorded":
    case "execution.imported":
    case "import.finished":
    case "risk.updated":
      return [];
    default:
      return assertNever(event);
  }
}

/** Reasons of an `ask` that assert no risk: routine questions, which count only once a person refuses. */
export function routineQuestions(data: EventData["decision.made"]): readonly Signal[] {
  return data.effect === "ask" ? byRule(data.reasons.filter(({ effect, risk }) => effect === "ask" && risk === null).map((reason) => reasonSignal(reason, "asked"))) : [];
}

/** An attempt that was held is blocked. Where only the program's output tells of it, it counts as the run's word, not as its rule's. */
function findingSignal({ rule, layer, threats, risk, reverted, about, held }: Finding): Signal {
  // A program that was refused ran no instruction.
  if (about === "program") return { rule, layer, threats, risk: risk ?? RUN_SIGNALS["run.rule-without-risk"].risk, outcome: reverted ? "blocked" : "succeeded" };
  if (about !== "attempt") return { rule, layer, threats, risk: risk ?? UNEXPLAINED_CHANGE, outcome: reverted ? "undone" : "succeeded" };
  if (held?.told.includes("text") !== true) return runSignal("run.reported-refusal", "blocked");
  return { rule, layer, threats, risk: risk ?? RUN_SIGNALS["run.rule-without-risk"].risk, outcome: "blocked" };
}

function decisionSignals(data: EventData["decision.made"]): readonly Signal[] {
  // A rule that asserts no risk is no evidence of what came of a call that was allowed.
  if (data.effect === "allow") return (data.noted ?? []).filter(({ risk }) => risk !== null).map((reason) => reasonSignal(reason, "contained"));
  const adverse = data.reasons.filter(({ effect }) => effect !== "allow");
  if (data.effect === "ask") return adverse.filter(({ risk }) => risk !== null).map((reason) => reasonSignal(reason, "asked"));
  return adverse.length === 0 ? [runSignal("run.default-deny", "blocked")] : adverse.map((reason) => reasonSignal(reason, "blocked"));
}

function reasonSignal(reason: Reason, outcome: Outcome): Signal {
  if (reason.risk === null && reason.rule === "default-deny") return runSignal("run.default-deny", outcome);
  const silent = RUN_SIGNALS["run.rule-without-risk"].risk;
  return { rule: reason.rule, layer: reason.layer, threats: reason.threats, risk: reason.risk ?? silent, outcome };
}

function executionSignals(data: EventData["execution.finished"]): readonly Signal[] {
  const signals: Signal[] = [];
  if (data.ended === "timeout") signals.push(runSignal("run.timeout", "blocked"));
  if (data.ended === "limit") signals.push(runSignal("run.limit", "blocked"));
  if (data.ended === "fault") signals.push(runSignal("run.in-doubt", "blocked"));
  if (data.killed > 0 && data.ended === "exit") signals.push(runSignal("run.left-processes", "blocked"));
  if (!data.quiescent) signals.push(runSignal("run.not-quiescent", "succeeded"));
  return signals;
}

function runSignal(rule: RunSignal, outcome: Outcome): Signal {
  const { layer, risk } = RUN_SIGNALS[rule];
  return { rule, layer, threats: [], risk, outcome };
}

/** One signal a rule: a call that meets a rule with a hundred paths is one occurrence, with its furthest outcome. */
function byRule(signals: readonly Signal[]): readonly Signal[] {
  const kept = new Map<string, Signal>();
  for (const signal of signals) {
    const known = kept.get(signal.rule);
    if (known === undefined || OUTCOMES.indexOf(signal.outcome) > OUTCOMES.indexOf(known.outcome)) kept.set(signal.rule, signal);
  }
  return [...kept.values()].sort((a, b) => (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0));
}
