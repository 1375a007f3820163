// The truth of what a session changed: the upper layer compared with the user's folder. Deletions are found from
// whiteouts, from folders that hide the user's, and from files put where a folder was. Costs what was changed, whatever
// the size of the user's folder; looking again at an unchanged layer costs one lstat a name.

import { readdirSync, type Stats } from "node:fs";
import type { Change, Entry } from "../../core/reconcile/change.js";
import { changeBetween } from "../../core/reconcile/entries.js";
import { comparePaths } from "../../core/reconcile/names.js";
import { GuardError, LIMITS } from "../../core/shared/index.js";
import { createBaseLayer, readHiddenNames, type BaseLayer, type HiddenNames } from "./base-layer.js";
import type { BaseRecord } from "./base-record.js";
import { createBreath } from "./breath.js";
import { createReadBudget } from "./entry.js";
import { opacityUnknown, type OpacityReader } from "./opacity.js";
import { joinRaw, parentRaw, pathOfRaw, rawBytes, rawFromText, type Raw } from "./raw-path.js";
import { isSameStamp, readUpperLayer, type UpperLayer, type UpperNode } from "./upper-layer.js";

export interface ScanLayers {
  readonly lower: string;
  readonly protect: string;
  readonly upper: string;
}

/** One look. `hides` tells whether the session hides the user's own file of that name. */
export interface Scan {
  readonly changes: readonly Change[];
  readonly hides: (raw: Raw) => boolean;
  readonly hidden: HiddenNames;
}

export interface Scanner {
  scan(signal: AbortSignal): Promise<Scan>;
}

interface Opaque {
  readonly stats: Stats;
  readonly opaque: boolean;
}

export function createScanner(layers: ScanLayers, record: BaseRecord, readOpacity: OpacityReader | null, concealed: ReadonlySet<Raw> = new Set()): Scanner {
  const lower = rawFromText(layers.lower);
  const upper = rawFromText(layers.upper);
  const protect = rawFromText(layers.protect);
  let lastLayer: UpperLayer | null = null;
  let lastScan: Scan | null = null;
  let opacities: ReadonlyMap<Raw, Opaque> = new Map();
  let concealedThen = 0;

  return {
    scan: async (signal) => {
      const breath = createBreath(signal);
      const budget = createReadBudget();
      const layer = await readUpperLayer(upper, lastLayer, budget, breath);
      if (layer.same && lastScan !== null && concealedThen === concealed.size) {
        lastLayer = layer;
        return lastScan;
      }
      const hidden = new Set([...(await readHiddenNames(protect, breath)), ...concealed]);
      concealedThen = concealed.size;
      const base = createBaseLayer(lower, hidden, budget, breath);
      await recordBases(layer, base, record);
      const folders = mergedFolders(layer, record);
      const known = await resolveOpacity(layer, folders, signal);
      const roots = hidingRoots(layer, record, known);
      for (const root of roots) await recordTree(root, base, record);
      const scan: Scan = { changes: collect(layer, roots, record), hides: (raw) => hasAncestorIn(raw, roots), hidden };
      record.flush();
      opacities = known;
      lastLayer = layer;
      lastScan = scan;
      return scan;
    },
  };

  async function resolveOpacity(layer: UpperLayer, folders: readonly Raw[], signal: AbortSignal): Promise<ReadonlyMap<Raw, Opaque>> {
    const known = new Map<Raw, Opaque>();
    const asked: Raw[] = [];
    for (const raw of folders) {
      const stats = layer.nodes.get(raw)?.stats;
      const earlier = opacities.get(raw);
      if (stats !== undefined && earlier !== undefined && isSameStamp(earlier.stats, stats)) known.set(raw, earlier);
      else asked.push(raw);
    }
    if (asked.length === 0) return known;
    const answers = readOpacity === null ? [] : await readOpacity(layers.upper, asked, signal);
    asked.forEach((raw, index) => {
      const answer = answers[index] ?? "unknown";
      const opaque = answer === "unknown" ? inferOpacity(raw, layer) : answer === "opaque";
      const stats = layer.nodes.get(raw)?.stats;
      if (stats !== undefined) known.set(raw, { stats, opaque });
    });
    return known;
  }

  /** Without the mark: a whiteout proves that a folder is merged, and one that lacks none of the user's names deleted none. */
  function inferOpacity(raw: Raw, layer: UpperLayer): boolean {
    if (layer.withWhiteouts.has(raw)) return false;
    const names = readdirSync(rawBytes(joinRaw(lower, raw)), { encoding: "latin1" });
    if (names.every((name) => layer.nodes.has(joinRaw(raw, name)))) return false;
    throw opacityUnknown(pathOfRaw(raw));
  }
}

