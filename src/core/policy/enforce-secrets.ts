// Which names a policy hides from a session, for names that come to be while it runs. Pure.

import type { DecisionContext } from "./decision.js";
import { denyGuards, nameFilter } from "./enforce-guards.js";
import type { IndexedName } from "./enforce-links.js";
import type { PolicySet } from "./policy-set.js";

/** The id of the rule that hides a name of the workspace; null when none does. */
export type SecretNames = (path: string, kind: IndexedName["kind"]) => string | null;

export function secretNames(policySet: PolicySet, context: Pick<DecisionContext, "role" | "root" | "home">): SecretNames {
  const readers = denyGuards(policySet, context).filter((guard) => guard.reads);
  const filter = nameFilter(readers, context);
  return (path, kind) => {
    const parts = path.split("/");
    if (!filter.all && !parts.some((part) => filter.isHot(part))) return null;
    // Below a folder that is hidden as a whole everything is.
    for (let count = 1; count <= parts.length; count += 1) {
      const at = `${context.root}/${parts.slice(0, count).join("/")}`;
      const isFolder = count < parts.length || kind === "directory";
      const guard = readers.find((one) => one.hits(at) && (!isFolder || one.hitsAllBelow(at)));
      if (guard !== undefined) return guard.rule.id;
    }
    return null;
  };
}
