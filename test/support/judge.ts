// How the built-in policy judges a form: `kimi-dev`, no role, the world's workspace as root, nothing run.

import { loadPolicy } from "../../src/compose-policy.js";
import { checkQuestion, type Decision, type PolicySet } from "../../src/core/policy/index.js";
import type { Evaluators } from "../../src/core/policy/check-line.js";
import { evaluateArgv, evaluateShell } from "../../src/core/shell/index.js";
import { WORLD, type Step } from "./world.js";

export interface Judgement {
  readonly effect: Decision["effect"];
  readonly rules: readonly string[];
}

const ORDER = { allow: 0, ask: 1, deny: 2 } as const;

/** A judge with the policy loaded once. `home`: a state folder for its cache. Files of earlier steps are read as the engine reads them. */
export async function createJudge(stateDir: string): Promise<(steps: readonly Step[]) => Judgement> {
  const policy: PolicySet = await loadPolicy([], { RINGFENCE_HOME: stateDir });
  return (steps) => {
    const written = new Map<string, string>();
    let worst: Judgement = { effect: "allow", rules: [] };
    for (const step of steps) {
      const one = judgeStep(policy, step, written);
      if (ORDER[one.effect] > ORDER[worst.effect]) worst = one;
      if ("write" in step) written.set(step.write.startsWith("/") ? step.write : `${WORLD.root}/${step.write}`, step.content);
    }
    return worst;
  };
}

function judgeStep(policy: PolicySet, step: Step, written: ReadonlyMap<string, string>): Judgement {
  const { root, home } = WORLD;
  const subject = "run" in step ? ({ kind: "command", text: step.run } as const) : ({ kind: "write", text: step.write } as const);
  const readText = (path: string): string | null => written.get(path) ?? null;
  const evaluators: Evaluators = { shell: (text, context) => evaluateShell(text, { ...context, readText }), argv: (words, context) => evaluateArgv(words, { ...context, readText }) };
  const { effect, reasons } = checkQuestion(policy, { subject, role: null, root, cwd: root }, { home, containment: "attested" }, evaluators);
  return { effect, rules: [...new Set(reasons.filter((reason) => reason.effect === effect).map(({ rule }) => rule))] };
}
