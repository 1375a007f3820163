// The user's folder as a tar stream, for an engine that cannot see it: no link followed, regular files, folders and links
// only, without what policy hides. What is read is what is recorded as the state before the session, byte for byte.

import { createHash, type Hash } from "node:crypto";
import { closeSync, fstatSync, readlinkSync, readSync, type Stats } from "node:fs";
import { TAR_END, tarHeader, tarPadding, type Extent } from "../../core/archive/index.js";
import type { Entry } from "../../core/reconcile/change.js";
import { GuardError, LIMITS, printable } from "../../core/shared/index.js";
import type { Breath } from "./breath.js";
import { digestOf } from "./entry.js";
import { openRegular } from "./open-below.js";
import { pathOfRaw, rawBytes, type Raw } from "./raw-path.js";
import { errorCode, isMissing } from "./system-error.js";
import { walkTree } from "./tree-walk.js";

/** A name that the session's protection puts in, besides the user's own. */
export interface PlacedName {
  readonly raw: Raw;
  /** Null for a folder. */
  readonly content: Uint8Array | null;
}

export interface PackInput {
  /** Path of the user's folder. */
  readonly lower: Raw;
  /** Mode of the folder itself. */
  readonly mode: number;
  /** Not sent, with all below. */
  readonly hidden: ReadonlySet<Raw>;
  /** Parents before what lies in them. */
  readonly placed: readonly PlacedName[];
  /** Who owns everything inside. */
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly breath: Breath;
  /** Told of each name of the user's as it was sent. */
  readonly onSent: (raw: Raw, entry: Entry) => void;
  /** Told of each name that is not sent though nothing hides it. */
  readonly onLeftOut: (raw: Raw, why: string) => void;
}

interface Found {
  readonly raw: Raw;
  readonly system: Raw;
  readonly stats: Stats;
}

const CHUNK = 1024 * 1024;
/** Heads and small files go together. */
const SENT_AT_ONCE = 256 * 1024;
/** Zeros shorter than this are sent as they are. */
const HOLE = 64 * 1024;
const ZEROS = Buffer.alloc(HOLE);
/** Longest path sent, in bytes, here or there: where it is unpacked there is a folder above it, and the kernel's limit is 4096. */
const LONGEST = 3_000;

/**
 * The archive, piece by piece. Throws WORKSPACE_LIMIT past `LIMITS.packNames` or `LIMITS.packBytes`, WORKSPACE_UNREADABLE for
 * a folder that cannot be listed.
 */
export async function* packFolder(input: PackInput): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces(input)) {
    waiting.push(piece);
    bytes += piece.length;
    if (bytes < SENT_AT_ONCE) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  yield Buffer.concat(waiting);
}

async function* pieces(input: PackInput): AsyncGenerator<Uint8Array> {
  const { owner, breath } = input;
  const names = await collect(input);
  yield tarHeader({ name: "", kind: "directory", mode: input.mode, ...owner, bytes: 0, modifiedMs: 0, target: "" });
  for (const found of names) {
    const piece = found.stats.isFile() ? null : smallEntry(found, input);
    if (piece !== null) yield piece;
    else if (found.stats.isFile()) yield* fileEntry(found, input);
    if (breath.due()) await breath.pause();
  }
  for (const { raw, content } of input.placed) {
    const bytes = content?.length ?? 0;
    yield tarHeader({ name: raw, kind: content === null ? "directory" : "file", mode: content === null ? 0o755 : 0o644, ...owner, bytes, modifiedMs: 0, target: "" });
    if (content !== null) yield Buffer.concat([content, tarPadding(bytes)]);
  }
  yield TAR_END;
}

/** Every name to send, counted before anything is. */
async function collect({ lower, hidden, breath, onLeftOut }: PackInput): Promise<readonly Found[]> {
  const names: Found[] = [];
  let bytes = 0;
  await walkTree(lower, "", breath, ({ raw, system, stats }) => {
    if (hidden.has(raw)) return "skip";
    if (!stats.isFile() && !stats.isDirectory() && !stats.isSymbolicLink()) {
      onLeftOut(raw, "no file, folder or link");
      return "skip";
    }
    if (lower.length + raw.length > LONGEST) throw new GuardError("WORKSPACE_LIMIT", `a path is too long to be sent: \`${printable(pathOfRaw(raw), 80)}\``, { hint: HINT });
    names.push({ raw, system: system.startsWith("/proc/self/fd/") ? `${lower}/${raw}` : system, stats });
    bytes += stats.isFile() ? stats.size : 0;
    if (names.length > LIMITS.packNames) throw new GuardError("WORKSPACE_LIMIT", `the folder holds more than ${LIMITS.packNames} names, too many to be sent to an engine that does not see it`, { hint: HINT });
    if (bytes > LIMITS.packBytes) throw new GuardError("WORKSPACE_LIMIT", `the folder holds more than ${LIMITS.packBytes} bytes, too many to be sent to an engine that does not see it`, { hint: HINT });
    return "enter";
  });
  return names;
}

