// The product's name and version, as recorded with every session and printed by `--version`.

import { readFileSync } from "node:fs";

/** Version in a package file's text; `0.0.0` when there is none. */
export function versionIn(packageJson: string): string {
  const parsed: unknown = JSON.parse(packageJson);
  return typeof parsed === "object" && parsed !== null && "version" in parsed ? String(parsed.version) : "0.0.0";
}

/** Version of the installation whose package file this is. */
export function productVersion(packageFile: string): string {
  return versionIn(readFileSync(packageFile, "utf8"));
}
