// What an enforcement plan means for a workspace that is sent as a tar: secrets are not sent, places to hold are sent with
// it, and names to protect become mounts of the engine's own copy. A plain volume lets a folder be renamed, so every folder
// above a protected name is a mount of its own too.

import { lstatSync } from "node:fs";
import type { EnforcementPlan } from "../../core/policy/enforce.js";
import { comparePaths } from "../../core/reconcile/names.js";
import { LIMITS } from "../../core/shared/index.js";
import type { ProtectMount } from "../../ports/sandbox.js";
import type { Protection } from "../../ports/workspace.js";
import { createBreath } from "./breath.js";
import { otherNames } from "./name-index.js";
import { isMountable } from "./protect.js";
import { joinRaw, parentRaw, pathOfRaw, rawBytes, rawFromPath, type Raw } from "./raw-path.js";
import type { PlacedName } from "./tar-pack.js";

export interface TarProtection {
  readonly protection: Protection;
  readonly hidden: ReadonlySet<Raw>;
  readonly placed: readonly PlacedName[];
}

/** Most mounts of one session, those of the folders above counted in. */
const MOST_MOUNTS = 480;

/** Plans it. Reads names of the user's folder, and changes nothing. */
export async function planTarProtection(lower: Raw, plan: EnforcementPlan, signal: AbortSignal): Promise<TarProtection> {
  const files = plan.masked.filter((held) => held.kind === "file").map((held) => rawFromPath(held.path));
  const linked = await otherNames(lower, files, createBreath(signal));
  const hidden = new Set<Raw>([...plan.masked.map((held) => rawFromPath(held.path)), ...linked]);
  const unheld: { readonly path: string; readonly why: string }[] = [];
  const placed = new Map<Raw, PlacedName>();
  const mounts = new Map<string, ProtectMount>();
  for (const { path } of plan.readOnly) addMount(path, "read-only");
  for (const { path, form, content } of plan.placeholders) {
    const raw = rawFromPath(path);
    if (isHeld(lower, raw) || !addMount(path, "placeholder")) continue;
    for (const folder of parentsOf(raw).reverse()) if (!isHeld(lower, folder)) placed.set(folder, { raw: folder, content: null });
    placed.set(raw, { raw, content: form === "directory" ? null : new TextEncoder().encode(content) });
  }
  const masked = [...hidden].map(pathOfRaw).sort(comparePaths);
  const protection = { mounts: [...mounts.values()].sort((a, b) => comparePaths(a.path, b.path)), masked, boundMasks: 0, linkedSecrets: linked.map(pathOfRaw), unheld };
  return { protection, hidden, placed: [...placed.values()].sort((a, b) => comparePaths(a.raw, b.raw)) };

  function addMount(path: string, kind: "read-only" | "placeholder"): boolean {
    const above = parentsOf(rawFromPath(path)).map(pathOfRaw).filter((folder) => !mounts.has(folder));
    const why = !isMountable(path) ? "its path cannot be given to an engine" : mounts.size + above.length >= Math.min(MOST_MOUNTS, LIMITS.protectMounts * 4) ? "more names than mounts" : null;
    if (why !== null) {
      unheld.push({ path, why });
      return false;
    }
    for (const folder of above) mounts.set(folder, { path: folder, source: `/${folder}`, kind: "ancestor" });
    mounts.set(path, { path, source: `/${path}`, kind });
    return true;
  }
}

function isHeld(lower: Raw, raw: Raw): boolean {
  return lstatSync(rawBytes(joinRaw(lower, raw)), { throwIfNoEntry: false }) !== undefined;
}

/** Nearest first. */
function parentsOf(raw: Raw): Raw[] {
  const out: Raw[] = [];
  for (let parent = parentRaw(raw); parent !== ""; parent = parentRaw(parent)) out.push(parent);
  return out;
}
