// When node_modules counts as installed, and that the lockfile can be installed anywhere.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { lockMatches } from "../../../scripts/setup/deps.mjs";
import { setupPaths } from "../../../scripts/setup/paths.mjs";

const LOCK = {
  packages: {
    "": { name: "x" },
    "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
    "node_modules/b": { version: "2.0.0", integrity: "sha512-b", optional: true },
  },
};

describe("node_modules", () => {
  it("fits when npm recorded just what the lockfile says", () => {
    expect(lockMatches(LOCK, { packages: { "node_modules/a": { version: "1.0.0", integrity: "sha512-a" }, "node_modules/b": { version: "2.0.0", integrity: "sha512-b" } } })).toBe(true);
  });

  it("fits when only an optional package is absent", () => {
    expect(lockMatches(LOCK, { packages: { "node_modules/a": { version: "1.0.0", integrity: "sha512-a" } } })).toBe(true);
  });

  it.each([
    ["no record", null],
    ["a package absent", { packages: {} }],
    ["another version", { packages: { "node_modules/a": { version: "1.0.1", integrity: "sha512-a" } } }],
    ["other content", { packages: { "node_modules/a": { version: "1.0.0", integrity: "sha512-z" } } }],
    ["a package more", { packages: { "node_modules/a": { version: "1.0.0", integrity: "sha512-a" }, "node_modules/c": { version: "1.0.0" } } }],
  ])("does not fit with %s", (_name, installed) => {
    expect(lockMatches(LOCK, installed)).toBe(false);
  });
});

interface Entry {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

describe("the lockfile", () => {
  const lock: { packages: Record<string, Entry> } = JSON.parse(readFileSync(setupPaths().lockfile, "utf8"));

  // npm leaves out optional packages it could not see, and then refuses its own lockfile with `npm ci`.
  it("has an entry for every dependency, the optional ones of other platforms included", () => {
    const missing = Object.entries(lock.packages).flatMap(([place, entry]) =>
      Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }).filter((name) => !isResolved(place, name)),
    );
    expect(missing).toEqual([]);
  });

  function isResolved(place: string, name: string): boolean {
    for (let at = place; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
      if (Object.hasOwn(lock.packages, at === "" ? `node_modules/${name}` : `${at}/node_modules/${name}`)) return true;
      if (at === "") return false;
      if (!at.includes("/node_modules/")) at = "";
      if (at === "" && Object.hasOwn(lock.packages, `node_modules/${name}`)) return true;
    }
  }
});
