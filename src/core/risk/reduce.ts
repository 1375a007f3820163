// The live score as a pure replay of the log: the same events give the same state, at every prefix.
// Evidence is only ever added; no clock, no decay, no rate that harmless volume could wash out.

import { LIMITS, type CallId } from "../shared/index.js";
import type { AuditEvent, Control, EventData, EventDraft } from "../session/event.js";
import { higher } from "./aivss.js";
import { OUTCOMES, SEVERITIES, type Outcome } from "./catalogue.js";
import { add, compare, formatExact, ZERO, type Decimal } from "./decimal.js";
import { isSameLeft, liveFactors, NO_EVIDENCE, withEvidence, type Evidence, type FactorLevel } from "./evidence.js";
import { FACTOR_KEYS } from "./factors.js";
import { answerFinding, cvssKey, findingCvss, recordSignal, underPosture, type RiskFinding, type Signal } from "./finding.js";
import { FindingMap } from "./finding-map.js";
import { POSTURE_CONTROLS, postureOf, type Posture } from "./posture.js";
import { readProfile } from "./profile-data.js";
import { riskProfile, type RiskProfile } from "./profiles.js";
import { routineQuestions, signalsOf } from "./signals.js";
import { findingBase, headlineOf, POSTURE_RULE, standingOutcome, type PendingQuestion, type RiskChange, type RiskInput, type RiskState } from "./state.js";

/** An event with its place in the session, on record or about to be. */
export type PlacedEvent = EventDraft & { readonly seq: number };

/** Finding that takes the evidence of rules past the limit. */
export const OTHER_RULES = "run.other-rules";

/** State at the opening of a session: the profile under the posture that the attested controls earn. */
export function initialRisk(profile: RiskProfile, opened: Pick<EventData["session.opened"], "controls">): RiskState {
  const posture = postureOf(profile.vector, opened.controls);
  const inputs = { profile, controls: opened.controls, lost: [], posture, findings: FindingMap.empty, scored: new Map(), discarded: false, evidence: NO_EVIDENCE, ...factorsOf(profile, posture, NO_EVIDENCE) };
  const headline = headlineOf(inputs);
  return { ...inputs, pending: new Map(), attempts: OUTCOMES.flatMap(() => SEVERITIES.map(() => 0)), headline, peak: headline.score, changes: [] };
}

/** Adds one event. Events that are no evidence return the same state. `session.opened` belongs to `initialRisk` and is passed over here. */
export function reduceRisk(state: RiskState, event: PlacedEvent): RiskState {
  if (event.type === "approval.resolved") {
    return event.call === null ? state : answer(state, { ...event.data, call: event.call, seq: event.seq });
  }
  if (event.type === "session.discarded") return discard(state, event.seq);
  if (event.type === "controls.attested") return attestedAgain(state, event.data.controls, event.seq);
  const signals = signalsOf(event);
  const next = signals.reduce((known, signal) => applySignal(known, signal, event.seq), counted(state, signals));
  if (event.type !== "decision.made" || event.data.effect !== "ask" || event.call === null) return next;
  return remember(next, event.call, { counted: signals.map(({ rule }) => findingKey(next, rule)), routine: routineQuestions(event.data) });
}

/** State after a whole log, or any prefix of one. A log that does not begin with `session.opened` has no attested control. */
export function replayRisk(events: Iterable<AuditEvent>, profile?: RiskProfile): RiskState {
  let state: RiskState | null = null;
  for (const event of events) {
    if (state === null) {
      const opened = event.type === "session.opened" ? event.data : null;
      state = initialRisk(profile ?? profileOf(opened), opened ?? { controls: [] });
    }
    state = reduceRisk(state, event);
  }
  return state ?? initialRisk(profile ?? riskProfile(null), { controls: [] });
}

/**
 * The same record as if every control that the score knows had been attested at its start: what its evidence alone comes to. For sessions of
 * which no control was reported; a supposition, never the score.
 */
export function supposeAttested(events: readonly AuditEvent[], profile?: RiskProfile): RiskState {
  const controls = POSTURE_CONTROLS.map((id): Control => ({ id, state: "attested", detail: "supposed" }));
  return replayRisk(events.map((event) => (event.type === "session.opened" ? { ...event, data: { ...event.data, controls } } : event)), profile);
}

