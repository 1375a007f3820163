// A profile file's text: YAML with places, so that every problem has file, line and column.

import { err, LIMITS, ok, type Issue, type Result } from "../shared/index.js";
import { readSource } from "../policy/schema-source.js";
import { readProfile } from "./profile-data.js";
import type { RiskProfile } from "./profiles.js";

/** Reads one `*.profile.yaml`, or says everything that is wrong with it. */
export function parseProfileFile(name: string, text: string): Result<RiskProfile, readonly Issue[]> {
  if (text.length > LIMITS.policyBytes) return err([{ code: "PROFILE_INVALID", message: "the profile is too large", at: { file: name, line: 1, column: 1 } }]);
  const { source, issues } = readSource(name, text);
  if (source === null) return err(issues.map((issue) => ({ ...issue, code: "PROFILE_INVALID" })));
  const { profile, problems } = readProfile(source.value);
  if (profile !== null) return ok(profile);
  return err(
    problems.map(({ path, message, hint }) => {
      const at = source.placeOf(path);
      return { code: "PROFILE_INVALID", message, at, excerpt: source.excerptAt(at), ...(hint === null ? {} : { hint }) };
    }),
  );
}
