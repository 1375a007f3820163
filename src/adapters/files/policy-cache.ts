// Keeps compiled policies in the state folder. Losing or spoiling a file costs time only: it is then compiled anew.

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compilePolicy, policyCacheKey, policyCacheText, policyFromCache, type PolicySet, type PolicyText } from "../../core/policy/index.js";
import type { Hasher, Issue, Result } from "../../core/shared/index.js";

export interface PolicyCacheOptions {
  /** A folder only the user can write, inside the state folder. */
  readonly folder: string;
  /** A folder of the installation with what was compiled when it was built; read only. */
  readonly shipped?: string;
  /** The product's version: another version compiles anew. */
  readonly salt: string;
  readonly hash: Hasher;
}

/** Compiles, or takes what an earlier start compiled from the very same texts. */
export async function compileCached(sources: readonly PolicyText[], options: PolicyCacheOptions): Promise<Result<PolicySet, readonly Issue[]>> {
  const name = `${policyCacheKey(sources, options.salt, options.hash)}.json`;
  const path = join(options.folder, name);
  for (const place of options.shipped === undefined ? [path] : [join(options.shipped, name), path]) {
    const kept = await readFile(place, "utf8").then((text) => policyFromCache(text, options.hash), () => null);
    if (kept !== null) return { ok: true, value: kept };
  }
  const compiled = compilePolicy(sources, { hash: options.hash });
  if (compiled.ok) await keep(path, options.folder, policyCacheText(compiled.value));
  return compiled;
}

async function keep(path: string, folder: string, text: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const fresh = `${path}.${String(process.pid)}.tmp`;
    await writeFile(fresh, text, { mode: 0o600 });
    await rename(fresh, path);
  } catch {
    // without a cache every start compiles; nothing else depends on it
  }
}
