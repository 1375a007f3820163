// The questions that two policies answer differently. Compares answers, not texts: no difference found is no proof of equality.

import { namedRoles } from "./applies.js";
import { checkQuestion, type CheckSubject } from "./check-line.js";
import type { DecisionEffect } from "./decision.js";
import { EXAMPLE_PLACES } from "./example-effects.js";
import type { ParsedFile } from "./parse-file.js";
import type { PolicySet } from "./policy-set.js";
import { PROBES, type Probe } from "./probes.js";

/** One question answered differently. */
export interface PolicyDifference {
  readonly subject: CheckSubject;
  readonly role: string | null;
  readonly before: { readonly effect: DecisionEffect; readonly rule: string };
  readonly after: { readonly effect: DecisionEffect; readonly rule: string };
  /** The second policy is the stricter one here. */
  readonly tighter: boolean;
}

/** What a comparison found, and of how many questions. */
export interface PolicyComparison {
  readonly asked: number;
  readonly differences: readonly PolicyDifference[];
}

const RANK: Readonly<Record<DecisionEffect, number>> = { allow: 0, ask: 1, deny: 2 };

/** Compares two policies on the examples of `files` and on the built-in questions, each without a role and under every role the rules name. */
export function comparePolicies(before: PolicySet, after: PolicySet, files: readonly ParsedFile[]): PolicyComparison {
  const own = files.flatMap((file) => file.rules.flatMap(({ match, notMatch }) => [...match, ...notMatch])).flatMap((example): readonly Probe[] => (example.root === null && example.cwd === null ? [{ role: example.role ?? null, subject: example.subject }] : []));
  const roles = [null, ...namedRoles([...before.rules, ...after.rules])];
  const seen = new Set<string>();
  const differences: PolicyDifference[] = [];
  for (const probe of [...PROBES, ...own]) {
    for (const role of roles) {
      const key = JSON.stringify([probe.subject, role]);
      if (seen.has(key)) continue;
      seen.add(key);
      const difference = compareOne(before, after, { subject: probe.subject, role });
      // What differs without a role differs under roles too; it is told once.
      if (difference !== null && (role === null || !differences.some((one) => one.role === null && sameAnswer(one, difference)))) differences.push(difference);
    }
  }
  return { asked: seen.size, differences };
}

function sameAnswer(left: PolicyDifference, right: PolicyDifference): boolean {
  return JSON.stringify([left.subject, left.before.effect, left.after.effect]) === JSON.stringify([right.subject, right.before.effect, right.after.effect]);
}

function compareOne(before: PolicySet, after: PolicySet, { subject, role }: Probe): PolicyDifference | null {
  const { root, home } = EXAMPLE_PLACES;
  const [left, right] = [before, after].map((set) => checkQuestion(set, { subject, role, root, cwd: root }, { home, containment: "attested" }));
  if (left === undefined || right === undefined || left.effect === right.effect) return null;
  return { subject, role, before: { effect: left.effect, rule: left.reasons[0]?.rule ?? "" }, after: { effect: right.effect, rule: right.reasons[0]?.rule ?? "" }, tighter: RANK[right.effect] > RANK[left.effect] };
}
