// The sandbox's own writable folders (home, /tmp …) after a call: what was made there is judged like a change of the workspace,
// and what policy forbids is removed. They are thrown away with the sandbox; until then a later call would find it.

import { decideEffects, DEFAULT_DENY, type DecisionContext } from "../core/policy/index.js";
import type { Finding } from "../core/reconcile/change.js";
import { LIMITS, printable } from "../core/shared/index.js";
import type { ScratchName } from "../ports/sandbox.js";
import type { LiveSession } from "./live.js";

export interface SettledScratch {
  readonly findings: readonly Finding[];
  /** Forbidden names that could not be removed. */
  readonly left: readonly string[];
}

const NOTHING: SettledScratch = { findings: [], left: [] };

/**
 * Judges names that are new or were touched since the last look and removes what a rule forbids. What no rule allows, without
 * one that forbids it, is removed too, and is no finding. Call only while no process of the agent is alive.
 */
export async function settleScratch(live: LiveSession, context: DecisionContext, approvedRules: ReadonlySet<string>, signal: AbortSignal): Promise<SettledScratch> {
  const { sandbox } = live;
  if (sandbox.listScratch === undefined || sandbox.removeScratch === undefined) return NOTHING;
  const after = await sandbox.listScratch(signal);
  const before = live.scratch;
  live.scratch = stampsOf(after);
  const findings: Finding[] = [];
  const doomed: string[] = [];
  for (const name of after) {
    const known = before.get(name.path);
    if (known === name.stamp || doomed.some((folder) => name.path.startsWith(`${folder}/`))) continue;
    const operation = known === undefined ? "create" : "modify";
    const reasons = reasonsAgainst(live, name, operation, context, approvedRules);
    if (reasons === null) continue;
    doomed.push(name.path);
    for (const { rule, layer, threats, message, risk } of reasons) findings.push({ rule, layer, threats, message, path: name.path, operation, reverted: false, risk });
  }
  if (doomed.length === 0) return NOTHING;
  await sandbox.removeScratch(doomed, signal);
  const seen = await sandbox.listScratch(signal);
  live.scratch = stampsOf(seen);
  const there = new Set(seen.map((name) => name.path));
  const left = doomed.filter((path) => there.has(path));
  const marked = findings.slice(0, LIMITS.findings).map((finding) => ({ ...finding, reverted: !there.has(finding.path) }));
  return { findings: marked, left };
}

function stampsOf(names: readonly ScratchName[]): ReadonlyMap<string, string> {
  return new Map(names.map((name) => [name.path, name.stamp]));
}

/** The rules against a name; empty when merely nothing allows it, null when it may stay. */
function reasonsAgainst(live: LiveSession, name: ScratchName, operation: "create" | "modify", context: DecisionContext, approvedRules: ReadonlySet<string>) {
  const effect = {
    kind: "file",
    operation: operation === "modify" ? "write" : "create",
    path: name.path,
    certainty: "exact",
    // A link stands for whatever lies below where it leads.
    recursive: name.kind === "symlink",
    by: "observed change",
    from: `${operation} ${printable(name.path)}`,
  } as const;
  const decision = decideEffects(live.options.policy, [effect], { ...context, cwd: context.root });
  if (decision.effect === "allow") return null;
  const against = decision.reasons.filter((reason) => reason.effect === decision.effect);
  if (decision.effect === "ask" && against.every((reason) => approvedRules.has(reason.rule))) return null;
  return against.filter((reason) => reason.rule !== DEFAULT_DENY);
}
