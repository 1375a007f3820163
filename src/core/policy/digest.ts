// The digest of a policy set: the same rules in any order and any file layout give the same digest.

import type { Digest, Hasher } from "../shared/index.js";
import type { Rule } from "./rule.js";

/** JSON text with sorted keys and no blanks. Only for plain data made by the compiler. */
function stableText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stableText).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${stableText(item)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

/** Digest of the rules' content; places in files do not count. Rules must be sorted by id. */
export function digestOf(rules: readonly Rule[], hash: Hasher): Digest {
  return hash(stableText({ language: 1, rules: rules.map(({ at: _at, ...content }) => content) }));
}
