// Taking over single hunks: each as `diff` numbers it, one after the other, and refused as a whole where the user's own file
// is anything but the old text with some of the session's hunks.

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyChanges, type ApplyResult } from "../../src/adapters/files/apply.js";
import { rebaseSelection } from "../../src/adapters/files/apply-rebase.js";
import { digestOf } from "../../src/adapters/files/entry.js";
import { openPreimages, type Preimages } from "../../src/adapters/files/preimages.js";
import { createMemoryWorkspaceProvider, type MemoryNode, type MemoryTree } from "../../src/adapters/memory/workspace.js";
import { joinSelection, parseHunkChoice, selectPaths } from "../../src/core/reconcile/index.js";
import type { Change } from "../../src/core/reconcile/change.js";
import type { Workspace } from "../../src/ports/workspace.js";
import { treePicture } from "../support/tree-picture.js";

const hasher = (bytes: Uint8Array | string): `sha256:${string}` => digestOf(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
const numbered = (count: number): string => Array.from({ length: count }, (_, index) => `line ${index + 1}\n`).join("");
const START: Readonly<Record<string, string>> = { "a.txt": numbered(40), "dir/b.txt": "b\n", "gone.txt": "gone\n", "bin.dat": "a\0b\n" };
const ENDED = numbered(40).replace("line 2\n", "line two\n").replace("line 20\n", "").replace("line 39\n", "line 39\nand a half\n");

let scratch = "";
let folder = "";
let workspace: Workspace;
let changes: readonly Change[];
let kept: Preimages;

/** A session in memory on the content of the real folder. */
async function session(agent: (view: MemoryTree) => void): Promise<void> {
  const nodes = new Map<string, MemoryNode>(Object.entries(START).map(([path, content]) => [path, { kind: "file", content }]));
  const provider = createMemoryWorkspaceProvider({ folders: new Map([[folder, nodes]]), hasher, uid: statSync(folder).uid, gid: statSync(folder).gid });
  workspace = await provider.create("ses_hunks0001", folder);
  agent(provider.workspaceOf("ses_hunks0001").view);
  changes = await workspace.changes(new AbortController().signal);
}

async function take(paths: readonly string[], ...hunks: readonly string[]): Promise<ApplyResult> {
  const selection = joinSelection(changes, selectPaths(changes, paths), hunks.map(parseHunkChoice));
  const rebased = await rebaseSelection(workspace, changes, selection, kept);
  return applyChanges({ workspace, ...rebased, select: [...selection.paths, ...selection.hunks.map(({ path }) => path)] });
}

const read = (path: string): string => readFileSync(join(folder, path), "utf8");

beforeEach(async () => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "rf-hunks-")));
  folder = join(scratch, "project");
  mkdirSync(join(folder, "dir"), { recursive: true });
  for (const [path, content] of Object.entries(START)) {
    writeFileSync(join(folder, path), content);
    chmodSync(join(folder, path), 0o644);
  }
  kept = openPreimages(join(scratch, "kept"));
  await session((view) => {
    view.set("a.txt", { kind: "file", content: ENDED, mode: 0o600 });
    view.set("dir/b.txt", { kind: "file", content: "changed\n" });
    view.remove("gone.txt");
    view.set("bin.dat", { kind: "file", content: "a\0c\n" });
    view.set("made/n.txt", { kind: "file", content: "n\n" });
  });
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

describe("applying hunks", () => {
  it("writes one hunk, then another, then the rest, and leaves the mode to the whole file", async () => {
    await take([], "a.txt:2");
    expect([read("a.txt"), read("dir/b.txt"), statSync(join(folder, "a.txt")).mode & 0o777]).toEqual([numbered(40).replace("line 20\n", ""), "b\n", 0o644]);
    await take([], "a.txt:1");
    expect(read("a.txt")).toBe(numbered(40).replace("line 2\n", "line two\n").replace("line 20\n", ""));
    // Again is as good as once.
    await take([], "a.txt:1,2");
    await take(["a.txt"]);
    expect([read("a.txt"), statSync(join(folder, "a.txt")).mode & 0o777]).toEqual([ENDED, 0o600]);
    await take(["a.txt"]);
    expect(read("a.txt")).toBe(ENDED);
  });

  it("takes a file that came or went as its one hunk, with the folder it needs", async () => {
    await take([], "made/n.txt:1", "gone.txt:1");
    expect([read("made/n.txt"), read("a.txt")]).toEqual(["n\n", START["a.txt"]]);
    expect(() => read("gone.txt")).toThrow("ENOENT");
  });

  it("names a folder, a glob, or a path with hunks of another, together", async () => {
    const { applied } = await take(["./dir/", "m*/**"], "a.txt:1-3");
    expect(applied.map(({ path }) => path)).toEqual(["a.txt", "dir/b.txt", "made", "made/n.txt"]);
    expect([read("a.txt"), read("dir/b.txt"), read("bin.dat")]).toEqual([ENDED, "changed\n", "a\0b\n"]);
  });

  it("refuses everything where the user edited the file, in a hunk or far from it, before and after a part was taken", async () => {
    await take([], "a.txt:2");
    for (const [at, line] of [[8, 8], [1, 2], [39, 39]] as const) {
      const lines = read("a.txt").split("\n");
      writeFileSync(join(folder, "a.txt"), lines.with(at - 1, "the user's own").join("\n"));
      const before = treePicture(folder, { exact: true });
      const refused = take(["dir"], "a.txt:1");
      await expect(refused).rejects.toMatchObject({ code: "APPLY_CONFLICT", context: { paths: ["a.txt"], reasons: [expect.stringMatching(/^line \d+ is neither as before the session nor as the session left it$/)] } });
      expect(treePicture(folder, { exact: true })).toEqual(before);
      writeFileSync(join(folder, "a.txt"), lines.join("\n"));
      expect(line).toBeGreaterThan(0);
    }
    await take([], "a.txt:1");
  });

  it("refuses a part of a file whose text before the session was never seen", async () => {
    writeFileSync(join(folder, "a.txt"), numbered(40).replace("line 20\n", ""));
    await expect(take([], "a.txt:1")).rejects.toMatchObject({ code: "APPLY_CONFLICT", context: { reasons: ["its content changed"] } });
  });

  it("refuses hunks that there are not, and says how many there are", async () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ["a.txt:4", /has 3 hunks, and none with the number 4/],
      ["made/n.txt:2", /has 1 hunk/],
      ["made:1", /has no hunks/],
      ["bin.dat:1", /no text/],
      ["nothing:1", /no change at/],
      ["a.txt:0", /names no hunk/],
      ["a.txt:3-1", /names no hunk/],
      ["a.txt", /names no hunk/],
    ];
    const before = treePicture(folder, { exact: true });
    for (const [hunk, message] of wrong) await expect((async () => take(["dir"], hunk))()).rejects.toMatchObject({ code: "USAGE_INVALID", message: expect.stringMatching(message) });
    await expect((async () => take(["a.txt"], "a.txt:1"))()).rejects.toMatchObject({ code: "USAGE_INVALID" });
    await expect((async () => take(["x/**"]))()).rejects.toMatchObject({ code: "USAGE_INVALID" });
    expect(treePicture(folder, { exact: true })).toEqual(before);
  });
});
