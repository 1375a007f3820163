// A policy file's reactions, checked and read.

import type { SourceSpan, ThreatId } from "../shared/index.js";
import type { Report } from "./check-rule.js";
import type { Reaction, ReactionCondition } from "./reaction.js";
import type { PolicyFile, ReactionFile } from "./schema.js";
import { threatProblem } from "./threats.js";

type ConditionFile = ReactionFile["when"][number];

/** What the schema cannot say about one reaction. */
export function checkReaction(raw: ReactionFile, file: PolicyFile, path: readonly PropertyKey[], report: Report): void {
  const prefix = raw.id.slice(0, raw.id.indexOf("."));
  if (["reconcile", "policy", "ringfence", "workspace", "run"].includes(prefix)) report("POLICY_RULE", [...path, "id"], `the prefix \`${prefix}.\` is reserved`, "choose a prefix of your own, such as your team's name");
  if (file.mode === "shadow" || file.mode === "watch") report("POLICY_RULE", path, `a file in ${file.mode} mode has no reactions: it decides nothing`, "move them into a file that enforces");
  for (const [index, threat] of (raw.threats ?? []).entries()) {
    const problem = threatProblem(threat);
    if (problem !== null) report("POLICY_THREAT", [...path, "threats", index], `threat \`${threat}\` ${problem.message}`, problem.hint);
  }
  for (const [index, condition] of raw.when.entries()) {
    const kinds = Object.entries(condition).flatMap(([key, value]) => (value === undefined ? [] : [key]));
    if (kinds.length !== 1) report("POLICY_RULE", [...path, "when", index], "a condition has exactly one of `aivss`, `findings`, `lost`", "give each condition its own `- `");
    if (condition.findings !== undefined && Object.keys(condition.findings).length === 0) report("POLICY_RULE", [...path, "when", index, "findings"], "`findings` says nothing", "add `severity: medium` with `count: 50`, or the `rules` it is about");
  }
}

/** One reaction as data. */
export function toReaction(raw: ReactionFile, file: PolicyFile, at: SourceSpan): Reaction {
  return { id: raw.id, kind: raw.do, layer: raw.layer ?? file.layer ?? null, threats: (raw.threats ?? []) as readonly ThreatId[], message: raw.message, when: raw.when.map(toCondition), at };
}

function toCondition({ aivss, findings, lost }: ConditionFile): ReactionCondition {
  if (aivss !== undefined) return { on: "score", from: aivss.toFixed(1) };
  if (findings === undefined) return { on: "lost", controls: lost ?? [] };
  const { rules = [], threats = [], severity = "info", outcome = "blocked", count = 1 } = findings;
  return { on: "findings", rules, threats, severity, outcome, count };
}
