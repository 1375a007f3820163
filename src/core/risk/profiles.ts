// Published risk profiles of agents, as data. Values are copied with their source and never adjusted here.

import type { Formula } from "./aivss.js";
import { parseCvssVector, type CvssVector } from "./cvss-vector.js";
import { decimal, type Decimal } from "./decimal.js";
import { factorKey, FACTOR_KEYS, type FactorKey, type Factors } from "./factors.js";

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
  readonly formula: Formula;
  /** Threat multiplier of the static score and of the posture. */
  readonly thm: Decimal;
  readonly mf: Decimal;
}

/** Ten factors as the directory listing prints them, in its order. */
const KIMI_DEV_FACTORS: readonly (readonly [string, string])[] = [
  ["Autonomy of Action", "0.80"],
  ["Goal-Driven Planning", "0.80"],
  ["Self-Modification", "0.20"],
  ["Dynamic Tool Use", "0.80"],
  ["Persistent Memory", "0.30"],
  ["Contextual Awareness", "0.80"],
  ["Dynamic Identity", "0.10"],
  ["Multi-Agent Interactions", "0.10"],
  ["Non-Determinism", "0.70"],
  ["Opacity & Reflexivity", "0.60"],
];

/** Any code the model writes runs with network, host files and the user's rights, after the user opened a repository. */
const UNSANDBOXED_CODING_AGENT = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H";

/** The published Kimi-Dev threat model: factor sum 5.2. Its page prints no CVSS vector, so the vector is this project's. */
export const KIMI_DEV: RiskProfile = {
  id: "kimi-dev",
  title: "Kimi-Dev, as published",
  source: "agent.distributedapps.ai/directory/kimi-dev/threat-model",
  ...published(KIMI_DEV_FACTORS),
  vector: vectorOf(UNSANDBOXED_CODING_AGENT),
  vectorSource: "this project: a coding agent without a sandbox; the listing prints none",
  formula: "0.8-floor",
  thm: decimal("0.97"),
  mf: decimal("1"),
};

/** Profile of that name; Kimi-Dev's for any other, because it is the worst-known default that is published. */
export function riskProfile(name: string | null): RiskProfile {
  return [KIMI_DEV].find(({ id }) => id === name) ?? KIMI_DEV;
}

function published(rows: readonly (readonly [string, string])[]): Pick<RiskProfile, "factors" | "publishedNames"> {
  const byKey = new Map(rows.map(([name, value]) => [factorKey(name), { name, value: decimal(value) }]));
  const row = (key: FactorKey): { readonly name: string; readonly value: Decimal } => {
    const found = byKey.get(key);
    if (found === undefined) throw new Error(`profile lacks ${key}`);
    return found;
  };
  return {
    factors: new Map(FACTOR_KEYS.map((key): [FactorKey, Decimal] => [key, row(key).value])),
    publishedNames: new Map(FACTOR_KEYS.map((key): [FactorKey, string] => [key, row(key).name])),
  };
}

function vectorOf(text: string): CvssVector {
  const parsed = parseCvssVector(text);
  if (!parsed.ok) throw new Error(`profile vector: ${text}`);
  return parsed.value;
}
