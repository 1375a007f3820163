// When two looks at one name are the same, and what kind of change lies between them. One definition for the scan of a
// workspace, the comparison of two scans, and the taking over of changes.

import type { Change, Entry } from "./change.js";

/**
 * Same kind and same content, whatever the permission bits. Two files too large for a digest are the same only as the
 * very same entry: a scan hands out one object for as long as the file underneath is untouched.
 */
export function isSameContent(a: Entry, b: Entry): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case "file":
      return a.bytes === b.bytes && a.digest !== null && a.digest === b.digest;
    case "symlink":
      return a.target === b.target;
    case "device":
    case "directory":
    case "fifo":
    case "socket":
      return true;
  }
}

/** Same content and, except for links, the same permission bits. */
export function isSameEntry(a: Entry | null, b: Entry | null): boolean {
  if (a === null || b === null) return a === b;
  return isSameContent(a, b) && (a.kind === "symlink" || a.mode === b.mode);
}

/** The change from one state of a name to another; null when there is none. */
export function changeBetween(path: string, before: Entry | null, after: Entry | null): Change | null {
  if (before === null && after === null) return null;
  if (before === null) return { path, operation: "create", before, after };
  if (after === null) return { path, operation: "delete", before, after };
  if (!isSameContent(before, after)) return { path, operation: "modify", before, after };
  return isSameEntry(before, after) ? null : { path, operation: "metadata", before, after };
}
