// How many names lie in the sandbox's own writable folders, by the kernel's count of inodes: a look that costs microseconds
// and tells whether there is anything to list. Says nothing about what the names are.

import { statfsSync } from "node:fs";

/** Folders in memory that a sandbox has beside the workspace. */
export const SCRATCH_FOLDERS = ["/tmp", "/var/tmp", "/home/agent", "/run", "/dev/shm"] as const;

/** Inodes in use besides the folders' own; null when the kernel does not count one of them. */
export function countScratch(): number | null {
  let names = 0;
  try {
    for (const folder of SCRATCH_FOLDERS) {
      const { files, ffree } = statfsSync(folder);
      if (files === 0) return null;
      names += files - ffree - 1;
    }
    return Math.max(0, names);
  } catch {
    return null;
  }
}
