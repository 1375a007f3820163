// What tells that a folder's listing is still what it was: the kernel changes a folder's times whenever a name in it comes, goes, or
// comes to stand for something else, and nobody can set the time of the last change (ctime) but through the machine's clock.

import { lstatSync, statfsSync } from "node:fs";
import { joinRaw, rawBytes, type Raw } from "./raw-path.js";

/** A folder that changed so shortly before it was listed may change again without another time: clocks of file systems tick in milliseconds. */
const RACY_MS = 2_000;

/**
 * File systems of this machine's own kernel that keep a folder's times for every change, by `statfs` type. What a network, another
 * machine or a program answers for, and layers over others, may not.
 */
const TOLD: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // btrfs
  0xf2f52010, // F2FS
  0x01021994, // tmpfs
]);

export interface FolderStamp {
  /** Equal texts, equal listing. */
  readonly text: string;
  /** A listing made after this stamp may be kept behind it. */
  readonly isSettled: boolean;
  /** When it changed last, in milliseconds of the machine's clock. */
  readonly changedMs: number;
}

export type Stamper = (raw: Raw) => FolderStamp | null;

/**
 * Stamps of folders below `root`, each to be taken before the folder is listed; null for what is no folder, or not on such a file system.
 * @param nowMs the clock that the file system's times are from
 */
export function createStamper(root: Raw, nowMs: () => number = Date.now): Stamper {
  const told = new Map<bigint, boolean>();
  return (raw) => {
    const path = rawBytes(raw === "" ? root : joinRaw(root, raw));
    try {
      const now = nowMs();
      const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (stats === undefined || !stats.isDirectory()) return null;
      let isTold = told.get(stats.dev);
      if (isTold === undefined) told.set(stats.dev, (isTold = TOLD.has(statfsSync(path).type)));
      if (!isTold) return null;
      const { dev, ino, mtimeNs, ctimeNs, nlink, size } = stats;
      const changed = Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1_000_000n);
      return { text: [dev, ino, mtimeNs, ctimeNs, nlink, size].join(" "), isSettled: now - changed > RACY_MS, changedMs: changed };
    } catch {
      // It cannot be looked at: then it is listed, which tells why.
      return null;
    }
  };
}
