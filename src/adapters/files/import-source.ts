// Files of other tools, read in a stream: lines up to a limit, or the whole of a document. Whoever wrote them is not trusted: no link
// of a folder is followed, only regular files are read, and what is too long is told, not held.

import { createHash } from "node:crypto";
import { closeSync, constants, createReadStream, fstatSync, lstatSync, openSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import { GuardError, LIMITS, printable, type Digest } from "../../core/shared/index.js";
import { errorCode } from "./system-error.js";

const CHUNK_BYTES = 1024 * 1024;
const DEPTH = 16;
const LINE_FEED = 0x0a;
const EVENT_FILE = /^event-\d{1,9}-[\w-]{1,80}\.json$/u;
const KNOWN_ENDING = /\.(?:traj|json|jsonl|ndjson)$/iu;

/** One line of a file. `text` is null where it was too long to be held. */
export interface SourceLine {
  /** From 1. */
  readonly number: number;
  readonly text: string | null;
  readonly bytes: number;
  /** Bytes that are no UTF-8 were replaced. */
  readonly isReplaced: boolean;
}

/** A file as read to its end. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: number;
  /** Digest of the bytes as far as they were read; whole once the lines are at their end. */
  readonly digest: () => Digest;
  /** The lines, in a stream. Blank lines are left out. To be read once. */
  readonly lines: () => AsyncGenerator<SourceLine, void, undefined>;
  readonly close: () => void;
}

/** What a named path holds: files, and folders of one event a file, which make one session. */
export type SourceEntry = { readonly kind: "file"; readonly path: string } | { readonly kind: "events"; readonly path: string; readonly files: readonly string[] };

/** What there is to import under a path, in order of names. @throws GuardError TRAJECTORY_INVALID */
export function listSources(path: string): readonly SourceEntry[] {
  const stats = statOf(path);
  if (!stats.isDirectory()) return [{ kind: "file", path }];
  const found: SourceEntry[] = [];
  walk(path, 0, found);
  return found;
}

function statOf(path: string): Stats {
  try {
    const stats = lstatSync(path);
    // What the user names may be a link; what lies in a folder may not.
    return stats.isSymbolicLink() ? fstatOf(path) : stats;
  } catch (cause) {
    throw new GuardError("TRAJECTORY_INVALID", `\`${printable(path)}\` cannot be read: ${printable(errorCode(cause))}`, { cause, hint: "name a file or a folder" });
  }
}

function fstatOf(path: string): Stats {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return fstatSync(fd);
  } finally {
    closeSync(fd);
  }
}

function walk(folder: string, depth: number, found: SourceEntry[]): void {
  if (depth > DEPTH) throw new GuardError("TRAJECTORY_INVALID", `\`${printable(folder)}\` is nested deeper than ${DEPTH} folders`);
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  const events = entries.filter((entry) => entry.isFile() && EVENT_FILE.test(entry.name)).map((entry) => join(folder, entry.name));
  if (events.length > 0) found.push({ kind: "events", path: folder, files: events });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) walk(path, depth + 1, found);
    else if (entry.isFile() && KNOWN_ENDING.test(entry.name) && !EVENT_FILE.test(entry.name)) found.push({ kind: "file", path });
    if (found.length > LIMITS.importFiles) throw new GuardError("TRAJECTORY_INVALID", `\`${printable(folder)}\` holds more than ${LIMITS.importFiles} files`, { hint: "import its folders one by one" });
  }
}

/** Opens a regular file within the limit. @throws GuardError TRAJECTORY_INVALID */
export function openSource(path: string): SourceFile {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new GuardError("TRAJECTORY_INVALID", `\`${printable(path)}\` cannot be read: ${printable(errorCode(cause))}`, { cause });
  }
  const { size } = checked(fd, path);
  const hash = createHash("sha256");
  return {
    path,
    bytes: size,
    digest: () => `sha256:${hash.copy().digest("hex")}`,
    lines: () => linesOf(fd, size, hash),
    close: () => closeSync(fd),
  };
}

function checked(fd: number, path: string): Stats {
  const stats = fstatSync(fd);
  const problem = !stats.isFile() ? "is no regular file" : stats.size > LIMITS.trajectoryBytes ? `is larger than ${LIMITS.trajectoryBytes} bytes` : null;
  if (problem === null) return stats;
  closeSync(fd);
  throw new GuardError("TRAJECTORY_INVALID", `\`${printable(path)}\` ${problem}`, { hint: stats.isFile() ? "import one session at a time" : "name a file or a folder" });
}

async function* linesOf(fd: number, size: number, hash: ReturnType<typeof createHash>): AsyncGenerator<SourceLine, void, undefined> {
  if (size === 0) return;
  let number = 1;
  let held: Buffer[] = [];
  let bytes = 0;
  const add = (part: Buffer): void => {
    bytes += part.length;
    if (bytes <= LIMITS.importLineBytes) held.push(part);
    else held = [];
  };
  const line = (): SourceLine | null => {
    const whole = bytes > LIMITS.importLineBytes ? null : Buffer.concat(held);
    const made = whole === null ? { number, text: null, bytes, isReplaced: false } : textLine(whole, number);
    held = [];
    bytes = 0;
    number += 1;
    return made;
  };
  for await (const chunk of createReadStream("", { fd, start: 0, end: size - 1, autoClose: false, highWaterMark: CHUNK_BYTES })) {
    const buffer = chunk as Buffer;
    hash.update(buffer);
    for (let from = 0; from < buffer.length; ) {
      const end = buffer.indexOf(LINE_FEED, from);
      add(buffer.subarray(from, end === -1 ? undefined : end));
      if (end === -1) break;
      const made = line();
      if (made !== null) yield made;
      from = end + 1;
    }
  }
  const last = bytes > 0 ? line() : null;
  if (last !== null) yield last;
}

/** A line as text; null for a blank one. */
function textLine(bytes: Buffer, number: number): SourceLine | null {
  let text: string;
  let isReplaced = false;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // Not UTF-8: the rest of the line may still tell what was called.
    text = new TextDecoder("utf-8").decode(bytes);
    isReplaced = true;
  }
  return text.trim() === "" ? null : { number, text, bytes: bytes.length, isReplaced };
}
