// The user's folder as the agent could see it: the protective layer's hidden names and placeholders are not part of it.
// Only ever read.

import { lstatSync, readdirSync, type Stats } from "node:fs";
import type { Entry } from "../../core/reconcile/change.js";
import type { Breath } from "./breath.js";
import { readEntry, type ReadBudget } from "./entry.js";
import { holdBelow, holdFolder } from "./open-below.js";
import { joinRaw, parentRaw, rawBytes, type Raw } from "./raw-path.js";
import { walkTree } from "./tree-walk.js";

export interface BaseLayer {
  /** Entry of one name whose folder is known to be a real folder of the user; null when there is none or it is hidden. */
  entry(raw: Raw): Promise<Entry | null>;
  /** Every name below a folder of the user, with its entry, parents first. */
  below(raw: Raw): Promise<ReadonlyMap<Raw, Entry>>;
}

/** Names the protective layer hides from the agent or holds a place for; what lies below them is hidden too. */
export type HiddenNames = ReadonlySet<Raw>;

const PLAIN_LIMIT = 3_000;

/** @param lower path of the user's folder */
export function createBaseLayer(lower: Raw, hidden: HiddenNames, budget: ReadBudget, breath: Breath): BaseLayer {
  return {
    entry: async (raw) => {
      if (hidden.has(raw)) return null;
      return withSystemPath(lower, raw, async (system) => {
        const stats = lstatSync(rawBytes(system), { throwIfNoEntry: false });
        return stats === undefined ? null : readEntry(system, stats, budget, breath);
      });
    },
    below: async (raw) => {
      const found = new Map<Raw, Entry>();
      await withSystemPath(lower, raw, async (system) => {
        await walkTree(system, raw, breath, async (visit) => {
          if (hidden.has(visit.raw)) return "skip";
          const entry = await readEntry(visit.system, visit.stats, budget, breath);
          if (entry !== null) found.set(visit.raw, entry);
          return "enter";
        });
        return null;
      });
      return found;
    },
  };
}

/**
 * What the protective layer hides: whiteouts and placeholder files. A folder in it is merged with the user's own and
 * hides nothing.
 */
export async function readHiddenNames(protect: Raw, breath: Breath): Promise<HiddenNames> {
  const hidden = new Set<Raw>();
  if (readdirSync(rawBytes(protect), { encoding: "latin1" }).length === 0) return hidden;
  await walkTree(protect, "", breath, (visit) => {
    if (visit.stats.isDirectory()) return "enter";
    hidden.add(visit.raw);
    return "skip";
  });
  return hidden;
}

/** A whiteout is the overlay's mark of a deleted name: a character device 0:0. */
export function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}

/** Calls `use` with a path for system calls; long ones are reached through a held folder. Null when the folder is gone. */
async function withSystemPath<T>(root: Raw, raw: Raw, use: (system: Raw) => Promise<T | null>): Promise<T | null> {
  if (root.length + raw.length < PLAIN_LIMIT) return use(joinRaw(root, raw));
  const top = holdFolder(root);
  try {
    const folder = holdBelow(top, parentRaw(raw));
    if (folder === null) return null;
    try {
      return await use(`${folder.prefix}/${raw.slice(parentRaw(raw) === "" ? 0 : parentRaw(raw).length + 1)}`);
    } finally {
      folder.close();
    }
  } finally {
    top.close();
  }
}
