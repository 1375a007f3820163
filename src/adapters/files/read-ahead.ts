// Folders that a disk has to be asked for are asked for side by side: one after the other, a start on a large folder waits for the disk once a
// folder. Only where the first of them show that the kernel has them no longer: asking costs more than a look at what it has.

import { lstat, lstatSync } from "node:fs";
import { joinRaw, rawBytes, type Raw } from "./raw-path.js";

/** So many are looked at to tell. */
const SAMPLE = 16;
/** What the kernel has takes a tenth to a third of this, in milliseconds; a disk takes longer. */
const SLOW_MS = 0.1;
/** So many slow ones tell: folders that lie together on the disk come with the first of them, and one may be slow by chance. */
const ENOUGH = 2;

/** How a folder is looked at, at once and beside everything else. What comes of it is nobody's concern. */
export interface FolderLook {
  readonly now: (path: Buffer) => void;
  readonly soon: (path: Buffer) => void;
  readonly elapsedMs: () => number;
}

export interface ReadAhead {
  /** The next folder of a walk; true with the one that shows that the folders lie on the disk. Call before anything else looks at it. */
  readonly visit: (raw: Raw) => boolean;
  /** A folder that the walk comes to later. Does nothing unless it is known that they lie on the disk. */
  readonly soon: (raw: Raw) => void;
}

const SYSTEM: FolderLook = {
  now: (path) => void lstatSync(path, { throwIfNoEntry: false }),
  soon: (path) => lstat(path, () => undefined),
  elapsedMs: () => performance.now(),
};

/** Of one walk through the folders below `root`. Nothing of it throws, waits or tells anything of a folder. */
export function createReadAhead(root: Raw, look: FolderLook = SYSTEM): ReadAhead {
  const pathOf = (raw: Raw): Buffer => rawBytes(raw === "" ? root : joinRaw(root, raw));
  let seen = 0;
  let slow = 0;
  let isCold = false;
  return {
    visit: (raw) => {
      if (seen >= SAMPLE) return false;
      seen += 1;
      const begun = look.elapsedMs();
      try {
        look.now(pathOf(raw));
      } catch {
        // It cannot be looked at; whoever needs it is told.
      }
      if (look.elapsedMs() - begun > SLOW_MS) slow += 1;
      const wasCold = isCold;
      isCold ||= slow >= ENOUGH;
      return isCold && !wasCold;
    },
    soon: (raw) => {
      if (isCold) look.soon(pathOf(raw));
    },
  };
}
