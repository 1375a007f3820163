// Composition for policy authors: explain, lint, test, diff and learn. Writes nothing, runs nothing.

import { builtinPoliciesDir, builtinPolicyFiles, loadPolicySources, policyFilePath, readBesidePolicy } from "./adapters/files/policy-source.js";
import { sha256 } from "./adapters/system/hasher.js";
import { openStore } from "./compose.js";
import { loadPolicy, policyIssues } from "./compose-policy.js";
import { resolveSession } from "./compose-review.js";
import { DEFAULT_PROFILE } from "./config/defaults.js";
import type { ActionEffect } from "./core/action/index.js";
import { checkCases } from "./core/policy/cases.js";
import { compilePolicy } from "./core/policy/compile.js";
import { comparePolicies, type PolicyComparison } from "./core/policy/differ.js";
import type { PolicySet, PolicyText } from "./core/policy/index.js";
import { learnRules, type LearnedCall, type Lesson } from "./core/policy/learn.js";
import { lintPolicies, type LintFinding } from "./core/policy/lint.js";
import { parsePolicyFile, type ParsedFile } from "./core/policy/parse-file.js";
import { POSTURE_CONTROLS } from "./core/risk/index.js";
import { GuardError, type Issue } from "./core/shared/index.js";
import { evaluateShell } from "./core/shell/index.js";
import type { AuditEvent } from "./core/session/index.js";

const SANDBOX_HOME = "/home/agent";

/** One policy file with what it is loaded with. */
interface Loaded {
  readonly file: string;
  readonly sources: readonly PolicyText[];
  /** Examples are judged only by `policy test`, which tells each that fails. */
  readonly parsed: readonly ParsedFile[];
}

async function load(file: string): Promise<Loaded> {
  const builtin = (await builtinPolicyFiles(builtinPoliciesDir())).includes(file);
  const sources = await loadPolicySources({ files: builtin ? [] : [file], builtinDir: builtinPoliciesDir(), profile: DEFAULT_PROFILE });
  const parsed = sources.flatMap((source) => parsePolicyFile(source.name, source.text).file ?? []);
  return { file, sources, parsed };
}

/** Paths of the named policies, ids of built-in ones included; all built-in ones when none is named. */
async function filesOf(names: readonly string[]): Promise<readonly string[]> {
  const folder = builtinPoliciesDir();
  return names.length === 0 ? builtinPolicyFiles(folder) : Promise.all(names.map((name) => policyFilePath(folder, name)));
}

/** The parsed file that a path stands for among what it was loaded with. */
function ownFile({ file, parsed }: Loaded): ParsedFile | undefined {
  const base = file.slice(file.lastIndexOf("/") + 1);
  return parsed.find((one) => one.name === file) ?? parsed.find((one) => one.name === `builtin:${base}`);
}

function compiled({ sources }: Loaded, examples: "check" | "skip"): { readonly set: PolicySet | null; readonly issues: readonly Issue[] } {
  const result = compilePolicy(sources, { hash: sha256, examples });
  return result.ok ? { set: result.value, issues: [] } : { set: null, issues: result.error };
}

/** What lint finds in the named policies. Throws POLICY_INVALID when one cannot be read at all. */
export async function lintFiles(names: readonly string[]): Promise<readonly LintFinding[]> {
  const out: LintFinding[] = [];
  for (const file of await filesOf(names)) {
    const loaded = await load(file);
    const { issues } = compiled(loaded, "skip");
    const own = ownFile(loaded);
    if (issues.length > 0 || own === undefined) throw new GuardError("POLICY_INVALID", policyIssues(issues));
    out.push(...lintPolicies([own], loaded.parsed.filter((one) => one !== own), POSTURE_CONTROLS));
  }
  return out;
}

/** Examples and cases of one policy. */
export interface TestedPolicy {
  readonly file: string;
  readonly rules: number;
  readonly examples: number;
  /** Null when there is no file of cases beside it. */
  readonly cases: number | null;
  readonly failed: readonly Issue[];
}

