// The digest of a policy set: the same rules in any order and any file layout give the same digest.

import type { Digest, Hasher } from "../shared/index.js";
import type { ModelRow } from "../shell/index.js";
import type { Reaction } from "./reaction.js";
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

/** Digest of the rules' content, of the programs' models and of the reactions; places in files do not count. Rules must be sorted by id. */
export function digestOf(rules: readonly Rule[], hash: Hasher, programs: readonly ModelRow[] = [], reactions: readonly Reaction[] = []): Digest {
  return hash(stableText({ language: 1, ...(reactions.length === 0 ? {} : { reactions: reactions.map(({ at: _at, ...content }) => content) }), ...(programs.length === 0 ? {} : { programs: programs.map((row) => row.join("\t")).sort() }), rules: rules.map(({ at: _at, ...content }) => content) }));
}
