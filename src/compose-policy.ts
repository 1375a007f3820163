// Composition of what judging alone needs: policy files and their digest. Loads neither the engine client nor the ledger, and
// neither the YAML reader nor the schema where a policy was compiled before.

import { readFileSync } from "node:fs";
import { openPolicyCache, type PolicyCache } from "./adapters/files/policy-cache.js";
import { loadPolicySources } from "./adapters/files/policy-source.js";
import { sha256 } from "./adapters/system/hasher.js";
import { packageFile } from "./adapters/system/package-root.js";
import { resolveStateDir } from "./adapters/system/state-dir.js";
import { DEFAULT_PROFILE } from "./config/defaults.js";
import { productVersion } from "./config/product.js";
import type { PolicySet, PolicyText } from "./core/policy/index.js";
import { policyData, policyFromData, type PolicyData } from "./core/policy/policy-data.js";
import { formatIssue, GuardError, type Issue } from "./core/shared/index.js";

const SHOWN = 20;

/**
 * The policy of the named files, or the built-in profile when there is none. Throws POLICY_INVALID with every problem, one a
 * line. Policies that compiled before under this build are taken from the state folder.
 */
export async function loadPolicy(files: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<PolicySet> {
  const sources = await loadPolicySources({ files, builtinDir: packageFile("policies"), profile: DEFAULT_PROFILE });
  const kept = cacheOf(env, sources);
  const text = kept?.cache.read(kept.key) ?? null;
  if (text !== null) {
    const data = parse(text);
    if (data !== null) return policyFromData(data);
  }
  const { compilePolicy } = await import("./core/policy/compile.js");
  const compiled = compilePolicy(sources, { hash: sha256 });
  if (!compiled.ok) throw new GuardError("POLICY_INVALID", policyIssues(compiled.error));
  kept?.cache.write(kept.key, JSON.stringify(policyData(compiled.value)));
  return compiled.value;
}

/** Version of this installation. */
export function installedVersion(): string {
  return productVersion(packageFile("package.json"));
}

/** The cache and the key of these texts under this build; null when run from sources, or without a usable state folder. */
function cacheOf(env: NodeJS.ProcessEnv, sources: readonly PolicyText[]): { readonly cache: PolicyCache; readonly key: string } | null {
  try {
    const build = readFileSync(packageFile("dist", ".build-stamp"), "utf8");
    const key = sha256(JSON.stringify([build, sources])).slice("sha256:".length);
    return { cache: openPolicyCache(resolveStateDir(env)), key };
  } catch {
    return null;
  }
}

function parse(text: string): PolicyData | null {
  try {
    return JSON.parse(text) as PolicyData;
  } catch {
    return null;
  }
}

/** The problems of policy files as text, one a line with its source line. */
export function policyIssues(issues: readonly Issue[]): string {
  return issues.slice(0, SHOWN).map(issueText).join("\n");
}

/** One problem with its source line. */
export function issueText(issue: Issue): string {
  return issue.excerpt === undefined ? formatIssue(issue) : `${formatIssue(issue)}\n    ${issue.excerpt}`;
}
