// Hints of file changes while a call runs, from chokidar over the session's upper layer: its cost is that of the changes.
// Never evidence: what lives for milliseconds is missed. Follows no link and never throws.

import { watch, type FSWatcher } from "chokidar";
import { relative } from "node:path";
import type { Stats } from "node:fs";
import { printable } from "../../core/shared/index.js";
import type { Telemetry } from "../../ports/system.js";
import type { WorkspaceObserver } from "../../ports/workspace.js";

type HintEvent = "create" | "modify" | "delete";

/** Hints of one name within this time are one hint. */
const DEBOUNCE_MS = 25;
/** How long the start may wait for the first look; then it goes on without. */
const READY_MS = 2_000;
/** Most names waiting to be told; past it hints are dropped, as misses are allowed. */
const PENDING_LIMIT = 10_000;

export function createHints(telemetry: Telemetry): WorkspaceObserver {
  return {
    start: async (mount, onHint) => {
      // Nothing of it lies on this machine.
      if (mount.kind === "tar") return { stop: async () => undefined };
      const pending = new Map<string, HintEvent>();
      let timer: ReturnType<typeof setTimeout> | null = null;
      // Until its first look is done, chokidar tells links that were there before as new.
      let listening = false;
      let stopped = false;
      const tell = (): void => {
        timer = null;
        const hints = [...pending];
        pending.clear();
        for (const [path, event] of hints) if (!stopped) safely(telemetry, () => onHint(path, event));
      };
      const note = (event: HintEvent, absolute: string): void => {
        const path = relative(mount.upper, absolute);
        if (stopped || !listening || path === "" || pending.size >= PENDING_LIMIT) return;
        pending.set(path, merge(pending.get(path), event));
        timer ??= setTimeout(tell, DEBOUNCE_MS);
      };
      const watcher = open(mount.upper, telemetry);
      if (watcher === null) return { stop: async () => undefined };
      watcher.on("add", (path, stats) => note(isDeletionMark(stats) ? "delete" : "create", path));
      watcher.on("addDir", (path) => note("create", path));
      watcher.on("change", (path, stats) => note(isDeletionMark(stats) ? "delete" : "modify", path));
      watcher.on("unlink", (path) => note("delete", path));
      watcher.on("unlinkDir", (path) => note("delete", path));
      watcher.on("error", (error) => telemetry.debug("file watching", { error: printable(String(error)) }));
      watcher.once("ready", () => {
        listening = true;
      });
      await ready(watcher);
      return {
        stop: async () => {
          if (stopped) return;
          if (timer !== null) {
            clearTimeout(timer);
            tell();
          }
          stopped = true;
          await watcher.close().catch((error: unknown) => telemetry.debug("file watching did not end", { error: printable(String(error)) }));
        },
      };
    },
  };
}

function open(folder: string, telemetry: Telemetry): FSWatcher | null {
  try {
    return watch(folder, { persistent: true, followSymlinks: false, ignoreInitial: true, usePolling: false, alwaysStat: true, atomic: false, ignorePermissionErrors: true });
  } catch (error) {
    telemetry.debug("files are not watched", { error: printable(String(error)) });
    return null;
  }
}

function ready(watcher: FSWatcher): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, READY_MS);
    watcher.once("ready", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** A whiteout is how an overlay's upper layer says that a name of the lower one was deleted. */
function isDeletionMark(stats: Stats | undefined): boolean {
  return stats !== undefined && stats.isCharacterDevice() && stats.rdev === 0;
}

function merge(earlier: HintEvent | undefined, event: HintEvent): HintEvent {
  if (earlier === undefined || event === "delete") return event;
  if (earlier === "create" && event === "modify") return "create";
  return earlier === "delete" && event === "create" ? "modify" : event;
}

function safely(telemetry: Telemetry, work: () => void): void {
  try {
    work();
  } catch (error) {
    telemetry.debug("a hint was not taken", { error: printable(String(error)) });
  }
}
