// The heads of a tar archive, as every reader takes them: POSIX ustar, with pax records for what does not fit. Pure: content
// is written by whoever has it. Names are bytes, one character each, and never leave the folder they are unpacked in.
// Format: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Header Block"; holes as GNU's sparse format 1.0.

import { concatBytes } from "../shared/bytes.js";
import { GuardError } from "../shared/index.js";

/** A part of a file that holds something; what lies between is zero. */
export interface Extent {
  readonly offset: number;
  readonly bytes: number;
}

/** One name of an archive. */
export interface TarEntry {
  /** Relative, `/`-separated, without `.` and `..` parts; the empty string is the folder itself. */
  readonly name: string;
  readonly kind: "file" | "directory" | "symlink";
  /** Permission bits; set-id bits are never written. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Size of a file; 0 for the rest. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modifiedMs: number;
  /** Text of a link; empty for the rest. */
  readonly target: string;
  /** Where a file with holes holds something, in order; left out: everywhere. Its content is then the map and these parts. */
  readonly extents?: readonly Extent[];
}

export const TAR_BLOCK = 512;
/** Ends an archive. */
export const TAR_END: Uint8Array = new Uint8Array(2 * TAR_BLOCK);

const NAME = 100;
/** Largest number an octal field of 11 digits holds. */
const OCTAL_11 = 8 ** 11 - 1;
const OCTAL_7 = 8 ** 7 - 1;
const TYPES = { file: "0", directory: "5", symlink: "2" } as const;

/** The zeros that fill a file's last block. */
export function tarPadding(bytes: number): Uint8Array {
  return new Uint8Array((TAR_BLOCK - (bytes % TAR_BLOCK)) % TAR_BLOCK);
}

/**
 * Everything of an entry before its content: its pax records, its head, and the map of its holes, which is content to a
 * reader that does not know it. Throws USAGE_INVALID for a name that leaves the folder.
 */
export function tarHeader(entry: TarEntry): Uint8Array {
  checkName(entry);
  const map = entry.extents === undefined ? null : sparseMap(entry.extents);
  const stored = map === null ? entry.bytes : map.length + (entry.extents ?? []).reduce((sum, extent) => sum + extent.bytes, 0);
  const name = entry.kind === "directory" ? `${entry.name === "" ? "." : entry.name}/` : entry.name;
  const records = recordsOf(entry, name, stored);
  const parts: Uint8Array[] = [];
  if (records.length > 0) {
    const body = latin(records.map(([key, value]) => record(key, value)).join(""));
    parts.push(block({ name: "./pax", type: "x", mode: 0o644, uid: 0, gid: 0, bytes: body.length, seconds: 0, target: "" }), body, tarPadding(body.length));
  }
  const seconds = Math.min(Math.max(0, Math.floor(entry.modifiedMs / 1000)), OCTAL_11);
  const { mode, uid, gid, target } = entry;
  parts.push(block({ name, type: TYPES[entry.kind], mode: mode & 0o1777, uid: Math.min(uid, OCTAL_7), gid: Math.min(gid, OCTAL_7), bytes: Math.min(stored, OCTAL_11), seconds, target }));
  if (map !== null) parts.push(map);
  return concatBytes(...parts);
}

/** The map of a file with holes, as it stands before the file's parts: how many, then offset and length of each. */
export function sparseMap(extents: readonly Extent[]): Uint8Array {
  const text = latin(`${extents.length}\n${extents.map(({ offset, bytes }) => `${offset}\n${bytes}\n`).join("")}`);
  return concatBytes(text, tarPadding(text.length));
}

function checkName({ name, kind }: TarEntry): void {
  if (name === "" && kind === "directory") return;
  const isClean = !name.includes("\0") && name.split("/").every((part) => part !== "" && part !== "." && part !== "..");
  if (!isClean) throw new GuardError("USAGE_INVALID", "a name of the archive would leave its folder");
}

function recordsOf(entry: TarEntry, name: string, stored: number): readonly (readonly [string, string])[] {
  const records: [string, string][] = [];
  if (entry.extents !== undefined) {
    records.push(["GNU.sparse.major", "1"], ["GNU.sparse.minor", "0"], ["GNU.sparse.name", name], ["GNU.sparse.realsize", String(entry.bytes)]);
  } else if (!fits(name)) records.push(["path", name]);
  if (!fits(entry.target)) records.push(["linkpath", entry.target]);
  if (stored > OCTAL_11) records.push(["size", String(stored)]);
  if (entry.uid > OCTAL_7) records.push(["uid", String(entry.uid)]);
  if (entry.gid > OCTAL_7) records.push(["gid", String(entry.gid)]);
  if (entry.modifiedMs > 0 && entry.modifiedMs % 1000 !== 0) records.push(["mtime", decimalSeconds(entry.modifiedMs)]);
  return records;
}

/** Plain bytes that fit a field of the head need no record; anything outside ASCII gets one, so that no reader guesses. */
function fits(text: string): boolean {
  return text.length <= NAME && /^[\u0001-\u007e]*$/u.test(text);
}

/** Exact to the microsecond, which is as exact as a time in milliseconds is. */
function decimalSeconds(ms: number): string {
  const whole = Math.floor(ms / 1000);
  const micros = Math.min(999_999, Math.round((ms - whole * 1000) * 1000));
  return `${whole}.${String(micros).padStart(6, "0")}`;
}

/** `LENGTH KEY=VALUE\n`, the length counting itself. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + String(rest.length).length;
  if (String(length).length !== String(rest.length).length) length = rest.length + String(length).length;
  return `${length}${rest}`;
}

interface Head {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly target: string;
}

function block(head: Head): Uint8Array {
  const out = new Uint8Array(TAR_BLOCK);
  const put = (at: number, text: string, length: number): void => out.set(latin(text.slice(0, length)), at);
  const octal = (at: number, value: number, digits: number): void => put(at, value.toString(8).padStart(digits, "0"), digits);
  put(0, head.name, NAME);
  octal(100, head.mode, 7);
  octal(108, head.uid, 7);
  octal(116, head.gid, 7);
  octal(124, head.bytes, 11);
  octal(136, head.seconds, 11);
  put(148, " ".repeat(8), 8);
  put(156, head.type, 1);
  put(157, head.target, NAME);
  put(257, "ustar\u000000", 8);
  octal(148, out.reduce((sum, byte) => sum + byte, 0), 6);
  out[154] = 0;
  return out;
}

/** A text of bytes, one character each. */
function latin(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) out[index] = text.charCodeAt(index);
  return out;
}
