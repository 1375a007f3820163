// What is lawful in a policy file but probably not meant: rules that decide nothing, allow too much or match nothing. Judges no action.

import { printable, type Issue } from "../shared/index.js";
import { covers } from "./cover.js";
import { heldBy } from "./held-by.js";
import { ROLE_BUGFIXER, ROLE_HARNESS, ROLE_TESTWRITER } from "../action/roles.js";
import { compileRule, pathOf } from "./match-effect.js";
import type { ParsedFile, ParsedRule } from "./parse-file.js";
import { EXAMPLE_PLACES, exampleEffects, NO_PROGRAMS } from "./example-effects.js";
import { matchesByHistory } from "./example-history.js";
import type { Matcher, Rule } from "./rule.js";
import { modelsOf } from "./policy-set.js";
import { matchWord } from "./match-word.js";
import { nearest } from "./suggest.js";
import { deadPatterns } from "./lint-patterns.js";
import { lintReactions } from "./lint-reactions.js";

/** `warning`: the rule does not do what it says; `note`: worth a look. */
export interface LintFinding extends Issue {
  readonly severity: "warning" | "note";
  readonly rule: string;
}

/** Lints the rules and reactions of `files` against all of `files` and `context`, the files that are loaded beside them. Errors of form are not repeated. @param controls ids of the controls whose loss a reaction can wait for */
export function lintPolicies(files: readonly ParsedFile[], context: readonly ParsedFile[] = [], controls: readonly string[] = []): readonly LintFinding[] {
  const all = [...files, ...context].flatMap((file) => file.rules);
  const { models } = modelsOf([...files, ...context].flatMap((file) => file.programs.map((one) => one.row)));
  const ofRules = files.flatMap((file) => file.rules).flatMap((parsed) => [...lintAgainst(parsed, all), ...lintBreadth(parsed), ...lintPatterns(parsed), ...lintReferences(parsed, all), ...lintAlternatives(parsed), ...lintRoles(parsed), ...lintExamples(parsed, models), ...lintEnforcement(parsed)]);
  return [...ofRules, ...lintReactions(files, context, controls)];
}

function finding(parsed: ParsedRule, severity: LintFinding["severity"], code: string, message: string, hint: string): LintFinding {
  const { rule } = parsed;
  return { severity, rule: rule.id, code, message, at: rule.at, excerpt: parsed.excerptAt(rule.at), hint };
}

/** Rules that another rule makes idle. */
function lintAgainst(parsed: ParsedRule, all: readonly ParsedRule[]): readonly LintFinding[] {
  const { rule } = parsed;
  const out: LintFinding[] = [];
  for (const { rule: other } of all) {
    if (other.id === rule.id || other.shadow === true || rule.shadow === true || !sameOrWider(other, rule)) continue;
    const wholly = rule.when.every((one) => other.when.some((two) => covers(two, one)));
    if (!wholly) continue;
    const place = `\`${other.id}\` (${printable(other.at.file)}:${String(other.at.line)})`;
    if (rule.effect === "allow" && other.effect === "deny") out.push(finding(parsed, "warning", "LINT_UNREACHABLE", `allow rule \`${rule.id}\` never allows anything: ${place} denies all it matches`, "remove it, or narrow the deny rule with `except`"));
    else if (rule.effect === other.effect && rule.timeoutMs === null && !(other.id > rule.id && other.when.every((one) => rule.when.some((two) => covers(two, one))) && sameOrWider(rule, other))) {
      out.push(finding(parsed, "warning", "LINT_DUPLICATE", `rule \`${rule.id}\` repeats ${place}, which matches all of it with the same effect`, "keep one of them"));
    } else if (rule.effect === "ask" && other.effect === "deny") out.push(finding(parsed, "warning", "LINT_SHADOWED", `rule \`${rule.id}\` never asks: ${place} denies all it matches`, "remove one of them"));
  }
  return out;
}

