// Composition of what judging alone needs: policy files and their digest. Loads neither the engine client nor the ledger, and
// neither the YAML reader nor the schema where a policy was compiled before.

import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
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

/** The folder of an organisation's policies on every machine of it. */
const ORGANISATION_DIR = "/etc/ringfence/policies";

/**
 * The policy of the named files, or the built-in profile when there is none, with those of the organisation, of the user and, where
 * one is named, of the workspace, which can only make it stricter. Throws POLICY_INVALID with every problem, one a line. Policies
 * that compiled before under this build are taken from the state folder.
 * @param workspace real or absolute path; null leaves the workspace's policies out
 */
export async function loadPolicy(files: readonly string[], env: NodeJS.ProcessEnv = process.env, workspace: string | null = null): Promise<PolicySet> {
  return (await loadPolicyTexts(files, env, workspace)).policy;
}

/** The same with the texts it was made of, which make it again. */
export async function loadPolicyTexts(files: readonly string[], env: NodeJS.ProcessEnv, workspace: string | null): Promise<{ readonly policy: PolicySet; readonly texts: readonly PolicyText[] }> {
  const named = await loadPolicySources({ files, builtinDir: packageFile("policies"), profile: DEFAULT_PROFILE });
  const sources = [...named, ...(await tierSources(env, workspace))];
  const kept = cacheOf(env, sources);
  const text = kept?.cache.read(kept.origin) ?? null;
  if (text !== null) {
    const data = parse(text);
    if (data !== null) return { policy: policyFromData(data), texts: sources };
  }
  const policy = await compileTexts(sources);
  kept?.cache.write(kept.origin, JSON.stringify(policyData(policy)));
  return { policy, texts: sources };
}

/** A policy of these texts and no other. Throws POLICY_INVALID with every problem. */
export async function compileTexts(texts: readonly PolicyText[]): Promise<PolicySet> {
  const { compilePolicy } = await import("./core/policy/compile.js");
  const { sha256 } = await import("./adapters/system/hasher.js");
  const compiled = compilePolicy(texts, { hash: sha256, profiles: [DEFAULT_PROFILE] });
  if (!compiled.ok) throw new GuardError("POLICY_INVALID", policyIssues(compiled.error));
  return compiled.value;
}

/** Texts of the tiers. `$RINGFENCE_POLICY_PATH` adds folders of the organisation, and takes none away. */
async function tierSources(env: NodeJS.ProcessEnv, workspace: string | null): Promise<readonly PolicyText[]> {
  const organisation = [ORGANISATION_DIR, ...(env["RINGFENCE_POLICY_PATH"] ?? "").split(":").filter(isAbsolute)];
  const config = env["XDG_CONFIG_HOME"] ?? "";
  const home = env["HOME"] ?? "";
  const base = isAbsolute(config) ? config : home === "" ? null : join(home, ".config");
  const user = base === null ? null : join(base, "ringfence", "policies");
  const inside = workspace === null ? null : join(workspace, ".ringfence");
  if (![...organisation, user, inside].some((folder) => folder !== null && existsSync(folder))) return [];
  const { readTiers } = await import("./adapters/files/policy-tiers.js");
  return readTiers({ organisation, user, workspace });
}

/** Version of this installation. */
export function installedVersion(): string {
  return productVersion(packageFile("package.json"));
}

/** The cache, and what a compiled policy of these texts is made of; null when run from sources. */
function cacheOf(env: NodeJS.ProcessEnv, sources: readonly PolicyText[]): { readonly cache: PolicyCache; readonly origin: string } | null {
  const build = builtDigest();
  if (build === null) return null;
  const head = JSON.stringify([build, sources.map(({ name, text, tier = null }) => [name, tier, text.length])]);
  return { cache: openPolicyCache(stateDirOrNone(env), packageFile("dist", "cli", "policy")), origin: `${head}\n${sources.map(({ text }) => text).join("")}` };
}

/** Judging needs no state folder: without a usable one nothing is kept. */
function stateDirOrNone(env: NodeJS.ProcessEnv): string | null {
  try {
    return resolveStateDir(env);
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
