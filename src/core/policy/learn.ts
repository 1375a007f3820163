// From what sessions did, and what they were refused for want of a rule, the smallest allow rules that cover it. Proposes text,
// changes nothing; what a rule denies is never proposed away.

import type { ActionEffect } from "../action/effects.js";
import { isInside, parentOf } from "../action/paths.js";
import { printable } from "../shared/index.js";
import type { DecisionContext, DecisionEffect } from "./decision.js";
import { decideEffects } from "./decide.js";
import { explainEffects } from "./explain-tree.js";
import { escapeName } from "./glob-meet.js";
import type { PolicySet } from "./policy-set.js";

/** One call of a session, evaluated again under the policy of today. */
export interface LearnedCall {
  /** Where it is on record: session and call. */
  readonly evidence: string;
  readonly subject: { readonly kind: "command" | "write" | "read"; readonly text: string };
  readonly role: string | null;
  readonly effect: DecisionEffect;
  /** Rules that refused it, as recorded. */
  readonly rules: readonly string[];
  readonly effects: readonly ActionEffect[];
}

/** A proposal: policy text, and what stays refused with the rule that holds it. */
export interface Lesson {
  readonly yaml: string;
  readonly rules: number;
  readonly held: readonly { readonly rule: string; readonly calls: number; readonly example: string }[];
}

interface Bin {
  readonly values: Map<string, { calls: number; first: LearnedCall }>;
}

const KINDS = ["read", "change", "exec", "code", "connect", "environment"] as const;
type Kind = (typeof KINDS)[number];
const FEW = 3;
const MOST = 60;
const EXAMPLES = 3;

const MESSAGES: Readonly<Record<Kind, string>> = {
  read: "files that sessions read",
  change: "files that sessions changed",
  exec: "programs that sessions started",
  code: "code that sessions ran in a tested container",
  connect: "hosts that sessions connected to",
  environment: "variables that sessions set",
};

/** Proposes rules. `policy` judges what is still uncovered; `all` also covers what was allowed, for a policy of its own. */
export function learnRules(calls: readonly LearnedCall[], policy: PolicySet, context: DecisionContext, all: boolean): Lesson {
  const bins = new Map<Kind, Bin>(KINDS.map((kind) => [kind, { values: new Map() }]));
  const held = new Map<string, { calls: number; example: string }>();
  for (const call of calls) {
    const here = { ...context, role: call.role };
    const judged = explainEffects(policy, call.effects, here, decideEffects(policy, call.effects, here));
    const deniers = [...new Set(judged.effects.flatMap((one) => one.rules.filter((rule) => rule.effect !== "allow" && !rule.shadow).map((rule) => rule.rule)))];
    const opaque = call.effects.some((effect) => effect.kind === "opaque-text");
    for (const rule of deniers) {
      const known = held.get(rule);
      if (known === undefined) held.set(rule, { calls: 1, example: printable(call.subject.text, 100) });
      else known.calls += 1;
    }
    // What a rule refuses, or nobody can tell, is no ground for a rule.
    if (deniers.length > 0 || opaque) continue;
    for (const [index, effect] of call.effects.entries()) {
      if (!all && judged.effects[index]?.uncovered !== true) continue;
      const found = valueOf(effect, context);
      if (found === null) continue;
      const bin = bins.get(found.kind);
      const known = bin?.values.get(found.value);
      if (known === undefined) bin?.values.set(found.value, { calls: 1, first: call });
      else known.calls += 1;
    }
  }
  const rules = KINDS.flatMap((kind) => ruleText(kind, bins.get(kind)?.values ?? new Map<string, { calls: number; first: LearnedCall }>()));
  return {
    rules: rules.length,
    held: [...held].map(([rule, one]) => ({ rule, ...one })).sort((left, right) => right.calls - left.calls),
    yaml: ["version: 1", "id: learned", "title: Proposed from sessions; read each line before you use it", all ? "" : "extends: [kimi-dev]", rules.length === 0 ? "rules: []" : "rules:", ...rules].filter((line) => line !== "").join("\n"),
  };
}

