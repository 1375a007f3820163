// The content of one name below a folder, no link followed in any component, whole or not at all.

import { closeSync, fstatSync, lstatSync, readlinkSync, readSync } from "node:fs";
import type { Entry } from "../../core/reconcile/change.js";
import { GuardError, printable } from "../../core/shared/index.js";
import { isWhiteout } from "./base-layer.js";
import { digestOf, kindOf } from "./entry.js";
import { holdBelow, holdFolder, openRegular, type HeldFolder } from "./open-below.js";
import { parentRaw, pathOfRaw, rawBytes, rawFromText, type Raw } from "./raw-path.js";

export interface Content {
  /** Bytes of a file, target of a link; empty for everything else. */
  readonly content: Uint8Array;
  readonly entry: Entry;
}

/** `whiteout` is the overlay's mark of a deleted name. */
export type ContentLookup = Content | "missing" | "whiteout";

/** Throws WORKSPACE_LIMIT for a file larger than `limitBytes`, and the system's error when it cannot be read. */
export function readBelow(root: string, raw: Raw, limitBytes: number): ContentLookup {
  const top = holdFolder(rawFromText(root));
  try {
    return readIn(top, raw, limitBytes);
  } finally {
    top.close();
  }
}

function readIn(top: HeldFolder, raw: Raw, limitBytes: number): ContentLookup {
  const parent = parentRaw(raw);
  const folder = holdBelow(top, parent);
  if (folder === null) return "missing";
  try {
    const path = `${folder.prefix}/${raw.slice(parent === "" ? 0 : parent.length + 1)}`;
    const stats = lstatSync(rawBytes(path), { throwIfNoEntry: false });
    if (stats === undefined) return "missing";
    if (isWhiteout(stats)) return "whiteout";
    const kind = kindOf(stats);
    const mode = stats.mode & 0o7777;
    if (kind === "symlink") {
      const target = readlinkSync(rawBytes(path), { encoding: "buffer" });
      return { content: target, entry: { kind, mode, bytes: target.length, digest: digestOf(target), target: pathOfRaw(target.toString("latin1")) } };
    }
    if (kind !== "file") return { content: new Uint8Array(0), entry: { kind, mode, bytes: 0, digest: null, target: null } };
    const fd = openRegular(path, stats);
    if (fd === null) return "missing";
    try {
      const content = readWhole(fd, raw, limitBytes);
      return { content, entry: { kind, mode, bytes: content.length, digest: digestOf(content), target: null } };
    } finally {
      closeSync(fd);
    }
  } finally {
    folder.close();
  }
}

function readWhole(fd: number, raw: Raw, limitBytes: number): Uint8Array {
  const size = fstatSync(fd).size;
  if (size > limitBytes) throw new GuardError("WORKSPACE_LIMIT", `\`${printable(pathOfRaw(raw))}\` is larger than ${limitBytes} bytes`);
  const buffer = Buffer.alloc(size);
  let filled = 0;
  while (filled < size) {
    const count = readSync(fd, buffer, filled, size - filled, filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}
