// How the built-in policy judges a form: `kimi-dev`, no role, the world's workspace as root, nothing run.

import { loadPolicy } from "../../src/compose-policy.js";
import { checkQuestion, type Decision, type PolicySet } from "../../src/core/policy/index.js";
import { WORLD, type Step } from "./world.js";

export interface Judgement {
  readonly effect: Decision["effect"];
  readonly rules: readonly string[];
}

const ORDER = { allow: 0, ask: 1, deny: 2 } as const;

/** A judge with the policy loaded once. `home`: a state folder for its cache. */
export async function createJudge(stateDir: string): Promise<(steps: readonly Step[]) => Judgement> {
  const policy: PolicySet = await loadPolicy([], { RINGFENCE_HOME: stateDir });
  return (steps) => steps.map((step) => judgeStep(policy, step)).reduce((worst, one) => (ORDER[one.effect] > ORDER[worst.effect] ? one : worst), { effect: "allow", rules: [] });
}

function judgeStep(policy: PolicySet, step: Step): Judgement {
  const { root, home } = WORLD;
  const subject = "run" in step ? ({ kind: "command", text: step.run } as const) : ({ kind: "write", text: step.write } as const);
  const { effect, reasons } = checkQuestion(policy, { subject, role: null, root, cwd: root }, { home, containment: "attested" });
  return { effect, rules: [...new Set(reasons.filter((reason) => reason.effect === effect).map(({ rule }) => rule))] };
}
