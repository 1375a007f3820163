// Composition of what judging alone needs: policy files and their digest. Loads neither the engine client nor the ledger, and
// neither the YAML reader nor the schema where a policy was compiled before.

import { openPolicyCache, type PolicyCache } from "./adapters/files/policy-cache.js";
import { loadPolicySources } from "./adapters/files/policy-source.js";
import { builtDigest, packageFile } from "./adapters/system/package-root.js";
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
  const text = kept?.cache.read(kept.origin) ?? null;
  if (text !== null) {
    const data = parse(text);
    if (data !== null) return policyFromData(data);
  }
  const { compilePolicy } = await import("./core/policy/compile.js");
  const { sha256 } = await import("./adapters/system/hasher.js");
  const compiled = compilePolicy(sources, { hash: sha256 });
  if (!compiled.ok) throw new GuardError("POLICY_INVALID", policyIssues(compiled.error));
  kept?.cache.write(kept.origin, JSON.stringify(policyData(compiled.value)));
  return compiled.value;
}

/** Version of this installation. */
export function installedVersion(): string {
  return productVersion(packageFile("package.json"));
}

/** The cache, and what a compiled policy of these texts is made of; null when run from sources, or without a usable state folder. */
function cacheOf(env: NodeJS.ProcessEnv, sources: readonly PolicyText[]): { readonly cache: PolicyCache; readonly origin: string } | null {
  const build = builtDigest();
  if (build === null) return null;
  try {
    const head = JSON.stringify([build, sources.map(({ name, text }) => [name, text.length])]);
    return { cache: openPolicyCache(resolveStateDir(env)), origin: `${head}\n${sources.map(({ text }) => text).join("")}` };
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
