// Folders of the user's listed beside this process by rf-list, while it takes a watch on the next ones. Gives the same names as
// name-index, but for plain files that policy cannot be about and no link may lead to: those are only counted. Folders that are what
// they were when their names were kept are not listed again.

import type { IndexedName, PlanFilter } from "../../core/policy/enforce.js";
import { GuardError, LIMITS, printable } from "../../core/shared/index.js";
import { createBreath } from "./breath.js";
import type { Stamper } from "./folder-stamp.js";
import type { KeptFolder, KeptNames, NameKeep } from "./kept-names.js";
import { openFolderLister, type FolderLister } from "./list-program.js";
import { LONGEST_PATH } from "./name-index.js";
import { joinRaw, pathOfRaw, type Raw } from "./raw-path.js";
import { createReadAhead } from "./read-ahead.js";

export interface ListedNames {
  /** Parents first. */
  readonly names: readonly IndexedName[];
  /** All there are, those left out too. */
  readonly total: number;
}

export interface ListRequest {
  readonly program: string;
  readonly root: Raw;
  readonly filter: PlanFilter;
  readonly signal: AbortSignal;
  /** Hears of each folder, once, before it is looked at. */
  readonly onFolder: (path: string) => void;
  /** Where names are kept for the next session, and how folders are told to be the same; null keeps nothing. */
  readonly kept: { readonly keep: NameKeep; readonly stamp: Stamper } | null;
}

const KINDS: Readonly<Record<string, IndexedName["kind"]>> = { d: "directory", f: "file", l: "symlink", o: "other" };

