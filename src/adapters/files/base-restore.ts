// A kept folder made again, for a session that is run anew: names, contents, modes, times, and owners where we may set them. Everything
// is checked against the digest that is on record before a name of it is made.

import { chmodSync, closeSync, lchownSync, lutimesSync, mkdirSync, openSync, readFileSync, readSync, symlinkSync, utimesSync, writeSync } from "node:fs";
import { GuardError, LIMITS, printable, type Digest } from "../../core/shared/index.js";
import { basesOf, listFile, readPlaces, type BaseName, type Place } from "./base-store.js";
import { digestOf } from "./entry.js";
import { joinRaw, rawBytes, rawFromPath, rawFromText, type Raw } from "./raw-path.js";
import { errorCode } from "./system-error.js";

/**
 * Makes the folder again in `into`, which exists and is empty.
 * Throws STATE_UNUSABLE when something of it is not there any more or is not what was kept.
 */
export function restoreBase(stateDir: string, base: { readonly workspace: string; readonly digest: Digest }, into: string): void {
  const folder = basesOf(stateDir, base.workspace);
  try {
    const names = readNames(folder, base.digest);
    const places = readPlaces(folder);
    const root = rawFromText(into);
    for (const name of names) makeName(joinRaw(root, rawFromPath(name.p)), name, places);
    // Times last, and those of a folder after all in it.
    for (const name of [...names].reverse()) setTimes(joinRaw(root, rawFromPath(name.p)), name);
  } catch (error) {
    if (error instanceof GuardError) throw error;
    throw gone(`it cannot be made again: ${errorCode(error)}`, error);
  }
}

function readNames(folder: string, digest: Digest): readonly BaseName[] {
  let text: Buffer;
  try {
    text = readFileSync(listFile(folder, digest));
  } catch (error) {
    throw gone("it is not kept any more", error);
  }
  if (digestOf(text) !== digest) throw gone("what is kept is not what is on record", undefined);
  const names = text.toString("utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line) as BaseName);
  const leads = (p: string): boolean => p !== "." && p.split("/").some((part) => part === "" || part === "." || part === "..");
  for (const { p } of names) if (leads(p)) throw gone(`it has a name that leads elsewhere: \`${printable(p, 80)}\``, undefined);
  return names;
}

function makeName(path: Raw, name: BaseName, places: ReadonlyMap<Digest, Place>): void {
  const target = rawBytes(path);
  if (name.k === "directory") {
    if (name.p !== ".") mkdirSync(target, 0o700);
  }
  else if (name.k === "symlink") symlinkSync(rawBytes(rawFromPath(name.l ?? "")), target);
  else {
    const content = contentOf(name, places);
    const fd = openSync(target, "wx", 0o600);
    try {
      for (let done = 0; done < content.length; ) done += writeSync(fd, content, done);
    } finally {
      closeSync(fd);
    }
  }
  if (process.getuid?.() === 0) lchownSync(target, name.u, name.g);
  if (name.k === "file") chmodSync(target, name.m);
}

function contentOf({ p, d, n = 0 }: BaseName, places: ReadonlyMap<Digest, Place>): Uint8Array {
  const place = d === undefined ? undefined : places.get(d);
  if (place === undefined || place.length !== n || n > LIMITS.baseBytes) throw gone(`the content of \`${printable(p, 80)}\` is not kept any more`, undefined);
  const fd = openSync(place.pack, "r");
  try {
    const content = Buffer.alloc(place.length);
    for (let filled = 0; filled < place.length; ) {
      const count = readSync(fd, content, filled, place.length - filled, place.offset + filled);
      if (count === 0) break;
      filled += count;
    }
    if (digestOf(content) !== d) throw gone(`the kept content of \`${printable(p, 80)}\` is not what is on record`, undefined);
    return content;
  } finally {
    closeSync(fd);
  }
}

/** Contents of a workspace's kept folders, by digest and checked against it; null for what is not kept. */
export function openBaseContents(stateDir: string, workspace: string): (digest: Digest) => Uint8Array | null {
  let places: ReadonlyMap<Digest, Place> | null = null;
  return (digest) => {
    try {
      places ??= readPlaces(basesOf(stateDir, workspace));
      const place = places.get(digest);
      return place === undefined ? null : contentOf({ p: "", k: "file", m: 0, u: 0, g: 0, t: 0, n: place.length, d: digest }, places);
    } catch {
      return null;
    }
  };
}

function setTimes(path: Raw, { k, m, t }: BaseName): void {
  const target = rawBytes(path);
  if (k === "directory") chmodSync(target, m);
  if (k === "symlink") lutimesSync(target, t / 1000, t / 1000);
  else utimesSync(target, t / 1000, t / 1000);
}

function gone(why: string, cause: unknown): GuardError {
  return new GuardError("STATE_UNUSABLE", `the folder as it was when the session began cannot be had: ${why}`, { cause, hint: "name a folder that holds it with --workspace" });
}
