// Tells whether the folders of a walk lie on the disk: a walk then waits for it once a folder, and they are better read beforehand, many at
// a time. Only where the first of them show that the kernel has them no longer: asking costs more than a look at what it has.

import { lstatSync } from "node:fs";
import { joinRaw, rawBytes, type Raw } from "./raw-path.js";

/** So many are looked at to tell. */
const SAMPLE = 16;
/** What the kernel has takes a tenth to a third of this, in milliseconds; a disk takes longer. */
const SLOW_MS = 0.1;
/** So many slow ones tell: folders that lie together on the disk come with the first of them, and one may be slow by chance. */
const ENOUGH = 2;

/** How a folder is looked at. What comes of it is nobody's concern. */
export interface FolderLook {
  readonly now: (path: Buffer) => void;
  readonly elapsedMs: () => number;
}

const SYSTEM: FolderLook = {
  now: (path) => void lstatSync(path, { throwIfNoEntry: false }),
  elapsedMs: () => performance.now(),
};

/**
 * Of one walk through the folders below `root`: called with each before anything else looks at it, true with the one that shows that the
 * folders lie on the disk. Never throws.
 */
export function createColdSense(root: Raw, look: FolderLook = SYSTEM): (raw: Raw) => boolean {
  let seen = 0;
  let slow = 0;
  return (raw) => {
    if (seen >= SAMPLE || slow >= ENOUGH) return false;
    seen += 1;
    const begun = look.elapsedMs();
    try {
      look.now(rawBytes(raw === "" ? root : joinRaw(root, raw)));
    } catch {
      // It cannot be looked at; whoever needs it is told.
    }
    if (look.elapsedMs() - begun > SLOW_MS) slow += 1;
    return slow >= ENOUGH;
  };
}