interface Folder {
  readonly raw: Raw;
  readonly isHot: boolean;
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

/**
 * Names below `root`. Null when the program failed: then nothing is known. Throws WORKSPACE_LIMIT past `LIMITS.protectNames` and for
 * paths too long, WORKSPACE_UNREADABLE, CANCELLED.
 */
export async function listRelevant(request: ListRequest): Promise<ListedNames | null> {
  const heard = new Set<Raw>();
  const onFolder = (raw: Raw): void => {
    if (heard.has(raw)) return;
    heard.add(raw);
    request.onFolder(pathOfRaw(raw));
  };
  const kept = request.kept?.keep.read() ?? null;
  const walked = await walk(request, kept, onFolder);
  if (walked === null) return null;
  // A link that was not there may lead to a file that was left out.
  const isWhole = kept === null || [...walked.targets].every((target) => kept.targets.includes(target)) || walked.folders.every(({ known }) => known === null || known.total === known.entries.length);
  const whole = isWhole ? walked : await walk(request, null, onFolder);
  if (whole === null) return null;
  const led = ledFiles(whole.folders, whole.targets);
  const total = whole.folders.reduce((sum, folder) => sum + folder.total, 0);
  if (!isWhole || isNews(whole.folders, kept)) request.kept?.keep.write(keptOf(whole, led), total);
  return { names: [...whole.names, ...led.flatMap(({ raw, names }) => names.map((name) => ({ path: pathOfRaw(joinRaw(raw, name)), kind: "file" as const })))], total };
}

interface Walked {
  readonly names: IndexedName[];
  readonly folders: readonly Folder[];
  readonly targets: ReadonlySet<Raw>;
}

async function walk({ program, root, filter, signal, kept: keeping }: ListRequest, kept: KeptNames | null, onFolder: (raw: Raw) => void): Promise<Walked | null> {
  const breath = createBreath(signal);
  const ahead = createReadAhead(root);
  const names: IndexedName[] = [];
  const folders: Folder[] = [];
  const targets = new Set<Raw>();
  const pending: { readonly raw: Raw; readonly isHot: boolean }[] = [{ raw: "", isHot: false }];
  const state: { total: number; lister: FolderLister<Folder> | null } = { total: 0, lister: null };

  const count = (folder: Folder, more: number): void => {
    folder.total += more;
    state.total += more;
    if (state.total > LIMITS.protectNames) throw new GuardError("WORKSPACE_LIMIT", `the folder holds more than ${LIMITS.protectNames} names`, { hint: "choose a smaller folder: not every name could be looked at" });
  };
  const take = (folder: Folder, entry: string): void => {
    const kind = KINDS[entry.charAt(0)];
    if (kind === undefined) throw new Error("rf-list told what nobody asked");
    const cut = kind === "symlink" ? entry.indexOf("\0") : entry.length;
    const name = entry.slice(1, cut);
    const isHot = folder.isHot || filter.all || filter.isHot(pathOfRaw(name));
    if (kind === "file" && !isHot && !filter.isPlace(pathOfRaw(name))) return void folder.cold.push(name);
    folder.told.push(entry);
    const raw = joinRaw(folder.raw, name);
    const path = pathOfRaw(raw);
    if (kind === "symlink") {
      const target = entry.slice(cut + 1);
      names.push({ path, kind, target: pathOfRaw(target) });
      targets.add(target.slice(target.lastIndexOf("/") + 1));
    } else names.push({ path, kind });
    if (kind !== "directory") return;
    pending.push({ raw, isHot });
    if (kept === null) ahead.soon(raw);
  };
  const visit = ({ raw, isHot }: { readonly raw: Raw; readonly isHot: boolean }): void => {
    if (root.length + raw.length > LONGEST_PATH) throw new GuardError("WORKSPACE_LIMIT", `a path is too long to be looked at: \`${printable(pathOfRaw(raw), 80)}\``);
    // What was kept names them all; else those are asked for that are known by now.
    if (ahead.visit(raw)) for (const later of kept?.folders.keys() ?? pending.map((one) => one.raw)) ahead.soon(later);
    onFolder(raw);
    const stamp = keeping?.stamp(raw) ?? null;
    const before = kept?.folders.get(raw);
    const known = before !== undefined && stamp !== null && before.stamp === stamp.text ? before : null;
    const folder: Folder = { raw, isHot, stamp: known !== null || stamp?.isSettled === true ? (stamp?.text ?? null) : null, known, total: 0, cold: [], told: [] };
    folders.push(folder);
    if (known === null) {
      state.lister ??= openFolderLister(program, root, signal, (of, entry) => {
        count(of, 1);
        take(of, entry);
      });
      state.lister.ask(raw, folder);
      return;
    }
    count(folder, known.total);
    for (const entry of known.entries) take(folder, entry);
  };

  try {
    for (;;) {
      for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
        visit(next);
        if (breath.due()) await breath.pause();
      }
      if (state.lister === null || state.lister.isDone()) return { names, folders, targets };
      if (!(await state.lister.more())) return null;
      if (breath.due()) await breath.pause();
    }
  } finally {
    state.lister?.stop();
  }
}

interface Led {
  readonly raw: Raw;
  readonly names: readonly Raw[];
}

/**
 * The files that links may lead to: by the last name that a link spells out, and all below a folder of that name, for what lies
 * there is also reached by the link's own. A link that ends in no name may lead anywhere.
 */
function ledFiles(folders: readonly Folder[], targets: ReadonlySet<Raw>): readonly Led[] {
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

/** Whether anything can be kept that is not kept so, or is kept and holds no more. */
function isNews(folders: readonly Folder[], kept: KeptNames | null): boolean {
  return folders.some(({ known, stamp }) => known === null && stamp !== null) || (kept !== null && folders.filter(({ known }) => known !== null).length !== kept.folders.size);
}

function keptOf({ folders, targets }: Walked, led: readonly Led[]): KeptNames {
  const files = new Map(led.map(({ raw, names }) => [raw, names]));
  const rows = folders.flatMap(({ raw, stamp, total, told }): readonly [Raw, KeptFolder][] => (stamp === null ? [] : [[raw, { stamp, total, entries: [...told, ...(files.get(raw) ?? []).map((name) => `f${name}`)] }]]));
  return { targets: [...targets], folders: new Map(rows) };
}
