// Where this installation lies: the folder with package.json, policies, sandbox-images and dist.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's own folder, found upwards from this file; works from sources, library and bundle. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
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
