// The patch of a session's changes, and what it says it cannot carry.

import { describe, expect, it } from "vitest";
import type { Preimages } from "../../src/adapters/files/preimages.js";
import { reviewPatch } from "../../src/compose-patch.js";
import type { Change, Entry } from "../../src/core/reconcile/change.js";
import type { Workspace } from "../../src/ports/workspace.js";

const file: Entry = { kind: "file", mode: 0o644, bytes: 2, digest: "sha256:00", target: null };
const folder: Entry = { kind: "directory", mode: 0o755, bytes: 0, digest: null, target: null };
const created = (path: string, after: Entry): Change => ({ path, operation: "create", before: null, after });
const workspace = { readBase: async () => null, readChanged: async () => ({ entry: file, content: new TextEncoder().encode("x\n") }) } as unknown as Workspace;
const kept = { load: async () => null } as unknown as Preimages;

describe("the patch of a session", () => {
  it("names a new folder only where nothing in it is carried", async () => {
    const changes = [created("a", folder), created("a/b", folder), created("a/b/f", file), created("a/none", folder), created("ab", folder)];
    const { bytes, omitted } = await reviewPatch({ workspace, kept }, changes);
    expect(omitted.map(({ path }) => path)).toEqual(["a/none", "ab"]);
    expect(Buffer.from(bytes).toString()).toContain("+++ b/a/b/f\n");
  });
});
