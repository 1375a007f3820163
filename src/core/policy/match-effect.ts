// One rule against one effect. Deny and ask match what could be meant, allow what is certain.

import type { ActionEffect, CodeEffect, ConnectEffect, EnvironmentEffect, ExecEffect } from "../action/effects.js";
import { isInside } from "../action/paths.js";
import { assertNever } from "../shared/index.js";
import { hasContent, type ContentSubject } from "./content.js";
import { compileGlob, isOutside, subjectOf, takesWhole, type Places, type SubjectPath } from "./match-path.js";
import { givesFlag, matchAnyWord, matchWord, wordTest } from "./match-word.js";
import { foldName } from "./paths.js";
import type { RuleKey } from "./rule-key.js";
import { isEffectMatcher, type CodeMatcher, type ConnectMatcher, type ContentMatcher, type EffectMatcher, type EnvironmentMatcher, type ExecMatcher, type FileMatcher, type Rule } from "./rule.js";

/** What a matcher is asked about: an effect or added content, with its path prepared. */
export interface MatchSubject {
  readonly effect: ActionEffect | ContentSubject;
  readonly path: SubjectPath | null;
}

/** A compiled rule: pure, may throw only through a defect, which denies. */
export interface CompiledRule {
  readonly rule: Rule;
  readonly kinds: ReadonlySet<MatchSubject["effect"]["kind"]>;
  readonly matches: (subject: MatchSubject) => boolean;
  /** Asked only of what matches: is it the subject's own name or program, not something below its tree? Absent: it is. */
  readonly direct?: (subject: MatchSubject) => boolean;
  /** What its matchers ask for, by which an index finds it. Absent: it is asked of every effect of its kinds. */
  readonly keys?: readonly RuleKey[];
}

/** The prepared path of what is matched; null when it has none. */
export function pathOf(effect: ActionEffect | ContentSubject): SubjectPath | null {
  if (effect.kind === "file") return subjectOf(effect);
  if (effect.kind === "content") return subjectOf({ kind: "file", operation: "write", path: effect.path, certainty: "exact", recursive: false, by: "edit", from: effect.path });
  return null;
}

type Test = (subject: MatchSubject) => boolean;

/** Compiles what of a rule is about single effects, for one place of the workspace. */
export function compileRule(rule: Rule, places: Places): CompiledRule {
  const tests = rule.when.filter(isEffectMatcher).map((matcher) => compileMatcher(matcher, rule.effect !== "allow", places));
  return {
    rule,
    kinds: new Set(tests.map(({ key }) => key.kind)),
    matches: (subject) => tests.some((one) => one.key.kind === subject.effect.kind && one.test(subject)),
    direct: (subject) => tests.some((one) => one.key.kind === subject.effect.kind && (one.direct ?? one.test)(subject)),
    keys: tests.map(({ key }) => key),
  };
}

/** A matcher made ready. `direct` is left out where it is the same as `test`. */
interface CompiledMatcher {
  readonly key: RuleKey;
  readonly test: Test;
  readonly direct?: Test;
}

function compileMatcher(matcher: EffectMatcher, strict: boolean, places: Places): CompiledMatcher {
  switch (matcher.on) {
    case "file":
      return compileFile(matcher, strict, places);
    case "exec": {
      const isProgram = wordTest(matcher.programs);
      return {
        key: { kind: "exec", names: matcher.programs },
        test: ({ effect }) => effect.kind === "exec" && (matcher.programs.length === 0 || isProgram(strict ? foldName(effect.program) : effect.program)) && matchesExec(matcher, effect, strict),
      };
    }
    case "connect":
      return { key: { kind: "connect" }, test: ({ effect }) => effect.kind === "connect" && matchesConnect(matcher, effect, strict) };
    case "code":
      return { key: { kind: "runs-code", names: matcher.programs }, test: ({ effect }) => effect.kind === "runs-code" && matchesCode(matcher, effect, strict) };
    case "environment":
      return { key: { kind: "environment", names: matcher.names }, test: ({ effect }) => effect.kind === "environment" && matchesEnvironment(matcher, effect, strict) };
    case "opaque":
      return { key: { kind: "opaque-text" }, test: () => strict };
    case "content":
      return { key: { kind: "content" }, test: contentTest(matcher, places) };
    default:
      return assertNever(matcher);
  }
}

