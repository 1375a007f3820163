// Fills the protective layer of a session before it is mounted, and names the mounts that go with it: secrets marked as
// deleted, folders and files that keep a place, read-only views of what must not change. A source is our own file, or a name
// of the user whose every component was looked at and is no link; what cannot be so is handed back as not held.

import { chmodSync, chownSync, lstatSync, mkdirSync, utimesSync, writeFileSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { EnforcementPlan } from "../../core/policy/enforce.js";
import { comparePaths } from "../../core/reconcile/names.js";
import { GuardError, LIMITS, printable } from "../../core/shared/index.js";
import type { ProtectMount } from "../../ports/sandbox.js";
import type { Protection } from "../../ports/workspace.js";
import { createBreath } from "./breath.js";
import type { LayerPaths } from "./layers.js";
import { otherNames } from "./name-index.js";
import { joinRaw, parentRaw, pathOfRaw, rawBytes, rawFromPath, rawFromText, type Raw } from "./raw-path.js";
import { errorCode } from "./system-error.js";

/** Marks names below a folder as deleted; true for each that was marked. */
export type Masker = (folder: string, names: readonly Raw[]) => Promise<readonly boolean[]>;

export interface ProtectInput {
  readonly paths: LayerPaths;
  /** The user's folder. */
  readonly folder: string;
  readonly uid: number;
  readonly gid: number;
  readonly plan: EnforcementPlan;
  /** Null where there is no program for it. */
  readonly mask: Masker | null;
  readonly signal: AbortSignal;
}

/** Throws STATE_UNUSABLE when the layer cannot be written, WORKSPACE_LIMIT for more secrets than can be hidden. */
export async function buildProtection(input: ProtectInput): Promise<Protection> {
  const { paths, plan, signal } = input;
  const lower = rawFromText(input.folder);
  const breath = createBreath(signal);
  const secrets = plan.masked.filter((held) => held.kind === "file").map((held) => rawFromPath(held.path));
  const linked = await otherNames(lower, secrets, breath);
  const masked: readonly { readonly raw: Raw; readonly isFolder: boolean }[] = [
    ...plan.masked.map((held) => ({ raw: rawFromPath(held.path), isFolder: held.kind === "directory" })),
    ...linked.map((raw) => ({ raw, isFolder: false })),
  ];
  if (masked.length > LIMITS.maskedNames) throw new GuardError("WORKSPACE_LIMIT", `policy hides more than ${LIMITS.maskedNames} names of this folder`);
  const unheld: { readonly path: string; readonly why: string }[] = [];
  const mounts: ProtectMount[] = [];
  try {
    const readOnly = new Set<Raw>();
    for (const { path, kind } of plan.readOnly) {
      const raw = rawFromPath(path);
      const source = mountSource(input, raw, kind === "directory");
      if (source === null) unheld.push({ path, why: "its path cannot be given to an engine" });
      else {
        mounts.push({ path, source, kind: "read-only" });
        readOnly.add(raw);
      }
    }
    const failed = new Set<Raw>();
    const whiteouts = [...masked.map(({ raw }) => raw), ...plan.premasked.map(rawFromPath)];
    for (const raw of whiteouts) makeFolders(input, lower, parentRaw(raw));
    const made = input.mask === null || whiteouts.length === 0 ? [] : await input.mask(paths.protect, whiteouts);
    whiteouts.forEach((raw, index) => {
      if (made[index] !== true) failed.add(raw);
    });
    const blanks = blankSources(paths);
    let bound = 0;
    for (const { raw, isFolder } of masked) {
      // A read-only view shows the user's folder itself, where the layer hides nothing.
      if (!failed.has(raw) && !hasParentIn(raw, readOnly)) continue;
      const path = pathOfRaw(raw);
      if (!isMountable(path)) throw new GuardError("WORKSPACE_REFUSED", `\`${printable(path)}\` must be hidden and cannot be`, { hint: "rename it, or run as root" });
      mounts.push({ path, source: isFolder ? blanks.folder : blanks.file, kind: "mask" });
      bound += 1;
    }
    for (const { path, form, content } of plan.placeholders) {
      const raw = rawFromPath(path);
      if (!isMountable(path)) {
        unheld.push({ path, why: "its path cannot be given to an engine" });
        continue;
      }
      makeFolders(input, lower, parentRaw(raw));
      const layer = joinRaw(rawFromText(paths.protect), raw);
      if (form === "directory") mkdirSync(rawBytes(layer), { mode: 0o755 });
      else writeFileSync(rawBytes(layer), content, { mode: 0o644, flag: "wx" });
      own(layer, input.uid, input.gid);
      mounts.push({ path, source: `${paths.protect}/${path}`, kind: "placeholder" });
    }
    matchTimes(paths, lower, [...whiteouts, ...plan.placeholders.map(({ path }) => rawFromPath(path))]);
    return {
      mounts: mounts.sort((a, b) => comparePaths(a.path, b.path)),
      masked: masked.map(({ raw }) => pathOfRaw(raw)).sort(comparePaths),
      boundMasks: bound,
      linkedSecrets: linked.map(pathOfRaw),
      blanks,
      unheld,
    };
  } catch (error) {
    if (error instanceof GuardError) throw error;
    throw new GuardError("STATE_UNUSABLE", `cannot make the protective layer: ${errorCode(error) || "failed"}`, { cause: error });
  }
}

/** The user's own name as a mount source; null when it cannot be one. Looks at every component and refuses links. */
function mountSource({ folder, paths }: ProtectInput, raw: Raw, isFolder: boolean): string | null {
  const path = pathOfRaw(raw);
  if (!isMountable(path)) return null;
  const parts = raw.split("/");
  for (let count = 1; count <= parts.length; count += 1) {
    const stats = lstatSync(rawBytes(joinRaw(rawFromText(folder), parts.slice(0, count).join("/"))), { throwIfNoEntry: false });
    const isLast = count === parts.length;
    if (stats === undefined || (isLast && !isFolder ? !stats.isFile() : !stats.isDirectory())) {
      throw new GuardError("WORKSPACE_REFUSED", `\`${printable(path)}\` changed while it was being protected`, { hint: "start again when nothing writes to the folder" });
    }
  }
  // Through our own link, so that no name above the folder gets to the engine.
  return `${paths.lower}/${path}`;
}

/** Names that survive an engine's JSON: UTF-8 without escapes of ours and without control characters. */
export function isMountable(path: string): boolean {
  return pathOfRaw(Buffer.from(path, "utf8").toString("latin1")) === path && printable(path, path.length) === path && !/\\x[0-9a-f]{2}/i.test(path);
}

/** Folders of the layer stand above the user's own and show instead of them: owner and mode are taken over. */
function makeFolders({ paths, uid, gid }: ProtectInput, lower: Raw, folder: Raw): void {
  if (folder === "") return;
  const parts = folder.split("/");
  for (let count = 1; count <= parts.length; count += 1) {
    const below = parts.slice(0, count).join("/");
    const layer = joinRaw(rawFromText(paths.protect), below);
    if (lstatSync(rawBytes(layer), { throwIfNoEntry: false })?.isDirectory() === true) continue;
    const users: Stats | undefined = lstatSync(rawBytes(joinRaw(lower, below)), { throwIfNoEntry: false });
    mkdirSync(rawBytes(layer), { mode: 0o700 });
    own(layer, users?.uid ?? uid, users?.gid ?? gid);
    chmodSync(rawBytes(layer), users === undefined ? 0o755 : users.mode & 0o7777);
  }
}

/** Deepest first, after everything is in them. */
function matchTimes(paths: LayerPaths, lower: Raw, names: readonly Raw[]): void {
  const folders = new Set<Raw>();
  for (const raw of names) for (let parent = parentRaw(raw); parent !== ""; parent = parentRaw(parent)) folders.add(parent);
  for (const folder of [...folders].sort((a, b) => b.length - a.length)) {
    const users = lstatSync(rawBytes(joinRaw(lower, folder)), { throwIfNoEntry: false });
    if (users?.isDirectory() === true) utimesSync(rawBytes(joinRaw(rawFromText(paths.protect), folder)), users.atime, users.mtime);
  }
}

function own(path: Raw, uid: number, gid: number): void {
  if (process.getuid?.() === 0) chownSync(rawBytes(path), uid, gid);
}

/** An empty file and an empty folder of ours, to lie over what cannot be marked as deleted. */
function blankSources(paths: LayerPaths): { readonly file: string; readonly folder: string } {
  const file = join(paths.folder, "blank-file");
  const folder = join(paths.folder, "blank-folder");
  writeFileSync(file, "", { mode: 0o444 });
  mkdirSync(folder, { recursive: true, mode: 0o555 });
  return { file, folder };
}

function hasParentIn(raw: Raw, folders: ReadonlySet<Raw>): boolean {
  for (let parent = parentRaw(raw); parent !== ""; parent = parentRaw(parent)) if (folders.has(parent)) return true;
  return false;
}
