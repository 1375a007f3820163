// What stands in the way of a name, as a look-up: made once from the plan that was carried out, asked after a call. Pure. Says
// nothing about whether somebody tried.

import type { FileEffect, FileOperation } from "../action/effects.js";
import { isInside, parentOf, relativeTo } from "../action/paths.js";
import type { EnforcementPlan } from "../policy/enforce.js";
import { escapeName, globsMeet, isLiteral } from "../policy/glob-meet.js";
import { segmentsOf } from "../policy/paths.js";
import type { HeldBy } from "./change.js";

/** One thing that is held, and the rule for whose sake; null where any rule about the place may be meant. */
export interface Holding {
  readonly by: HeldBy;
  /** Relative to the workspace, absolute outside of it. */
  readonly name: string;
  readonly rule: string | null;
}

export interface Holdings {
  /** What stands in the way of changing an absolute path; null when nothing is known to. `operation` is null where it is not known. */
  changing(path: string, operation: FileOperation | null): Holding | null;
  /** What keeps an absolute path from being read; null when nothing is known to. */
  reading(path: string): Holding | null;
  /** All that an effect would meet: the name, for a tree or a pattern whatever it takes in. */
  under(effect: FileEffect): readonly Holding[];
}

export interface HoldingsInput {
  readonly plan: EnforcementPlan;
  /** Names of the plan that no mount holds after all. */
  readonly unheld: readonly string[];
  readonly root: string;
  /** Absolute folders outside of the workspace that the agent may write. */
  readonly writable: readonly string[];
  /** The container's own files were seen to be read-only. */
  readonly rootIsReadOnly: boolean;
}

/** The look-up for one session. */
export function holdingsOf({ plan, unheld, root, writable, rootIsReadOnly }: HoldingsInput): Holdings {
  const without = new Set(unheld);
  const mounts = new Map<string, Holding>();
  for (const { path, rule } of plan.readOnly) if (!without.has(path)) mounts.set(path, { by: "read-only-mount", name: path, rule });
  for (const { path, rule } of plan.placeholders) if (!without.has(path)) mounts.set(path, { by: "held-place", name: path, rule });
  const masks = new Map<string, Holding>();
  for (const { path, rule } of plan.masked) masks.set(path, { by: "mask", name: path, rule });
  const points = new Map<string, Holding>();
  for (const { name, rule } of mounts.values()) {
    for (let above = parentOf(name); above !== "."; above = parentOf(above)) if (!mounts.has(above) && !points.has(above)) points.set(above, { by: "mount-point", name: above, rule });
  }
  const outside = (path: string): Holding | null => {
    if (!rootIsReadOnly || isInside(path, root) || writable.some((place) => isInside(path, place))) return null;
    return { by: "read-only-root", name: path, rule: null };
  };
  const changing = (path: string, operation: FileOperation | null): Holding | null => {
    const name = relativeTo(path, root);
    if (name === null) return outside(path);
    // Such a folder can be written in; only its own name stays.
    return upward(mounts, name) ?? (operation === "delete" || operation === null ? points.get(name) : undefined) ?? null;
  };
  const reading = (path: string): Holding | null => upward(masks, relativeTo(path, root) ?? "");
  const under = (effect: FileEffect): readonly Holding[] => {
    const isRead = effect.operation === "read";
    const held = isRead ? masks : mounts;
    if (effect.certainty === "exact" && !effect.recursive) return some(isRead ? reading(effect.path) : changing(effect.path, effect.operation));
    const meets = meeting(effect, root);
    const inside = [...held.values()].filter(({ name }) => meets(name));
    if (isRead) return inside;
    return [...inside, ...some(outside(fixedPart(effect)))];
  };
  return { changing, reading, under };
}

/**
 * Tells whether an effect takes in a held name, lies below it, or may. A tree is taken in whole by what deletes it or changes its
 * modes; what writes in a tree (an unpacking, a checkout) writes somewhere in it.
 */
function meeting(effect: FileEffect, root: string): (name: string) => boolean {
  const isWhole = effect.recursive && effect.operation !== "write" && effect.operation !== "create";
  if (effect.certainty === "exact") return (name) => (isWhole && isInside(`${root}/${name}`, effect.path)) || isInside(effect.path, `${root}/${name}`);
  const pattern = segmentsOf(effect.path);
  return (name) => {
    const held = segmentsOf(`${root}/${name}`).map(escapeName);
    // Its own name or one below it: only the beginning of the pattern must meet it.
    for (let length = 1; length <= pattern.length; length += 1) if (globsMeet(pattern.slice(0, length), held)) return true;
    if (!isWhole) return false;
    for (let length = 1; length < held.length; length += 1) if (globsMeet(pattern, held.slice(0, length))) return true;
    return false;
  };
}

/** The folder that an effect spells out before its first wildcard; the path itself when it is exact. */
function fixedPart({ path, certainty }: FileEffect): string {
  if (certainty === "exact") return path;
  const names = segmentsOf(path);
  const wild = names.findIndex((name) => !isLiteral(name));
  return `/${(wild < 0 ? names : names.slice(0, wild)).join("/")}`;
}

/** What holds a name or a folder above it. */
function upward(held: ReadonlyMap<string, Holding>, name: string): Holding | null {
  for (let at = name; at !== "." && at !== ""; at = parentOf(at)) {
    const found = held.get(at);
    if (found !== undefined) return found;
  }
  return null;
}

function some(holding: Holding | null): readonly Holding[] {
  return holding === null ? [] : [holding];
}