/** The profile that a session names on record; the built-in one of its policy's profile where it names none. */
function profileOf(opened: EventData["session.opened"] | null): RiskProfile {
  const own = opened?.riskProfile === undefined ? null : readProfile(opened.riskProfile).profile;
  return own ?? riskProfile(opened?.policy.profile ?? null);
}

function factorsOf(profile: RiskProfile, posture: Posture, evidence: Evidence, known?: Pick<RiskState, "evidence" | "factors">): Pick<RiskState, "factors" | "factorSum"> {
  const factors = liveFactors(profile.factors, evidence, posture.raised, known);
  return { factors, factorSum: [...factors.values()].reduce((sum: Decimal, { live }: FactorLevel) => add(sum, live), ZERO) };
}

/** Counts the event once for each severity and outcome that any of its signals comes up to: a call that meets thirty rules is one attempt. */
function counted(state: RiskState, signals: readonly Pick<Signal, "risk" | "outcome">[]): RiskState {
  if (signals.length === 0) return state;
  const width = OUTCOMES.length;
  const attempts = state.attempts.map((count, cell) => {
    const [severity, outcome] = [Math.floor(cell / width), cell % width];
    return signals.some((signal) => SEVERITIES.indexOf(signal.risk.severity) >= severity && OUTCOMES.indexOf(signal.outcome) >= outcome) ? count + 1 : count;
  });
  return { ...state, attempts };
}

function findingKey(state: RiskState, rule: string): string {
  return state.findings.has(rule) || state.findings.size < LIMITS.riskFindings ? rule : OTHER_RULES;
}

function applySignal(state: RiskState, signal: Signal, seq: number): RiskState {
  const rule = findingKey(state, signal.rule);
  const key = cvssKey(signal.risk);
  const known = state.scored.get(key);
  const cvss = known === undefined ? findingCvss(signal.risk, state.posture.credits) : known;
  const finding = recordSignal(state.findings.get(rule), rule === signal.rule ? signal : { ...signal, rule }, cvss);
  // Only rules of the policy have vectors, so there are few; past the limit they are scored anew each time.
  const scored = known === undefined && state.scored.size < LIMITS.riskFindings ? new Map(state.scored).set(key, cvss) : state.scored;
  return withFinding(scored === state.scored ? state : { ...state, scored }, { finding, outcome: signal.outcome, seq });
}

function withFinding(state: RiskState, step: { readonly finding: RiskFinding; readonly outcome: Outcome; readonly seq: number }): RiskState {
  const { finding } = step;
  const known = state.findings.get(finding.rule);
  const findings = state.findings.with(finding);
  if (isSameLeft(known?.left, finding.left)) {
    // A repeat that adds no evidence and stands where it stood moves nothing.
    return known !== undefined && isSameStanding(known, finding, state.discarded) ? { ...state, findings } : settle(state, { ...state, findings }, step);
  }
  const evidence = withEvidence(state.evidence, findings, finding);
  return settle(state, { ...state, findings, evidence, ...factorsOf(state.profile, state.posture, evidence, state) }, step);
}

function isSameStanding(a: RiskFinding, b: RiskFinding, discarded: boolean): boolean {
  const [was, is] = [standingOutcome(a, discarded), standingOutcome(b, discarded)];
  const [before, after] = [findingBase(a, was), findingBase(b, is)];
  return was === is && (before === after || (before !== null && after !== null && compare(before, after) === 0));
}

/** A control that was lost takes its credit with it, for the whole session; one that is reported for the first time, or holds again, earns none. */
function attestedAgain(state: RiskState, reported: readonly Control[], seq: number): RiskState {
  const lost = reported.filter(({ id, state: now }) => now !== "attested" && state.controls.some((known) => known.id === id && known.state === "attested"));
  if (lost.length === 0) return state;
  const worst = new Map(lost.map((control) => [control.id, control]));
  const controls = state.controls.map((known) => worst.get(known.id) ?? known);
  const posture = postureOf(state.profile.vector, controls);
  const findings = state.findings.mapped((finding) => underPosture(finding, posture.credits));
  const changed = { ...state, controls, lost: [...new Set([...state.lost, ...worst.keys()])].sort(), posture, findings, scored: new Map(), ...factorsOf(state.profile, posture, state.evidence) };
  const [layer, threats] = [lost.some(({ id }) => id === "record-kept") ? ("L5" as const) : ("L4" as const), []];
  return settleAs(state, changed, { rule: POSTURE_RULE, layer, threats, severity: "high", outcome: "lost", seq }, postureInputs(state.posture, posture, lost));
}

