// What rf-list told of a folder, kept in the state folder for the next session: each folder's names behind its stamp. Saves listing,
// never looking: every folder is stamped again before its names are believed. What is broken, or of another build, policy, start
// of the machine, or of a clock that went back, counts as not kept; losing it costs time, nothing else.

import { hash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../core/shared/index.js";
import { bootId } from "../system/lease.js";
import type { Raw } from "./raw-path.js";

/** Most lists kept, each of one folder under one policy; the ones not used for longest go first. */
const KEPT = 32;
/** A folder of fewer names is listed as fast as its list is read. */
const FEWEST = 1_000;

/** What was told of one folder. */
export interface KeptFolder {
  readonly stamp: string;
  /** How many names it holds, those left out too. */
  readonly total: number;
  /** A letter of rf-list's and a name; of a link a NUL byte and what it says besides. Plain files may be left out. */
  readonly entries: readonly string[];
}

export interface KeptNames {
  /** Last names that the links of the folder spell out: the files of these names, and what lies in folders of them, are among the entries. */
  readonly targets: readonly Raw[];
  /** Folders by path; one that had just changed is not among them. */
  readonly folders: ReadonlyMap<Raw, KeptFolder>;
}

/** Names of one folder under one filter. */
export interface NameKeep {
  read(): KeptNames | null;
  /** Keeps in place of what was; `total` is of all folders. Never throws: a full disk is no reason not to start. */
  write(names: KeptNames, total: number): void;
}

export interface KeepOptions {
  readonly root: Raw;
  /** Digest of the code that filters names. */
  readonly build: string;
  /** Of the filter. */
  readonly key: string;
  /** Fewer names than these are not kept. */
  readonly fewest?: number;
}

export function openNameKeep(stateDir: string, { root, build, key, fewest = FEWEST }: KeepOptions): NameKeep {
  const folder = join(stateDir, "cache", "names");
  const origin = JSON.stringify({ v: 1, build, root, key, boot: bootId() });
  const file = join(folder, `${hash("sha256", JSON.stringify([root, key]), "hex").slice(0, 32)}.kept`);
  return {
    read: () => {
      try {
        if ((statSync(file, { throwIfNoEntry: false })?.size ?? Infinity) > LIMITS.keptNamesBytes) return null;
        const text = readFileSync(file, "utf8");
        const [first, digest] = text.split("\n", 2);
        const body = text.slice((first?.length ?? 0) + (digest?.length ?? 0) + 2);
        if (first !== origin || digest !== hash("sha256", body, "hex")) return null;
        const names = parse(body);
        if (names !== null) utimesSync(file, new Date(), new Date());
        return names;
      } catch {
        // Cut short, or nobody's form.
        return null;
      }
    },
    write: ({ targets, folders }, total) => {
      const fresh = `${file}.${process.pid}`;
      try {
        if (total < fewest) return rmSync(file, { force: true });
        const body = JSON.stringify({ at: Date.now(), targets, folders: [...folders].map(([raw, { stamp, total: all, entries }]) => [raw, stamp, all, entries]) });
        if (body.length > LIMITS.keptNamesBytes / 2) return rmSync(file, { force: true });
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeFileSync(fresh, `${origin}\n${hash("sha256", body, "hex")}\n${body}`, { mode: 0o600 });
        renameSync(fresh, file);
        prune(folder);
      } catch {
        discard(fresh);
      }
    },
  };
}

/** Null for what this code does not write. */
function parse(body: string): KeptNames | null {
  const { at, targets, folders } = JSON.parse(body) as { readonly at: unknown; readonly targets: unknown; readonly folders: unknown };
  // A clock that went back can give a later change the time of an earlier one.
  if (typeof at !== "number" || at > Date.now() || !isTexts(targets) || !Array.isArray(folders)) return null;
  const kept = new Map<Raw, KeptFolder>();
  for (const row of folders as readonly unknown[]) {
    if (!Array.isArray(row)) return null;
    const [raw, stamp, total, entries] = row as readonly unknown[];
    if (typeof raw !== "string" || typeof stamp !== "string" || typeof total !== "number" || !isTexts(entries) || total < entries.length) return null;
    kept.set(raw, { stamp, total, entries });
  }
  return { targets, folders: kept };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // There is no such folder: nothing was written.
  }
}

function prune(folder: string): void {
  const files = readdirSync(folder).map((name) => join(folder, name));
  if (files.length <= KEPT) return;
  const aged = files.map((file) => ({ file, at: statSync(file).mtimeMs })).sort((a, b) => b.at - a.at);
  for (const { file } of aged.slice(KEPT)) rmSync(file, { force: true });
}
