// What a schema cannot say about one rule: layers, threats, globs, empty matchers, and what could never be enforced.

import { LIMITS } from "../shared/index.js";
import { conditionProblem, readProblem } from "./enforce-reads.js";
import { globProblem } from "./match-path.js";
import { isBuiltinProgram, rowProblem } from "../shell/index.js";
import type { EffectMatcherFile, ExampleFile, MatcherFile, PolicyFile, ProgramFile, RuleFile } from "./schema.js";
import { threatProblem } from "./threats.js";

/** Notes one issue at a path in the file. */
export type Report = (code: string, path: readonly PropertyKey[], message: string, hint: string | null) => void;

/** Checks one rule of a file; every issue goes to `report`. */
export function checkRule(rule: RuleFile, file: PolicyFile, path: readonly PropertyKey[], report: Report): void {
  checkIdentity(rule, file, path, report);
  for (const [index, threat] of (rule.threats ?? []).entries()) {
    const problem = threatProblem(threat);
    if (problem !== null) report("POLICY_THREAT", [...path, "threats", index], `threat \`${threat}\` ${problem.message}`, problem.hint);
  }
  for (const [index, matcher] of rule.when.entries()) checkMatcher(rule, matcher, [...path, "when", index], report);
  for (const key of ["match", "notMatch"] as const) {
    for (const [index, example] of (rule[key] ?? []).entries()) checkExample(example, [...path, key, index], report);
  }
}

/** Checks one program model: its row, and that the built-in tables do not know the program already. */
export function checkProgram(program: ProgramFile, path: readonly PropertyKey[], report: Report): void {
  const problem = rowProblem(program.operands ?? "", program.options ?? "", program.traits ?? "");
  if (problem !== null) report("POLICY_PROGRAM", [...path, problem.part], problem.message, "see the section on programs in docs/policy.md");
  for (const [index, name] of program.names.entries()) {
    if (isBuiltinProgram(name)) report("POLICY_PROGRAM", [...path, "names", index], `\`${name}\` has a built-in model, which no policy replaces`, "remove it; to judge the program more strictly write a rule with `exec`");
  }
}

function checkIdentity(rule: RuleFile, file: PolicyFile, path: readonly PropertyKey[], report: Report): void {
  const prefix = rule.id.slice(0, rule.id.indexOf("."));
  const layer = rule.layer ?? file.layer;
  if (/^(L[1-7]|X)$/.test(prefix) && layer !== undefined && layer !== prefix) {
    report("POLICY_RULE", [...path, "id"], `rule \`${rule.id}\` is of layer ${layer}, but its id says ${prefix}`, `name it \`${layer}${rule.id.slice(prefix.length)}\` or set \`layer: ${prefix}\``);
  }
  if (prefix === "reconcile" || prefix === "policy" || prefix === "ringfence" || prefix === "workspace") report("POLICY_RULE", [...path, "id"], `the prefix \`${prefix}.\` is reserved`, "choose a prefix of your own, such as your team's name");
  if (rule.effect !== "allow" && layer === undefined) report("POLICY_RULE", path, `rule \`${rule.id}\` has no layer`, "add `layer: L3`, or `layer: X` for a threat across layers");
  if (rule.effect !== "allow" && (rule.threats ?? []).length === 0) report("POLICY_THREAT", path, `rule \`${rule.id}\` names no threat`, "add `threats: [maestro:L7/agent-tool-misuse]`");
  if (rule.roles !== undefined && rule.notRoles !== undefined) report("POLICY_RULE", [...path, "notRoles"], "a rule has either `roles` or `notRoles`", "remove one of them");
}

function checkMatcher(rule: RuleFile, matcher: MatcherFile, path: readonly PropertyKey[], report: Report): void {
  const kind = onlyKind(matcher, path, "an alternative of `when`", report);
  if (kind === null) return;
  if (rule.effect === "allow" && (kind === "opaque" || kind === "content")) report("POLICY_RULE", path, `an allow rule cannot match \`${kind}\``, "what cannot be told is never allowed; write an allow rule for what can be");
  if (matcher.budget !== undefined || matcher.sequence !== undefined || matcher.refusals !== undefined) checkHistory(rule, matcher, path, report);
  else checkEffect(rule, matcher, path, report);
}

