// Composition of a risk profile: built in by id, or a file of the user's.

import { policyIssues } from "./compose-policy.js";
import { readProfileText } from "./adapters/files/policy-source.js";
import { profileForAgent, PROFILES, type RiskProfile } from "./core/risk/index.js";
import { GuardError } from "./core/shared/index.js";

/**
 * The profile of that id, or of that file; for none given, that of the agent's name.
 * Throws POLICY_NOT_FOUND for a file that cannot be read, POLICY_INVALID with every problem of one that is no profile.
 */
export async function loadRiskProfile(wanted: string | undefined, agent: string | null): Promise<RiskProfile> {
  if (wanted === undefined) return profileForAgent(agent);
  const builtin = PROFILES.find(({ id }) => id === wanted);
  if (builtin !== undefined) return builtin;
  const hint = `built-in profiles are ${PROFILES.map(({ id }) => id).join(", ")}; any other is a file`;
  const text = readProfileText(wanted, hint);
  const { parseProfileFile } = await import("./core/risk/profile-file.js");
  const parsed = parseProfileFile(wanted, text);
  if (!parsed.ok) throw new GuardError("POLICY_INVALID", policyIssues(parsed.error), { hint: "see docs/risk.md on profiles" });
  return parsed.value;
}
