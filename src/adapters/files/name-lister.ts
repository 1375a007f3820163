// Folders of the user's listed beside this process by rf-list, while it takes a watch on the next ones. Gives the same names as
// name-index, but for plain files that policy cannot be about and no link may lead to: those are only counted. Folders that are what
// they were when their names were kept are not listed again.

import type { PlanFilter } from "../../core/policy/enforce.js";
import { GuardError, printable } from "../../core/shared/index.js";
import type { FoundNames, RelevantNames } from "../../ports/workspace.js";
import { openAhead, type Ahead } from "./ahead-program.js";
import { createBreath } from "./breath.js";
import { createColdSense } from "./cold-folders.js";
import { createCollector, expectedNames, keptOf, ledFiles, listedOf, type Folder, type Place, type Walked } from "./collected-names.js";
import type { Stamper } from "./folder-stamp.js";
import type { KeptNames, NameKeep } from "./kept-names.js";
import { openFolderLister, type FolderLister } from "./list-program.js";
import { LONGEST_PATH } from "./name-index.js";
import { pathOfRaw, type Raw } from "./raw-path.js";

export interface ListRequest {
  readonly program: string;
  /** What has folders read from the disk that the kernel has no longer; null where there is no program for it. */
  readonly ahead: string | null;
  readonly root: Raw;
  readonly filter: PlanFilter;
  readonly signal: AbortSignal;
  /** Hears of each folder, once, before it is looked at. */
  readonly onFolder: (path: string) => void;
  /** Where names are kept for the next session, and how folders are told to be the same; null keeps nothing. */
  readonly kept: { readonly keep: NameKeep; readonly stamp: Stamper } | null;
}

/** Names below a folder, as they are looked for. */
export interface Search {
  /** As they were when they were kept; null where not all were. Nothing was looked at for it: they hold when `find` says the same. */
  readonly expected: RelevantNames | null;
  /**
   * Looks for them, once. Null when the program failed: then nothing is known. Rejects with WORKSPACE_LIMIT past `LIMITS.protectNames` and for
   * paths too long, WORKSPACE_UNREADABLE, CANCELLED.
   */
  readonly find: () => Promise<FoundNames | null>;
}

/** A change has the time of the clock's last tick, which is some milliseconds at most. */
const TICK_MS = 100;

/** Begins to look for the names below `root`. */
export function searchRelevant(request: ListRequest): Search {
  const begun = { clockMs: Date.now(), ticksMs: performance.now() };
  const kept = request.kept?.keep.read() ?? null;
  return { expected: kept === null ? null : expectedNames(kept, request.filter), find: () => find(request, kept, begun) };
}

interface Moment {
  readonly clockMs: number;
  readonly ticksMs: number;
}

/** Times of files tell nothing of a time in which the clock was set. */
function isClockTrue(since: Moment): boolean {
  return Math.abs(Date.now() - since.clockMs - (performance.now() - since.ticksMs)) < TICK_MS / 2;
}

async function find(request: ListRequest, kept: KeptNames | null, begun: Moment): Promise<FoundNames | null> {
  const heard = new Set<Raw>();
  const state = { isStill: true };
  const onFolder = (raw: Raw): void => {
    if (heard.has(raw)) return;
    heard.add(raw);
    request.onFolder(pathOfRaw(raw));
  };
  const onListed = (changedMs: number | null): void => {
    if (changedMs === null || changedMs > begun.clockMs - TICK_MS) state.isStill = false;
  };
  const walked = await walk(request, kept, onFolder, onListed);
  if (walked === null) return null;
  // A link that was not there may lead to a file that was left out.
  const isWhole = kept === null || [...walked.targets].every((target) => kept.targets.includes(target)) || walked.folders.every(({ known }) => known === null || known.total === known.entries.length);
  const whole = isWhole ? walked : await walk(request, null, onFolder, onListed);
  if (whole === null) return null;
  const led = ledFiles(whole);
  const listed = listedOf(whole, led);
  if (!isWhole || isNews(whole.folders, kept)) request.kept?.keep.write(keptOf(whole, led), listed.total);
  return { ...listed, isStill: state.isStill && isClockTrue(begun) };
}

async function walk({ program, ahead, root, filter, signal, kept: keeping }: ListRequest, kept: KeptNames | null, onFolder: (raw: Raw) => void, onListed: (changedMs: number | null) => void): Promise<Walked | null> {
  const breath = createBreath(signal);
  const isCold = createColdSense(root);
  const pending: Place[] = [{ raw: "", isHot: false }];
  const collector = createCollector(filter, (place) => pending.push(place));
  const state: { lister: FolderLister<Folder> | null; reading: Ahead | null } = { lister: null, reading: null };

  /** What was kept names the folders; else all there are have to be found. */
  const readAhead = async (): Promise<void> => {
    if (ahead === null || state.reading !== null) return;
    state.reading = openAhead(ahead, root, kept === null ? "list" : { look: kept.folders.keys() });
    // Nothing waits for this walk but what is begun on the names that were kept: it holds nobody up at the disk.
    if (kept !== null) await untilOver(state.reading, signal);
  };
  const visit = (place: Place): void => {
    const { raw } = place;
    if (root.length + raw.length > LONGEST_PATH) throw new GuardError("WORKSPACE_LIMIT", `a path is too long to be looked at: \`${printable(pathOfRaw(raw), 80)}\``);
    onFolder(raw);
    const stamp = keeping?.stamp(raw) ?? null;
    const before = kept?.folders.get(raw);
    const known = before !== undefined && stamp !== null && before.stamp === stamp.text ? before : null;
    const folder = collector.open(place, known !== null || stamp?.isSettled === true ? (stamp?.text ?? null) : null, known);
    if (known !== null) return;
    onListed(stamp?.changedMs ?? null);
    state.lister ??= openFolderLister(program, root, signal, collector.take);
    state.lister.ask(raw, folder);
  };

  try {
    for (;;) {
      for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
        if (isCold(next.raw)) await readAhead();
        visit(next);
        if (breath.due()) await breath.pause();
      }
      if (state.lister === null || state.lister.isDone()) return collector;
      if (!(await state.lister.more())) return null;
      if (breath.due()) await breath.pause();
    }
  } finally {
    state.lister?.stop();
    state.reading?.stop();
  }
}

/** Throws nothing: whoever goes on finds that it was cancelled. */
async function untilOver({ done, stop }: Ahead, signal: AbortSignal): Promise<void> {
  signal.addEventListener("abort", stop, { once: true });
  await done;
  signal.removeEventListener("abort", stop);
}

/** Whether anything can be kept that is not kept so, or is kept and holds no more. */
function isNews(folders: readonly Folder[], kept: KeptNames | null): boolean {
  return folders.some(({ known, stamp }) => known === null && stamp !== null) || (kept !== null && folders.filter(({ known }) => known !== null).length !== kept.folders.size);
}
