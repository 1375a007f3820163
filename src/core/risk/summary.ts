// The live score for people and programs: plain JSON values, exact numbers as text. Derives everything from the state, adds nothing.

import type { MaestroLayer } from "../policy/decision.js";
import type { Control } from "../session/event.js";
import { printable, type ThreatId } from "../shared/index.js";
import { bandOf, higher, type AivssScore, type Band } from "./aivss.js";
import { OUTCOMES, RISK_MODEL, type Outcome, type Severity } from "./catalogue.js";
import { compare, formatExact, formatFixed, subtract } from "./decimal.js";
import { FACTOR_NAMES, factorSum, isRubricLevel, type FactorKey } from "./factors.js";
import type { ProfileLayer } from "./profiles.js";
import { POSTURE_CONTROLS } from "./posture.js";
import { findingBase, findingScore, postureScore, standingOutcome, staticScore, type RiskChange, type RiskState } from "./state.js";

/** A score as shown (`8.6`), with its band and every digit (`8.6123…`). */
export interface ShownScore {
  readonly score: string;
  readonly band: Band;
  readonly exact: string;
}

export interface FactorSummary {
  readonly key: FactorKey;
  readonly name: string;
  /** The name it was published under, where that differs in meaning or form. */
  readonly published: string;
  readonly base: string;
  readonly live: string;
  /** The published value is not one of the rubric's 0, 0.5, 1. */
  readonly nonRubric: boolean;
}

export interface FindingSummary {
  readonly rule: string;
  readonly layer: MaestroLayer | null;
  readonly threats: readonly ThreatId[];
  readonly severity: Severity;
  readonly outcome: Outcome;
  readonly count: number;
  readonly vector: string | null;
  /** CVSS it is scored with now; null where it has no score of its own. */
  readonly cvss: string | null;
  readonly score: ShownScore | null;
}

export interface LayerSummary {
  readonly layer: MaestroLayer | "none";
  readonly findings: number;
  /** Highest finding of the layer, never an average. */
  readonly score: ShownScore | null;
}

/** One MAESTRO layer of the profile: what the listing says, and what this container's controls answer. */
export interface ProfileLayerSummary {
  readonly layer: MaestroLayer;
  /** `stated` by the listing; where it was not certain, what was tested here says: all its controls hold, one does not, or nobody tested. */
  readonly state: "stated" | "unknown" | "attested" | "failed";
  readonly about: string;
  readonly open: string | null;
  readonly controls: readonly { readonly id: string; readonly state: string }[];
}

export interface RiskSummary {
  readonly model: string;
  readonly profile: { readonly id: string; readonly source: string; readonly vectorSource: string };
  readonly formula: string;
  /** AIVSS v0.8 of the published profile, outside any sandbox; the same for every session. */
  readonly static: ShownScore & { readonly vector: string; readonly cvss: string; readonly factorSum: string; readonly aars: string };
  readonly live: ShownScore & { readonly driver: string };
  readonly peak: ShownScore;
  readonly posture: ShownScore & { /** `unknown`: none of the controls that the score knows was reported, as in a session that was imported: the score is that of no sandbox. */ readonly state: "tested" | "unknown"; readonly vector: string; readonly cvss: string; readonly earned: readonly string[]; readonly withheld: readonly { readonly metric: string; readonly lacking: readonly string[] }[]; readonly raised: readonly { readonly factor: FactorKey; readonly at: string; readonly lacking: string }[] };
  readonly factorSum: { readonly base: string; readonly live: string };
  readonly factors: readonly FactorSummary[];
  /** Highest score first. */
  readonly findings: readonly FindingSummary[];
  readonly layers: readonly LayerSummary[];
  /** The profile's threat model, layer by layer. */
  readonly profileLayers: readonly ProfileLayerSummary[];
  readonly nonRubric: boolean;
  /** One line a change, in order. */
  readonly reasons: readonly string[];
}

/** Everything there is to say about a state. */
export function riskSummary(state: RiskState): RiskSummary {
  const { profile, posture } = state;
  const baseSum = factorSum(profile.factors);
  const fixed = staticScore(profile, { cvss: posture.open, factorSum: baseSum });
  const factors = factorSummaries(state);
  return {
    model: RISK_MODEL,
    profile: { id: profile.id, source: profile.source, vectorSource: profile.vectorSource },
    formula: profile.formula,
    static: { ...shownScore(fixed), vector: profile.vector.text, cvss: formatFixed(posture.open, 1), factorSum: formatExact(baseSum), aars: formatExact(fixed.aars) },
    live: { ...shownScore(state.headline.score), driver: printable(state.headline.driver) },
    peak: shownScore(state.peak),
    posture: {
      ...shownScore(postureScore(state)),
      state: state.controls.some(({ id }) => POSTURE_CONTROLS.includes(id)) ? "tested" : "unknown",
      vector: posture.vector.text,
      cvss: formatFixed(posture.cvss, 1),
      earned: posture.credits.filter(({ lacking }) => lacking.length === 0).map(({ metric }) => metric),
      withheld: posture.credits.filter(({ lacking }) => lacking.length > 0).map(({ metric, lacking }) => ({ metric, lacking })),
      raised: posture.raised.map(({ factor, at, lacking }) => ({ factor, at: formatExact(at), lacking })),
    },
    factorSum: { base: formatExact(baseSum), live: formatExact(state.factorSum) },
    factors,
    findings: findingSummaries(state),
    layers: layerSummaries(state),
    profileLayers: profile.layers.map((layer) => profileLayerSummary(layer, state.controls)),
    nonRubric: factors.some(({ nonRubric }) => nonRubric),
    reasons: [...postureLines(state), ...state.changes.map(changeLine)],
  };
}

