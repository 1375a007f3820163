// The product's version, read from its package file so that it is said once.

import { readFileSync } from "node:fs";
import { packageFile } from "../../adapters/system/package-root.js";

/** Version of this installation. */
export function productVersion(): string {
  const text = readFileSync(packageFile("package.json"), "utf8");
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === "object" && parsed !== null && "version" in parsed ? String(parsed.version) : "0.0.0";
}
