// The short ways to an answer give the answer of the long one: the index of rules against asking every rule, plain comparisons
// against the glob they stand for.

import * as fc from "fast-check";
import { Minimatch } from "minimatch";
import { describe, expect, it } from "vitest";
import type { ActionEffect } from "../../src/core/action/effects.js";
import { compileRule, pathOf } from "../../src/core/policy/match-effect.js";
import { pathTest } from "../../src/core/policy/match-path-test.js";
import { indexOf } from "../../src/core/policy/rule-index.js";
import type { Matcher, Rule } from "../../src/core/policy/rule.js";

const RUNS = { numRuns: process.env["RINGFENCE_SOAK"] === "1" ? 50_000 : 2_000 };
const PLACES = { root: "/w/ork", home: "/home/agent" };
const OPERATIONS = ["read", "write", "create", "delete", "metadata"] as const;

const name = fc.constantFrom("a", "b", ".git", "hooks", "x.py", "A", "é", "ﬁ", "x.test.py", ".env", "a@b", "w", "ork", "*", "a*", "[a]", "\u200bb");
const wild = fc.constantFrom("*", "**", "*.py", "?", ".*", "*.test.*", "[ab]", "{a,b,.env}", "*_{a,b}.py", "@(a|b)", "a\\*", ".env.*", "!a", "a@b");
const path = fc.tuple(fc.constantFrom("/w/ork", "/home/agent", "/etc", "", "/w"), fc.array(name, { maxLength: 4 })).map(([folder, parts]) => [folder, ...parts].join("/") || "/");
const glob = fc.tuple(fc.constantFrom("./", "~/", "/", "**/", "/w/", "/etc/"), fc.array(fc.oneof(name, wild), { minLength: 1, maxLength: 4 })).map(([anchor, parts]) => anchor + parts.join("/"));
const patternPath = fc.tuple(fc.constantFrom("/w/ork", "/home/agent", "/etc", "", "/w"), fc.array(fc.oneof(name, wild), { minLength: 1, maxLength: 4 })).map(([folder, parts]) => [folder, ...parts].join("/"));
const program = fc.constantFrom("rm", "GIT", "git", "cp", "x".repeat(5_000));

const effect: fc.Arbitrary<ActionEffect> = fc.oneof(
  fc.record({ kind: fc.constant("file" as const), operation: fc.constantFrom(...OPERATIONS), path, certainty: fc.constant("exact" as const), recursive: fc.boolean(), by: program, from: fc.constant("") }),
  fc.record({ kind: fc.constant("file" as const), operation: fc.constantFrom(...OPERATIONS), path: patternPath, certainty: fc.constant("pattern" as const), recursive: fc.boolean(), by: program, from: fc.constant("") }),
  program.map((one) => ({ kind: "exec" as const, program: one, path: null, argv: [one, "x"], from: "" })),
  program.map((one) => ({ kind: "runs-code" as const, source: "file" as const, program: one, code: null, upstream: [], from: "" })),
  fc.constantFrom("PATH", "path", "HOME").map((one) => ({ kind: "environment" as const, name: one, value: null, from: "" })),
  fc.constant({ kind: "connect" as const, host: "a.test", url: null, by: "curl", from: "" }),
);
const words = fc.subarray(["rm", "git", "cp", "g*", "x".repeat(4_096)], { maxLength: 3 });
const matcher: fc.Arbitrary<Matcher> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ on: fc.constant("file" as const), operations: fc.subarray([...OPERATIONS], { minLength: 1 }), paths: fc.array(glob, { maxLength: 3 }), except: fc.array(glob, { maxLength: 1 }), outside: fc.boolean(), whole: fc.boolean(), recursive: fc.constantFrom(null, true, false), by: fc.constant([]), notBy: fc.constant([]) }),
  },
  { weight: 1, arbitrary: words.map((programs) => ({ on: "exec" as const, programs, args: [], flags: [], withoutFlags: [], unlessAlone: [], known: false })) },
  { weight: 1, arbitrary: words.map((programs) => ({ on: "code" as const, sources: [], programs, upstream: [], containing: [] })) },
  { weight: 1, arbitrary: fc.subarray(["PATH", "H*"]).map((names) => ({ on: "environment" as const, names, values: [] })) },
  { weight: 1, arbitrary: fc.constant({ on: "connect" as const, hosts: [], except: [], urls: [], by: [], notBy: [], known: false }) },
);
const rules = fc.array(fc.record({ effect: fc.constantFrom("allow" as const, "ask" as const, "deny" as const), when: fc.array(matcher, { minLength: 1, maxLength: 3 }) }), { maxLength: 8 });

