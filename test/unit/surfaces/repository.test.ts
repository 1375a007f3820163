// What a codec learns of the user's folder: names of plain files, and nothing behind a link.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Entry } from "../../../src/core/reconcile/change.js";
import { repositoryOf } from "../../../src/surfaces/cli/repository.js";

const entry = (kind: Entry["kind"]): Entry => ({ kind, mode: 0o644, bytes: 0, digest: null, target: null });

describe("the repository as a codec sees it", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "ringfence-repository-"));
    mkdirSync(join(folder, "src/deep"), { recursive: true });
    writeFileSync(join(folder, "src/deep/a.js"), "x");
    writeFileSync(join(folder, "top"), "x");
    mkdirSync(join(folder, ".hidden"));
    symlinkSync("src", join(folder, "linked"));
    symlinkSync("/etc", join(folder, "out"));
    symlinkSync("top", join(folder, "link-to-top"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ["top", true],
    ["src/deep/a.js", true],
    ["src", false],
    ["src/deep/none.js", false],
    ["top/below", false],
    ["linked/deep/a.js", false],
    ["out/passwd", false],
    ["link-to-top", false],
    ["../" + "x", false],
    ["src/../top", false],
    ["src//deep/a.js", false],
    ["./top", false],
    ["", false],
    [`${"n".repeat(300)}`, false],
    ["top\0", false],
  ])("%j is a file: %s", (path, expected) => {
    expect(repositoryOf(folder, "/workspace").fileExists(path)).toBe(expected);
  });

  it("knows the folders at the top, and no link", () => {
    expect(new Set(repositoryOf(folder, "/workspace").topFolders)).toEqual(new Set([".hidden", "src"]));
    expect(repositoryOf(join(folder, "nowhere"), "/workspace").topFolders).toEqual([]);
  });

  it("takes in what the session made, deleted or put something else in the place of", () => {
    const repository = repositoryOf(folder, "/workspace");
    repository.note([
      { path: "new.js", operation: "create", before: null, after: entry("file") },
      { path: "top", operation: "delete", before: entry("file"), after: null },
      { path: "src/deep/a.js", operation: "modify", before: entry("file"), after: entry("symlink") },
    ]);
    expect(["new.js", "top", "src/deep/a.js"].map((path) => repository.fileExists(path))).toEqual([true, false, false]);
    repository.note([{ path: "top", operation: "create", before: null, after: entry("file") }]);
    expect(repository.fileExists("top")).toBe(true);
  });
});
