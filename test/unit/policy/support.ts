// Builders for policy tests: a hasher, a policy from rules as YAML, effects and contexts.

import { createHash } from "node:crypto";
import type { ActionEffect, FileEffect, FileOperation } from "../../../src/core/action/effects.js";
import { compilePolicy, type DecisionContext, type PolicySet } from "../../../src/core/policy/index.js";
import { formatIssue, type Hasher, type Issue } from "../../../src/core/shared/index.js";

export const hash: Hasher = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

export const CONTEXT: DecisionContext = { role: null, root: "/workspace", cwd: "/workspace", home: "/home/agent", containment: "attested" };

const HEAD = "version: 1\nid: acme\ntitle: Test policy\n";

/** A policy file with these rules; each is the YAML of one list item. */
export function policyText(...rules: readonly string[]): string {
  return rules.length === 0 ? `${HEAD}rules: []\n` : `${HEAD}rules:\n${rules.map((rule) => `  - ${rule.trim().replaceAll("\n", "\n    ")}\n`).join("")}`;
}

/** Compiles one text; examples are not judged unless asked for. */
export function compileText(text: string, examples: "check" | "skip" = "skip"): PolicySet {
  const compiled = compilePolicy([{ name: "acme.policy.yaml", text }], { hash, examples });
  if (!compiled.ok) throw new Error(compiled.error.map(formatIssue).join("\n"));
  return compiled.value;
}

/** The issues of one text. */
export function issuesOf(text: string, examples: "check" | "skip" = "skip"): readonly Issue[] {
  const compiled = compilePolicy([{ name: "acme.policy.yaml", text }], { hash, examples });
  return compiled.ok ? [] : compiled.error;
}

/** A rule in one line of flow YAML. */
export function rule(id: string, effect: "allow" | "ask" | "deny", when: string, more = ""): string {
  const tail = effect === "allow" ? "" : "\nlayer: L3\nthreats: [maestro:L7/agent-tool-misuse]";
  return `id: ${id}\neffect: ${effect}${tail}\nmessage: ${id} matched\nwhen: [${when}]\nmatch: [{ read: x }]${more === "" ? "" : `\n${more}`}`;
}

export function file(operation: FileOperation, path: string, more: Partial<FileEffect> = {}): FileEffect {
  return { kind: "file", operation, path, certainty: "exact", recursive: false, by: "test", from: path, ...more };
}

export function exec(...argv: readonly (string | null)[]): ActionEffect {
  return { kind: "exec", program: argv[0] ?? "", path: null, argv, from: argv.join(" ") };
}

export function connect(host: string | null): ActionEffect {
  return { kind: "connect", host, url: null, by: "curl", from: "curl" };
}