/** The narrowest words for an effect; null where none is narrow. */
function valueOf(effect: ActionEffect, context: DecisionContext): { readonly kind: Kind; readonly value: string } | null {
  switch (effect.kind) {
    case "file": {
      if (effect.certainty === "pattern" && effect.path.startsWith("/*")) return null;
      const path = effect.certainty === "pattern" ? effect.path : effect.path.split("/").map(escapeName).join("/");
      const tree = effect.recursive && !path.endsWith("/**") ? `${path === "/" ? "" : path}/**` : path;
      return { kind: effect.operation === "read" ? "read" : "change", value: anchored(tree, context) };
    }
    case "exec":
      return { kind: "exec", value: effect.program };
    case "runs-code":
      return { kind: "code", value: effect.program };
    case "connect":
      return effect.host === null ? null : { kind: "connect", value: effect.host };
    case "environment":
      return { kind: "environment", value: effect.name };
    case "opaque-text":
      return null;
  }
}

function anchored(path: string, { root, home }: DecisionContext): string {
  if (isInside(path, root)) return path === root ? "." : `./${path.slice(root.length + 1)}`;
  return isInside(path, home) ? (path === home ? "~" : `~/${path.slice(home.length + 1)}`) : path;
}

function ruleText(kind: Kind, values: ReadonlyMap<string, { readonly calls: number; readonly first: LearnedCall }>): readonly string[] {
  if (values.size === 0) return [];
  const names = kind === "read" || kind === "change" ? folded([...values.keys()]) : [...values.keys()].sort();
  const list = `[${names.map((name) => JSON.stringify(name)).join(", ")}]`;
  const when: Readonly<Record<Kind, string>> = {
    read: `file: { operations: [read], paths: ${list} }`,
    change: `file: { operations: [change], paths: ${list} }`,
    exec: `exec: { programs: ${list} }`,
    code: `code: { programs: ${list} }`,
    connect: `connect: { hosts: ${list} }`,
    environment: `environment: { names: ${list} }`,
  };
  const calls = [...new Map([...values.values()].map((one) => [one.first.subject.text, one.first])).values()].slice(0, EXAMPLES);
  const total = [...values.values()].reduce((sum, one) => sum + one.calls, 0);
  return [
    `  # ${String(total)} effect${total === 1 ? "" : "s"} of ${String(values.size)} kind${values.size === 1 ? "" : "s"}, first in ${printable([...new Set(calls.map((call) => call.evidence))].join(", "), 200)}`,
    `  - id: learned.${kind}`,
    "    effect: allow",
    ...(kind === "code" ? ["    containment: attested"] : []),
    `    message: ${MESSAGES[kind]}`,
    `    when: [{ ${when[kind]} }]`,
    "    match:",
    ...calls.map((call) => `      - { ${call.subject.kind}: ${JSON.stringify(call.subject.text.slice(0, 3_900))} }`),
  ];
}

/** Paths, with a folder named once where many of its files are. */
function folded(paths: readonly string[]): readonly string[] {
  const folders = new Map<string, string[]>();
  for (const path of paths) {
    const folder = path.includes("/") ? (path.startsWith("/") ? parentOf(path) : path.slice(0, path.lastIndexOf("/"))) : "";
    folders.set(folder, [...(folders.get(folder) ?? []), path]);
  }
  const out = [...folders].flatMap(([folder, names]) => (names.length > FEW && folder !== "" && folder !== "/" ? [`${folder}/*`, ...names.filter((name) => name.endsWith("/**"))] : names));
  const few = out.length <= MOST ? out : [...new Set(out.map((path) => (path.startsWith("./") ? "./**" : path)))];
  return [...new Set(few)].sort().slice(0, 400);
}