/** `wide` counts wherever `narrow` does. */
function sameOrWider(wide: Rule, narrow: Rule): boolean {
  const roles = wide.roles.length === 0 ? wide.notRoles.length === 0 || (narrow.roles.length > 0 && !narrow.roles.some((role) => wide.notRoles.includes(role))) : narrow.roles.length > 0 && narrow.roles.every((role) => wide.roles.includes(role));
  return roles && (wide.containment === "any" || wide.containment === narrow.containment);
}

/** Allow rules that take away what a policy is for. */
function lintBreadth(parsed: ParsedRule): readonly LintFinding[] {
  const { rule } = parsed;
  if (rule.effect !== "allow") return [];
  return rule.when.flatMap((matcher): readonly LintFinding[] => {
    if (matcher.on === "file" && matcher.operations.some((one) => one !== "read") && (matcher.paths.length === 0 || matcher.paths.some((glob) => /^\/?(\*\*|\/)(\/\*+)*$/.test(glob)))) {
      return [finding(parsed, "warning", "LINT_BROAD", `rule \`${rule.id}\` allows changes of any file of the system`, "name the folders: `./**`, `/tmp/**`, `~/**`")];
    }
    if (matcher.on === "exec" && rule.roles.length === 0 && matcher.programs.includes("*")) return [finding(parsed, "warning", "LINT_BROAD", `rule \`${rule.id}\` allows every program to every role`, "name the programs or `roles`, or write `any: true` when that is meant")];
    if (matcher.on === "connect" && (matcher.hosts.length === 0 || matcher.hosts.includes("*")) && matcher.by.length === 0 && matcher.urls.length === 0) return [finding(parsed, "warning", "LINT_BROAD", `rule \`${rule.id}\` allows connections to any host`, "name the hosts")];
    if (matcher.on === "code" && rule.containment === "any" && matcher.sources.length === 0 && matcher.programs.length === 0) return [finding(parsed, "warning", "LINT_BROAD", `rule \`${rule.id}\` allows any code even where no container holds it`, "add `containment: attested`")];
    if (matcher.on === "exec" && matcher.programs.length === 0 && matcher.args.length === 0 && matcher.flags.length === 0) return [finding(parsed, "note", "LINT_BROAD", `rule \`${rule.id}\` allows every program that no rule forbids`, "a list of programs is tighter where the work is known")];
    return [];
  });
}

function lintPatterns(parsed: ParsedRule): readonly LintFinding[] {
  return parsed.rule.when.flatMap((matcher) => deadPatterns(matcher).map(({ pattern, why, hint }) => finding(parsed, "warning", "LINT_NEVER", `\`${printable(pattern, 80)}\` in rule \`${parsed.rule.id}\` can never match: ${why}`, hint)));
}

/** Names of other rules that no rule has: what waits for them waits for ever. */
function lintReferences(parsed: ParsedRule, all: readonly ParsedRule[]): readonly LintFinding[] {
  const ids = all.map(({ rule }) => rule.id);
  const named = parsed.rule.when.flatMap((matcher) => (matcher.on === "refusals" ? matcher.rules : matcher.on === "sequence" ? matcher.after.flatMap((step) => (step.kind === "did" ? [] : step.rules)) : []));
  return named.flatMap((glob) => {
    if (ids.some((id) => matchWord(glob, id)) || /^(?:reconcile|workspace|default)/.test(glob)) return [];
    const near = nearest(glob, ids);
    return [finding(parsed, "warning", "LINT_NEVER", `\`${printable(glob, 80)}\` in rule \`${parsed.rule.id}\` can never match: no rule has such an id`, near === null ? "name a rule of this policy or of a pack" : `did you mean \`${near}\`?`)];
  });
}

