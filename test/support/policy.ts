// A small policy of its own for tests of the engine, and the built-in profile.

import { loadPolicySources } from "../../src/adapters/files/policy-source.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import { compilePolicy, type PolicySet } from "../../src/core/policy/index.js";
import { formatIssue } from "../../src/core/shared/index.js";
import { fileURLToPath } from "node:url";

const TEXT = `
version: 1
id: rig
title: a small policy for tests of the engine
rules:
  - id: rig.read
    effect: allow
    message: reading is allowed
    when: [{ file: { operations: [read], any: true } }]
    match: [{ read: src/a.js }]
  - id: rig.write
    effect: allow
    message: changes of the project are allowed
    when: [{ file: { operations: [change], paths: ["./**", "/tmp/**"] } }]
    match: [{ write: src/a.js }]
  - id: rig.exec
    effect: allow
    message: programs may be started
    when: [{ exec: { any: true } }]
    match: [{ command: "ls" }]
  - id: rig.code
    effect: allow
    containment: attested
    message: code may run where a container holds it
    when: [{ code: { any: true } }]
    match: [{ command: "python3 x.py" }]
  - id: rig.environment
    effect: allow
    message: variables may be set
    when: [{ environment: { any: true } }]
    match: [{ command: "export A=1" }]
  - id: rig.no-hooks
    effect: deny
    layer: L7
    threats: ["maestro:L7/agent-tool-misuse"]
    message: hooks of git run later, outside of the sandbox
    allowed: changes of other files
    guidance: leave the hooks alone
    risk: { severity: high }
    when: [{ file: { operations: [change], paths: ["./.git/**"] } }]
    match: [{ write: .git/hooks/pre-commit }]
  - id: rig.protected
    effect: deny
    layer: L7
    threats: ["maestro:L7/agent-tool-misuse"]
    message: this folder is protected
    risk: { severity: medium }
    when: [{ file: { operations: [change], paths: ["./protected", "./protected/**"] } }]
    match: [{ write: protected/keep.txt }]
  - id: rig.ci
    effect: ask
    layer: L7
    threats: ["maestro:L7/agent-tool-misuse"]
    message: a person looks at changes of CI
    risk: { severity: low }
    when: [{ file: { operations: [change], paths: ["./ci", "./ci/**"] } }]
    match: [{ write: ci/build.yml }]
  - id: rig.deploy
    effect: ask
    layer: L7
    threats: ["maestro:L7/agent-tool-misuse"]
    message: a person decides on this
    when: [{ exec: { programs: [deploy] } }]
    match: [{ command: "deploy now" }]
  - id: rig.slow
    effect: allow
    message: this may take a moment only
    timeoutMs: 20
    when: [{ exec: { programs: [slow] } }]
    match: [{ command: "slow" }]
  - id: rig.tests-only
    effect: deny
    layer: L7
    threats: ["maestro:L7/agent-tool-misuse"]
    roles: [testwriter]
    message: this role writes tests only
    when: [{ file: { operations: [change], paths: ["./src/**"] } }]
    match: [{ write: src/a.js, role: testwriter }]
`;

const cache = new Map<string, PolicySet>();

/** The small policy. */
export function testPolicy(): PolicySet {
  return compiled("rig", [{ name: "rig.policy.yaml", text: TEXT }]);
}

/** The small policy with another file. */
export function compileWith(text: string): PolicySet {
  return compiled(text, [{ name: "rig.policy.yaml", text: TEXT }, { name: "own.policy.yaml", text }]);
}

/** The built-in profile with all packs. */
export async function kimiDevPolicy(): Promise<PolicySet> {
  const known = cache.get("kimi-dev");
  if (known !== undefined) return known;
  const builtinDir = fileURLToPath(new URL("../../policies", import.meta.url));
  return compiled("kimi-dev", await loadPolicySources({ files: [], builtinDir, profile: "kimi-dev" }));
}

function compiled(name: string, sources: Parameters<typeof compilePolicy>[0]): PolicySet {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const set = compilePolicy(sources, { hash: sha256 });
  if (!set.ok) throw new Error(set.error.map(formatIssue).join("\n"));
  cache.set(name, set.value);
  return set.value;
}
