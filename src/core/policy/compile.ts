// From policy texts to a policy set, or every issue in all of them. Composition is the union of rules: a file can add to what
// others deny or ask, never take away.

import { err, LIMITS, ok, printable, type Hasher, type Issue, type Result } from "../shared/index.js";
import { digestOf } from "./digest.js";
import { checkExamples } from "./examples.js";
import { parsePolicyFile, type ParsedFile, type ParsedProgram, type ParsedRule } from "./parse-file.js";
import { matcherStore, modelsOf, type PolicySet } from "./policy-set.js";
import { nearest } from "./suggest.js";
import { asTier, type Tier } from "./tiers.js";

/** One policy file handed in. */
export interface PolicyText {
  /** Shown in issues: a path, or the built-in file's name. */
  readonly name: string;
  readonly text: string;
  /** Left out for built-in files and for those that a session was given. */
  readonly tier?: Tier;
}

export interface CompileOptions {
  readonly hash: Hasher;
  /** `skip` only for texts whose examples were judged before under the same digest. Default: `check`. */
  readonly examples?: "check" | "skip";
  /** Ids of built-in files that were not handed in, for hints. */
  readonly profiles?: readonly string[];
}

const MAX_ISSUES = 200;

/** Compiles policy files into one set. Gives every issue of every file, in order of place. */
export function compilePolicy(sources: readonly PolicyText[], options: CompileOptions): Result<PolicySet, readonly Issue[]> {
  const issues: Issue[] = [];
  const files: ParsedFile[] = [];
  for (const { name, text, tier } of sources) {
    const parsed = parsePolicyFile(name, text);
    issues.push(...parsed.issues);
    if (parsed.file === null) continue;
    const own = tier === undefined ? { file: parsed.file, issues: [] } : asTier(parsed.file, tier);
    issues.push(...own.issues);
    files.push(own.file);
  }
  if (sources.length === 0) issues.push({ code: "POLICY_EMPTY", message: "no policy file was given", hint: "name one with --policy, or leave it out for the built-in profile" });
  issues.push(...duplicateFiles(files), ...unknownExtends(files, issues.length > 0, options.profiles ?? []));
  const parsedRules = files.flatMap((file) => file.rules);
  issues.push(...duplicateRules(parsedRules), ...duplicatePrograms(files));
  issues.push(...duplicateReactions(files));
  const programs = files.flatMap((file) => file.programs.map((one) => one.row));
  if (parsedRules.length > LIMITS.policyRules) issues.push({ code: "POLICY_LIMIT", message: `more than ${String(LIMITS.policyRules)} rules` });
  if (options.examples !== "skip" && !issues.some((issue) => issue.code !== "POLICY_EXAMPLE_FAILED" && issue.code !== "POLICY_EXTENDS")) {
    const { models } = modelsOf(programs);
    for (const rule of parsedRules) issues.push(...checkExamples(rule, models));
  }
  if (issues.length > 0) return err(issues.slice(0, MAX_ISSUES));
  const rules = parsedRules.map((one) => one.rule).sort((left, right) => (left.id < right.id ? -1 : left.id > right.id ? 1 : 0));
  const reactions = files.flatMap((file) => file.reactions.map(({ reaction }) => reaction)).sort((left, right) => (left.id < right.id ? -1 : left.id > right.id ? 1 : 0));
  return ok({
    ...modelsOf(programs),
    ...(reactions.length === 0 ? {} : { reactions }),
    digest: digestOf(rules, options.hash, programs, reactions),
    sources: files.map((file) => ({ name: file.name, id: file.id, title: file.title, rules: file.rules.length })),
    rules,
    compiledFor: matcherStore(rules),
  });
}

/** The ids a policy file extends, without checking the rest of it; empty when it cannot be read. */
export function extendsOf(source: PolicyText): readonly string[] {
  return parsePolicyFile(source.name, source.text).file?.extends.map((one) => one.id) ?? [];
}

function duplicateFiles(files: readonly ParsedFile[]): readonly Issue[] {
  const seen = new Map<string, ParsedFile>();
  const issues: Issue[] = [];
  for (const file of files) {
    const first = seen.get(file.id);
    if (first === undefined) seen.set(file.id, file);
    else issues.push({ code: "POLICY_DUPLICATE_ID", message: `policy \`${file.id}\` is already \`${printable(first.name)}\``, at: file.at, hint: "give each file its own id" });
  }
  return issues;
}

function unknownExtends(files: readonly ParsedFile[], incomplete: boolean, profiles: readonly string[]): readonly Issue[] {
  const known = files.map((file) => file.id);
  return files.flatMap((file) =>
    file.extends.flatMap(({ id, at, excerpt }) => {
      if (known.includes(id) || incomplete) return [];
      const near = nearest(id, [...known, ...profiles]);
      return [{ code: "POLICY_EXTENDS", message: `there is no policy \`${printable(id, 80)}\` to extend`, at, excerpt, hint: near === null ? "name a built-in pack or a file that is also given" : `did you mean \`${near}\`?` }];
    }),
  );
}

function duplicateRules(rules: readonly ParsedRule[]): readonly Issue[] {
  const seen = new Map<string, ParsedRule>();
  const issues: Issue[] = [];
  for (const one of rules) {
    const first = seen.get(one.rule.id);
    if (first === undefined) seen.set(one.rule.id, one);
    else {
      const { file, line } = first.rule.at;
      issues.push({ code: "POLICY_DUPLICATE_ID", message: `rule \`${one.rule.id}\` is already defined`, at: one.rule.at, excerpt: one.excerptAt(one.rule.at), hint: `the other is at ${printable(file)}:${String(line)}; rules add up, none replaces another` });
    }
  }
  return issues;
}

/** A reaction has the name of no rule and of no other reaction: decisions and events name them alike. */
function duplicateReactions(files: readonly ParsedFile[]): readonly Issue[] {
  const seen = new Map(files.flatMap((file) => file.rules.map(({ rule }) => [rule.id, rule.at] as const)));
  const issues: Issue[] = [];
  for (const { reaction, excerpt } of files.flatMap((file) => file.reactions)) {
    const first = seen.get(reaction.id);
    if (first === undefined) seen.set(reaction.id, reaction.at);
    else issues.push({ code: "POLICY_DUPLICATE_ID", message: `\`${reaction.id}\` is already defined`, at: reaction.at, excerpt, hint: `the other is at ${printable(first.file)}:${String(first.line)}` });
  }
  return issues;
}

/** Two models of one program would make what it does depend on the order of files. */
function duplicatePrograms(files: readonly ParsedFile[]): readonly Issue[] {
  const seen = new Map<string, ParsedProgram>();
  const issues: Issue[] = [];
  for (const program of files.flatMap((file) => file.programs)) {
    for (const name of program.row[0].split(" ")) {
      const first = seen.get(name);
      if (first === undefined) seen.set(name, program);
      else issues.push({ code: "POLICY_DUPLICATE_ID", message: `program \`${name}\` is already modelled`, at: program.at, excerpt: program.excerpt, hint: `the other is at ${printable(first.at.file)}:${String(first.at.line)}` });
    }
  }
  return issues;
}
