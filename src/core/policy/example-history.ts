// A rule's example with a short history: the calls before it are folded as those of a session are.

import type { Model } from "../shell/index.js";
import { isInside } from "../action/paths.js";
import type { ThreatId } from "../shared/index.js";
import { passedByCall } from "./budget.js";
import { exampleEffects, EXAMPLE_PLACES } from "./example-effects.js";
import { afterCall, afterChanges, afterFindings, afterRefusal, afterStart, NO_HISTORY, type SessionHistory } from "./history.js";
import { subjectOf } from "./judge-history.js";
import { pathOf, type MatchSubject } from "./match-effect.js";
import { compileHistory, marksOf, type HistoryRule } from "./match-history.js";
import { isEffectMatcher, type Example, type Rule } from "./rule.js";

/** Tells whether a rule matches an example by what happened before it. */
export function matchesByHistory(rule: Rule, example: Example, programs: ReadonlyMap<string, Model>): boolean {
  if (rule.when.every(isEffectMatcher)) return false;
  const { effects, root, cwd } = exampleEffects(example, programs);
  const compiled = compileHistory(rule, { root, home: EXAMPLE_PLACES.home });
  if (compiled === null) return false;
  const spent = { ...NO_HISTORY.spent, ...example.history?.spent };
  if (passedByCall([compiled], spent).length > 0) return true;
  const subjects = effects.map((effect): MatchSubject => ({ effect, path: pathOf(effect) }));
  const context = { role: null, root, cwd, home: EXAMPLE_PLACES.home, containment: "attested" as const };
  return subjectOf(compiled, subjects, historyOf(compiled, example, programs), context, false) !== null;
}

function historyOf(compiled: HistoryRule, example: Example, programs: ReadonlyMap<string, Model>): SessionHistory {
  let history = NO_HISTORY;
  for (const { subject, content } of example.history?.before ?? []) {
    const { effects, root } = exampleEffects({ ...example, subject, content }, programs);
    const changed = effects.flatMap((effect) => (effect.kind === "file" && effect.operation !== "read" && effect.certainty === "exact" && isInside(effect.path, root) ? [effect.path] : []));
    history = afterChanges(afterStart(afterCall(history), marksOf([compiled], effects.map((effect) => ({ effect, path: pathOf(effect) })))), changed);
  }
  history = afterFindings(history, example.history?.found ?? []);
  for (const name of example.history?.refused ?? []) history = afterRefusal(afterCall(history), name.includes(":") ? { rules: [], threats: [name as ThreatId] } : { rules: [name], threats: [] });
  return { ...history, spent: { ...history.spent, ...example.history?.spent } };
}
