// A compiled policy as plain data, so that a policy that was checked once need not be read and checked again.

import type { Digest } from "../shared/index.js";
import type { ModelRow } from "../shell/index.js";
import { matcherStore, modelsOf, type PolicySet, type PolicySource } from "./policy-set.js";
import type { Reaction } from "./reaction.js";
import type { Rule } from "./rule.js";

/** What a policy set is made of. Only data that `policyData` gave may be taken back: it is not checked again. */
export interface PolicyData {
  readonly digest: Digest;
  readonly sources: readonly PolicySource[];
  readonly rules: readonly Rule[];
  readonly programs?: readonly ModelRow[];
  readonly reactions?: readonly Reaction[];
}

/** The data of a set. */
export function policyData({ digest, sources, rules, programs, reactions }: PolicySet): PolicyData {
  return { digest, sources, rules, ...(reactions === undefined ? {} : { reactions }), ...(programs === undefined ? {} : { programs }) };
}

/** The set of data. */
export function policyFromData(data: PolicyData): PolicySet {
  return { ...data, ...modelsOf(data.programs ?? []), compiledFor: matcherStore(data.rules) };
}
