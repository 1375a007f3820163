// Taking changes over into a real folder: all or nothing, nothing through a link, nothing that the user moved meanwhile.

import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyChanges } from "../../src/adapters/files/apply.js";
import { digestOf } from "../../src/adapters/files/entry.js";
import { createMemoryWorkspaceProvider, type MemoryNode, type MemoryTree } from "../../src/adapters/memory/workspace.js";
import type { Change } from "../../src/core/reconcile/change.js";
import type { Workspace } from "../../src/ports/workspace.js";
import { overlayAbility } from "../support/overlay-rig.js";
import { treePicture } from "../support/tree-picture.js";

const signal = new AbortController().signal;
const ability = overlayAbility();
const hasher = (bytes: Uint8Array | string): `sha256:${string}` => digestOf(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
let scratch = "";
let folder = "";

const START: ReadonlyMap<string, MemoryNode> = new Map<string, MemoryNode>([
  ["a.txt", { kind: "file", content: "a\n" }],
  ["run.sh", { kind: "file", content: "run\n", mode: 0o755 }],
  ["dir/b.txt", { kind: "file", content: "b\n" }],
  ["dir/c.txt", { kind: "file", content: "c\n" }],
  ["link", { kind: "symlink", target: "a.txt" }],
]);

beforeEach(() => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "rf-apply-")));
  folder = join(scratch, "project");
  mkdirSync(join(folder, "dir"), { recursive: true });
  for (const [path, node] of START) {
    if (node.kind === "file") writeFileSync(join(folder, path), node.content);
    if (node.kind === "file") chmodSync(join(folder, path), node.mode ?? 0o644);
    if (node.kind === "symlink") symlinkSync(node.target, join(folder, path));
  }
  for (const path of ["dir"]) chmodSync(join(folder, path), 0o755);
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

/** A session in memory on the same content; what is applied goes to the real folder. */
async function session(agent: (view: MemoryTree) => void): Promise<{ readonly workspace: Workspace; readonly changes: readonly Change[] }> {
  const provider = createMemoryWorkspaceProvider({ folders: new Map([[folder, START]]), hasher, uid: statSync(folder).uid, gid: statSync(folder).gid });
  const workspace = await provider.create("ses_apply001", folder);
  agent(provider.workspaceOf("ses_apply001").view);
  return { workspace, changes: await workspace.changes(signal) };
}

const read = (path: string): string => readFileSync(join(folder, path), "utf8");
const picture = (): readonly string[] => treePicture(folder, { exact: true });

