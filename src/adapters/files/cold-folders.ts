// Tells whether the folders of a walk lie on the disk: a walk then waits for it once a folder, and they are better read beforehand, many at
// a time. Only where the first of them show that the kernel has them no longer: asking costs more than a look at what it has.

import { lstatSync } from "node:fs";
import { joinRaw, rawBytes, type Raw } from "./raw-path.js";

/** So many are looked at to tell: folders that lie together on the disk come with the first of them. */
const SAMPLE = 64;
/** So many that had to be read tell: one may have been forgotten alone, or another thread of this process read meanwhile. */
const ENOUGH = 2;

/** How a folder is looked at. What comes of it is nobody's concern. */
export interface FolderLook {
  readonly now: (path: Buffer) => void;
  /** How much this process had read from disks until now. A kernel that does not count it has never read anything. */
  readonly blocksRead: () => number;
}

const SYSTEM: FolderLook = {
  now: (path) => void lstatSync(path, { throwIfNoEntry: false }),
  blocksRead: () => process.resourceUsage().fsRead,
};

/**
 * Of one walk through the folders below `root`: called with each before anything else looks at it, true with the one that shows that the
 * folders lie on the disk. Never throws.
 */
export function createColdSense(root: Raw, look: FolderLook = SYSTEM): (raw: Raw) => boolean {
  let seen = 0;
  let read = 0;
  return (raw) => {
    if (seen >= SAMPLE || read >= ENOUGH) return false;
    seen += 1;
    const before = look.blocksRead();
    try {
      look.now(rawBytes(raw === "" ? root : joinRaw(root, raw)));
    } catch {
      // It cannot be looked at; whoever needs it is told.
    }
    if (look.blocksRead() > before) read += 1;
    return read >= ENOUGH;
  };
}
