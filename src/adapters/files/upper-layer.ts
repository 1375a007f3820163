// What lies in the session's upper layer, name by name. Files are hashed once: a name whose inode, times and size are
// unchanged keeps its entry. Reads while nobody writes; opens regular files only.

import type { Stats } from "node:fs";
import type { Entry } from "../../core/reconcile/change.js";
import { GuardError, printable } from "../../core/shared/index.js";
import { isWhiteout } from "./base-layer.js";
import type { Breath } from "./breath.js";
import { readEntry, type ReadBudget } from "./entry.js";
import { parentRaw, pathOfRaw, type Raw } from "./raw-path.js";
import { walkTree } from "./tree-walk.js";

/** One name of the upper layer. `entry` is null for a whiteout. */
export interface UpperNode {
  readonly entry: Entry | null;
  readonly stats: Stats;
  /** The name was at rest long enough before the look that a later change must show in its times. */
  readonly settled: boolean;
}

export interface UpperLayer {
  /** Parents before children. */
  readonly nodes: ReadonlyMap<Raw, UpperNode>;
  /** Folders that hold a whiteout: such a folder is never opaque. */
  readonly withWhiteouts: ReadonlySet<Raw>;
  /** Nothing at all differs from the look before. */
  readonly same: boolean;
}

/** Kernels before 6.13 stamp files with a clock of up to 10 ms a tick; within it a second write can keep the time. */
const SETTLE_MS = 50;

/** @param before the look before, whose entries are taken over where nothing moved */
export async function readUpperLayer(upper: Raw, before: UpperLayer | null, budget: ReadBudget, breath: Breath): Promise<UpperLayer> {
  const started = Date.now();
  const nodes = new Map<Raw, UpperNode>();
  const withWhiteouts = new Set<Raw>();
  let kept = 0;
  await walkTree(upper, "", breath, (visit) => {
    const { raw, system, stats } = visit;
    const known = before?.nodes.get(raw);
    if (isWhiteout(stats)) withWhiteouts.add(parentRaw(raw));
    if (known !== undefined && known.settled && isSameStamp(known.stats, stats)) {
      nodes.set(raw, known);
      kept += 1;
      return "enter";
    }
    if (isWhiteout(stats)) {
      nodes.set(raw, { entry: null, stats, settled: true });
      return "skip";
    }
    return readNode(system, stats).then((entry) => {
      const settled = stats.isDirectory() || stats.ctimeMs < started - SETTLE_MS;
      const unchanged = known !== undefined && isSameStamp(known.stats, stats) && sameDigest(known.entry, entry);
      if (unchanged) kept += 1;
      nodes.set(raw, { entry: unchanged ? known.entry : entry, stats, settled });
      return "enter" as const;
    });
  });
  return { nodes, withWhiteouts, same: before !== null && kept === nodes.size && before.nodes.size === nodes.size };

  async function readNode(system: Raw, stats: Stats): Promise<Entry> {
    const entry = await readEntry(system, stats, budget, breath);
    if (entry === null) throw new GuardError("WORKSPACE_UNREADABLE", `\`${printable(pathOfRaw(system))}\` changed while it was looked at`, { hint: "a process of the session may still be alive; end the session" });
    return entry;
  }
}

/** Nobody can set the change time back, so an equal stamp is an untouched name. */
export function isSameStamp(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.ctimeMs === b.ctimeMs && a.mtimeMs === b.mtimeMs && a.size === b.size && a.mode === b.mode && a.dev === b.dev && a.rdev === b.rdev;
}

function sameDigest(a: Entry | null, b: Entry): boolean {
  return a !== null && a.digest === b.digest && a.bytes === b.bytes && a.mode === b.mode && a.kind === b.kind;
}
