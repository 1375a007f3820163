// Composition of what judging alone needs: policy files and their digest. Loads neither the engine client nor the store.

import { loadPolicySources } from "./adapters/files/policy-source.js";
import { sha256 } from "./adapters/system/hasher.js";
import { packageFile } from "./adapters/system/package-root.js";
import { DEFAULT_PROFILE } from "./config/defaults.js";
import { productVersion } from "./config/product.js";
import { compilePolicy, type PolicySet } from "./core/policy/index.js";
import { formatIssue, GuardError, type Issue } from "./core/shared/index.js";

const SHOWN = 20;

/** The policy of the named files, or the built-in profile when there is none. Throws POLICY_INVALID with every problem, one a line. */
export async function loadPolicy(files: readonly string[]): Promise<PolicySet> {
  const sources = await loadPolicySources({ files, builtinDir: packageFile("policies"), profile: DEFAULT_PROFILE });
  const compiled = compilePolicy(sources, { hash: sha256 });
  if (compiled.ok) return compiled.value;
  throw new GuardError("POLICY_INVALID", compiled.error.slice(0, SHOWN).map(issueText).join("\n"));
}

/** Version of this installation. */
export function installedVersion(): string {
  return productVersion(packageFile("package.json"));
}

function issueText(issue: Issue): string {
  return issue.excerpt === undefined ? formatIssue(issue) : `${formatIssue(issue)}\n    ${issue.excerpt}`;
}