const HINT = "choose a smaller folder, or an engine on this machine";

/** A folder or a link; null when it is gone. */
function smallEntry({ raw, system, stats }: Found, { owner, onSent }: PackInput): Uint8Array | null {
  const mode = stats.mode & 0o1777;
  if (stats.isDirectory()) {
    onSent(raw, { kind: "directory", mode, bytes: 0, digest: null, target: null });
    return tarHeader({ name: raw, kind: "directory", mode, ...owner, bytes: 0, modifiedMs: stats.mtimeMs, target: "" });
  }
  try {
    const target = readlinkSync(rawBytes(system), { encoding: "buffer" });
    onSent(raw, { kind: "symlink", mode: 0o777, bytes: target.length, digest: digestOf(target), target: pathOfRaw(target.toString("latin1")) });
    return tarHeader({ name: raw, kind: "symlink", mode: 0o777, ...owner, bytes: 0, modifiedMs: stats.mtimeMs, target: target.toString("latin1") });
  } catch (error) {
    if (isMissing(error) || errorCode(error) === "EINVAL") return null;
    throw error;
  }
}

/** A regular file: as many bytes as it had when it was opened, whatever happens to it meanwhile. */
async function* fileEntry(found: Found, input: PackInput): AsyncGenerator<Uint8Array> {
  const fd = openFile(found, input);
  if (fd === null) return;
  try {
    const stats = fstatSync(fd);
    const { raw } = found;
    const mode = stats.mode & 0o1777;
    const bytes = stats.size;
    const extents = stats.blocks * 512 < bytes && bytes > HOLE ? await dataOf(fd, bytes, input.breath) : null;
    yield tarHeader({ name: raw, kind: "file", mode, ...input.owner, bytes, modifiedMs: stats.mtimeMs, target: "", ...(extents === null ? {} : { extents }) });
    const hash = createHash("sha256");
    let at = 0;
    let sent = 0;
    for (const extent of extents ?? [{ offset: 0, bytes }]) {
      await addZeros(hash, extent.offset - at, input.breath);
      at = extent.offset;
      while (at < extent.offset + extent.bytes) {
        const piece = readPiece(fd, at, Math.min(CHUNK, extent.offset + extent.bytes - at));
        hash.update(piece);
        at += piece.length;
        sent += piece.length;
        yield piece;
        if (input.breath.due()) await input.breath.pause();
      }
    }
    await addZeros(hash, bytes - at, input.breath);
    const padding = tarPadding(sent);
    if (padding.length > 0) yield padding;
    input.onSent(raw, { kind: "file", mode, bytes, digest: `sha256:${hash.digest("hex")}`, target: null });
  } finally {
    closeSync(fd);
  }
}

/** A piece of its own each time: the one before may not be sent yet. What is gone meanwhile is zeros, here and in the record. */
function readPiece(fd: number, at: number, size: number): Buffer {
  const piece = Buffer.alloc(size);
  for (let filled = 0; filled < size; ) {
    const got = readSync(fd, piece, filled, size - filled, at + filled);
    if (got === 0) break;
    filled += got;
  }
  return piece;
}

async function addZeros(hash: Hash, bytes: number, breath: Breath): Promise<void> {
  for (let left = bytes; left > 0; left -= HOLE) {
    hash.update(left < HOLE ? ZEROS.subarray(0, left) : ZEROS);
    if (breath.due()) await breath.pause();
  }
}

function openFile({ raw, system, stats }: Found, { onLeftOut }: PackInput): number | null {
  try {
    return openRegular(system, stats);
  } catch (error) {
    if (errorCode(error) !== "EACCES" && errorCode(error) !== "EPERM") throw error;
    onLeftOut(raw, "not readable by you");
    return null;
  }
}

/** Where a file holds something but zeros, in pieces of `HOLE`. */
async function dataOf(fd: number, bytes: number, breath: Breath): Promise<readonly Extent[]> {
  const extents: { offset: number; bytes: number }[] = [];
  const buffer = Buffer.alloc(CHUNK);
  for (let at = 0; at < bytes; at += CHUNK) {
    const got = readSync(fd, buffer, 0, Math.min(CHUNK, bytes - at), at);
    for (let part = 0; part < got; part += HOLE) {
      const piece = buffer.subarray(part, Math.min(part + HOLE, got));
      if (Buffer.compare(piece, ZEROS.subarray(0, piece.length)) === 0) continue;
      const last = extents.at(-1);
      if (last !== undefined && last.offset + last.bytes === at + part) last.bytes += piece.length;
      else extents.push({ offset: at + part, bytes: piece.length });
    }
    if (breath.due()) await breath.pause();
  }
  // Some readers take the size from where the map ends.
  const last = extents.at(-1);
  if (last === undefined || last.offset + last.bytes < bytes) extents.push({ offset: bytes, bytes: 0 });
  return extents;
}
