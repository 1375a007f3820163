// Policies of an organisation, of a user and of a workspace stand beside the one a session is opened with and can only make it
// stricter: of them only what asks and denies counts. One found in a workspace is not trusted: of its words nothing reaches a model.

import type { Issue } from "../shared/index.js";
import type { ParsedFile, ParsedReaction, ParsedRule } from "./parse-file.js";

/** Where a policy comes from that nobody named for this session. */
export type Tier = "organisation" | "user" | "workspace";

/** A file of a tier as it counts, with what is wrong with it. Of a workspace's file what could loosen anything is left out. */
export function asTier(file: ParsedFile, tier: Tier): { readonly file: ParsedFile; readonly issues: readonly Issue[] } {
  if (tier === "workspace") return { issues: [], file: { ...file, id: `workspace-${file.id}`, extends: [], programs: [], rules: file.rules.filter(({ rule }) => rule.effect !== "allow").map(untrusted), reactions: file.reactions.map(untrustedReaction) } };
  const issue = (message: string, hint: string, place: Pick<Issue, "at" | "excerpt">): Issue => ({ code: "POLICY_TIER", message, hint, ...place });
  return {
    file,
    issues: [
      ...file.extends.map(({ id, at, excerpt }) => issue(`a policy of the ${tier} extends nothing, not \`${id}\``, "remove `extends`: its rules are added to whatever policy a session has", { at, excerpt })),
      ...file.programs.map(({ at, excerpt }) => issue(`a policy of the ${tier} models no program`, "a model can make a command look milder; give it with --policy", { at, excerpt })),
      ...file.rules.filter(({ rule }) => rule.effect === "allow").map(({ rule, excerptAt }) => issue(`a policy of the ${tier} only asks and denies, and \`${rule.id}\` allows`, "only the policy of a session allows; to spare something write `except` in the rule that refuses it", { at: rule.at, excerpt: excerptAt(rule.at) })),
    ],
  };
}

/** A reaction of a workspace: it can only make the session stricter, and says so in our words. */
function untrustedReaction({ reaction, excerpt }: ParsedReaction): ParsedReaction {
  return { reaction: { ...reaction, id: `workspace.${slugOf(reaction.id)}`, message: "the workspace's own policy asks for this" }, excerpt };
}

function slugOf(id: string): string {
  return id.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

/** A rule of a workspace: it refuses, and says so in our words. */
function untrusted(parsed: ParsedRule): ParsedRule {
  const { rule } = parsed;
  return { ...parsed, rule: { ...rule, id: `workspace.${slugOf(rule.id)}`, message: "the workspace's own policy refuses this", allowed: null, guidance: null, risk: null } };
}
