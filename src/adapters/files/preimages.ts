// Content that files had after earlier calls of a session, kept by digest, so that a later forbidden change can be undone
// to just before its call. One growing file and an index: thousands of small files cost one write.

import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Change } from "../../core/reconcile/change.js";
import { GuardError, isSessionId, LIMITS, printable, type Digest } from "../../core/shared/index.js";
import type { Workspace } from "../../ports/workspace.js";
import { digestOf } from "./entry.js";
import { layerPaths } from "./layers.js";
import { errorCode } from "./system-error.js";

export interface Preimages {
  /**
   * Keeps the present content of every regular file among the changes. Not kept: files over `LIMITS.preimageBytes`, and
   * anything past `LIMITS.preimageTotalBytes`: those it gives back. Throws STATE_UNUSABLE when the disk refuses.
   */
  remember(workspace: Workspace, changes: readonly Change[]): Promise<readonly Change[]>;
  /** Keeps these contents, within the same limits. Throws STATE_UNUSABLE when the disk refuses. */
  keep(contents: readonly Uint8Array[]): void;
  /** Content by digest, checked; null when it was not kept. */
  load(digest: Digest): Promise<Uint8Array | null>;
}

interface Place {
  readonly offset: number;
  readonly length: number;
}

const BATCH = 4 * 1024 * 1024;

/** The store of one session; its folder is removed with the session's layers. */
export function createPreimages(options: { readonly stateDir: string; readonly sessionId: string }): Preimages {
  const { stateDir, sessionId } = options;
  if (!isSessionId(sessionId)) throw new GuardError("SESSION_NOT_FOUND", `\`${printable(sessionId)}\` is no session id`);
  return openPreimages(layerPaths(stateDir, sessionId).objects);
}

/** A store in a folder of its own. */
export function openPreimages(folder: string): Preimages {
  const pack = join(folder, "pack");
  const indexFile = join(folder, "index");
  const index = readIndex(indexFile);
  let total = [...index.values()].reduce((sum, place) => Math.max(sum, place.offset + place.length), 0);

  return {
    remember: async (workspace, changes) => {
      const batch: { digest: Digest; content: Uint8Array }[] = [];
      const unkept: Change[] = [];
      let waiting = 0;
      for (const change of changes) {
        const { path, after } = change;
        if (after?.kind !== "file" || (after.digest !== null && index.has(after.digest))) continue;
        if (after.bytes > LIMITS.preimageBytes || total + waiting + after.bytes > LIMITS.preimageTotalBytes) {
          unkept.push(change);
          continue;
        }
        if (after.digest === null) continue;
        const found = await workspace.readChanged(path, LIMITS.preimageBytes);
        if (found === null || found.entry.digest !== after.digest) continue;
        batch.push({ digest: after.digest, content: found.content });
        waiting += found.content.length;
        if (waiting < BATCH) continue;
        write(batch.splice(0));
        waiting = 0;
      }
      write(batch);
      return unkept;
    },
    keep: (contents) => {
      let room = LIMITS.preimageTotalBytes - total;
      write(
        contents.flatMap((content) => {
          room -= content.length;
          return content.length > LIMITS.preimageBytes || room < 0 ? [] : [{ digest: digestOf(content), content }];
        }),
      );
    },
    load: async (digest) => {
      const place = index.get(digest);
      if (place === undefined) return null;
      const content = attempt(() => readAt(pack, place));
      return digestOf(content) === digest ? content : null;
    },
  };

  function write(batch: readonly { readonly digest: Digest; readonly content: Uint8Array }[]): void {
    if (batch.length === 0) return;
    attempt(() => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const fd = openSync(pack, "a", 0o600);
      try {
        let offset = fstatSync(fd).size;
        let lines = "";
        const fresh = new Map<Digest, Place>();
        for (const { digest, content } of batch) {
          if (index.has(digest) || fresh.has(digest)) continue;
          for (let done = 0; done < content.length; ) done += writeSync(fd, content, done);
          fresh.set(digest, { offset, length: content.length });
          lines += `${digest} ${offset} ${content.length}\n`;
          offset += content.length;
        }
        appendFileSync(indexFile, lines, { mode: 0o600 });
        for (const [digest, place] of fresh) index.set(digest, place);
        total = offset;
      } finally {
        closeSync(fd);
      }
    });
  }
}

function readIndex(path: string): Map<Digest, Place> {
  const index = new Map<Digest, Place>();
  let text = "";
  try {
    text = readFileSync(path, "latin1");
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw failure(error);
  }
  for (const line of text.split("\n")) {
    const match = /^(sha256:[0-9a-f]{64}) (\d{1,15}) (\d{1,15})$/.exec(line);
    if (match !== null) index.set(match[1] as Digest, { offset: Number(match[2]), length: Number(match[3]) });
  }
  return index;
}

function readAt(path: string, place: Place): Uint8Array {
  const fd = openSync(path, "r");
  try {
    const content = Buffer.alloc(place.length);
    let filled = 0;
    while (filled < place.length) {
      const count = readSync(fd, content, filled, place.length - filled, place.offset + filled);
      if (count === 0) break;
      filled += count;
    }
    return content.subarray(0, filled);
  } finally {
    closeSync(fd);
  }
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw failure(error);
  }
}

function failure(error: unknown): GuardError {
  return new GuardError("STATE_UNUSABLE", `the session's kept contents cannot be used: ${errorCode(error)}`, { cause: error });
}