export function shownScore(score: AivssScore): ShownScore {
  return { score: formatFixed(score.aivss, 1), band: bandOf(score.aivss), exact: formatExact(score.raw) };
}

/** Where the score starts: what the tested controls earn, and what is withheld for want of a test. */
export function postureLines(state: RiskState): readonly string[] {
  const { credits, cvss, open } = state.posture;
  const base = formatFixed(open, 1);
  const earned = credits.filter(({ lacking }) => lacking.length === 0);
  const first = earned.length === 0 ? `posture: CVSS ${base}, no control is attested` : `posture: CVSS ${base} -> ${formatFixed(cvss, 1)} by ${earned.map(({ metric, needs }) => `${metric} (${needs.join(", ")})`).join("; ")}`;
  const raised = state.posture.raised.map(({ factor, at, lacking }) => `posture: ${factor} at least ${formatExact(at)}, not attested: ${printable(lacking)}`);
  return [first, ...raised, ...credits.filter(({ lacking }) => lacking.length > 0).map(({ metric, lacking }) => `posture: ${metric} withheld, not attested: ${printable(lacking.join(", "))}`)];
}

/** One change as a line: event, rule, what it moved, and by how much the score did. */
export function changeLine(change: RiskChange): string {
  const moved = change.inputs.map(({ name, before, after }) => (before === null ? `${name} ${after}` : `${name} ${before} -> ${after}`)).join(", ");
  const layer = change.layer === null ? "" : `, ${change.layer}`;
  return `#${change.seq} ${printable(change.rule, 80)} ${change.outcome} (${change.severity}${layer}): ${moved === "" ? "" : `${moved}; `}score ${formatFixed(change.before, 4)} -> ${formatFixed(change.after, 4)} (${contribution(change, 4)})`;
}

/** What a change added to the score, signed. All contributions of a session add up to its movement. */
export function contribution(change: RiskChange, places?: number): string {
  const difference = subtract(change.after, change.before);
  const text = places === undefined ? formatExact(difference) : formatFixed(difference, places);
  return difference.units < 0n ? text : `+${text}`;
}

function factorSummaries(state: RiskState): readonly FactorSummary[] {
  return [...state.factors].map(([key, { base, live }]) => ({
    key,
    name: FACTOR_NAMES[key],
    published: state.profile.publishedNames.get(key) ?? FACTOR_NAMES[key],
    base: formatExact(base),
    live: formatExact(live),
    nonRubric: !isRubricLevel(base),
  }));
}

function findingSummaries(state: RiskState): readonly FindingSummary[] {
  const scored = [...state.findings.values()].map((finding) => ({ finding, score: findingScore(state, finding) }));
  scored.sort((a, b) => descending(a.score, b.score) || (a.finding.rule < b.finding.rule ? -1 : 1));
  return scored.map(({ finding, score }) => {
    const outcome = standingOutcome(finding, state.discarded);
    const base = findingBase(finding, outcome);
    return {
      rule: printable(finding.rule),
      layer: finding.layer,
      threats: finding.threats,
      severity: finding.severity,
      outcome,
      count: OUTCOMES.reduce((sum, name) => sum + finding.counts[name], 0),
      vector: finding.cvss?.vector ?? null,
      cvss: base === null ? null : formatFixed(base, 1),
      score: score === null ? null : shownScore(score),
    };
  });
}

function profileLayerSummary({ layer, isStated, about, open, controls }: ProfileLayer, reported: readonly Control[]): ProfileLayerSummary {
  const tested = controls.map((id) => {
    const states = reported.filter((control) => control.id === id).map(({ state }) => state);
    return { id, state: states.find((one) => one !== "attested") ?? states[0] ?? "not reported" };
  });
  const failed = tested.some(({ state }) => state === "missing" || state === "configured");
  const attested = tested.length > 0 && tested.every(({ state }) => state === "attested");
  return { layer, state: isStated ? "stated" : failed ? "failed" : attested ? "attested" : "unknown", about, open, controls: tested };
}

function descending(a: AivssScore | null, b: AivssScore | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return compare(b.raw, a.raw);
}

const LAYER_ORDER: readonly (MaestroLayer | "none")[] = ["L1", "L2", "L3", "L4", "L5", "L6", "L7", "X", "none"];

function layerSummaries(state: RiskState): readonly LayerSummary[] {
  return LAYER_ORDER.flatMap((layer): readonly LayerSummary[] => {
    const members = [...state.findings.values()].filter((finding) => (finding.layer ?? "none") === layer);
    if (members.length === 0) return [];
    const scores = members.map((finding) => findingScore(state, finding)).filter((score) => score !== null);
    const [first, ...rest] = scores;
    return [{ layer, findings: members.length, score: first === undefined ? null : shownScore(rest.reduce(higher, first)) }];
  });
}
