// The ten AIVSS factors: keys, the names other lists give them, and the reader of `a=0.8,b=0.5,…`.
// A missing factor is an error here, never a zero.

import { err, ok, printable, type Issue, type Result } from "../shared/index.js";
import { add, compare, formatExact, ONE, parseDecimal, ZERO, type Decimal } from "./decimal.js";

/** Keys in the order of the AIVSS v0.8 calculation vector. */
export const FACTOR_KEYS = [
  "autonomy",
  "tools",
  "language",
  "context",
  "non_determinism",
  "opacity",
  "persistence",
  "identity",
  "multi_agent",
  "self_mod",
] as const;

export type FactorKey = (typeof FACTOR_KEYS)[number];

/** A value for each of the ten factors, each in [0,1]. */
export type Factors = ReadonlyMap<FactorKey, Decimal>;

/** Names for people, as AIVSS v0.8 has them. */
export const FACTOR_NAMES: Readonly<Record<FactorKey, string>> = {
  autonomy: "Execution Autonomy",
  tools: "External Tool Control Surface",
  language: "Natural Language Interface",
  context: "Contextual Awareness",
  non_determinism: "Behavioral Non-Determinism",
  opacity: "Opacity & Reflexivity",
  persistence: "Persistent State Retention",
  identity: "Dynamic Identity",
  multi_agent: "Multi-Agent Interactions",
  self_mod: "Self-Modification",
};

/** The v0.5 factor that v0.8 dropped; it takes the place of `language`, which v0.5 lacks. */
const PLANNING = new Set(["planning", "goal_driven_planning", "goal_planning"]);

const ALIASES: ReadonlyMap<string, FactorKey> = new Map<string, FactorKey>([
  ...FACTOR_KEYS.map((key): [string, FactorKey] => [key, key]),
  ...FACTOR_KEYS.map((key): [string, FactorKey] => [normalise(FACTOR_NAMES[key]), key]),
  ["execution", "autonomy"],
  ["autonomy_of_action", "autonomy"],
  ["tool_use", "tools"],
  ["dynamic_tool_use", "tools"],
  ["tool_control_surface", "tools"],
  ["natural_language", "language"],
  ["contextual", "context"],
  ["nondeterminism", "non_determinism"],
  ["opacity_and_reflexivity", "opacity"],
  ["reflexivity", "opacity"],
  ["persistent_memory", "persistence"],
  ["memory_use", "persistence"],
  ["memory", "persistence"],
  ["multi_agent_interaction", "multi_agent"],
  ["self_modification", "self_mod"],
]);

function normalise(name: string): string {
  return name.trim().toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
}

/** The factor a name stands for: a v0.8 key or name, a v0.5 name, or one of the threat model's; null when none. */
export function factorKey(name: string): FactorKey | null {
  if (name.length > 80) return null;
  const normal = normalise(name);
  return ALIASES.get(normal) ?? (PLANNING.has(normal) ? "language" : null);
}

/** Ten values read, and what a reader must know of them. */
export interface ParsedFactors {
  readonly values: Factors;
  /** Facts that weaken the result, such as a stand-in; empty when there are none. */
  readonly notes: readonly string[];
}

/**
 * Reads ten factors from `key=value` pairs separated by commas, or from name and value pairs.
 * Errors: unknown, repeated or missing name; a value that is no decimal in [0,1].
 */
export function parseFactors(input: string | readonly (readonly [string, string | number])[]): Result<ParsedFactors, readonly Issue[]> {
  const issues: Issue[] = [];
  const values = new Map<FactorKey, Decimal>();
  const notes: string[] = [];
  const pairs = typeof input === "string" ? splitPairs(input, issues) : input;
  if (pairs.length > 100) return err([{ code: "factors-too-many", message: `${pairs.length} factors given, ten are needed` }]);
  for (const [name, raw] of pairs) {
    const key = factorKey(name);
    if (key === null) {
      issues.push({ code: "factor-unknown", message: `unknown factor \`${printable(name, 40)}\``, hint: `the ten are ${FACTOR_KEYS.join(", ")}` });
      continue;
    }
    const value = parseDecimal(raw, `factor ${key}`);
    if (!value.ok) {
      issues.push(value.error);
    } else if (compare(value.value, ONE) > 0) {
      issues.push({ code: "factor-range", message: `factor ${key} \`${printable(String(raw), 40)}\` is above 1` });
    } else if (values.has(key)) {
      issues.push({ code: "factor-repeated", message: `factor ${key} is given twice`, hint: "planning (v0.5) and language (v0.8) share one place" });
    } else {
      values.set(key, value.value);
      if (PLANNING.has(normalise(name))) notes.push("Goal-Driven Planning (v0.5) stands in for Natural Language Interface (v0.8)");
    }
  }
  const named = new Set(pairs.map(([name]) => factorKey(name)));
  const missing = FACTOR_KEYS.filter((key) => !named.has(key));
  if (missing.length > 0) issues.push({ code: "factor-missing", message: `missing factor${missing.length > 1 ? "s" : ""} ${missing.join(", ")}`, hint: "all ten are needed; a missing one is not 0" });
  if (issues.length > 0) return err(issues);
  return ok({ values: new Map(FACTOR_KEYS.map((key): [FactorKey, Decimal] => [key, values.get(key) ?? ZERO])), notes });
}

function splitPairs(text: string, issues: Issue[]): readonly (readonly [string, string])[] {
  if (text.length > 2_000) {
    issues.push({ code: "factors-too-long", message: "the list of factors is too long" });
    return [];
  }
  const pairs: (readonly [string, string])[] = [];
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    if (at < 1) issues.push({ code: "factor-form", message: `\`${printable(part.trim(), 40)}\` is not of the form name=value` });
    else pairs.push([part.slice(0, at).trim(), part.slice(at + 1).trim()]);
  }
  return pairs;
}

/** Sum of ten values: 0 to 10, exact. */
export function factorSum(factors: Factors): Decimal {
  return [...factors.values()].reduce(add, ZERO);
}

/** Tells whether a value is one of the rubric's three levels 0, 0.5 and 1. */
export function isRubricLevel(value: Decimal): boolean {
  const text = formatExact(value);
  return text === "0" || text === "0.5" || text === "1";
}

/** Keys whose value is off the rubric, in order. */
export function nonRubricFactors(factors: Factors): readonly FactorKey[] {
  return [...factors].filter(([, value]) => !isRubricLevel(value)).map(([key]) => key);
}