/** Alternatives of one rule that another of its own takes in. */
function lintAlternatives(parsed: ParsedRule): readonly LintFinding[] {
  const { when, id } = parsed.rule;
  return when.flatMap((one, index) => {
    const by = when.findIndex((other, place) => place !== index && covers(other, one) && (place < index || !covers(one, other)));
    return by < 0 ? [] : [finding(parsed, "note", "LINT_SHADOWED", `alternative ${String(index + 1)} of \`when\` in rule \`${id}\` adds nothing: alternative ${String(by + 1)} matches all of it`, "remove it")];
  });
}

const ROLES = [ROLE_BUGFIXER, ROLE_TESTWRITER, ROLE_HARNESS];

/** Roles that are nearly ones of this product. Others may be a caller's own. */
function lintRoles(parsed: ParsedRule): readonly LintFinding[] {
  return [...parsed.rule.roles, ...parsed.rule.notRoles].flatMap((role) => {
    const near = ROLES.includes(role.toLowerCase()) ? null : nearest(role, ROLES);
    return near === null ? [] : [finding(parsed, "warning", "LINT_ROLE", `rule \`${parsed.rule.id}\` is about the role \`${printable(role, 60)}\`, which no session has by itself`, `did you mean \`${near}\`?`)];
  });
}

/** Alternatives that no example reaches, and refusals without a counter-example. */
function lintExamples(parsed: ParsedRule, models: Parameters<typeof exampleEffects>[1]): readonly LintFinding[] {
  const { rule } = parsed;
  const out: LintFinding[] = [];
  if (rule.effect !== "allow" && parsed.notMatch.length === 0) out.push(finding(parsed, "note", "LINT_EXAMPLES", `rule \`${rule.id}\` has no \`notMatch\` example`, "add what it must not refuse"));
  const matched = parsed.match.map((example) => ({ example, ...exampleEffects(example, models) }));
  const reached = (matcher: Matcher): boolean => matched.some(({ example, effects, root }) => reaches(rule, matcher, effects, root) || matchesByHistory({ ...rule, when: [matcher] }, example, models ?? NO_PROGRAMS));
  const idle = rule.when.flatMap((matcher, index) => (reached(matcher) ? [] : [String(index + 1)]));
  if (idle.length > 0 && rule.when.length > 1) out.push(finding(parsed, "note", "LINT_EXAMPLES", `no \`match\` example of rule \`${rule.id}\` reaches alternative${idle.length === 1 ? "" : "s"} ${idle.join(", ")} of \`when\``, "add one for each"));
  if (rule.effect !== "allow" && rule.risk === null) out.push(finding(parsed, "note", "LINT_RISK", `rule \`${rule.id}\` says nothing of the risk, so a match does not move the score`, "add `risk: { severity: medium }`"));
  if (rule.effect !== "allow" && rule.allowed === null) out.push(finding(parsed, "note", "LINT_ALLOWED", `rule \`${rule.id}\` does not say what would be allowed instead`, "add `allowed`"));
  return out;
}

function reaches(rule: Rule, matcher: Matcher, effects: ReturnType<typeof exampleEffects>["effects"], root: string): boolean {
  const compiled = compileRule({ ...rule, when: [matcher] }, { root, home: EXAMPLE_PLACES.home });
  return effects.some((effect) => compiled.kinds.has(effect.kind) && compiled.matches({ effect, path: pathOf(effect) }));
}

/** Refusals that only the text of a command holds. */
function lintEnforcement(parsed: ParsedRule): readonly LintFinding[] {
  const { rule } = parsed;
  if (rule.effect === "allow") return rule.shadow === true ? [finding(parsed, "warning", "LINT_SHADOW", `allow rule \`${rule.id}\` is in ${rule.watch === true ? "watch" : "shadow"} mode and does nothing`, "that mode is for `ask` and `deny`")] : [];
  const kinds = [...new Set(rule.when.map(heldBy))];
  if (kinds.every((kind) => kind === "text")) return [finding(parsed, "note", "LINT_TEXT_ONLY", `rule \`${rule.id}\` is held by the text of a command alone: code that does the same unseen is not stopped by it`, "add the file or the host that it is about, where there is one")];
  return [];
}
