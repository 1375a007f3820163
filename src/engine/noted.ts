// What an allowed call's code says that rules are against: read before it runs, on record with the decision, evidence for the score. It
// refuses nothing: a tested container holds what the code does. Only code that the agent brought counts, in the command or in a file of
// this session; what was in the project before is the project's.

import type { Action } from "../core/action/action.js";
import { filesRun, isInside, saidByCode } from "../core/action/index.js";
import { noteSaid, type Decision, type DecisionContext } from "../core/policy/index.js";
import { LIMITS } from "../core/shared/index.js";
import { evaluateArgv, evaluateShell } from "../core/shell/index.js";
import type { LiveSession } from "./live.js";
import { inWorkspace } from "./perform.js";
import { scriptText, shellOf } from "./understand.js";

/** The decision with what the code that it lets run says. Throws GuardError, and breaks the session, when the sandbox fails. */
export async function withNoted(live: LiveSession, action: Action, decision: Decision, context: DecisionContext): Promise<Decision> {
  if (decision.effect !== "allow" || action.kind !== "command" || context.containment !== "attested") return decision;
  const texts = await codeOf(live, action);
  if (texts.length === 0) return decision;
  const shell = shellOf(live, () => null);
  const effects = texts.flatMap((text) => {
    const said = saidByCode(text, context);
    return [...said.effects, ...said.commands.flatMap((one) => (typeof one === "string" ? evaluateShell(one, shell) : evaluateArgv(one, shell)).effects)];
  });
  return noteSaid(live.options.policy, decision, effects.slice(0, LIMITS.effects), context);
}

/** The code that a command runs: what stands in it, and the files of the workspace that this session changed. */
async function codeOf(live: LiveSession, { effects, cwd }: Extract<Action, { kind: "command" }>): Promise<readonly string[]> {
  const inline = effects.flatMap((effect) => (effect.kind === "runs-code" && effect.source === "inline" && effect.code !== null ? [effect.code] : []));
  const { root } = live.options.defaults;
  const changed = new Set(live.changes.map(({ path }) => path));
  const paths = filesRun(effects.filter((effect) => effect.kind !== "runs-code" || effect.source === "file"), cwd).filter((path) => isInside(path, root) && changed.has(inWorkspace(root, path)));
  const texts = [...inline];
  for (const path of paths.slice(0, LIMITS.scripts)) {
    const text = await scriptText(live, path);
    if (text !== null) texts.push(text);
  }
  return texts.slice(0, LIMITS.scripts);
}