describe("applying changes", () => {
  it("creates, changes and deletes, and says what something will run later", async () => {
    const { workspace, changes } = await session((view) => {
      view.set("a.txt", { kind: "file", content: "changed\n", mode: 0o600 });
      view.remove("dir/b.txt");
      view.set("new/deep/package.json", { kind: "file", content: "{}" });
      view.set("tool", { kind: "file", content: "#!", mode: 0o755 });
      view.set("link", { kind: "symlink", target: "dir/c.txt" });
    });
    expect(await applyChanges({ workspace, changes })).toEqual({
      applied: [
        { path: "a.txt", operation: "modify", runsLater: false },
        { path: "dir/b.txt", operation: "delete", runsLater: false },
        { path: "link", operation: "modify", runsLater: false },
        { path: "new", operation: "create", runsLater: false },
        { path: "new/deep", operation: "create", runsLater: false },
        { path: "new/deep/package.json", operation: "create", runsLater: true },
        { path: "tool", operation: "create", runsLater: true },
      ],
      skipped: [],
    });
    expect([read("a.txt"), existsSync(join(folder, "dir/b.txt")), readlinkSync(join(folder, "link")), read("new/deep/package.json")]).toEqual(["changed\n", false, "dir/c.txt", "{}"]);
    expect(readdirSync(folder).sort()).toEqual(["a.txt", "dir", "link", "new", "run.sh", "tool"]);
    expect([lstatSync(join(folder, "a.txt")).mode & 0o7777, lstatSync(join(folder, "tool")).mode & 0o7777]).toEqual([0o600, 0o755]);
  });

  it("applies only what is selected, with the folders it needs and what lies below", async () => {
    const { workspace, changes } = await session((view) => {
      view.set("a.txt", { kind: "file", content: "changed\n" });
      view.set("new/x", { kind: "file", content: "x" });
      view.set("new/y", { kind: "file", content: "y" });
      view.remove("dir");
    });
    const result = await applyChanges({ workspace, changes, select: ["new/x", "dir"] });
    expect(result.applied.map((each) => each.path)).toEqual(["dir", "dir/b.txt", "dir/c.txt", "new", "new/x"]);
    expect([read("a.txt"), readdirSync(join(folder, "new")), existsSync(join(folder, "dir"))]).toEqual(["a\n", ["x"], false]);
    await expect(applyChanges({ workspace, changes, select: ["nothing"] })).rejects.toMatchObject({ code: "USAGE_INVALID" });
  });

  it("changes nothing when the user changed, made or removed a file of that name meanwhile, and names it", async () => {
    const { workspace, changes } = await session((view) => {
      view.set("a.txt", { kind: "file", content: "agent\n" });
      view.set("dir/b.txt", { kind: "file", content: "agent\n" });
      view.set("fresh", { kind: "file", content: "agent\n" });
      view.set("run.sh", { kind: "file", content: "agent\n", mode: 0o755 });
    });
    writeFileSync(join(folder, "a.txt"), "user\n");
    writeFileSync(join(folder, "fresh"), "user\n");
    rmSync(join(folder, "run.sh"));
    const before = picture();
    await expect(applyChanges({ workspace, changes })).rejects.toMatchObject({ code: "APPLY_CONFLICT", context: { paths: ["a.txt", "fresh", "run.sh"] } });
    expect(picture()).toEqual(before);
  });

  it("takes what already is as the session left it for done, so that it can be run twice", async () => {
    const { workspace, changes } = await session((view) => {
      view.set("a.txt", { kind: "file", content: "agent\n" });
      view.remove("dir");
    });
    await applyChanges({ workspace, changes });
    const before = picture();
    const again = await applyChanges({ workspace, changes });
    expect([again.applied.map((each) => each.path), picture()]).toEqual([["a.txt", "dir", "dir/b.txt", "dir/c.txt"], before]);
  });

  it("keeps the mode that the user gave meanwhile, unless the agent changed it", async () => {
    const { workspace, changes } = await session((view) => view.set("a.txt", { kind: "file", content: "agent\n" }));
    chmodSync(join(folder, "a.txt"), 0o640);
    await applyChanges({ workspace, changes });
    expect(lstatSync(join(folder, "a.txt")).mode & 0o7777).toBe(0o640);
  });

  it("never takes over set-id bits, FIFOs, sockets, devices and links that leave the folder", async () => {
    const { workspace, changes } = await session((view) => {
      view.set("suid", { kind: "file", content: "s", mode: 0o6755 });
      view.set("a.txt", { kind: "file", content: "a\n", mode: 0o4755 });
      view.set("pipe", { kind: "fifo" });
      view.set("sock", { kind: "socket" });
      view.set("dev", { kind: "device" });
      view.set("abs", { kind: "symlink", target: "/etc/passwd" });
      view.set("up", { kind: "symlink", target: "dir/../../x" });
      view.remove("dir");
      view.set("dir", { kind: "fifo" });
    });
    const result = await applyChanges({ workspace, changes });
    expect(result.skipped.map((each) => each.path)).toEqual(["abs", "dev", "dir", "dir/b.txt", "dir/c.txt", "pipe", "sock", "up"]);
    expect(readdirSync(folder).sort()).toEqual(["a.txt", "dir", "link", "run.sh", "suid"]);
    expect([lstatSync(join(folder, "suid")).mode & 0o7777, lstatSync(join(folder, "a.txt")).mode & 0o7777]).toEqual([0o755, 0o755]);
  });

  it("writes nothing through a link, wherever it came from", async () => {
    const outside = join(scratch, "outside");
    mkdirSync(outside);
    const { workspace, changes } = await session((view) => {
      view.set("dir/b.txt", { kind: "file", content: "agent\n" });
      view.set("dir/new.txt", { kind: "file", content: "agent\n" });
    });
    rmSync(join(folder, "dir"), { recursive: true });
    symlinkSync(outside, join(folder, "dir"));
    writeFileSync(join(outside, "b.txt"), "b\n");
    await expect(applyChanges({ workspace, changes })).rejects.toMatchObject({ code: "APPLY_CONFLICT" });
    expect([readdirSync(outside), readFileSync(join(outside, "b.txt"), "utf8")]).toEqual([["b.txt"], "b\n"]);
  });

  it("replaces a link by what the agent put there, and not what it points to", async () => {
    const { workspace, changes } = await session((view) => view.set("link", { kind: "file", content: "no link\n" }));
    await applyChanges({ workspace, changes });
    expect([lstatSync(join(folder, "link")).isFile(), read("link"), read("a.txt")]).toEqual([true, "no link\n", "a\n"]);
  });

  it("exchanges files and folders", async () => {
    const { workspace, changes } = await session((view) => {
      view.remove("dir");
      view.set("dir", { kind: "file", content: "was a folder\n" });
      view.remove("a.txt");
      view.set("a.txt/in", { kind: "file", content: "was a file\n" });
    });
    await applyChanges({ workspace, changes });
    expect([read("dir"), read("a.txt/in")]).toEqual(["was a folder\n", "was a file\n"]);
  });

  it("leaves a folder that holds more than the session saw, and refuses to put a file in its place", async () => {
    const removed = await session((view) => view.remove("dir"));
    writeFileSync(join(folder, "dir/user.txt"), "mine\n");
    const result = await applyChanges(removed);
    expect(result.skipped).toEqual([{ path: "dir", reason: "the folder holds more than the session saw" }]);
    expect(readdirSync(join(folder, "dir"))).toEqual(["user.txt"]);
    const replaced = await session((view) => {
      view.remove("dir");
      view.set("dir", { kind: "file", content: "x" });
    });
    await expect(applyChanges(replaced)).rejects.toMatchObject({ code: "APPLY_CONFLICT" });
    expect(read("dir/user.txt")).toBe("mine\n");
  });

  it("puts everything back when the system refuses midway", async () => {
    const { workspace, changes } = await session((view) => {
      view.set("a.txt", { kind: "file", content: "agent\n", mode: 0o600 });
      view.remove("dir");
      view.set("dir/sub/x", { kind: "file", content: "x" });
      view.set("run.sh", { kind: "file", content: "run\n", mode: 0o700 });
      view.set("link", { kind: "symlink", target: "run.sh" });
      view.set("z.txt", { kind: "file", content: "z" });
    });
    const before = treePicture(folder, { exact: false });
    // The session's copy of the last file is wrong: found only after the others were prepared.
    const lying: Workspace = { ...workspace, openChanged: async (path) => workspace.openChanged(path === "z.txt" ? "a.txt" : path) };
    await expect(applyChanges({ workspace: lying, changes })).rejects.toMatchObject({ code: "STATE_UNUSABLE" });
    expect(treePicture(folder, { exact: false })).toEqual(before);
    // A name appears between the check and the exchange.
    const racing: Workspace = {
      ...workspace,
      openChanged: async (path) => {
        if (path === "z.txt") writeFileSync(join(folder, "z.txt"), "user");
        return workspace.openChanged(path);
      },
    };
    await expect(applyChanges({ workspace: racing, changes })).rejects.toMatchObject({ code: "APPLY_CONFLICT" });
    rmSync(join(folder, "z.txt"));
    expect(treePicture(folder, { exact: false })).toEqual(before);
    expect(readdirSync(folder).filter((name) => name.startsWith(".ringfence"))).toEqual([]);
  });

  it.skipIf(ability.missing !== null)(`changes nothing when the disk is full${ability.missing === null ? "" : ` (skipped: ${ability.missing})`}`, async () => {
    const { workspace, changes } = await session((view) => {
      view.set("a.txt", { kind: "file", content: "agent\n" });
      view.remove("dir");
      view.set("z.bin", { kind: "file", content: Buffer.alloc(4 * 1024 * 1024, 1) });
    });
    const small = join(scratch, "small");
    mkdirSync(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small]);
    try {
      execFileSync("cp", ["-a", `${folder}/.`, small]);
      const before = treePicture(small, { exact: false });
      await expect(applyChanges({ workspace, changes, folder: small })).rejects.toMatchObject({ code: "APPLY_FAILED", message: "nothing was applied: `z.bin`: ENOSPC" });
      expect(treePicture(small, { exact: false })).toEqual(before);
    } finally {
      execFileSync("umount", [small]);
    }
  });

  it("puts back what was exchanged when a later exchange fails", async () => {
    const { workspace, changes } = await session((view) => {
      view.set("a.txt", { kind: "file", content: "agent\n", mode: 0o600 });
      view.remove("dir");
      view.set("link", { kind: "symlink", target: "run.sh" });
      view.set("made/x", { kind: "file", content: "x" });
      view.set("run.sh", { kind: "file", content: "run\n", mode: 0o700 });
      view.set("z.txt", { kind: "file", content: "z" });
    });
    const before = treePicture(folder, { exact: false });
    // Everything is staged; then the last name is taken by somebody else just before the exchange.
    const racing: Workspace = {
      ...workspace,
      openChanged: async (path) => {
        if (path === "z.txt") symlinkSync("a.txt", join(folder, "z.txt"));
        return workspace.openChanged(path);
      },
    };
    await expect(applyChanges({ workspace: racing, changes })).rejects.toMatchObject({ code: "APPLY_CONFLICT", context: { paths: ["z.txt"] } });
    rmSync(join(folder, "z.txt"));
    expect(treePicture(folder, { exact: false })).toEqual(before);
  });

  it("refuses paths that are none", async () => {
    const { workspace, changes } = await session((view) => view.set("x", { kind: "file", content: "x" }));
    const odd = changes.map((change) => ({ ...change, path: "../x" }));
    await expect(applyChanges({ workspace, changes: odd })).rejects.toMatchObject({ code: "USAGE_INVALID" });
  });
});
