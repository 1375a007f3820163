// What policy makes impossible in a session: planned from the names that exist, made before the sandbox starts, and tried
// from inside once it runs. A secret that is seen inside, or a protected name that can be written, ends the start.

import { enforcementPlanner, type EnforcementPlan, type PlanFilter } from "../core/policy/index.js";
import type { Control } from "../core/session/event.js";
import { GuardError, LIMITS, count, printable, type Role } from "../core/shared/index.js";
import type { Sandbox, SandboxLimits, SandboxSpec } from "../ports/sandbox.js";
import type { FoundNames, NamesSearch, Protection, UserFolderObserver, UserFolderWatch, Workspace, WorkspaceLimits } from "../ports/workspace.js";
import type { SessionOptions } from "./live.js";

export interface Enforced {
  /** How many names the user's folder holds; by what was expected of it until that is proven. */
  readonly names: number;
  readonly plan: EnforcementPlan;
  readonly protection: Protection;
  /** Follows the user's folder from before its names were listed; null where nobody looks. */
  readonly watch: UserFolderWatch | null;
  /** It was made from names that were expected, and `prove` has to look at the folder. */
  readonly isExpected: boolean;
  /** Looks, once, whether all this is what the names demand as they are; nothing of the agent may run before that is known. Rejects where they cannot be listed. */
  readonly prove: () => Promise<Proof>;
}

/** `names`: how many there are. Outdated: it was made from names that are no longer these, and has to be made anew. */
export type Proof = { readonly kind: "holds"; readonly names: number } | { readonly kind: "outdated" };

/** The making failed on names that are no longer these: it has to begin anew. */
export class OutdatedNames extends Error {}

const PROBE_MS = 30_000;
const PROBE_BYTES = 1024 * 1024;

/** Where names come from. */
export interface EnforceSource {
  /** Left out: nobody follows the folder. */
  readonly userFolder?: UserFolderObserver | undefined;
  /** What the folder held when it was last listed may be taken for what it holds, until that is proven. */
  readonly mayExpect: boolean;
}

/** Plans and makes what a policy forbids in this workspace; null where the workspace cannot, or a test wants none. */
export async function enforce(options: SessionOptions, workspace: Workspace, role: Role | null, signal: AbortSignal, { userFolder, mayExpect }: EnforceSource): Promise<Enforced | null> {
  if (options.enforce === false || workspace.names === undefined || workspace.protect === undefined) return null;
  const { root, home } = options.defaults;
  const watch = userFolder?.open(workspace.path) ?? null;
  try {
    const { filter, plan: planFor } = enforcementPlanner({ policySet: options.policy, role, root, home });
    const { expected, find } = searchNames(workspace, filter, signal, (folder) => watch?.add(folder));
    const { names, total } = (mayExpect ? expected : null) ?? (await find());
    const isExpected = mayExpect && expected !== null;
    const plan = planFor(names);
    const look = async (): Promise<Proof> => {
      if (!isExpected) return { kind: "holds", names: total };
      const now = await find();
      return now.isStill && isSamePlan(planFor(now.names), plan) ? { kind: "holds", names: now.total } : { kind: "outdated" };
    };
    const looking: { proof: Promise<Proof> | null } = { proof: null };
    const prove = (): Promise<Proof> => (looking.proof ??= look());
    return { names: total, plan, protection: await protect(workspace, plan, prove, signal), watch, isExpected, prove };
  } catch (error) {
    watch?.stop();
    throw error;
  }
}

function searchNames(workspace: Workspace, filter: PlanFilter, signal: AbortSignal, onFolder: (path: string) => void): NamesSearch {
  if (workspace.relevantNames !== undefined) return workspace.relevantNames(filter, signal, onFolder);
  const all = async (): Promise<FoundNames> => {
    const names = (await workspace.names?.(signal, onFolder)) ?? [];
    return { names, total: names.length, isStill: true };
  };
  return { expected: null, find: all };
}

/** What fails on names that are gone is no failure of the folder as it is. */
async function protect(workspace: Workspace, plan: EnforcementPlan, prove: () => Promise<Proof>, signal: AbortSignal): Promise<Protection> {
  try {
    if (workspace.protect === undefined) throw new GuardError("INTERNAL_BUG", "the workspace makes no layer");
    return await workspace.protect(plan, signal);
  } catch (error) {
    if (await isOutdated(prove)) throw new OutdatedNames("the folder is not what it was", { cause: error });
    throw error;
  }
}

/** False where that cannot be told. */
export async function isOutdated(prove: () => Promise<Proof>): Promise<boolean> {
  return prove().then(({ kind }) => kind === "outdated", () => false);
}