/** Notes the user's own entry of every name in the upper layer, once. */
async function recordBases(layer: UpperLayer, base: BaseLayer, record: BaseRecord): Promise<void> {
  for (const raw of layer.nodes.keys()) {
    if (record.get(raw) !== undefined) continue;
    const parent = parentRaw(raw);
    const reachable = parent === "" || record.get(parent)?.kind === "directory";
    record.put(raw, reachable ? await base.entry(raw) : null);
  }
}

/** Folders that are there in both layers. */
function mergedFolders(layer: UpperLayer, record: BaseRecord): readonly Raw[] {
  return [...layer.nodes].filter(([raw, node]) => isFolder(node.entry) && isFolder(record.get(raw))).map(([raw]) => raw);
}

/** Topmost names below which nothing of the user's folder shows through, though the user has a folder there. */
function hidingRoots(layer: UpperLayer, record: BaseRecord, opacities: ReadonlyMap<Raw, Opaque>): ReadonlySet<Raw> {
  const roots = new Set<Raw>();
  for (const [raw, node] of layer.nodes) {
    if (!isFolder(record.get(raw)) || hasAncestorIn(raw, roots)) continue;
    if (!isFolder(node.entry) || opacities.get(raw)?.opaque === true) roots.add(raw);
  }
  return roots;
}

/** Notes everything the user has below a hidden folder, once: what is added there later is not the agent's doing. */
async function recordTree(root: Raw, base: BaseLayer, record: BaseRecord): Promise<void> {
  if (record.tree(root) !== undefined) return;
  const below: Raw[] = [];
  for (const [raw, entry] of await base.below(root)) {
    const known = record.get(raw);
    if (known === undefined) record.put(raw, entry);
    if (known !== null) below.push(raw);
    if (below.length > LIMITS.scanNames) throw new GuardError("WORKSPACE_LIMIT", `more than ${LIMITS.scanNames} names were deleted`);
  }
  record.setTree(root, below);
}

function collect(layer: UpperLayer, roots: ReadonlySet<Raw>, record: BaseRecord): readonly Change[] {
  const changes: Change[] = [];
  const involved = new Set<Raw>(layer.nodes.keys());
  const add = (raw: Raw, after: Entry | null): void => {
    const change = changeBetween(pathOfRaw(raw), record.get(raw) ?? null, after);
    if (change !== null) changes.push(change);
    if (changes.length > LIMITS.changes) throw new GuardError("WORKSPACE_LIMIT", `the session changed more than ${LIMITS.changes} names`);
  };
  for (const [raw, node] of layer.nodes) add(raw, node.entry);
  for (const root of roots) {
    for (const raw of record.tree(root) ?? []) {
      involved.add(raw);
      const node: UpperNode | undefined = layer.nodes.get(raw);
      if (node === undefined) add(raw, null);
    }
  }
  record.retain((raw) => involved.has(raw));
  return Object.freeze(changes.sort((a, b) => comparePaths(a.path, b.path)));
}

function isFolder(entry: Entry | null | undefined): boolean {
  return entry?.kind === "directory";
}

function hasAncestorIn(raw: Raw, roots: ReadonlySet<Raw>): boolean {
  if (roots.size === 0) return false;
  for (let slash = raw.lastIndexOf("/"); slash > 0; slash = raw.lastIndexOf("/", slash - 1)) if (roots.has(raw.slice(0, slash))) return true;
  return false;
}
