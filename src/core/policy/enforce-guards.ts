// The deny rules about files as enforcement sees them: which names they close for reading or for changing, found quickly in a
// long list of names. Pure. Never closes more than the rule itself denies.

import type { FileOperation } from "../action/effects.js";
import type { DecisionContext } from "./decision.js";
import { applies } from "./applies.js";
import { isLiteral } from "./glob-meet.js";
import { compileRule, pathOf } from "./match-effect.js";
import { expandGlob, type Places } from "./match-path.js";
import { pathTest } from "./match-path-test.js";
import { foldName, segmentsOf } from "./paths.js";
import type { PolicySet } from "./policy-set.js";
import type { FileMatcher, Rule } from "./rule.js";

/** One alternative of a deny rule that names files of the workspace. */
export interface DenyGuard {
  readonly rule: Rule;
  readonly matcher: FileMatcher;
  readonly reads: boolean;
  /** Writing, creating and deleting are all denied: a read-only mount takes nothing that is allowed. */
  readonly changes: boolean;
  /** Does it name this absolute path? */
  readonly hits: (path: string) => boolean;
  /** Does it name whatever can lie below this folder? */
  readonly hitsAllBelow: (path: string) => boolean;
}

/** Tells which names a guard could be about, by the last thing each of its patterns spells out. */
export interface NameFilter {
  /** The filter cannot tell: every name is to be looked at. */
  readonly all: boolean;
  readonly isHot: (baseName: string) => boolean;
}

/** Names no pattern singles out: what holds for them holds for every name. */
const PROBES = ["qz7~ringfence-probe", "Vx3~ringfence-probe/Qj~probe"] as const;

const CHANGING: readonly FileOperation[] = ["write", "create", "delete"];

/** The guards of a policy for one role, in a tested container: those that hold whatever program does it. */
export function denyGuards(policySet: PolicySet, context: Pick<DecisionContext, "role" | "root" | "home">): readonly DenyGuard[] {
  const places: Places = { root: context.root, home: context.home };
  const judged: DecisionContext = { ...context, cwd: context.root, containment: "attested" };
  const guards: DenyGuard[] = [];
  for (const rule of policySet.rules) {
    if (rule.effect !== "deny" || rule.shadow === true || !applies(rule, judged)) continue;
    for (const matcher of rule.when) {
      if (matcher.on !== "file" || !isUnconditional(matcher)) continue;
      guards.push(guardOf(rule, matcher, places));
    }
  }
  return guards;
}

/** Whether a matcher is about names alone, not about who touches them or how. */
export function isUnconditional(matcher: FileMatcher): boolean {
  return !matcher.outside && !matcher.whole && matcher.recursive !== true && matcher.by.length === 0;
}

/** A filter for guards: a name can only be theirs when it, or a folder above it, is hot. */
export function nameFilter(guards: readonly DenyGuard[], places: Places): NameFilter {
  const literal = new Set<string>();
  const wild = new Map<string, (name: string) => boolean>();
  const root = segmentsOf(foldName(places.root));
  for (const { matcher } of guards) {
    if (matcher.paths.length === 0) return { all: true, isHot: () => true };
    for (const glob of matcher.paths.flatMap((one) => expandGlob(one, places))) {
      const head = headOf(segmentsOf(foldName(glob)), root);
      if (head === "elsewhere") continue;
      if (head === null) return { all: true, isHot: () => true };
      if (isLiteral(head)) literal.add(head);
      else if (!wild.has(head)) wild.set(head, pathTest(head));
    }
  }
  const matchers = [...wild.values()];
  const known = new Map<string, boolean>();
  const isHot = (baseName: string): boolean => {
    let hot = known.get(baseName);
    if (hot === undefined) {
      const name = foldName(baseName);
      // Composed letters are compared in both spellings by the rules themselves.
      hot = literal.has(name) || literal.has(baseName.normalize("NFC").toLowerCase()) || matchers.some((matches) => matches(name) || matches(baseName.normalize("NFC").toLowerCase()));
      if (known.size < 50_000) known.set(baseName, hot);
    }
    return hot;
  };
  return { all: false, isHot };
}

/** The last name that a pattern spells out below the root, null when it has none there. */
function headOf(names: readonly string[], root: readonly string[]): string | "elsewhere" | null {
  let below = names;
  if (names[0] !== "**") {
    for (const [index, part] of root.entries()) {
      const name = names[index];
      if (name === "**" || name === undefined) break;
      if (isLiteral(name) && name !== part) return "elsewhere";
    }
    below = names.slice(root.length);
  }
  return below.findLast((name) => name !== "**" && name !== "*") ?? null;
}

function guardOf(rule: Rule, matcher: FileMatcher, places: Places): DenyGuard {
  const operation = matcher.operations[0] ?? "read";
  const compiled = compileRule({ ...rule, when: [matcher] }, places);
  const hits = (path: string): boolean => {
    const effect = { kind: "file", operation, path, certainty: "exact", recursive: false, by: "", from: path } as const;
    return compiled.matches({ effect, path: pathOf(effect) });
  };
  return {
    rule,
    matcher,
    reads: matcher.operations.includes("read"),
    changes: CHANGING.every((one) => matcher.operations.includes(one)),
    hits,
    // An exception could mean some name below, whatever a probe says.
    hitsAllBelow: (path) => matcher.except.length === 0 && PROBES.every((probe) => hits(`${path}/${probe}`)),
  };
}