/** Judges the examples of the named policies and the cases beside them, each under the policy with all it is loaded with. */
export async function testFiles(names: readonly string[]): Promise<readonly TestedPolicy[]> {
  const out: TestedPolicy[] = [];
  for (const file of await filesOf(names)) {
    const loaded = await load(file);
    const own = ownFile(loaded);
    const { set, issues } = compiled(loaded, "check");
    const usable = set ?? (issues.every((issue) => issue.code === "POLICY_EXAMPLE_FAILED") ? compiled(loaded, "skip").set : null);
    if (usable === null || own === undefined) throw new GuardError("POLICY_INVALID", policyIssues(issues));
    const beside = await readBesidePolicy(file, ".cases.yaml");
    const cases = beside === null ? null : checkCases(beside.name, beside.text, usable);
    out.push({
      file,
      rules: own.rules.length,
      examples: own.rules.reduce((sum, rule) => sum + rule.match.length + rule.notMatch.length, 0),
      cases: cases?.cases ?? null,
      failed: [...issues.filter((issue) => issue.at?.file === own.name), ...(cases?.failed ?? [])],
    });
  }
  return out;
}

/** Where two policies, with all they are loaded with, answer differently. */
export async function diffPolicies(before: string, after: string): Promise<PolicyComparison> {
  const [left, right] = await Promise.all([before, after].map(async (name) => load((await filesOf([name]))[0] ?? name)));
  if (left === undefined || right === undefined) throw new GuardError("USAGE_INVALID", "name two policies");
  const sets = [left, right].map((one) => {
    const { set, issues } = compiled(one, "skip");
    if (set === null) throw new GuardError("POLICY_INVALID", policyIssues(issues));
    return set;
  });
  const [one, two] = sets as [PolicySet, PolicySet];
  return comparePolicies(one, two, [...left.parsed, ...right.parsed]);
}

/** What sessions would need as rules. `all`: a policy for everything they did, in place of what the policy lacks. */
export async function learnFrom(ids: readonly string[], options: { readonly policy: readonly string[]; readonly all: boolean; readonly env: NodeJS.ProcessEnv }): Promise<Lesson> {
  const policy = await loadPolicy(options.policy, options.env);
  const stored = await openStore(options.env);
  try {
    const calls: LearnedCall[] = [];
    let root = "/workspace";
    for (const wanted of ids) {
      const events = await stored.store.read(await resolveSession(stored.store, wanted));
      const opened = events.find((event) => event.type === "session.opened");
      if (opened?.type === "session.opened") root = opened.data.workspace.root;
      calls.push(...learnedCalls(events, root));
    }
    return learnRules(calls, policy, { role: null, root, cwd: root, home: SANDBOX_HOME, containment: "attested" }, options.all);
  } finally {
    await stored.close();
  }
}

/** The calls of a session with what was decided; calls whose arguments are not on record are left out. */
function learnedCalls(events: readonly AuditEvent[], root: string): readonly LearnedCall[] {
  const decided = new Map(events.flatMap((event) => (event.type === "decision.made" && event.call !== null ? [[event.call, event.data] as const] : [])));
  return events.flatMap((event): readonly LearnedCall[] => {
    if (event.type !== "call.received" || event.call === null) return [];
    const decision = decided.get(event.call);
    if (decision === undefined) return [];
    const { command, path, argv } = event.data.arguments;
    const cwd = decision.action.cwd ?? root;
    const base = { evidence: `${event.session}/${event.data.label}`, role: event.data.role, effect: decision.effect, rules: decision.reasons.map((reason) => reason.rule) };
    if (typeof path === "string") {
      const kind = command === "view" ? "read" : "write";
      const effect: ActionEffect = { kind: "file", operation: kind, path: path.startsWith("/") ? path : `${cwd}/${path}`, certainty: "exact", recursive: false, by: "edit", from: path };
      return [{ ...base, subject: { kind, text: path }, effects: [effect] }];
    }
    const text = typeof command === "string" ? command : Array.isArray(argv) && argv.every((word) => typeof word === "string") ? argv.map((word) => `'${String(word).replaceAll("'", "'\\''")}'`).join(" ") : null;
    if (text === null) return [];
    return [{ ...base, subject: { kind: "command", text }, effects: evaluateShell(text, { cwd, root, home: SANDBOX_HOME, environment: new Map() }).effects }];
  });
}
