// Composition of `sandbox explain`: a policy, a folder's names, and what would hold each rule there. Starts no sandbox.

import { createBreath } from "./adapters/files/breath.js";
import { admitFolder } from "./adapters/files/admit-folder.js";
import { ownMounts, type OwnMount } from "./adapters/docker/own-mounts.js";
import { whyNoDisk } from "./adapters/files/disk-ability.js";
import { listNames } from "./adapters/files/name-index.js";
import { rawFromText } from "./adapters/files/raw-path.js";
import { packageFile } from "./adapters/system/package-root.js";
import { resolveStateDir } from "./adapters/system/state-dir.js";
import { TAR_LOST } from "./compose-doctor-engine.js";
import { loadPolicy } from "./compose-policy.js";
import { DEFAULTS } from "./config/defaults.js";
import { explainEnforcement, planEnforcement, type EnforcementPlan, type HeldRule } from "./core/policy/index.js";

export interface ExplainRequest {
  readonly workspace: string;
  readonly policies: readonly string[];
  readonly role: string | null;
  readonly env: NodeJS.ProcessEnv;
}

export interface Explained {
  readonly workspace: string;
  readonly names: number;
  readonly rules: readonly HeldRule[];
  readonly plan: EnforcementPlan;
  /** Why the kernel would not limit what is written to the workspace, as far as can be told beforehand; null when it would. */
  readonly unlimited: string | null;
  /** What is mounted in every sandbox; names of the plan come on top, each read-only. Nothing else is. */
  readonly mounts: readonly OwnMount[];
  /** What is lost where the engine does not see the folder and is sent it. */
  readonly lostWhenSent: string;
}

/** Explains a policy on a folder. Throws GuardError for a folder that is no workspace or a policy that is invalid. */
export async function explainSandbox({ workspace, policies, role, env }: ExplainRequest): Promise<Explained> {
  const policySet = await loadPolicy(policies, env);
  const stateDir = resolveStateDir(env);
  const { path } = admitFolder(workspace, { stateDir, home: env["HOME"] ?? "/root" });
  const names = await listNames(rawFromText(path), createBreath(new AbortController().signal));
  const { root, home } = DEFAULTS;
  const plan = planEnforcement({ policySet, role, root, home, names });
  return { workspace: path, names: names.length, plan, rules: explainEnforcement(policySet, plan, { role, root, home }), unlimited: whyNoDisk({ env, stateDir }), lostWhenSent: TAR_LOST, mounts: ownMounts(root, DEFAULTS.sandbox, packageFile("dist", "runtime")) };
}
