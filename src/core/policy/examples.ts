// A rule's own examples, judged when it is loaded. They keep a rule true to what its author meant.

import type { Model } from "../shell/index.js";
import { printable, type Issue } from "../shared/index.js";
import { exampleEffects, EXAMPLE_PLACES, NO_PROGRAMS } from "./example-effects.js";
import { matchesByHistory } from "./example-history.js";
import { compileRule, pathOf, type CompiledRule } from "./match-effect.js";
import type { ParsedRule } from "./parse-file.js";
import type { Example, Rule } from "./rule.js";

/** Issues of one rule's examples: empty when all hold. */
export function checkExamples(parsed: ParsedRule, programs: ReadonlyMap<string, Model> = NO_PROGRAMS): readonly Issue[] {
  const { rule } = parsed;
  const issues: Issue[] = [];
  const compiled = new Map<string, CompiledRule>();
  const compiledFor = (root: string): CompiledRule => {
    const made = compiled.get(root) ?? compileRule(rule, { root, home: EXAMPLE_PLACES.home });
    compiled.set(root, made);
    return made;
  };
  const judge = (example: Example, wanted: boolean): void => {
    if (matchesExample(rule, example, compiledFor, programs) === wanted) return;
    const what = `example \`${printable(`${example.subject.kind}: ${example.subject.text}`, 120)}\``;
    issues.push({
      code: "POLICY_EXAMPLE_FAILED",
      message: `${what} ${wanted ? "is not matched" : "is matched"} by rule \`${rule.id}\``,
      at: example.at,
      excerpt: parsed.excerptAt(example.at),
      hint: wanted ? "widen `when`, or move the example to `notMatch`" : "narrow `when`, or move the example to `match`",
    });
  };
  for (const example of parsed.match) judge(example, true);
  for (const example of parsed.notMatch) judge(example, false);
  return issues;
}

function matchesExample(rule: Rule, example: Example, compiledFor: (root: string) => CompiledRule, programs: ReadonlyMap<string, Model>): boolean {
  if (!roleApplies(rule, example.role)) return false;
  const { effects, root } = exampleEffects(example, programs);
  const compiled = compiledFor(root);
  return effects.some((effect) => compiled.kinds.has(effect.kind) && compiled.matches({ effect, path: pathOf(effect) })) || matchesByHistory(rule, example, programs);
}

/** An example without a role is about the rule's first role. */
function roleApplies(rule: Rule, role: Example["role"]): boolean {
  if (role === undefined) return true;
  if (rule.roles.length > 0) return role !== null && rule.roles.includes(role);
  return !(role !== null && rule.notRoles.includes(role));
}
