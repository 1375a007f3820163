// Where this installation lies: the folder with package.json, policies, sandbox-images and dist.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { once } from "../../core/shared/index.js";

const HERE = dirname(fileURLToPath(import.meta.url));

/** The package's own folder, found upwards from this file; works from sources, library and bundle. */
export const packageRoot = once(findRoot);

function findRoot(): string {
  let folder = HERE;
  for (let depth = 0; depth < 8; depth += 1) {
    if (existsSync(join(folder, "package.json")) && existsSync(join(folder, "policies"))) return folder;
    folder = dirname(folder);
  }
  throw new Error("the installation is incomplete: no package.json beside policies");
}

/** A file or folder of the installation. */
export function packageFile(...parts: readonly string[]): string {
  return join(packageRoot(), ...parts);
}

/** The digest of the sources that the running code was built from; null when it was not built, or not to its end. */
export function builtDigest(): string | null {
  const [dist, part] = relative(packageRoot(), HERE).split(sep);
  if (dist !== "dist" || part === undefined) return null;
  try {
    return readFileSync(packageFile("dist", part, "digest"), "utf8").trim();
  } catch {
    return null;
  }
}
