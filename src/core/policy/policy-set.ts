// A compiled policy: rules as data, their digest, and their matchers for each place of the workspace.

import type { Digest } from "../shared/index.js";
import { compileModels, type Model, type ModelRow } from "../shell/index.js";
import { compileRule, type CompiledRule } from "./match-effect.js";
import type { Places } from "./match-path.js";
import type { Reaction } from "./reaction.js";
import type { Rule } from "./rule.js";

/** A file that a policy set was made of. */
export interface PolicySource {
  /** As handed in: a path, or the built-in file's name. */
  readonly name: string;
  readonly id: string;
  readonly title: string;
  readonly rules: number;
}

/** A compiled policy. Immutable in behaviour; only the matchers are made on first use. */
export interface PolicySet {
  /** Of the rules' content, whatever their order or file. */
  readonly digest: Digest;
  readonly sources: readonly PolicySource[];
  /** Sorted by id. */
  readonly rules: readonly Rule[];
  /** What is done when the score rises, sorted by id; left out when there is nothing. */
  readonly reactions?: readonly Reaction[];
  /** Rows of programs that the policy models; left out when there are none. */
  readonly programs?: readonly ModelRow[];
  /** The models of `programs` by name, for evaluating commands. */
  readonly models?: ReadonlyMap<string, Model>;
  /** The compiled rules for one place; the last few places are kept. */
  readonly compiledFor: (places: Places) => readonly CompiledRule[];
}

const KEPT_PLACES = 8;

/** Makes the lazily filled store of matchers of one policy set. */
export function matcherStore(rules: readonly Rule[]): PolicySet["compiledFor"] {
  const kept = new Map<string, readonly CompiledRule[]>();
  return (places) => {
    const key = JSON.stringify([places.root, places.home]);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const made = rules.map((rule) => compileRule(rule, places));
    if (kept.size >= KEPT_PLACES) kept.clear();
    kept.set(key, made);
    return made;
  };
}

/** The part of a policy set that its own models of programs make. */
export function modelsOf(programs: readonly ModelRow[]): Pick<PolicySet, "programs" | "models"> {
  return programs.length === 0 ? {} : { programs, models: compileModels(programs) };
}
