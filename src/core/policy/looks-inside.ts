// Which files the rules about content ask to see, and whether a text has anything that they ask for. Judges nothing.

import { applies } from "./applies.js";
import { findContent } from "./content.js";
import type { DecisionContext } from "./decision.js";
import { pathOf } from "./match-effect.js";
import { compileGlob, type PathGlob } from "./match-path.js";
import type { PolicySet } from "./policy-set.js";
import type { ContentKind, ContentMatcher } from "./rule.js";

export interface Inside {
  /** Does a rule ask what is in a file of this absolute path. */
  readonly wants: (path: string) => boolean;
  /** Does a text have anything that a rule asks for. */
  readonly holds: (text: string) => boolean;
}

/** What the rules that apply ask of the content of files. */
export function looksInside(policySet: PolicySet, context: DecisionContext): Inside {
  const places = { root: context.root, home: context.home };
  const matchers = policySet.rules
    .filter((rule) => rule.effect !== "allow" && applies(rule, context))
    .flatMap((rule) => rule.when)
    .filter((matcher): matcher is ContentMatcher => matcher.on === "content" && matcher.where === "edit" && matcher.contains.some((kind) => kind !== "test-command"));
  const compiled = matchers.map(({ paths, except }) => ({ paths: paths.map((glob) => compileGlob(glob, places)), except: except.map((glob) => compileGlob(glob, places)) }));
  const kinds = new Set<ContentKind>(matchers.flatMap(({ contains }) => contains));
  return {
    wants: (path) => {
      const subject = pathOf({ kind: "content", path, text: "" });
      const hit = (globs: readonly PathGlob[]): boolean => subject !== null && globs.some((glob) => glob.hits(subject));
      return compiled.some(({ paths, except }) => (paths.length === 0 || hit(paths)) && !hit(except));
    },
    holds: (text) => [...kinds].some((kind) => findContent(kind, text, false).length > 0),
  };
}