/** The one kind that a map of kinds has; null, with an issue, when it has none or several. */
function onlyKind(given: object, path: readonly PropertyKey[], what: string, report: Report): string | null {
  const kinds = Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [key]));
  if (kinds.length === 1) return kinds[0] ?? null;
  report("POLICY_RULE", path, kinds.length === 0 ? `${what} needs one matcher` : `${what} has one matcher, not ${kinds.map((kind) => `\`${kind}\``).join(" and ")}`, "give each alternative its own `- `");
  return null;
}

function checkEffect(rule: RuleFile, matcher: EffectMatcherFile, path: readonly PropertyKey[], report: Report): void {
  for (const [name, value] of Object.entries(matcher)) {
    if (typeof value === "object" && value !== null) checkEmpty(name, value, [...path, name], report);
  }
  checkGlobs(matcher, path, report);
  checkWords(matcher, path, report);
  if (matcher.file !== undefined) checkFile(rule, matcher.file, [...path, "file"], report);
  if (matcher.content !== undefined) checkContent(rule, matcher.content, [...path, "content"], report);
}

/** Content of an output is judged after the call: nobody is asked then, and there is no file. */
function checkContent(rule: RuleFile, content: NonNullable<EffectMatcherFile["content"]>, path: readonly PropertyKey[], report: Report): void {
  if (content.in !== "output") {
    if (content.deliver !== undefined) report("POLICY_RULE", [...path, "deliver"], "`deliver` is about an output", "add `in: output`, or remove it");
    return;
  }
  if (rule.effect !== "deny") report("POLICY_RULE", [...path, "in"], "what a call has printed is given, masked, marked or withheld; nobody is asked", "write `effect: deny` with `deliver: marked` or `deliver: masked`, or without `deliver` to withhold");
  if (content.paths !== undefined || content.except !== undefined) report("POLICY_RULE", path, "an output has no path", "remove `paths` and `except`");
  if (content.contains.includes("test-command")) report("POLICY_RULE", [...path, "contains"], "`test-command` is about a project file", "leave `in` out");
}

/** Matchers that need what the session did before. */
function checkHistory(rule: RuleFile, { budget, sequence, refusals }: MatcherFile, path: readonly PropertyKey[], report: Report): void {
  if (rule.effect === "allow") report("POLICY_RULE", path, "an allow rule cannot depend on what the session did before", "write an `ask` or `deny` rule for what goes too far");
  if (refusals?.threats !== undefined) for (const [index, threat] of refusals.threats.entries()) if (!threat.includes(":") && !threat.includes("*")) report("POLICY_THREAT", [...path, "refusals", "threats", index], `threat \`${threat}\` has no namespace`, "write `maestro:L2/data-exfiltration`, or `maestro:L2/*` for all of a layer");
  if (budget !== undefined) {
    const at = [...path, "budget"];
    if ([budget.calls, budget.seconds, budget.bytesWritten, budget.filesChanged, budget.deletions].every((one) => one === undefined)) report("POLICY_RULE", at, "`budget` limits nothing", "add `calls`, `seconds`, `bytesWritten`, `filesChanged` or `deletions`");
    if (budget.per === "call" && budget.calls !== undefined) report("POLICY_RULE", [...at, "calls"], "one call is one call", "count calls of a session: leave out `per`");
    if (budget.counting !== undefined && budget.calls === undefined) report("POLICY_RULE", [...at, "counting"], "`counting` says which calls `calls` counts", "add `calls`");
    if (budget.counting !== undefined && onlyKind(budget.counting, [...at, "counting"], "`counting`", report) !== null) checkInner(rule, budget.counting, [...at, "counting"], report);
  }
  if (sequence !== undefined) checkSequence(rule, sequence, [...path, "sequence"], report);
}

