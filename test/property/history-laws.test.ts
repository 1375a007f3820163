// The laws of rules with a history: more of it never allows more, the same record gives the same, and no order of rules matters.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ActionEffect } from "../../src/core/action/effects.js";
import { decide, NO_HISTORY, type PolicySet, type SessionHistory } from "../../src/core/policy/index.js";
import { afterCall, afterChanges, afterFindings, afterRefusal, afterSpending, afterStart } from "../../src/core/policy/history.js";
import { matcherStore } from "../../src/core/policy/policy-set.js";
import type { EffectMatcher, Matcher, Rule } from "../../src/core/policy/rule.js";
import { CONTEXT, exec, file } from "../unit/policy/support.js";

const RUNS = { numRuns: process.env["RINGFENCE_SOAK"] === "1" ? 5_000 : 200 };
const RANK = { allow: 0, ask: 1, deny: 2 };

const program = fc.constantFrom("a", "b", "c");
const name = fc.constantFrom("x", "y");
const effects: fc.Arbitrary<readonly ActionEffect[]> = fc.array(fc.oneof(program.map((one) => exec(one)), fc.tuple(fc.constantFrom("read" as const, "write" as const, "delete" as const), name).map(([operation, path]) => file(operation, `/workspace/${path}`))), { minLength: 1, maxLength: 4 });

const did: fc.Arbitrary<EffectMatcher> = fc.oneof(
  program.map((one) => ({ on: "exec" as const, programs: [one], args: [], flags: [], withoutFlags: [], unlessAlone: [], known: false })),
  name.map((one) => ({ on: "file" as const, operations: ["write", "delete"] as const, paths: [`./${one}`], except: [], outside: false, whole: false, recursive: null, by: [], notBy: [] })),
);
const small = fc.option(fc.integer({ min: 0, max: 3 }));
const matcher: fc.Arbitrary<Matcher> = fc.oneof(
  fc.record({ per: fc.constantFrom("session" as const, "call" as const), calls: small, seconds: small, bytesWritten: small, filesChanged: small, deletions: small, counting: fc.option(did) }).map((one) => ({ on: "budget" as const, ...one, ...(one.per === "call" ? { calls: null } : {}) })),
  fc.record({ after: fc.array(fc.oneof(did.map((one) => ({ kind: "did" as const, matcher: one })), fc.constant({ kind: "found" as const, rules: ["L2.*"] }), fc.constant({ kind: "refused" as const, rules: ["L2.*"] })), { minLength: 1, maxLength: 2 }), then: did, same: fc.boolean() }).map((one) => ({ on: "sequence" as const, within: null, ...one })),
  fc.record({ inRow: fc.integer({ min: 1, max: 3 }) }).map((one) => ({ on: "refusals" as const, rules: [], threats: [], ...one })),
);

function make(id: string, effect: Rule["effect"], when: readonly Matcher[]): Rule {
  return { id, pack: "acme", effect, layer: null, threats: [], message: id, allowed: null, guidance: null, risk: null, roles: [], notRoles: [], containment: "any", timeoutMs: null, when, at: { file: "x", line: 1, column: 1 } };
}

const ANY = make("acme.any", "allow", [{ on: "exec", programs: [], args: [], flags: [], withoutFlags: [], unlessAlone: [], known: false }, { on: "file", operations: ["read", "write", "create", "delete", "metadata"], paths: [], except: [], outside: false, whole: false, recursive: null, by: [], notBy: [] }]);
const rules = fc.array(fc.record({ effect: fc.constantFrom("ask" as const, "deny" as const), when: fc.array(matcher, { minLength: 1, maxLength: 2 }) }), { minLength: 1, maxLength: 4 }).map((some) => [ANY, ...some.map((one, index) => make(`acme.r${String(index)}`, one.effect, one.when))]);

function setOf(some: readonly Rule[]): PolicySet {
  return { digest: "sha256:0", sources: [], rules: some, compiledFor: matcherStore(some) };
}

/** One thing that can happen in a session. */
type Step = { readonly kind: "ran"; readonly effects: readonly ActionEffect[]; readonly changed: readonly string[]; readonly bytes: number } | { readonly kind: "refused" } | { readonly kind: "found" };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("ran" as const), effects, changed: fc.array(name.map((one) => `/workspace/${one}`), { maxLength: 2 }), bytes: fc.integer({ min: 0, max: 2 }) }),
  fc.constant({ kind: "refused" as const }),
  fc.constant({ kind: "found" as const }),
);

const action = (some: readonly ActionEffect[]) => ({ kind: "command" as const, form: { shell: "x" }, cwd: "/workspace", timeoutMs: null, effects: some });

function happen(policy: PolicySet, history: SessionHistory, one: Step): SessionHistory {
  if (one.kind === "refused") return afterRefusal(afterCall(history), { rules: ["L2.x"], threats: [] });
  if (one.kind === "found") return afterFindings(history, ["L2.x"]);
  const marks = decide(policy, action(one.effects), { ...CONTEXT, history }).marks ?? [];
  return afterChanges(afterSpending(afterStart(afterCall(history), marks), { seconds: 1, bytesWritten: one.bytes }), one.changed);
}

describe("a decision with a history", () => {
  it("is never milder when more has happened, but for a row of refusals that a call ended", () => {
    fc.assert(
      fc.property(rules, fc.array(step, { maxLength: 6 }), step, effects, (some, before, more, asked) => {
        const policy = setOf(some.filter((rule) => more.kind !== "ran" || rule.when.every((one) => one.on !== "refusals")));
        const first = before.reduce((history, one) => happen(policy, history, one), NO_HISTORY);
        const [one, two] = [first, happen(policy, first, more)].map((history) => decide(policy, action(asked), { ...CONTEXT, history }).effect);
        expect(RANK[two ?? "allow"]).toBeGreaterThanOrEqual(RANK[one ?? "deny"]);
      }),
      RUNS,
    );
  });

  it("does not depend on the order of rules, and never throws", () => {
    fc.assert(
      fc.property(rules, fc.array(step, { maxLength: 6 }), effects, (some, before, asked) => {
        const [one, two] = [some, [...some].reverse()].map((list) => {
          const policy = setOf(list);
          const history = before.reduce((known, what) => happen(policy, known, what), NO_HISTORY);
          const { marks = [], ...rest } = decide(policy, action(asked), { ...CONTEXT, history });
          return { ...rest, marks: [...marks].sort() };
        });
        expect(two).toEqual(one);
      }),
      RUNS,
    );
  });

  it("is without a history that of a session that has just begun", () => {
    fc.assert(
      fc.property(rules, effects, (some, asked) => {
        expect(decide(setOf(some), action(asked), CONTEXT)).toEqual(decide(setOf(some), action(asked), { ...CONTEXT, history: NO_HISTORY }));
      }),
      RUNS,
    );
  });
});
