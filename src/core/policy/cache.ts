// A compiled policy as text, so that a later start need not read YAML and judge examples again. The rules are plain data; the
// digest is made anew from them, so a changed text is noticed, but the place it is kept in must be the user's own.

import type { Hasher } from "../shared/index.js";
import type { PolicyText } from "./compile.js";
import { digestOf } from "./digest.js";
import { matcherStore, type PolicySet, type PolicySource } from "./policy-set.js";
import type { Rule } from "./rule.js";

/** Form of the text; raised with every change of `Rule` or of what compiling checks. */
const FORM = 1;

/** Name under which a compiled policy is kept: it changes with every byte of every source. `salt` is the product's version. */
export function policyCacheKey(sources: readonly PolicyText[], salt: string, hash: Hasher): string {
  return hash(JSON.stringify([FORM, salt, sources.map(({ name, text }) => [name, text])])).slice("sha256:".length);
}

/** The text to keep. */
export function policyCacheText(policySet: PolicySet): string {
  return JSON.stringify({ form: FORM, digest: policySet.digest, sources: policySet.sources, rules: policySet.rules });
}

/** The policy of a kept text; null when it is of another form or does not have the digest it says. */
export function policyFromCache(text: string, hash: Hasher): PolicySet | null {
  try {
    const kept = JSON.parse(text) as { readonly form: unknown; readonly digest: unknown; readonly sources: readonly PolicySource[]; readonly rules: readonly Rule[] };
    if (kept.form !== FORM || !Array.isArray(kept.rules) || !Array.isArray(kept.sources)) return null;
    const digest = digestOf(kept.rules, hash);
    return digest === kept.digest ? { digest, sources: kept.sources, rules: kept.rules, compiledFor: matcherStore(kept.rules) } : null;
  } catch {
    return null; // not ours: compiled anew
  }
}
