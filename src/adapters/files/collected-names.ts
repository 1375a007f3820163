// What a walk through the user's folder makes of what was told of each of its folders, by rf-list now or kept from before: the names that
// policy can be about, and how many there are. Plain files that no rule is about and no link may lead to are only counted.

import type { IndexedName, PlanFilter } from "../../core/policy/enforce.js";
import { GuardError, LIMITS } from "../../core/shared/index.js";
import type { RelevantNames } from "../../ports/workspace.js";
import type { KeptFolder, KeptNames } from "./kept-names.js";
import { joinRaw, pathOfRaw, type Raw } from "./raw-path.js";

/** Names remembered of one walk. */
const PLAIN_NAMES = 50_000;

const KINDS: Readonly<Record<string, IndexedName["kind"]>> = { d: "directory", f: "file", l: "symlink", o: "other" };

/** A folder that a walk comes to; hot where everything in it is of interest. */
export interface Place {
  readonly raw: Raw;
  readonly isHot: boolean;
}

export interface Folder extends Place {
  /** Null where it may not be kept. */
  readonly stamp: string | null;
  /** What was kept and still holds; null for a folder that is listed. */
  readonly known: KeptFolder | null;
  total: number;
  /** Plain files left out, by name; of a known folder only those that a link led to. */
  readonly cold: Raw[];
  /** The others, as rf-list tells them. */
  readonly told: string[];
}

export interface Walked {
  readonly names: readonly IndexedName[];
  readonly folders: readonly Folder[];
  /** Last names that links spell out. */
  readonly targets: ReadonlySet<Raw>;
}

export interface Collector extends Walked {
  /** One more folder; throws WORKSPACE_LIMIT with all that is known of it. */
  readonly open: (place: Place, stamp: string | null, known: KeptFolder | null) => Folder;
  /** One more name of a folder that is listed. */
  readonly take: (folder: Folder, entry: string) => void;
}

/** @param onPlace hears of each folder that is named */
export function createCollector(filter: PlanFilter, onPlace: (place: Place) => void): Collector {
  const names: IndexedName[] = [];
  const folders: Folder[] = [];
  const targets = new Set<Raw>();
  const state = { total: 0 };
  /** Plain files that are left out, by what is told of them: many folders hold files of one name. */
  const plain = new Map<string, Raw>();
  const count = (folder: Folder, more: number): void => {
    folder.total += more;
    state.total += more;
    if (state.total > LIMITS.protectNames) throw new GuardError("WORKSPACE_LIMIT", `the folder holds more than ${LIMITS.protectNames} names`, { hint: "choose a smaller folder: not every name could be looked at" });
  };
  const sort = (folder: Folder, entry: string): void => {
    const known = folder.isHot ? undefined : plain.get(entry);
    if (known !== undefined) return void folder.cold.push(known);
    const kind = KINDS[entry.charAt(0)];
    if (kind === undefined) throw new Error("rf-list told what nobody asked");
    const cut = kind === "symlink" ? entry.indexOf("\0") : entry.length;
    const name = entry.slice(1, cut);
    const isHot = folder.isHot || filter.all || filter.isHot(pathOfRaw(name));
    if (kind === "file" && !isHot && !filter.isPlace(pathOfRaw(name))) {
      if (plain.size < PLAIN_NAMES) plain.set(entry, name);
      return void folder.cold.push(name);
    }
    folder.told.push(entry);
    const raw = joinRaw(folder.raw, name);
    const path = pathOfRaw(raw);
    if (kind === "symlink") {
      const target = entry.slice(cut + 1);
      names.push({ path, kind, target: pathOfRaw(target) });
      targets.add(target.slice(target.lastIndexOf("/") + 1));
    } else names.push({ path, kind });
    if (kind === "directory") onPlace({ raw, isHot });
  };
  return {
    names,
    folders,
    targets,
    open: ({ raw, isHot }, stamp, known) => {
      const folder: Folder = { raw, isHot, stamp, known, total: 0, cold: [], told: [] };
      folders.push(folder);
      if (known !== null) {
        count(folder, known.total);
        for (const entry of known.entries) sort(folder, entry);
      }
      return folder;
    },
    take: (folder, entry) => {
      count(folder, 1);
      sort(folder, entry);
    },
  };
}

/** The names as they were when they were kept, where those of every folder were; null where not. Looks at nothing. */
export function expectedNames(kept: KeptNames, filter: PlanFilter): RelevantNames | null {
  const pending: Place[] = [{ raw: "", isHot: false }];
  const collector = createCollector(filter, (place) => pending.push(place));
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    const known = kept.folders.get(place.raw);
    if (known === undefined) return null;
    collector.open(place, null, known);
  }
  return collector.folders.length === kept.folders.size ? listedOf(collector, ledFiles(collector)) : null;
}

export function listedOf({ names, folders }: Walked, led: readonly Led[]): RelevantNames {
  const total = folders.reduce((sum, folder) => sum + folder.total, 0);
  return { names: [...names, ...led.flatMap(({ raw, names: files }) => files.map((name) => ({ path: pathOfRaw(joinRaw(raw, name)), kind: "file" as const })))], total };
}

export interface Led {
  readonly raw: Raw;
  readonly names: readonly Raw[];
}

/**
 * The files that links may lead to: by the last name that a link spells out, and all below a folder of that name, for what lies
 * there is also reached by the link's own. A link that ends in no name may lead anywhere.
 */
export function ledFiles({ folders, targets }: Walked): readonly Led[] {
  if (targets.size === 0) return [];
  const anywhere = ["", ".", ".."].some((name) => targets.has(name));
  const led = new Set<Raw>();
  return folders.map(({ raw, cold }) => {
    const slash = raw.lastIndexOf("/");
    const isLed = anywhere || (raw !== "" && (targets.has(raw.slice(slash + 1)) || led.has(slash < 0 ? "" : raw.slice(0, slash))));
    if (isLed) led.add(raw);
    return { raw, names: isLed ? cold : cold.filter((name) => targets.has(name)) };
  });
}

export function keptOf({ folders, targets }: Walked, led: readonly Led[]): KeptNames {
  const files = new Map(led.map(({ raw, names }) => [raw, names]));
  const rows = folders.flatMap(({ raw, stamp, total, told }): readonly [Raw, KeptFolder][] => (stamp === null ? [] : [[raw, { stamp, total, entries: [...told, ...(files.get(raw) ?? []).map((name) => `f${name}`)] }]]));
  return { targets: [...targets], folders: new Map(rows) };
}
