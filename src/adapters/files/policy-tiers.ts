// Policies that nobody names for a session: of the organisation, of the user, and in the workspace. What is there and cannot be read
// ends the start: a rule that is silently left out is none.

import { constants } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { PolicyText, Tier } from "../../core/policy/index.js";
import { GuardError, LIMITS, printable } from "../../core/shared/index.js";
import { errorCode, isMissing } from "./system-error.js";

export interface TierFolders {
  readonly organisation: readonly string[];
  readonly user: string | null;
  /** The workspace itself; null where there is none, or its policies are to be left out. */
  readonly workspace: string | null;
}

/** Name of a policy file in a tier's folder. */
const FILE = /^[^.].*\.ya?ml$/u;
const WORKSPACE_FILE = /^[^.].*\.policy\.ya?ml$/u;

/**
 * The policies of all tiers, sorted by name in each. A workspace's are in `.ringfence/*.policy.yaml`; no link is followed there.
 * Throws POLICY_INVALID for a folder or file that cannot be read, and for too many.
 */
export async function readTiers({ organisation, user, workspace }: TierFolders): Promise<readonly PolicyText[]> {
  const out: PolicyText[] = [];
  for (const folder of organisation) out.push(...(await readFolder(folder, "organisation")));
  if (user !== null) out.push(...(await readFolder(user, "user")));
  if (workspace !== null) out.push(...(await readFolder(join(workspace, ".ringfence"), "workspace")));
  return out;
}

async function readFolder(folder: string, tier: Tier): Promise<readonly PolicyText[]> {
  const isWorkspace = tier === "workspace";
  let names: readonly string[];
  try {
    if (isWorkspace && !(await lstat(folder)).isDirectory()) return [];
    names = (await readdir(folder)).filter((name) => (isWorkspace ? WORKSPACE_FILE : FILE).test(name) && !/\.cases\.ya?ml$/u.test(name)).sort();
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw invalid(tier, folder, `cannot be read: ${errorCode(cause)}`, cause);
  }
  if (names.length > LIMITS.tierFiles) throw invalid(tier, folder, `has more than ${String(LIMITS.tierFiles)} policy files`);
  const out: PolicyText[] = [];
  for (const name of names) out.push({ tier, name: `${tier}:${isWorkspace ? `.ringfence/${name}` : join(folder, name)}`, text: await readFile(join(folder, name), tier) });
  return out;
}

async function readFile(path: string, tier: Tier): Promise<string> {
  const most = tier === "workspace" ? LIMITS.workspacePolicyBytes : LIMITS.policyBytes;
  let handle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | (tier === "workspace" ? constants.O_NOFOLLOW : 0));
    const info = await handle.stat();
    if (!info.isFile()) throw invalid(tier, path, "is no regular file");
    if (info.size > most) throw invalid(tier, path, `is larger than ${String(most)} bytes`);
    const bytes = new Uint8Array(info.size);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, bytesRead));
  } catch (cause) {
    if (cause instanceof GuardError) throw cause;
    throw invalid(tier, path, cause instanceof TypeError ? "is no UTF-8 text" : `cannot be read: ${errorCode(cause)}`, cause);
  } finally {
    await handle?.close();
  }
}

function invalid(tier: Tier, path: string, why: string, cause?: unknown): GuardError {
  const hint = tier === "workspace" ? "mend it, or leave the workspace's policies out with --no-workspace-policy" : "mend it or remove it";
  return new GuardError("POLICY_INVALID", `the ${tier}'s policy \`${printable(path)}\` ${why}`, { cause, hint });
}