/** A matcher inside one that needs a history: what a call printed is known only as a finding. */
function checkInner(rule: RuleFile, matcher: EffectMatcherFile, path: readonly PropertyKey[], report: Report): void {
  if (matcher.content?.in === "output") report("POLICY_RULE", [...path, "content", "in"], "what a call prints is not known when it is judged", "use `found: [id of the rule about the output]` in `after`");
  else checkEffect({ ...rule, effect: "ask" }, matcher, path, report);
}

function checkSequence(rule: RuleFile, { after, then, same }: NonNullable<MatcherFile["sequence"]>, path: readonly PropertyKey[], report: Report): void {
  for (const [index, { found, refused, ...matcher }] of after.entries()) {
    const at = [...path, "after", index];
    if (onlyKind({ ...matcher, found, refused }, at, "a step of `after`", report) !== null) checkInner(rule, matcher, at, report);
  }
  if (onlyKind(then, [...path, "then"], "`then`", report) !== null) checkInner(rule, then, [...path, "then"], report);
  const reads = then.file !== undefined && (then.file.operations ?? ["read"]).includes("read");
  if (rule.effect === "deny" && reads) report("POLICY_UNENFORCEABLE", [...path, "then", "file"], "a read that is forbidden only after something else cannot be masked, and cannot be undone", "write `ask`, or forbid the read from the start in a rule of its own");
  if (same === true && then.file === undefined && then.code === undefined && then.exec === undefined) report("POLICY_RULE", [...path, "same"], "`same` is about a file: what `then` matches has none", "use `file`, `exec` or `code` in `then`");
  if (same === true && !after.some(({ file }) => file !== undefined && (file.operations ?? ["change"]).some((operation) => operation !== "read"))) report("POLICY_RULE", [...path, "same"], "`same` needs a step that changes the file", "add `file: { operations: [change], … }` to `after`");
}

function checkEmpty(name: string, value: Readonly<Record<string, unknown>>, path: readonly PropertyKey[], report: Report): void {
  const given = Object.entries(value).filter(([, item]) => item !== undefined).map(([key]) => key);
  const narrowing = given.filter((key) => !["any", "except", "operations", "withoutFlags", "unlessAlone", "recursive", "known", "notBy"].includes(key));
  if (narrowing.length === 0 && !given.includes("any")) report("POLICY_RULE", path, `\`${name}\` matches everything of its kind`, "say what it matches, or `any: true` when that is meant");
  if (narrowing.length > 0 && given.includes("any")) report("POLICY_RULE", [...path, "any"], `\`any\` beside \`${narrowing.join("`, `")}\` says two things`, "remove one of them");
}

function checkGlobs(matcher: EffectMatcherFile, path: readonly PropertyKey[], report: Report): void {
  for (const kind of ["file", "content"] as const) {
    for (const key of ["paths", "except"] as const) {
      for (const [index, glob] of (matcher[kind]?.[key] ?? []).entries()) {
        const problem = globProblem(glob);
        if (problem !== null) report("POLICY_GLOB", [...path, kind, key, index], `pattern \`${glob}\` ${problem.message}`, problem.hint);
      }
    }
  }
}