function postureInputs(before: Posture, after: Posture, lost: readonly Control[]): readonly RiskInput[] {
  const states = lost.map(({ id, state }): RiskInput => ({ name: `control ${id}`, before: "attested", after: state }));
  return compare(before.cvss, after.cvss) === 0 ? states : [...states, { name: "posture CVSS", before: formatExact(before.cvss), after: formatExact(after.cvss) }];
}

/** Derives the scores anew and records what moved. */
function settle(before: RiskState, changed: RiskState, step: { readonly finding: RiskFinding; readonly outcome: RiskChange["outcome"]; readonly seq: number }): RiskState {
  const { rule, layer, threats, severity } = step.finding;
  return settleAs(before, changed, { rule, layer, threats, severity, outcome: step.outcome, seq: step.seq });
}

function settleAs(before: RiskState, changed: RiskState, step: Omit<RiskChange, "inputs" | "before" | "after">, also: readonly RiskInput[] = []): RiskState {
  const headline = headlineOf(changed);
  const after = { ...changed, headline, peak: higher(before.peak, headline.score) };
  const inputs = [...also, ...movedInputs(before, after, step.rule)];
  if (inputs.length === 0 && compare(before.headline.score.raw, headline.score.raw) === 0) return after;
  const change: RiskChange = { ...step, inputs, before: before.headline.score.raw, after: headline.score.raw };
  return { ...after, changes: [...before.changes, change] };
}

function movedInputs(before: RiskState, after: RiskState, rule: string): readonly RiskInput[] {
  const inputs: RiskInput[] = [];
  for (const key of before.factors === after.factors ? [] : FACTOR_KEYS) {
    const was = before.factors.get(key);
    const is = after.factors.get(key);
    if (was !== is && was !== undefined && is !== undefined && compare(was.live, is.live) !== 0) inputs.push({ name: key, before: formatExact(was.live), after: formatExact(is.live) });
  }
  if (compare(before.factorSum, after.factorSum) !== 0) inputs.push({ name: "factor sum", before: formatExact(before.factorSum), after: formatExact(after.factorSum) });
  const [wasBase, isBase] = [cvssText(before, rule), cvssText(after, rule)];
  if (isBase !== null && isBase !== wasBase) inputs.push({ name: "finding CVSS", before: wasBase, after: isBase });
  return inputs;
}

function cvssText(state: RiskState, rule: string): string | null {
  const finding = state.findings.get(rule);
  if (finding === undefined) return null;
  const outcome = standingOutcome(finding, state.discarded);
  const base = findingBase(finding, outcome);
  return base === null ? null : `${formatExact(base)} ${outcome}`;
}

function remember(state: RiskState, call: CallId, question: PendingQuestion): RiskState {
  if (question.counted.length === 0 && question.routine.length === 0) return state;
  const pending = new Map(state.pending).set(call, question);
  for (const oldest of pending.keys()) {
    if (pending.size <= LIMITS.riskPending) break;
    pending.delete(oldest);
  }
  return { ...state, pending };
}

function answer(state: RiskState, answered: { readonly call: CallId; readonly outcome: EventData["approval.resolved"]["outcome"]; readonly seq: number }): RiskState {
  const question = state.pending.get(answered.call);
  if (question === undefined) return state;
  const pending = new Map(state.pending);
  pending.delete(answered.call);
  const { outcome, seq } = answered;
  if (outcome !== "approved" && outcome !== "rejected") return { ...state, pending };
  const asked = question.counted.flatMap((rule) => {
    const finding = state.findings.get(rule);
    return finding === undefined ? [] : [{ risk: { severity: finding.severity, cvss: null, factors: {} }, outcome }];
  });
  let next: RiskState = counted({ ...state, pending }, asked);
  for (const rule of question.counted) {
    const finding = next.findings.get(rule);
    if (finding !== undefined) next = withFinding(next, { finding: answerFinding(finding, outcome), outcome, seq });
  }
  return outcome === "rejected" ? question.routine.reduce((known, signal) => applySignal(known, { ...signal, outcome }, seq), next) : next;
}

function discard(state: RiskState, seq: number): RiskState {
  if (state.discarded) return state;
  const driver = state.findings.get(state.headline.driver);
  const changed = { ...state, discarded: true };
  if (driver === undefined) return changed;
  return settle(state, changed, { finding: driver, outcome: "discarded", seq });
}
