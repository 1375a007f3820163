// What an image has installed, read from what sandbox-images/inventory.sh prints inside it, with name and version in place of each
// package.json. Total: an image is anybody's.

import { printable } from "../shared/index.js";

/** One installed package, by where its list comes from. */
export interface InstalledPackage {
  readonly kind: "deb" | "pip" | "npm" | "bin";
  /** With its scope, for npm. */
  readonly name: string;
  readonly version: string;
  /** Of a Debian package; null for the others. */
  readonly arch: string | null;
}

export interface Inventory {
  /** Name of the system, as it tells it; null when it does not. */
  readonly system: string | null;
  /** Sorted by kind, name, version and architecture; each once. */
  readonly packages: readonly InstalledPackage[];
  /** Lines that could not be read as a package. */
  readonly unread: number;
}

/** Most packages that are kept; an image with more is not listed at all. */
const MOST_PACKAGES = 50_000;
/** Longest name or version. */
const MOST_CHARS = 300;
const WORD = /^[^\s"'<>\\^`{|}]+$/u;

/** Null when the text did not come to its end, or lists more than is kept: a list that is not whole is none. */
export function parseInventory(text: string): Inventory | null {
  const lines = text.split("\n");
  if (lines.at(-1) !== "" || lines.at(-2) !== "done" || lines.length > MOST_PACKAGES) return null;
  const found = new Map<string, InstalledPackage>();
  let system: string | null = null;
  let unread = 0;
  for (const line of lines.slice(0, -2)) {
    const [kind = "", ...fields] = line.split("\t");
    if (kind === "os") {
      system ??= printable(fields[0] ?? "", MOST_CHARS);
      continue;
    }
    const one = fromFields(kind, fields);
    if (one === null) unread += 1;
    else found.set(packageLine(one), one);
  }
  const packages = [...found].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, one]) => one);
  return { system, packages, unread };
}

function fromFields(kind: string, [name = "", version = "", arch]: readonly string[]): InstalledPackage | null {
  if (kind !== "deb" && kind !== "pip" && kind !== "npm" && kind !== "bin") return null;
  if (!isWord(name) || !isWord(version) || (kind === "deb" && !isWord(arch ?? ""))) return null;
  return { kind, name: kind === "pip" ? name.toLowerCase().replace(/[-_.]+/gu, "-") : name, version, arch: kind === "deb" ? (arch ?? null) : null };
}

function isWord(text: string): boolean {
  return text.length <= MOST_CHARS && WORD.test(text) && printable(text, text.length) === text;
}

/** One line a package: what the package list of a session holds. */
export function packageLine({ kind, name, version, arch }: InstalledPackage): string {
  return `${kind} ${name} ${version}${arch === null ? "" : ` ${arch}`}`;
}

/** The package list as a text, in order. */
export function packageList({ packages }: Inventory): string {
  return packages.map((one) => `${packageLine(one)}\n`).join("");
}