/** Program and host patterns are folded before they are compared; an upper-case pattern could never match in deny and ask. */
function checkWords(matcher: EffectMatcherFile, path: readonly PropertyKey[], report: Report): void {
  const lists: readonly (readonly [readonly PropertyKey[], readonly string[] | undefined])[] = [
    [["exec", "programs"], matcher.exec?.programs],
    [["code", "programs"], matcher.code?.programs],
    [["code", "upstream"], matcher.code?.upstream],
    [["connect", "hosts"], matcher.connect?.hosts],
    [["connect", "except"], matcher.connect?.except],
    [["connect", "by"], matcher.connect?.by],
    [["connect", "notBy"], matcher.connect?.notBy],
    [["file", "by"], matcher.file?.by],
    [["file", "notBy"], matcher.file?.notBy],
  ];
  for (const [place, list] of lists) {
    for (const [index, text] of (list ?? []).entries()) {
      const base = place[1] === "programs" && text.includes("/") ? text.slice(text.lastIndexOf("/") + 1) : text;
      if (base !== text) report("POLICY_GLOB", [...path, ...place, index], `pattern \`${text}\` can never match: programs are compared by base name`, `write \`${base.toLowerCase()}\``);
      else if (text !== text.toLowerCase()) report("POLICY_GLOB", [...path, ...place, index], `pattern \`${text}\` can never match: names are compared in lower case`, `write \`${text.toLowerCase()}\``);
    }
  }
  for (const key of ["flags", "withoutFlags"] as const) {
    for (const [index, flag] of (matcher.exec?.[key] ?? []).entries()) {
      if (!/^-{1,2}[A-Za-z0-9]/.test(flag)) report("POLICY_GLOB", [...path, "exec", key, index], `\`${flag}\` is no option`, "write `-f` or `--force`");
    }
  }
}

function checkFile(rule: RuleFile, file: NonNullable<MatcherFile["file"]>, path: readonly PropertyKey[], report: Report): void {
  if (rule.effect === "allow" && (file.outside === true || file.whole === true)) report("POLICY_RULE", path, "an allow rule names the paths it allows; `outside` and `whole` are for ask and deny", "write `paths` instead");
  if (rule.effect === "deny" && (file.operations ?? ["read"]).includes("read")) checkReads(file, path, report);
  if (file.whole === true && file.paths === undefined) report("POLICY_RULE", path, "`whole` needs the folders it is about", "add `paths: [\".\"]`");
  if (rule.effect !== "allow" && file.any === true && file.except !== undefined && file.except.length > LIMITS.globBraces) report("POLICY_LIMIT", [...path, "except"], "too many exceptions", "name what is matched instead");
}

/** A read cannot be undone: where no mask and no absence holds it, the rule would only seem to. */
function checkReads(file: NonNullable<MatcherFile["file"]>, path: readonly PropertyKey[], report: Report): void {
  const conditional = file.whole === true || file.recursive === true || (file.by ?? []).length > 0;
  const problem = conditionProblem({ paths: file.paths ?? [], outside: file.outside === true, conditional });
  if (problem !== null) report("POLICY_UNENFORCEABLE", path, `the rule ${problem.message}`, problem.hint);
  for (const [index, glob] of (file.paths ?? []).entries()) {
    const unheld = globProblem(glob) === null ? readProblem(glob) : null;
    if (unheld !== null) report("POLICY_UNENFORCEABLE", [...path, "paths", index], `pattern \`${glob}\` ${unheld.message}`, unheld.hint);
  }
}

function checkExample(example: ExampleFile, path: readonly PropertyKey[], report: Report): void {
  const kinds = (["command", "write", "read", "delete"] as const).filter((key) => example[key] !== undefined);
  if (kinds.length !== 1) report("POLICY_RULE", path, "an example has exactly one of `command`, `write`, `read`, `delete`", "split it, or add the one that is missing");
  for (const [index, before] of (example.before ?? []).entries()) {
    if ((["command", "write", "read", "delete"] as const).filter((key) => before[key] !== undefined).length !== 1) report("POLICY_RULE", [...path, "before", index], "a call before an example has exactly one of `command`, `write`, `read`, `delete`", "split it, or add the one that is missing");
  }
  if (example.output !== undefined && example.content !== undefined) report("POLICY_RULE", path, "an example is about an edit or about an output", "remove `content` or `output`");
  if (example.content !== undefined && example.write === undefined) report("POLICY_RULE", path, "`content` goes with `write`", "add `write: path`");
  for (const key of ["cwd", "root"] as const) {
    const value = example[key];
    if (value !== undefined && !value.startsWith("/")) report("POLICY_RULE", [...path, key], `\`${key}\` must be absolute`, "write `/workspace`");
  }
}
