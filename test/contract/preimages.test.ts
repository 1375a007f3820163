// Content kept for undoing: by digest, once, checked when read.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LIMITS } from "../../src/core/shared/index.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../../src/adapters/files/entry.js";
import { createPreimages, openPreimages } from "../../src/adapters/files/preimages.js";
import { createMemoryWorkspaceProvider, type MemoryTree } from "../../src/adapters/memory/workspace.js";
import type { Change } from "../../src/core/reconcile/change.js";
import type { Workspace } from "../../src/ports/workspace.js";

const hasher = (bytes: Uint8Array | string): `sha256:${string}` => digestOf(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rf-preimages-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function session(agent: (view: MemoryTree) => void): Promise<{ readonly workspace: Workspace; readonly changes: readonly Change[] }> {
  const provider = createMemoryWorkspaceProvider({ folders: new Map([["/p", new Map()]]), hasher });
  const workspace = await provider.create("ses_keep0001", "/p");
  agent(provider.workspaceOf("ses_keep0001").view);
  return { workspace, changes: await workspace.changes(new AbortController().signal) };
}

describe("kept content", () => {
  it("is found by its digest, also by a later process, and each content is kept once", async () => {
    const { workspace, changes } = await session((view) => {
      for (let index = 0; index < 500; index += 1) view.set(`f${index}`, { kind: "file", content: `content ${index % 100}` });
      view.set("empty", { kind: "file", content: "" });
      view.set("link", { kind: "symlink", target: "f1" });
    });
    const kept = openPreimages(folder);
    await kept.remember(workspace, changes);
    await kept.remember(workspace, changes);
    for (const store of [kept, openPreimages(folder)]) {
      expect(Buffer.from((await store.load(hasher("content 42"))) ?? []).toString()).toBe("content 42");
      expect((await store.load(hasher("")))?.length).toBe(0);
      expect(await store.load(hasher("never"))).toBeNull();
    }
    expect(readFileSync(join(folder, "index"), "utf8").trimEnd().split("\n").length).toBe(101);
    expect(statSync(join(folder, "pack")).mode & 0o777).toBe(0o600);
  });

  it("is not that of a file past the limit, which is named", async () => {
    const { workspace, changes } = await session((view) => view.set("f", { kind: "file", content: "small" }));
    const big = changes.map((change) => ({ ...change, path: "big", after: change.after === null ? null : { ...change.after, bytes: LIMITS.preimageBytes + 1, digest: null } }));
    expect((await openPreimages(folder).remember(workspace, [...changes, ...big])).map(({ path }) => path)).toEqual(["big"]);
  });

  it("is not handed out when it was tampered with", async () => {
    const { workspace, changes } = await session((view) => view.set("f", { kind: "file", content: "true" }));
    await openPreimages(folder).remember(workspace, changes);
    writeFileSync(join(folder, "pack"), "fals");
    expect(await openPreimages(folder).load(hasher("true"))).toBeNull();
  });

  it("belongs to a session by its id", () => {
    expect(() => createPreimages({ stateDir: folder, sessionId: "../x" })).toThrow(expect.objectContaining({ code: "SESSION_NOT_FOUND" }) as Error);
  });
});
