// The laws of deciding: they hold for every policy and every action, not only for the built-in ones.

import * as fc from "fast-check";
import { Minimatch } from "minimatch";
import { describe, expect, it } from "vitest";
import type { ActionEffect } from "../../src/core/action/effects.js";
import type { DecisionEffect } from "../../src/core/policy/index.js";
import { compilePolicy, decideEffects } from "../../src/core/policy/index.js";
import { globCovers, globsMeet, namesMeet } from "../../src/core/policy/glob-meet.js";
import { compileGlob, subjectOf } from "../../src/core/policy/match-path.js";
import { matchWord } from "../../src/core/policy/match-word.js";
import { matcherStore, type PolicySet } from "../../src/core/policy/policy-set.js";
import type { Matcher, Rule } from "../../src/core/policy/rule.js";
import { CONTEXT } from "../unit/policy/support.js";

const RUNS = { numRuns: process.env["RINGFENCE_SOAK"] === "1" ? 5_000 : 200 };
const RANK = { allow: 0, ask: 1, deny: 2 };

const name = fc.constantFrom("a", "b", ".git", "hooks", "x.py", "A");
const segment = fc.oneof({ weight: 3, arbitrary: name }, { weight: 1, arbitrary: fc.constantFrom("*", "**", "*.py", "?", ".*") });
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => `/workspace/${parts.join("/")}`);
const globPath = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/workspace/${parts.join("/")}`);
const ruleGlob = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `./${parts.join("/")}`);

const fileEffect = fc.record({
  kind: fc.constant("file" as const),
  operation: fc.constantFrom("read" as const, "write" as const, "create" as const, "delete" as const, "metadata" as const),
  path,
  certainty: fc.constant("exact" as const),
  recursive: fc.boolean(),
  by: fc.constantFrom("rm", "cp"),
  from: fc.constant("x"),
});
const patternEffect = fc.tuple(fileEffect, globPath).map(([effect, glob]) => ({ ...effect, path: glob, certainty: "pattern" as const }));
const word = fc.constantFrom("rm", "git", "push", "-f", "--force", "x");
const execEffect = fc.tuple(fc.constantFrom("rm", "git"), fc.array(fc.option(word), { maxLength: 3 })).map(([program, rest]) => ({ kind: "exec" as const, program, path: null, argv: [program, ...rest], from: "x" }));
const opaque = fc.constant({ kind: "opaque-text" as const, why: "unknown", from: "x" });
const connect = fc.option(fc.constantFrom("localhost", "a.test")).map((host) => ({ kind: "connect" as const, host, url: null, by: "curl", from: "x" }));
const effects: fc.Arbitrary<readonly ActionEffect[]> = fc.array(fc.oneof(fileEffect, patternEffect, execEffect, connect, opaque), { minLength: 1, maxLength: 5 });

const matcher: fc.Arbitrary<Matcher> = fc.oneof(
  fc
    .record({ paths: fc.array(ruleGlob, { maxLength: 2 }), except: fc.array(ruleGlob, { maxLength: 1 }), operations: fc.subarray(["read", "write", "create", "delete", "metadata"] as const, { minLength: 1 }) })
    .map((one) => ({ on: "file" as const, outside: false, whole: false, recursive: null, by: [], notBy: [], ...one })),
  fc.record({ programs: fc.subarray(["rm", "git"]), args: fc.array(word, { maxLength: 2 }) }).map((one) => ({ on: "exec" as const, flags: [], withoutFlags: [], unlessAlone: [], known: false, ...one })),
  fc.record({ hosts: fc.subarray(["localhost", "*.test"]) }).map((one) => ({ on: "connect" as const, except: [], urls: [], by: [], notBy: [], known: false, ...one })),
);
const rules: fc.Arbitrary<readonly Rule[]> = fc
  .array(fc.record({ effect: fc.constantFrom<DecisionEffect>("allow", "ask", "deny"), when: fc.array(matcher, { minLength: 1, maxLength: 2 }) }), { maxLength: 6 })
  .map((some) => some.map((one, index) => makeRule(`acme.r${String(index)}`, one.effect, one.when)));

function makeRule(id: string, effect: DecisionEffect, when: readonly Matcher[]): Rule {
  return { id, pack: "acme", effect, layer: null, threats: [], message: id, allowed: null, guidance: null, risk: null, roles: [], notRoles: [], containment: "any", timeoutMs: null, when, at: { file: "x", line: 1, column: 1 } };
}

function setOf(some: readonly Rule[]): PolicySet {
  return { digest: "sha256:0", sources: [], rules: some, compiledFor: matcherStore(some) };
}

describe("a decision", () => {
  it("does not depend on the order of rules", () => {
    fc.assert(
      fc.property(rules, effects, fc.integer(), (some, asked, seed) => {
        const turned = [...some.slice(Math.abs(seed) % (some.length + 1)), ...some.slice(0, Math.abs(seed) % (some.length + 1))].reverse();
        expect(decideEffects(setOf(turned), asked, CONTEXT)).toEqual(decideEffects(setOf(some), asked, CONTEXT));
      }),
      RUNS,
    );
  });

  it("never allows more when a deny or an ask rule is added", () => {
    fc.assert(
      fc.property(rules, effects, fc.constantFrom<DecisionEffect>("deny", "ask"), matcher, (some, asked, effect, when) => {
        const before = decideEffects(setOf(some), asked, CONTEXT).effect;
        const after = decideEffects(setOf([...some, makeRule("acme.added", effect, [when])]), asked, CONTEXT).effect;
        expect(RANK[after]).toBeGreaterThanOrEqual(RANK[before]);
      }),
      RUNS,
    );
  });

  it("never allows more when an effect is added to the action", () => {
    fc.assert(
      fc.property(rules, effects, effects, (some, asked, more) => {
        const before = decideEffects(setOf(some), asked, CONTEXT).effect;
        expect(RANK[decideEffects(setOf(some), [...asked, ...more], CONTEXT).effect]).toBeGreaterThanOrEqual(RANK[before]);
      }),
      RUNS,
    );
  });

  it("is deny when no allow rule is left", () => {
    fc.assert(
      fc.property(rules, effects, (some, asked) => {
        expect(decideEffects(setOf(some.filter((one) => one.effect !== "allow")), asked, CONTEXT).effect).toBe("deny");
      }),
      RUNS,
    );
  });

  it("is deny when a rule fails on any effect, and never throws", () => {
    fc.assert(
      fc.property(rules, effects, (some, asked) => {
        const policy = setOf(some);
        const failing: PolicySet = {
          ...policy,
          compiledFor: (places) => [
            ...policy.compiledFor(places),
            {
              rule: makeRule("acme.fails", "allow", []),
              kinds: new Set(["file", "exec", "connect", "opaque-text"] as const),
              matches: () => {
                throw new Error("a defect");
              },
            },
          ],
        };
        const decision = decideEffects(failing, asked, CONTEXT);
        expect([decision.effect, decision.errors.length > 0]).toEqual(["deny", true]);
      }),
      RUNS,
    );
  });

  it("is deny whenever a part of the text cannot be told", () => {
    fc.assert(
      fc.property(rules, effects, (some, asked) => {
        expect(decideEffects(setOf(some), [...asked, { kind: "opaque-text", why: "unknown", from: "" }], CONTEXT).effect).toBe("deny");
      }),
      RUNS,
    );
  });

  it("lists its reasons strictest first, each rule once", () => {
    fc.assert(
      fc.property(rules, effects, (some, asked) => {
        const { reasons, effect } = decideEffects(setOf(some), asked, CONTEXT);
        const ranks = reasons.map((reason) => RANK[reason.effect]);
        expect(ranks).toEqual([...ranks].sort((left, right) => right - left));
        expect(new Set(reasons.map((reason) => reason.rule)).size).toBe(reasons.length);
        expect(reasons[0]?.effect).toBe(effect);
      }),
      RUNS,
    );
  });

  it("is for a wildcard in a folder never milder than for the names in it, where the rule names that folder", () => {
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 3 }), name, fc.constantFrom("write" as const, "delete" as const, "create" as const), (folder, last, operation) => {
        const allow = makeRule("acme.all", "allow", [{ on: "file", operations: ["write", "delete", "create"], paths: ["./**"], except: [], outside: false, whole: false, recursive: null, by: [], notBy: [] }]);
        const deny = makeRule("acme.deny", "deny", [{ on: "file", operations: ["write", "delete", "create"], paths: [`./${folder.join("/")}/${last}`], except: [], outside: false, whole: false, recursive: null, by: [], notBy: [] }]);
        const pattern: ActionEffect = { kind: "file", operation, certainty: "pattern", path: `/workspace/${folder.join("/")}/${last.startsWith(".") ? ".*" : "*"}`, recursive: false, by: "rm", from: "x" };
        expect(decideEffects(setOf([allow, deny]), [pattern], CONTEXT).effect).toBe("deny");
      }),
      RUNS,
    );
  });
});

describe("globs against globs", () => {
  const names = fc.stringMatching(/^[a-c.]{1,5}$/);
  const nameGlob = fc.stringMatching(/^[a-c.*?]{1,6}$/).filter((glob) => !glob.includes("**"));

  it("a name glob meets every name that minimatch says it names", () => {
    fc.assert(
      fc.property(nameGlob, names.filter((one) => one !== "." && one !== ".."), (glob, one) => {
        const matched = new Minimatch(glob, { dot: true, nonegate: true, nocomment: true, platform: "linux" }).match(one);
        if (matched) expect(namesMeet(glob, one)).toBe(true);
        if (glob !== one) expect(namesMeet(one, glob)).toBe(namesMeet(glob, one));
      }),
      RUNS,
    );
  });

  it("two globs that name one path meet", () => {
    const parts = fc.array(fc.constantFrom("a", "b", "*", "**", "a*"), { minLength: 1, maxLength: 5 });
    const file = fc.array(fc.constantFrom("a", "b", "ab"), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(parts, parts, file, (left, right, one) => {
        const named = (glob: readonly string[]): boolean => new Minimatch(glob.join("/"), { dot: true, platform: "linux" }).match(one.join("/"));
        if (named(left) && named(right)) expect(globsMeet(left, right)).toBe(true);
      }),
      { numRuns: RUNS.numRuns * 5 },
    );
  });

  it("a glob that covers another names all that the other names", () => {
    const parts = fc.array(fc.constantFrom("a", "b", "*", "**", "a*"), { minLength: 1, maxLength: 4 });
    const file = fc.array(fc.constantFrom("a", "b", "ab"), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(parts, parts, file, (rule, pattern, one) => {
        const named = (glob: readonly string[]): boolean => new Minimatch(glob.join("/"), { dot: true, platform: "linux" }).match(one.join("/"));
        if (globCovers(rule, pattern, false) && named(pattern)) expect(named(rule) || (rule.at(-1) === "**" && named(rule.slice(0, -1)))).toBe(true);
      }),
      { numRuns: RUNS.numRuns * 5 },
    );
  });

  it("a word glob says the same as a regular expression", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ab*?]{0,8}$/), fc.stringMatching(/^[ab]{0,8}$/), (glob, text) => {
        const expression = new RegExp(`^${glob.replaceAll(/\*+/g, ".*").replaceAll("?", ".")}$`);
        expect(matchWord(glob, text)).toBe(expression.test(text));
      }),
      RUNS,
    );
  });

  it("a hostile word glob answers at once", () => {
    expect(matchWord(`${"*a".repeat(200)}b`, "a".repeat(4096))).toBe(false);
  });
});

describe("the quick tests in front of globs", () => {
  const part = fc.constantFrom("a", "b", ".c", "*", "**", "?", "[ab]", "*.c", "a*", "\\*", "@(a|b)", "+", "!a", "{a,b}c");
  const some = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
  const real = fc.array(fc.constantFrom("a", "b", ".c", "ab", "x.c", "*", "ac", "!a", "+"), { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);

  it("never say no where the glob says yes", () => {
    fc.assert(
      fc.property(some, real, (glob, path) => {
        const hits = compileGlob(glob, { root: "/workspace", home: "/home/agent" }).hits(subjectOf({ kind: "file", operation: "write", path, certainty: "exact", recursive: false, by: "x", from: "" }));
        const matched = new Minimatch(glob, { dot: true, nonegate: true, nocomment: true, platform: "linux" }).match(path);
        expect(hits || !matched).toBe(true);
      }),
      { numRuns: RUNS.numRuns * 5 },
    );
  });
});

describe("a tier", () => {
  /** Rules as a file's text, in the order given. */
  const fileOf = (id: string, some: readonly Rule[]): string =>
    `version: 1\nid: ${id}\ntitle: t\nlayer: L3\nrules:${some.length === 0 ? " []" : ""}\n${some.map((one, index) => `  - id: ${id}.r${String(index)}\n    effect: ${one.effect}\n    threats: ["maestro:L7/agent-tool-misuse"]\n    message: m\n    when: [${one.when.map(flowOf).join(", ")}]\n    match: [{ read: x }]\n`).join("")}`;

  const flowOf = (one: Matcher): string => {
    const list = (items: readonly string[]): string => JSON.stringify(items);
    const filled = (parts: Readonly<Record<string, readonly string[]>>, always = ""): string => {
      const given = Object.entries(parts).filter(([, items]) => items.length > 0).map(([key, items]) => `${key}: ${list(items)}`);
      return `{ ${[...given, ...(always === "" ? [] : [always])].join(", ")} }`;
    };
    if (one.on === "file") return `{ file: ${filled({ operations: one.operations.filter((operation) => operation !== "read"), paths: one.paths, except: one.except }, one.paths.length === 0 ? "any: true" : "")} }`;
    if (one.on === "exec") return `{ exec: ${filled({ programs: one.programs, args: one.args }, one.programs.length + one.args.length === 0 ? "any: true" : "")} }`;
    if (one.on === "connect") return `{ connect: ${filled({ hosts: one.hosts }, one.hosts.length === 0 ? "any: true" : "")} }`;
    throw new Error(one.on);
  };
  const writable = fc.array(fc.record({ effect: fc.constantFrom<DecisionEffect>("allow", "ask", "deny"), when: fc.array(matcher.filter((one) => one.on !== "file" || one.operations.some((operation) => operation !== "read")), { minLength: 1, maxLength: 2 }) }), { maxLength: 4 }).map((some) => some.map((one, index) => makeRule(`acme.r${String(index)}`, one.effect, one.when)));

  it("of whatever kind and content never makes a decision milder", () => {
    fc.assert(
      fc.property(writable, writable, fc.constantFrom("organisation" as const, "user" as const, "workspace" as const), effects, (base, added, tier, asked) => {
        const session = { name: "session", text: fileOf("acme", base) };
        const options = { hash: () => "sha256:0" as const, examples: "skip" as const };
        const [alone, both] = [compilePolicy([session], options), compilePolicy([session, { name: "tier", text: fileOf("tier", added), tier }], options)];
        if (!alone.ok) throw new Error(JSON.stringify(alone.error));
        // What would loosen is an error, which ends the start; of a workspace it is left out.
        if (!both.ok) {
          expect(tier !== "workspace" && added.some((one) => one.effect === "allow")).toBe(true);
          return;
        }
        const [before, after] = [alone.value, both.value].map((set) => decideEffects(set, asked, CONTEXT).effect);
        expect(RANK[after ?? "allow"]).toBeGreaterThanOrEqual(RANK[before ?? "deny"]);
      }),
      RUNS,
    );
  });
});
