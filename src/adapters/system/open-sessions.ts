// Marks of open sessions: one small file each, with the lease of the process that holds it. Found by the next command after a crash.

import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GuardError, isSessionId, printable } from "../../core/shared/index.js";

export interface OpenSessionsOptions {
  readonly stateDir: string;
  /** Lease of this process. */
  readonly lease: string;
  readonly isLeaseAlive: (lease: string) => boolean;
}

const MAX_LEASE = 4096;

/** Keeps marks in `<stateDir>/open/`. A mark that cannot be read counts as abandoned only when it is no lease of a living process. */
export function createOpenSessions(options: OpenSessionsOptions) {
  const folder = join(options.stateDir, "open");
  const markOf = (sessionId: string): string => join(folder, sessionId);
  return {
    /** Whole or not at all: half a lease would name nobody, and never count as abandoned. Throws STATE_UNUSABLE. */
    mark: async (sessionId: string): Promise<void> => {
      const draft = join(folder, `.${sessionId}`);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFile(draft, options.lease, { mode: 0o600, flag: "wx" });
        await rename(draft, markOf(sessionId));
      } catch (cause) {
        await rm(draft, { force: true });
        const full = (cause as NodeJS.ErrnoException).code === "ENOSPC";
        throw new GuardError("STATE_UNUSABLE", `the state folder cannot be written: ${printable(String((cause as Error).message))}`, { cause, ...(full ? { hint: "nothing ran; free disk space" } : {}) });
      }
    },
    isMarked: async (sessionId: string): Promise<boolean> => stat(markOf(sessionId)).then(() => true, () => false),
    clear: async (sessionId: string): Promise<void> => {
      await rm(markOf(sessionId), { force: true });
    },
    abandoned: async (): Promise<readonly string[]> => {
      const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw error;
      });
      const abandoned: string[] = [];
      for (const name of names) {
        if (!isSessionId(name)) continue;
        const lease = await readFile(markOf(name), "utf8").catch(() => null);
        if (lease !== null && (lease.length > MAX_LEASE || !options.isLeaseAlive(lease))) abandoned.push(name);
      }
      return abandoned;
    },
  };
}