function compileFile(matcher: FileMatcher, strict: boolean, places: Places): CompiledMatcher {
  const operations = new Set(matcher.operations);
  const isBy = wordTest(matcher.by);
  const isNotBy = wordTest(matcher.notBy);
  const paths = matcher.paths.map((glob) => compileGlob(glob, places));
  const except = matcher.except.map((glob) => compileGlob(glob, places));
  /** @param below whether a tree above what the rule names counts */
  const test = ({ effect, path }: MatchSubject, below: boolean): boolean => {
    if (effect.kind !== "file" || path === null || !operations.has(effect.operation)) return false;
    if (matcher.recursive !== null && matcher.recursive !== effect.recursive) return false;
    if ((matcher.by.length > 0 && !isBy(path.by)) || isNotBy(path.by)) return false;
    if (!strict) {
      if (paths.length > 0 && !paths.some((glob) => glob.covers(path))) return false;
      return !except.some((glob) => glob.hits(path) || (path.tree && glob.hitsBelow(path)));
    }
    if (matcher.outside && !isOutside(path, places)) return false;
    if (except.some((glob) => glob.covers(path))) return false;
    if (matcher.whole) return paths.some((glob) => takesWhole(path, glob));
    if (paths.length === 0) return true;
    const tree = below && effect.recursive && (effect.operation === "delete" || !tooWide(path, places));
    return paths.some((glob) => glob.hits(path) || (tree && glob.hitsBelow(path)));
  };
  return {
    key: { kind: "file", operations: matcher.operations, paths: paths.length === 0 ? null : paths, trees: strict && !matcher.whole && matcher.recursive !== false, meets: strict && !matcher.whole, places },
    test: (subject) => test(subject, true),
    direct: (subject) => test(subject, false),
  };
}

/**
 * Tells whether a tree takes in the whole workspace or home folder, or is the system's. Reading or rewriting all of it (`grep -r`, `tar x`,
 * `chmod -R`, a package manager) does not by itself count as touching each protected name in it: mounts and
 * reconciliation hold those, and changes of the system's trees have their own rule.
 */
function tooWide(path: SubjectPath, places: Places): boolean {
  return isInside(places.root, path.fixed) || (path.looking ? isInside(places.home, path.fixed) : isOutside(path, places));
}

/** The words of a program that is one of the matcher's. */
function matchesExec(matcher: ExecMatcher, effect: ExecEffect, strict: boolean): boolean {
  if (matcher.args.length > 0 && strict && !hasInOrder(matcher.args, foldedWords(effect), matcher.known)) return false;
  const asksMore = matcher.flags.length > 0 || matcher.withoutFlags.length > 0 || !strict;
  const words = asksMore ? effect.argv.slice(1).filter((word) => word !== null || !matcher.known || !strict) : [];
  if (matcher.args.length > 0 && !strict && !leads(matcher.args, words)) return false;
  if (matcher.flags.length > 0 && !words.some((word) => (word === null ? strict : matcher.flags.some((flag) => givesFlag(flag, word))))) return false;
  if (matcher.withoutFlags.length > 0) {
    const given = words.some((word) => (word === null ? !strict : matcher.withoutFlags.some((flag) => givesFlag(flag, word))));
    if (given) return false;
  }
  if (matcher.unlessAlone.length > 0 && effect.argv.length === 2) {
    const word = effect.argv[1] ?? null;
    if (word === null ? !strict : matcher.unlessAlone.includes(word)) return false;
  }
  return true;
}

interface FoldedWords {
  readonly all: readonly (string | null)[];
  readonly known: readonly (string | null)[];
  /** Each once. */
  readonly different: ReadonlySet<string | null>;
}

const folded = new WeakMap<readonly (string | null)[], FoldedWords>();

