// The shared corpora beside the checkout: material that nobody on the project wrote. A set that is not there is told, never made up.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const PLACES = [process.env["RINGFENCE_CORPORA"], join(process.cwd(), "..", "shared", "corpora"), join(process.cwd(), "..", "..", "shared", "corpora")];

/** A folder or file of the corpora; null where it is not there. */
export function corpusPath(name: string): string | null {
  return PLACES.flatMap((place) => (place === undefined ? [] : [join(place, name)])).find((one) => existsSync(one)) ?? null;
}

/** The rows of a JSON Lines file of the corpora; null where it is not there. */
export function corpusRows<T>(file: string): readonly T[] | null {
  const path = corpusPath(file);
  if (path === null) return null;
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}
