// Risk profiles of agents: what a live score starts from. The built-in ones are files (policies/profiles); what this build was made with
// is kept beside it as data, so that no command reads YAML for them.

import type { MaestroLayer } from "../policy/decision.js";
import type { Formula } from "./aivss.js";
import { BUILTIN_PROFILES } from "./builtin-profiles.js";
import type { CvssVector } from "./cvss-vector.js";
import type { Decimal } from "./decimal.js";
import type { FactorKey, Factors } from "./factors.js";
import { readProfile } from "./profile-data.js";

/** One MAESTRO layer of an agent's threat model. */
export interface ProfileLayer {
  readonly layer: MaestroLayer;
  /** False: the listing was not certain about it. */
  readonly isStated: boolean;
  readonly about: string;
  /** What the listing leaves open; null where it states the layer. */
  readonly open: string | null;
  /** Controls that answer it, all of them; for reports only, the score does not count them again. */
  readonly controls: readonly string[];
}

/** What a live score starts from. */
export interface RiskProfile {
  readonly id: string;
  readonly title: string;
  /** Who published the ten values. */
  readonly source: string;
  readonly factors: Factors;
  /** The name each value was published under. */
  readonly publishedNames: ReadonlyMap<FactorKey, string>;
  /** CVSS v4.0 base vector of the agent without a sandbox. */
  readonly vector: CvssVector;
  readonly vectorSource: string;
  /** Why the vector is what it is. */
  readonly reasoning: readonly string[];
  readonly formula: Formula;
  /** Threat multiplier of the static score and of the posture. */
  readonly thm: Decimal;
  readonly mf: Decimal;
  readonly layers: readonly ProfileLayer[];
}

/** The published Kimi-Dev threat model: factor sum 5.2. */
export const KIMI_DEV: RiskProfile = builtin("kimi-dev");

/** Levels of the AIVSS v0.8 rubric for a coding agent that nobody has rated: factor sum 7.5. */
export const RUBRIC: RiskProfile = builtin("rubric");

/** Built-in profiles by id. */
export const PROFILES: readonly RiskProfile[] = [KIMI_DEV, RUBRIC];

/** Profile of a session that names none of its own: Kimi-Dev's, whose values are published. */
export function riskProfile(name: string | null): RiskProfile {
  return PROFILES.find(({ id }) => id === name) ?? KIMI_DEV;
}

/** Profile for an agent by its name: Kimi-Dev's for Kimi-Dev and where no name is known, the rubric's defaults for any other. */
export function profileForAgent(name: string | null): RiskProfile {
  return name === null || /^kimi[-_ ]?dev/iu.test(name) ? KIMI_DEV : RUBRIC;
}

function builtin(id: keyof typeof BUILTIN_PROFILES): RiskProfile {
  const { profile, problems } = readProfile(BUILTIN_PROFILES[id]);
  if (profile === null) throw new Error(`built-in profile ${id}: ${problems[0]?.message ?? "not read"}`);
  return profile;
}
