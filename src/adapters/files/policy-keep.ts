// Texts of the policies that sessions were judged under, by digest, so that a session can be run again under the very same.

import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PolicyText } from "../../core/policy/index.js";
import { printable, type Digest } from "../../core/shared/index.js";

/** Keeps the texts where they are not kept yet. Never throws: without them a session runs all the same, and is only not to be run again. */
export function keepPolicy(stateDir: string, digest: Digest, texts: readonly PolicyText[]): void {
  const file = fileOf(stateDir, digest);
  try {
    if (statSync(file, { throwIfNoEntry: false }) !== undefined) return;
    mkdirSync(join(stateDir, "policies"), { recursive: true, mode: 0o700 });
    const fresh = `${file}.${process.pid}`;
    writeFileSync(fresh, JSON.stringify({ v: 1, texts: texts.map(({ name, text, tier }) => ({ name, text, ...(tier === undefined ? {} : { tier }) })) }), { mode: 0o600 });
    renameSync(fresh, file);
  } catch {
    // A full disk is no reason not to judge.
  }
}

/** The texts of a policy, or why there are none. They are believed only when what they make has the digest. */
export function keptPolicy(stateDir: string, digest: Digest): readonly PolicyText[] | string {
  try {
    const kept = JSON.parse(readFileSync(fileOf(stateDir, digest), "utf8")) as { readonly v: number; readonly texts: readonly PolicyText[] };
    return kept.v === 1 ? kept.texts : "it was kept by another version";
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT" ? "its text was not kept" : printable(`its text cannot be read: ${String(error)}`, 200);
  }
}

function fileOf(stateDir: string, digest: Digest): string {
  return join(stateDir, "policies", `${digest.slice("sha256:".length)}.json`);
}
