// Names of files inside the adapter: one character a byte ("raw"), so that every name Linux can hold is an exact Map key.
// Turned into the text form of core/reconcile/names only at the edge. Never normalises.

import { decodeName, encodeName } from "../../core/reconcile/names.js";

/** A byte string: each character is one byte, 0 to 255. */
export type Raw = string;

const PLAIN = /^[^\\\u0080-\uffff]*$/;

/** Bytes for a system call. */
export function rawBytes(raw: Raw): Buffer {
  return Buffer.from(raw, "latin1");
}

/** A path of ours, as UTF-8 bytes. */
export function rawFromText(text: string): Raw {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** A workspace path in its text form, with `\xNN` escapes. */
export function rawFromPath(path: string): Raw {
  return PLAIN.test(path) ? path : Buffer.from(encodeName(path)).toString("latin1");
}

/** The text form of a name or path. */
export function pathOfRaw(raw: Raw): string {
  return PLAIN.test(raw) ? raw : decodeName(rawBytes(raw));
}

/** Joins a folder and a name; an empty folder is the root of what the path is relative to. */
export function joinRaw(folder: Raw, name: Raw): Raw {
  return folder === "" ? name : `${folder}/${name}`;
}

/** The folder a raw path lies in; the empty string for the root. */
export function parentRaw(raw: Raw): Raw {
  const slash = raw.lastIndexOf("/");
  return slash < 0 ? "" : raw.slice(0, slash);
}
