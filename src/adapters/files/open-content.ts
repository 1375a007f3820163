// One changed name of a session, open for reading piece by piece, no link followed in any component. For what is too large
// to be held in memory, and for what only the disk tells: its time, and whether it has holes.

import { closeSync, fstatSync, lstatSync, readSync } from "node:fs";
import type { OpenContent } from "../../ports/workspace.js";
import { isWhiteout } from "./base-layer.js";
import { holdBelow, holdFolder, openRegular, type HeldFolder } from "./open-below.js";
import { parentRaw, rawBytes, rawFromText, type Raw } from "./raw-path.js";

/** The name below a folder, or what is there instead. `whiteout` is the overlay's mark of a deleted name. Throws the system's error. */
export function openBelow(root: string, raw: Raw): OpenContent | "missing" | "whiteout" {
  const top = holdFolder(rawFromText(root));
  try {
    return openIn(top, raw);
  } finally {
    top.close();
  }
}

function openIn(top: HeldFolder, raw: Raw): OpenContent | "missing" | "whiteout" {
  const parent = parentRaw(raw);
  const folder = holdBelow(top, parent);
  if (folder === null) return "missing";
  try {
    const path = `${folder.prefix}/${raw.slice(parent === "" ? 0 : parent.length + 1)}`;
    const stats = lstatSync(rawBytes(path), { throwIfNoEntry: false });
    if (stats === undefined) return "missing";
    if (isWhiteout(stats)) return "whiteout";
    if (!stats.isFile()) return { modifiedMs: stats.mtimeMs, bytes: 0, hasHoles: false, read: () => 0, close: () => undefined };
    const fd = openRegular(path, stats);
    return fd === null ? "missing" : contentOf(fd);
  } finally {
    folder.close();
  }
}

/** Content in memory; when it was written is not known. */
export function contentOfBytes(content: Uint8Array): OpenContent {
  return {
    modifiedMs: null,
    bytes: content.length,
    hasHoles: false,
    read: (buffer, position) => {
      const piece = content.subarray(position, position + buffer.length);
      buffer.set(piece);
      return piece.length;
    },
    close: () => undefined,
  };
}

/** Takes the descriptor over. */
export function contentOf(fd: number): OpenContent {
  const stats = fstatSync(fd);
  let open = true;
  return {
    modifiedMs: stats.mtimeMs,
    bytes: stats.size,
    hasHoles: stats.blocks * 512 < stats.size,
    read: (buffer, position) => readSync(fd, buffer, 0, buffer.length, position),
    close: () => {
      if (open) closeSync(fd);
      open = false;
    },
  };
}
