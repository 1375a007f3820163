// Compiled policies kept in the state folder, each behind all that it was made of, so that it is taken for nothing else. Losing one
// costs time, nothing else.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Most policies kept; the ones not used for longest go first. */
const KEPT = 32;

export interface PolicyCache {
  /** What is kept for exactly this origin, or null. */
  read(origin: string): string | null;
  /** Keeps a text in place of one of an origin that looks alike. Never throws: a full disk is no reason not to judge. */
  write(origin: string, text: string): void;
}

/**
 * A cache in `<stateDir>/cache/policy`; without a state folder only what the installation brings along, compiled at its build, is read.
 * No origin may begin with another: let the first line tell the length of the rest.
 */
export function openPolicyCache(stateDir: string | null, shipped: string | null = null): PolicyCache {
  const folder = stateDir === null ? null : join(stateDir, "cache", "policy");
  return {
    read: (origin) => (folder === null ? null : keptIn(folder, origin)) ?? (shipped === null ? null : keptIn(shipped, origin)),
    write: (origin, text) => {
      if (folder === null) return;
      const name = fileName(origin);
      const fresh = join(folder, `.${name}.${process.pid}`);
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeFileSync(fresh, origin + text, { mode: 0o600 });
        renameSync(fresh, join(folder, name));
        prune(folder);
      } catch {
        discard(fresh);
      }
    },
  };
}

function keptIn(folder: string, origin: string): string | null {
  try {
    const kept = readFileSync(join(folder, fileName(origin)), "utf8");
    return kept.startsWith(origin) ? kept.slice(origin.length) : null;
  } catch {
    return null;
  }
}

/** FNV-1a of the first line: only a name, what the file holds is compared as a whole. A real digest would cost more than the reading. */
function fileName(origin: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < origin.length && origin.charCodeAt(at) !== 10; at += 1) hash = Math.imul(hash ^ origin.charCodeAt(at), 0x01000193);
  return `${(hash >>> 0).toString(16).padStart(8, "0")}.kept`;
}

function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // there is no such folder: nothing was written
  }
}

function prune(folder: string): void {
  const files = readdirSync(folder).filter((name) => !name.startsWith(".")).map((name) => join(folder, name));
  if (files.length <= KEPT) return;
  const aged = files.map((file) => ({ file, at: statSync(file).mtimeMs })).sort((a, b) => b.at - a.at);
  for (const { file } of aged.slice(KEPT)) rmSync(file, { force: true });
}
