// Names that come to be in the user's folder while a session runs, as the kernel tells them: one watch a folder, taken before the
// folder is listed, so that nothing falls between the two. Opens no file and follows no link. A whole listing by a watcher package
// costs a look at every file; this costs some microseconds a folder.

import { lstatSync, readdirSync, watch, type FSWatcher, type Stats } from "node:fs";
import { LIMITS } from "../../core/shared/index.js";
import type { FolderListener, NewName, UserFolderObserver, UserFolderWatch } from "../../ports/workspace.js";
import { joinRaw, pathOfRaw, rawBytes, rawFromPath, rawFromText, type Raw } from "./raw-path.js";
import { errorCode } from "./system-error.js";

/** Folders that programs fill by themselves, and whose names no person gives: packages, and git's objects under their digests. */
const UNWATCHED = /(?:^|\/)(?:node_modules|\.git\/objects)(?:\/|$)/;

export function createUserFolderObserver(): UserFolderObserver {
  return { open: (folder) => openWatch(rawFromText(folder)) };
}

function openWatch(root: Raw): UserFolderWatch {
  const watchers = new Map<Raw, FSWatcher>();
  const secrets = new Map<string, string>();
  const early: Raw[] = [];
  const state: { listener: FolderListener | null; lost: string | null; stopped: boolean } = { listener: null, lost: null, stopped: false };

  const lose = (why: string): void => {
    if (state.stopped || state.lost !== null) return;
    state.lost = why;
    state.listener?.onLost(why);
  };

  const add = (raw: Raw): void => {
    if (state.stopped || state.lost !== null || watchers.has(raw) || UNWATCHED.test(raw)) return;
    if (watchers.size >= LIMITS.watchedFolders) return lose(`it has more than ${LIMITS.watchedFolders} folders`);
    try {
      const watcher = watch(rawBytes(raw === "" ? root : joinRaw(root, raw)), { persistent: false, encoding: "buffer" }, (event, name) => {
        if (event !== "rename") return;
        if (name === null) lose("the kernel tells no names");
        else notice(joinRaw(raw, name.toString("latin1")));
      });
      watcher.on("error", (error) => lose(errorCode(error) || "watching failed"));
      watchers.set(raw, watcher);
    } catch (error) {
      // Gone meanwhile: there is nothing to watch.
      if (errorCode(error) !== "ENOENT" && errorCode(error) !== "ENOTDIR") lose(errorCode(error) || "watching failed");
    }
  };

  const notice = (raw: Raw): void => {
    if (state.stopped) return;
    if (state.listener === null) {
      if (early.length >= LIMITS.userEdits) lose(`more than ${LIMITS.userEdits} names came to be at once`);
      else early.push(raw);
    } else look(raw, state.listener);
  };

  /** A name that is there now, and all below it: a folder may be moved in whole. */
  const look = (first: Raw, listener: FolderListener): void => {
    const pending = [first];
    let count = 0;
    for (let raw = pending.pop(); raw !== undefined; raw = pending.pop()) {
      const stats = lstat(root, raw);
      if (stats === null) {
        forget(raw);
        continue;
      }
      count += 1;
      if (count > LIMITS.userEdits) return lose(`more than ${LIMITS.userEdits} names came to be at once`);
      listener.onName(nameOf(raw, stats));
      if (!stats.isDirectory() || UNWATCHED.test(raw)) continue;
      add(raw);
      for (const name of namesIn(root, raw)) pending.push(joinRaw(raw, name));
    }
  };

  const nameOf = (raw: Raw, stats: Stats): NewName => {
    const kind = stats.isDirectory() ? "directory" : stats.isFile() ? "file" : stats.isSymbolicLink() ? "symlink" : "other";
    const secret = kind === "file" ? secrets.get(identity(stats)) : undefined;
    return { path: pathOfRaw(raw), kind, ...(secret === undefined || secret === pathOfRaw(raw) ? {} : { secret }) };
  };

  const forget = (raw: Raw): void => {
    watchers.get(raw)?.close();
    watchers.delete(raw);
  };

  // Whatever the kernel had queued is handed on in one round of the event loop; the first turn ends the round that is under way.
  const settled = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  };

  return {
    add: (path) => add(rawFromPath(path)),
    listen: (listener, hidden) => {
      for (const path of hidden) {
        const stats = lstat(root, rawFromPath(path));
        if (stats?.isFile() === true) secrets.set(identity(stats), path);
      }
      state.listener = listener;
      if (state.lost !== null) listener.onLost(state.lost);
      for (const raw of early.splice(0)) look(raw, listener);
      return watchers.size;
    },
    settled,
    untouched: async () => {
      await settled();
      return !state.stopped && state.lost === null && early.length === 0;
    },
    stop: () => {
      state.stopped = true;
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}

function identity({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

function lstat(root: Raw, raw: Raw): Stats | null {
  try {
    return lstatSync(rawBytes(joinRaw(root, raw)), { throwIfNoEntry: false }) ?? null;
  } catch {
    // A component is no folder any more, or the path is too long to be reached: there is no such name.
    return null;
  }
}

function namesIn(root: Raw, raw: Raw): readonly Raw[] {
  try {
    return readdirSync(rawBytes(joinRaw(root, raw)), { encoding: "latin1" });
  } catch {
    return [];
  }
}
