// Compiled policies kept in the state folder, by the digest of their texts and of this build. Losing it costs time, nothing else.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Most policies kept; the ones not used for longest go first. */
const KEPT = 32;

export interface PolicyCache {
  /** The text kept under a key, or null. */
  read(key: string): string | null;
  /** Keeps a text. Never throws: a full disk is no reason not to judge. */
  write(key: string, text: string): void;
}

/** A cache in `<stateDir>/cache/policy`. @param key SHA-256 in hexadecimal */
export function openPolicyCache(stateDir: string): PolicyCache {
  const folder = join(stateDir, "cache", "policy");
  const fileOf = (key: string): string => join(folder, `${key}.json`);
  return {
    read: (key) => {
      try {
        return readFileSync(fileOf(key), "utf8");
      } catch {
        return null;
      }
    },
    write: (key, text) => {
      const fresh = join(folder, `.${key}.${process.pid}`);
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeFileSync(fresh, text, { mode: 0o600 });
        renameSync(fresh, fileOf(key));
        prune(folder);
      } catch {
        discard(fresh);
      }
    },
  };
}

function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // there is no such folder: nothing was written
  }
}

function prune(folder: string): void {
  const files = readdirSync(folder).filter((name) => name.endsWith(".json")).map((name) => join(folder, name));
  if (files.length <= KEPT) return;
  const aged = files.map((file) => ({ file, at: statSync(file).mtimeMs })).sort((a, b) => b.at - a.at);
  for (const { file } of aged.slice(KEPT)) rmSync(file, { force: true });
}
