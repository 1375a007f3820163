// From a policy file's text to rules with examples, or every issue in it.

import type { ModelRow } from "../shell/index.js";
import { LIMITS, printable, type Issue, type SourceSpan, type ThreatId } from "../shared/index.js";
import type { RuleRisk } from "./decision.js";
import { checkProgram, checkRule } from "./check-rule.js";
import { toExample, toMatcher } from "./parse-matcher.js";
import { checkReaction, toReaction } from "./parse-reaction.js";
import type { Reaction } from "./reaction.js";
import { knownKeysAt, policySchema, type ExampleFile, type PolicyFile, type RuleFile } from "./schema.js";
import { readSource, type SourceText } from "./schema-source.js";
import type { Example, Rule } from "./rule.js";
import { nearest } from "./suggest.js";

/** Most problems shown of one file's form; finding the place of each takes time. */
const MAX_PROBLEMS = 50;

/** A rule with what is needed to check it. */
export interface ParsedRule {
  readonly rule: Rule;
  readonly match: readonly Example[];
  readonly notMatch: readonly Example[];
  /** The source line at a place, printable. */
  readonly excerptAt: SourceText["excerptAt"];
}

/** One policy file, read. */
export interface ParsedFile {
  readonly name: string;
  readonly id: string;
  readonly title: string;
  readonly extends: readonly { readonly id: string; readonly at: SourceSpan; readonly excerpt: string }[];
  readonly at: SourceSpan;
  readonly rules: readonly ParsedRule[];
  /** Rows of the programs it models. */
  readonly programs: readonly ParsedProgram[];
  readonly reactions: readonly ParsedReaction[];
}

/** A reaction, with the source line of its id. */
export interface ParsedReaction {
  readonly reaction: Reaction;
  readonly excerpt: string;
}

/** One program's model, with its place. */
export interface ParsedProgram {
  readonly row: ModelRow;
  readonly at: SourceSpan;
  readonly excerpt: string;
}

/** Reads one file. All issues are given; the file is null when its form is broken. */
export function parsePolicyFile(name: string, text: string): { readonly file: ParsedFile | null; readonly issues: readonly Issue[] } {
  if (text.length > LIMITS.policyBytes) return { file: null, issues: [{ code: "POLICY_LIMIT", message: `the file is larger than ${String(LIMITS.policyBytes)} bytes`, at: { file: name, line: 1, column: 1 } }] };
  const { source, issues } = readSource(name, text);
  if (source === null) return { file: null, issues };
  const parsed = policySchema.safeParse(source.value);
  if (!parsed.success) return { file: null, issues: inOrder(withoutEchoes(parsed.error.issues.slice(0, MAX_PROBLEMS), source.value).flatMap((problem) => schemaIssues(problem, source))) };
  const problems: Issue[] = [];
  const report = (code: string, path: readonly PropertyKey[], message: string, hint: string | null): void => {
    const at = source.placeOf(path);
    problems.push({ code, message, at, excerpt: source.excerptAt(at), ...(hint === null ? {} : { hint }) });
  };
  const rules = parsed.data.rules.map((raw, index) => {
    checkRule(raw, parsed.data, ["rules", index], report);
    return toRule(raw, parsed.data, index, source);
  });
  const file: ParsedFile = {
    name,
    id: parsed.data.id,
    title: parsed.data.title,
    at: source.placeOf(["id"]),
    extends: (parsed.data.extends ?? []).map((id, index) => ({ id, at: source.placeOf(["extends", index]), excerpt: source.excerptAt(source.placeOf(["extends", index])) })),
    rules,
    programs: (parsed.data.programs ?? []).map((raw, index) => {
      const at = source.placeOf(["programs", index]);
      checkProgram(raw, ["programs", index], report);
      return { row: [raw.names.join(" "), raw.operands ?? "", raw.options ?? "", raw.traits ?? ""] as const, at, excerpt: source.excerptAt(at) };
    }),
    reactions: (parsed.data.reactions ?? []).map((raw, index) => {
      const at = source.placeOf(["reactions", index, "id"]);
      checkReaction(raw, parsed.data, ["reactions", index], report);
      return { reaction: toReaction(raw, parsed.data, at), excerpt: source.excerptAt(at) };
    }),
  };
  return { file, issues: problems };
}

type SchemaProblem = NonNullable<ReturnType<typeof policySchema.safeParse>["error"]>["issues"][number];

/** A key that is missing because it is misspelt is one problem, not two. */
function withoutEchoes(problems: readonly SchemaProblem[], value: unknown): readonly SchemaProblem[] {
  const misspelt = new Set(problems.flatMap((problem) => (problem.code === "unrecognized_keys" ? problem.keys.map((key) => [...problem.path, nearest(key, knownKeysAt(problem.path) ?? [])].join("\n")) : [])));
  return problems.filter((problem) => problem.code === "unrecognized_keys" || valueAt(value, problem.path) !== undefined || !misspelt.has(problem.path.join("\n")));
}

function inOrder(issues: readonly Issue[]): readonly Issue[] {
  return [...issues].sort((left, right) => (left.at?.line ?? 0) - (right.at?.line ?? 0) || (left.at?.column ?? 0) - (right.at?.column ?? 0));
}