function ruleOf(id: number, { effect: verdict, when }: { readonly effect: Rule["effect"]; readonly when: readonly Matcher[] }): Rule {
  return { id: `acme.r${String(id)}`, pack: "acme", effect: verdict, layer: null, threats: [], message: "", allowed: null, guidance: null, risk: null, roles: [], notRoles: [], containment: "any", timeoutMs: null, when, at: { file: "x", line: 1, column: 1 } };
}

describe("the index of rules", () => {
  it("finds every rule that matches, in the order of the rules", () => {
    fc.assert(
      fc.property(rules, fc.array(effect, { minLength: 1, maxLength: 5 }), (some, effects) => {
        const compiled = some.map((one, id) => compileRule(ruleOf(id, one), PLACES));
        const about = indexOf(compiled);
        for (const one of effects) {
          const subject = { effect: one, path: pathOf(one) };
          const matching = compiled.filter((rule) => rule.kinds.has(one.kind) && rule.matches(subject));
          expect(about(subject).filter((rule) => rule.kinds.has(one.kind) && rule.matches(subject))).toEqual(matching);
        }
      }),
      RUNS,
    );
  });

  it("finds a rule by the folder above one of its paths where another of them could be anything", () => {
    const rule = compileRule(ruleOf(0, { effect: "deny", when: [{ on: "file", operations: ["delete"], paths: ["/?", "**/.env/a"], except: [], outside: false, whole: false, recursive: null, by: [], notBy: [] }] }), PLACES);
    const one: ActionEffect = { kind: "file", operation: "delete", path: "/w/ork/.env", certainty: "pattern", recursive: true, by: "rm", from: "" };
    expect(rule.matches({ effect: one, path: pathOf(one) })).toBe(true);
    expect(indexOf([rule])({ effect: one, path: pathOf(one) })).toEqual([rule]);
  });

  it("asks a rule that tells nothing of itself about every effect of its kinds", () => {
    const silent = { ...compileRule(ruleOf(0, { effect: "deny", when: [] }), PLACES), kinds: new Set(["exec", "file"] as const), keys: undefined };
    const subject = (one: ActionEffect) => ({ effect: one, path: pathOf(one) });
    const { keys: _, ...untold } = silent;
    expect(indexOf([untold])(subject({ kind: "exec", program: "rm", path: null, argv: [], from: "" }))).toEqual([untold]);
    expect(indexOf([untold])(subject({ kind: "file", operation: "read", path: "/a", certainty: "exact", recursive: false, by: "cat", from: "" }))).toEqual([untold]);
  });
});

describe("a plain comparison", () => {
  it("says what the glob says", () => {
    const part = fc.constantFrom("a", "b", "ab", ".c", "**", "*", "*.c", "a.c");
    const form = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => `/${parts.join("/")}`);
    const real = fc.array(fc.constantFrom("a", "b", "ab", ".c", "a.c", "ba"), { minLength: 1, maxLength: 6 }).map((parts) => `/${parts.join("/")}`);
    fc.assert(
      fc.property(form, real, (one, file) => {
        expect(pathTest(one)(file)).toBe(new Minimatch(one, { dot: true, nonegate: true, nocomment: true, platform: "linux" }).match(file));
      }),
      { numRuns: RUNS.numRuns * 5 },
    );
  });
});
