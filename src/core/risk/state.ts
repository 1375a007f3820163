// The live score as a value: everything it depends on, and the scores derived from it.

import type { MaestroLayer } from "../policy/decision.js";
import type { ThreatId } from "../shared/index.js";
import type { Control } from "../session/event.js";
import { scoreAivss, type AivssScore } from "./aivss.js";
import { OUTCOME_ROWS, RUN_SIGNALS, THM_ATTEMPTED, THM_SUCCEEDED, type Outcome, type Severity } from "./catalogue.js";
import { compare, max, type Decimal } from "./decimal.js";
import type { Evidence, FactorLevel } from "./evidence.js";
import type { FactorKey } from "./factors.js";
import { worstOutcome, type FindingCvss, type RiskFinding, type Signal } from "./finding.js";
import type { FindingMap } from "./finding-map.js";
import type { Posture } from "./posture.js";
import type { RiskProfile } from "./profiles.js";

/** One input that a change moved; `before` is null where there was none. */
export interface RiskInput {
  readonly name: string;
  readonly before: string | null;
  readonly after: string;
}

/** Rule name of a change that a control which no longer holds has made. */
export const POSTURE_RULE = "posture";

/** One step of the score: which rule, on which event, moved what. */
export interface RiskChange {
  readonly seq: number;
  readonly rule: string;
  readonly layer: MaestroLayer | null;
  readonly threats: readonly ThreatId[];
  readonly severity: Severity;
  readonly outcome: Outcome | "discarded" | "lost";
  readonly inputs: readonly RiskInput[];
  /** Headline before rounding. The differences of all changes add up to the whole movement. */
  readonly before: Decimal;
  readonly after: Decimal;
}

/** The highest of posture and findings. */
export interface Headline {
  readonly score: AivssScore;
  /** `posture`, or the rule of the finding that is highest. */
  readonly driver: string;
}

export interface RiskState {
  readonly profile: RiskProfile;
  /** Controls as last known, each at its worst. */
  readonly controls: readonly Control[];
  /** Ids of those that were attested at the start and are no longer. */
  readonly lost: readonly string[];
  readonly posture: Posture;
  readonly findings: FindingMap;
  /** CVSS of risks met so far under this posture, by `cvssKey`. */
  readonly scored: ReadonlyMap<string, FindingCvss | null>;
  /** Events whose evidence comes up to a severity and an outcome: `severity × outcomes + outcome`, each by its place in the catalogue. */
  readonly attempts: readonly number[];
  /** What was asked and is not answered yet, by call. */
  readonly pending: ReadonlyMap<string, PendingQuestion>;
  /** The session's changes were thrown away: what had succeeded in the workspace is undone. */
  readonly discarded: boolean;
  readonly evidence: Evidence;
  readonly factors: ReadonlyMap<FactorKey, FactorLevel>;
  readonly factorSum: Decimal;
  readonly headline: Headline;
  readonly peak: AivssScore;
  readonly changes: readonly RiskChange[];
}

export interface PendingQuestion {
  /** Rules with risk, already counted as `asked`. */
  readonly counted: readonly string[];
  /** Questions without risk, counted only when refused. */
  readonly routine: readonly Signal[];
}

type Inputs = Pick<RiskState, "profile" | "posture" | "findings" | "discarded" | "factorSum">;

/** Score of the container itself under the session's factors. */
export function postureScore({ profile, posture, factorSum }: Inputs): AivssScore {
  return scoreAivss(profile.formula, { cvss: posture.cvss, factorSum, thm: profile.thm, mf: profile.mf });
}

/** What the agent would score without any sandbox and before any evidence: the published profile. Never changes. */
export function staticScore(profile: RiskProfile, terms: { readonly cvss: Decimal; readonly factorSum: Decimal }): AivssScore {
  return scoreAivss("0.8", { ...terms, thm: profile.thm, mf: profile.mf });
}

/** Where a finding stands now: its furthest outcome, or `undone` when the session was discarded. */
export function standingOutcome(finding: RiskFinding, discarded: boolean): Outcome {
  const outcome = worstOutcome(finding);
  return discarded && outcome === "succeeded" && !Object.hasOwn(RUN_SIGNALS, finding.rule) ? "undone" : outcome;
}

/** CVSS that a finding is scored with: under the posture while the controls held for it, in the open once it succeeded. Null: no score of its own. */
export function findingBase(finding: RiskFinding, outcome: Outcome): Decimal | null {
  const row = OUTCOME_ROWS[outcome];
  if (!row.scored || finding.cvss === null) return null;
  return row.contained ? finding.cvss.contained : finding.cvss.open;
}

/** Score of one finding, or null where it has none of its own. */
export function findingScore(inputs: Inputs, finding: RiskFinding): AivssScore | null {
  const standing = standingOf(inputs, finding);
  return standing === null ? null : standingScore(inputs, standing);
}

/** What a finding's score hangs on besides profile and factors. */
interface Standing {
  readonly cvss: Decimal;
  readonly thm: Decimal;
}

function standingOf({ profile, discarded }: Inputs, finding: RiskFinding): Standing | null {
  const outcome = standingOutcome(finding, discarded);
  const cvss = findingBase(finding, outcome);
  return cvss === null ? null : { cvss, thm: outcome === "succeeded" ? THM_SUCCEEDED : max(THM_ATTEMPTED, profile.thm) };
}

function standingScore({ profile, factorSum }: Inputs, { cvss, thm }: Standing): AivssScore {
  return scoreAivss(profile.formula, { cvss, factorSum, thm, mf: profile.mf });
}

/** The highest of posture and findings, never an average. Equal: posture first, then the rule that sorts first. Findings that stand alike are scored once. */
export function headlineOf(inputs: Inputs): Headline {
  let best: Headline = { score: postureScore(inputs), driver: "posture" };
  // By CVSS in tenths, and whether it succeeded: at most 202.
  const scores: AivssScore[] = [];
  inputs.findings.forEach((finding, rule) => {
    const standing = standingOf(inputs, finding);
    if (standing === null) return;
    const { cvss, thm } = standing;
    const key = Number(cvss.units) * (cvss.scale === 0 ? 20 : 2) + (thm === THM_SUCCEEDED ? 1 : 0);
    const score = (scores[key] ??= standingScore(inputs, standing));
    if (score === best.score) {
      if (best.driver !== "posture" && rule < best.driver) best = { score, driver: rule };
      return;
    }
    const order = compare(score.raw, best.score.raw);
    if (order > 0 || (order === 0 && best.driver !== "posture" && rule < best.driver)) best = { score, driver: rule };
  });
  return best;
}