/** The words behind the program, folded: once for all rules, since they can be long. */
function foldedWords(effect: ExecEffect): FoldedWords {
  let words = folded.get(effect.argv);
  if (words === undefined) {
    const all = effect.argv.slice(1).map((word) => (word === null ? null : foldName(word)));
    folded.set(effect.argv, (words = { all, known: all.includes(null) ? all.filter((word) => word !== null) : all, different: new Set(all) }));
  }
  return words;
}

/** `inOrder`, after a look at the different words: of a long list few are. */
function hasInOrder(globs: readonly string[], { all, known, different }: FoldedWords, onlyKnown: boolean): boolean {
  const words = onlyKnown ? known : all;
  if (words.length > different.size && !globs.every((glob) => inOrder([glob], [...different].filter((word) => word !== null || !onlyKnown)))) return false;
  return inOrder(globs, words);
}

/** The globs occur in this order among the folded words; a word that cannot be told may be any. */
function inOrder(globs: readonly string[], words: readonly (string | null)[]): boolean {
  let at = 0;
  let glob = globs[0] === undefined ? null : foldName(globs[0]);
  for (const word of words) {
    if (glob === null) break;
    if (word !== null && !matchWord(glob, word)) continue;
    at += 1;
    glob = globs[at] === undefined ? null : foldName(globs[at] ?? "");
  }
  return glob === null;
}

/** The first words are exactly what the globs say; a word that cannot be told is none of them. */
function leads(globs: readonly string[], words: readonly (string | null)[]): boolean {
  return globs.every((glob, index) => {
    const word = words[index];
    return typeof word === "string" && matchWord(glob, word);
  });
}

const HOST = /^[a-z0-9.:_-]{1,255}$/;

function matchesConnect(matcher: ConnectMatcher, effect: ConnectEffect, strict: boolean): boolean {
  const by = foldName(effect.by);
  if ((matcher.by.length > 0 && !matchAnyWord(matcher.by, by)) || matchAnyWord(matcher.notBy, by)) return false;
  if (matcher.urls.length > 0 && !(effect.url === null ? false : matchAnyWord(matcher.urls, foldName(effect.url)))) return false;
  const host = effect.host === null ? null : effect.host.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  const plain = host !== null && HOST.test(host);
  if (strict) {
    if (plain && matchAnyWord(matcher.except, host)) return false;
    return matcher.hosts.length === 0 || (plain ? matchAnyWord(matcher.hosts, host) : !matcher.known);
  }
  if (matcher.except.length > 0 && (!plain || matchAnyWord(matcher.except, host))) return false;
  return matcher.hosts.length === 0 || (plain && matchAnyWord(matcher.hosts, host));
}

function matchesCode(matcher: CodeMatcher, effect: CodeEffect, strict: boolean): boolean {
  if (matcher.sources.length > 0 && !matcher.sources.includes(effect.source)) return false;
  if (matcher.programs.length > 0 && !matchAnyWord(matcher.programs, strict ? foldName(effect.program) : effect.program)) return false;
  if (matcher.upstream.length > 0 && !effect.upstream.some((program) => matchAnyWord(matcher.upstream, foldName(program)))) return false;
  if (matcher.containing.length > 0) {
    const code = effect.code === null ? null : foldName(effect.code);
    if (code === null || !matcher.containing.some((text) => code.includes(foldName(text)))) return false;
  }
  return true;
}

function matchesEnvironment(matcher: EnvironmentMatcher, effect: EnvironmentEffect, strict: boolean): boolean {
  if (matcher.names.length > 0 && !matchAnyWord(matcher.names, effect.name)) return false;
  if (matcher.values.length === 0) return true;
  return effect.value === null ? strict : matchAnyWord(matcher.values, effect.value);
}

function contentTest(matcher: ContentMatcher, places: Places): Test {
  const paths = matcher.paths.map((glob) => compileGlob(glob, places));
  const except = matcher.except.map((glob) => compileGlob(glob, places));
  return ({ effect, path }) => {
    if (effect.kind !== "content" || path === null || matcher.where !== (effect.output === true ? "output" : "edit")) return false;
    if (paths.length > 0 && !paths.some((glob) => glob.hits(path))) return false;
    if (except.some((glob) => glob.covers(path))) return false;
    return matcher.contains.some((kind) => hasContent(kind, effect));
  };
}
