// Composition of what judging alone needs: policy files, digest. Loads neither the engine client nor the store.

import { createHash } from "node:crypto";
import { loadPolicySources } from "./adapters/files/policy-source.js";
import { packageFile } from "./adapters/system/package-root.js";
import { DEFAULT_PROFILE } from "./config/defaults.js";
import { compilePolicy, type PolicySet } from "./core/policy/index.js";
import { formatIssue, GuardError, type Digest, type Hasher } from "./core/shared/index.js";

/** SHA-256 by Node. */
export const sha256: Hasher = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}` satisfies Digest;

/** The policy of the named files, or the built-in profile when there is none. Throws POLICY_INVALID with every problem, one a line. */
export async function loadPolicy(files: readonly string[]): Promise<PolicySet> {
  const sources = await loadPolicySources({ files, builtinDir: packageFile("policies"), profile: DEFAULT_PROFILE });
  const compiled = compilePolicy(sources, { hash: sha256 });
  if (compiled.ok) return compiled.value;
  const [first, ...rest] = compiled.error;
  const more = rest.slice(0, 20).map((issue) => `\nringfence: ${formatIssue(issue)}`);
  throw new GuardError("POLICY_INVALID", `${first === undefined ? "the policy is invalid" : formatIssue({ ...first, hint: undefined } as never)}${more.join("")}`, first?.hint === undefined ? {} : { hint: first.hint });
}