/** A place in words: within a rule by the rule's id. */
function placeName(path: readonly PropertyKey[], value: unknown): string {
  if (path.length === 0) return "the file";
  const id = path[0] === "rules" && path.length > 2 ? valueAt(value, [...path.slice(0, 2), "id"]) : undefined;
  if (typeof id !== "string") return `\`${path.map(String).join(".")}\``;
  return `\`${path.slice(2).map(String).join(".")}\` of rule \`${printable(id, 80)}\``;
}

function schemaIssues(problem: SchemaProblem, source: SourceText): readonly Issue[] {
  const path = problem.path;
  if (problem.code === "unrecognized_keys") {
    const known = knownKeysAt(path);
    return problem.keys.slice(0, MAX_PROBLEMS).map((key) => {
      const at = source.placeOfKey(path, key);
      const near = known === null ? null : nearest(key, known);
      const hint = near !== null ? `did you mean \`${near}\`?` : known === null ? undefined : `known keys are ${known.map((one) => `\`${one}\``).join(", ")}`;
      return { code: "POLICY_UNKNOWN_KEY", message: `unknown key \`${printable(key, 60)}\``, at, excerpt: source.excerptAt(at), ...(hint === undefined ? {} : { hint }) };
    });
  }
  const at = source.placeOf(path);
  const where = placeName(path, source.value);
  const base = { code: "POLICY_SCHEMA", at, excerpt: source.excerptAt(at) };
  const value = valueAt(source.value, path);
  if (problem.code === "invalid_value") {
    const choices = problem.values.map(String);
    const near = typeof value === "string" ? nearest(value, choices) : null;
    if (value === undefined) return [{ ...base, code: "POLICY_SCHEMA", message: `${where} is missing`, hint: `write one of ${choices.map((one) => `\`${one}\``).join(", ")}` }];
    const hint = near !== null ? `did you mean \`${near}\`?` : path.at(-1) === "effect" ? "`deny` refuses, `ask` asks a person" : `write ${choices.map((one) => `\`${one}\``).join(" or ")}`;
    return [{ ...base, message: `${where} must be ${choices.length === 1 ? "" : "one of "}${choices.map((one) => `\`${one}\``).join(", ")}`, hint }];
  }
  if (problem.code === "invalid_type") {
    if (value === undefined) return [{ ...base, message: `${where} is missing`, hint: `add ${article(problem.expected)}` }];
    if (path.length === 0) return [{ ...base, message: value === null ? "the file is empty" : `the file must be ${article(problem.expected)}`, hint: "begin with `version: 1`, `id`, `title` and `rules`" }];
    return [{ ...base, message: `${where} must be ${article(problem.expected)}`, hint: `write ${article(problem.expected)}` }];
  }
  if (problem.code === "invalid_key") {
    const key = String(path.at(-1) ?? "");
    const parent = path.slice(0, -1);
    const place = source.placeOfKey(parent, key);
    const near = nearest(key, knownKeysAt(parent) ?? []);
    return [{ code: "POLICY_UNKNOWN_KEY", message: `unknown key \`${printable(key, 60)}\``, at: place, excerpt: source.excerptAt(place), ...(near === null ? {} : { hint: `did you mean \`${near}\`?` }) }];
  }
  return [{ ...base, message: `${where}: ${problem.message.charAt(0).toLowerCase()}${problem.message.slice(1)}` }];
}

function article(expected: string): string {
  const names = new Map([["object", "a map"], ["array", "a list"], ["string", "a text"], ["number", "a number"], ["int", "a whole number"], ["boolean", "`true` or `false`"]]);
  return names.get(expected) ?? expected;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current: unknown = value;
  for (const part of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, part)) return undefined;
    current = (current as Readonly<Record<PropertyKey, unknown>>)[part];
  }
  return current;
}

function toRule(raw: RuleFile, file: PolicyFile, index: number, source: SourceText): ParsedRule {
  const path = ["rules", index];
  const example = (key: "match" | "notMatch") => (one: ExampleFile, at: number): Example => toExample(one, source.placeOf([...path, key, at]));
  const rule: Rule = {
    id: raw.id,
    pack: file.id,
    effect: raw.effect,
    layer: raw.layer ?? file.layer ?? null,
    threats: (raw.threats ?? []) as readonly ThreatId[],
    message: raw.message,
    allowed: raw.allowed ?? null,
    guidance: raw.guidance ?? null,
    risk: toRisk(raw.risk),
    roles: raw.roles ?? [],
    notRoles: raw.notRoles ?? [],
    containment: raw.containment ?? "any",
    timeoutMs: raw.timeoutMs ?? null,
    when: raw.when.map(toMatcher),
    ...(file.mode === "shadow" || file.mode === "watch" ? { shadow: true as const } : {}),
    ...(file.mode === "watch" ? { watch: true as const } : {}),
    at: source.placeOf([...path, "id"]),
  };
  return { rule, match: raw.match.map(example("match")), notMatch: (raw.notMatch ?? []).map(example("notMatch")), excerptAt: source.excerptAt };
}

function toRisk(raw: RuleFile["risk"]): RuleRisk | null {
  if (raw === undefined) return null;
  const factors = Object.entries(raw.factors ?? {}).flatMap(([key, weight]) => (weight === undefined ? [] : [[key, weight] as const]));
  return { severity: raw.severity, cvss: raw.cvss ?? null, factors: Object.fromEntries(factors) };
}