/** In whatever order the names were told. */
function isSamePlan(one: EnforcementPlan, other: EnforcementPlan): boolean {
  const text = (plan: EnforcementPlan): string => JSON.stringify(Object.entries(plan).map(([part, list]) => [part, (list as readonly unknown[]).map((held) => JSON.stringify(held)).sort()]).sort());
  return text(one) === text(other);
}

/** What a session may write in its workspace. */
export function writableBy({ diskBytes, diskFiles }: SandboxLimits): WorkspaceLimits {
  return { ...(diskBytes === undefined ? {} : { bytes: diskBytes }), ...(diskFiles === undefined ? {} : { files: diskFiles }) };
}

/** What the sandbox is asked for besides. */
export function enforcedSpec(enforced: Enforced | null): Pick<SandboxSpec, "protect" | "hidden" | "blanks"> {
  if (enforced === null) return {};
  const { mounts, blanks } = enforced.protection;
  return { protect: mounts, hidden: enforced.plan.hiddenOutside, ...(blanks === undefined ? {} : { blanks }) };
}

/**
 * Tries hidden and protected names as the agent, a sample of each, and says what was seen. Writes nothing: the kernel is asked
 * whether it would let. Throws SANDBOX_FAILED when something does not hold.
 */
export async function attestEnforcement(sandbox: Sandbox, options: SessionOptions, enforced: Enforced | null, signal: AbortSignal): Promise<readonly Control[]> {
  if (enforced === null) return [];
  const { plan, protection } = enforced;
  const masked = sample(protection.masked);
  const guarded = sample(protection.mounts.filter((mount) => mount.kind === "read-only" || mount.kind === "placeholder").map((mount) => mount.path));
  const answers = masked.length + guarded.length === 0 ? "" : await probe(sandbox, options, masked, guarded, signal);
  const counts = `${count(protection.masked.length, "name")} hidden${protection.boundMasks === 0 ? "" : ` (${protection.boundMasks} as empty)`}`;
  const held = `${count(plan.readOnly.length, "name")} read-only, ${count(plan.placeholders.length, "place")} held, ${plan.reconciled.length + protection.unheld.length} by reconciliation`;
  if (answers === null) {
    const detail = "not tried: the image has no bash";
    return [
      { id: "secrets-masked", state: "configured", detail: `${counts}; ${detail}` },
      { id: "protected-read-only", state: "configured", detail: `${held}; ${detail}` },
    ];
  }
  const wrong = answers.split("\n").filter((line) => line !== "" && line !== "tried");
  if (wrong.length > 0 || (masked.length + guarded.length > 0 && !answers.endsWith("tried\n"))) {
    throw new GuardError("SANDBOX_FAILED", `what policy forbids is possible inside: ${wrong.slice(0, 5).map((line) => printable(line)).join(", ") || "the names could not be tried"}`);
  }
  return [
    { id: "secrets-masked", state: "attested", detail: `${counts}; ${masked.length} tried from inside` },
    { id: "protected-read-only", state: "attested", detail: `${held}; ${guarded.length} tried from inside` },
  ];
}

/** `-s`: there and with content; a masked folder must be empty. `-w` asks the kernel, which answers for the mount too. */
const PROBE = 'n=$1; shift; for f; do if [ "$n" -gt 0 ]; then n=$((n-1)); if [ -d "$f" ]; then set -- "$f"/*; [ -e "$1" ] && echo "seen $f"; elif [ -s "$f" ]; then echo "seen $f"; fi; elif [ -w "$f" ]; then echo "writable $f"; elif [ ! -e "$f" ]; then echo "missing $f"; fi; done; echo tried';

/** What the probe printed; null when there is nothing to run it with. */
async function probe(sandbox: Sandbox, options: SessionOptions, masked: readonly string[], guarded: readonly string[], signal: AbortSignal): Promise<string | null> {
  const { root } = options.defaults;
  const names = [...masked, ...guarded].map((path) => `./${path}`);
  const argv = ["bash", "--noprofile", "--norc", "-c", PROBE, "probe", String(masked.length), ...names];
  const out: Uint8Array[] = [];
  const sink = { stdout: (chunk: Uint8Array) => void out.push(chunk.slice()), stderr: () => undefined };
  const result = await sandbox.run({ argv, cwd: root, environment: { LC_ALL: "C" }, stdin: null, timeoutMs: PROBE_MS, outputBytes: PROBE_BYTES }, sink, signal);
  if (result.exitCode === 127 || result.exitCode === 126) return null;
  const decoder = new TextDecoder();
  return out.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}

/** Evenly spread, so that no kind of name is left out; names that are no plain text cannot be handed to a program. */
function sample(paths: readonly string[]): readonly string[] {
  const plain = paths.filter((path) => !/\\x[0-9a-f]{2}/i.test(path));
  const step = Math.max(1, Math.ceil(plain.length / LIMITS.protectProbes));
  return plain.filter((_, index) => index % step === 0);
}
