import { describe, expect, it } from "vitest";
import type { Change, Entry } from "../../../src/core/reconcile/change.js";
import { needsContent, planRevert, revertOps, type RevertStep } from "../../../src/core/reconcile/revert.js";

const file = (content: string, mode = 0o644): Entry => ({ kind: "file", mode, bytes: content.length, digest: `sha256:${content}`, target: null });
const folder = (mode = 0o755): Entry => ({ kind: "directory", mode, bytes: 0, digest: null, target: null });
const change = (path: string, before: Entry | null, after: Entry | null): Change => ({ path, operation: "modify", before, after });
const plan = (changes: readonly Change[], ...forbidden: readonly string[]): readonly string[] =>
  planRevert(changes, new Set(forbidden), new Set()).steps.map((step) => `${step.op} ${step.path}`);

describe("planning an undoing", () => {
  it("takes away what lies in a folder that must go, deepest first", () => {
    const changes = [change("d", null, folder()), change("d/e", null, folder()), change("d/e/f", null, file("x")), change("other", null, file("y"))];
    expect(plan(changes, "d")).toEqual(["remove d/e/f", "remove d/e", "remove d"]);
  });

  it("brings back the folders above what must come back", () => {
    const changes = [change("d", folder(), null), change("d/e", folder(), null), change("d/e/f", file("x"), null), change("d/e/g", file("y"), null)];
    expect(plan(changes, "d/e/f")).toEqual(["restore d", "restore d/e", "restore d/e/f"]);
  });

  it("clears a file that stands where a folder was", () => {
    const changes = [change("d", folder(), file("now a file")), change("d/f", file("x"), null)];
    expect(plan(changes, "d/f")).toEqual(["remove d", "restore d", "restore d/f"]);
  });

  it("clears a folder with its content that stands where a file was", () => {
    const changes = [change("f", file("x"), folder()), change("f/a", null, file("a")), change("f/b", null, folder()), change("f/b/c", null, file("c"))];
    expect(plan(changes, "f")).toEqual(["remove f/b/c", "remove f/b", "remove f/a", "remove f", "restore f"]);
  });

  it("sets narrow folder modes last, deepest first", () => {
    const changes = [change("d", folder(0o555), null), change("d/e", folder(0o500), null), change("d/e/f", file("x"), null)];
    expect(plan(changes, "d", "d/e", "d/e/f")).toEqual(["restore d", "restore d/e", "restore d/e/f", "mode d/e", "mode d"]);
  });

  it("ignores a forbidden path that did not change", () => {
    expect(plan([change("a", null, file("x"))], "b")).toEqual([]);
  });
});

describe("the operations of a step", () => {
  const restore = (entry: Entry, present: Entry | null): RevertStep => ({ op: "restore", path: "p", from: "base", entry, present });
  const content = Uint8Array.from([1]);

  it("write content only where it differs", () => {
    expect([needsContent(restore(file("a"), file("b"))), needsContent(restore(file("a"), null)), needsContent(restore(file("a"), file("a", 0o755))), needsContent({ op: "remove", path: "p" })]).toEqual([true, true, false, false]);
    expect(revertOps(restore(file("a", 0o4755), file("b")), content)).toEqual([{ op: "write", path: "p", content, mode: 0o755 }]);
    expect(revertOps(restore(file("a"), file("a", 0o755)), null)).toEqual([{ op: "chmod", path: "p", mode: 0o644 }]);
  });

  it("make folders open for their owner, and links anew", () => {
    const link: Entry = { kind: "symlink", mode: 0o777, bytes: 1, digest: null, target: "t" };
    expect(revertOps(restore(folder(0o555), null), null)).toEqual([{ op: "mkdir", path: "p", mode: 0o755 }]);
    expect(revertOps(restore(link, null), null)).toEqual([{ op: "symlink", path: "p", target: "t" }]);
    expect(revertOps(restore(link, { ...link, target: "u" }), null)).toEqual([{ op: "remove", path: "p" }, { op: "symlink", path: "p", target: "t" }]);
    expect(revertOps({ op: "mode", path: "p", mode: 0o500 }, null)).toEqual([{ op: "chmod", path: "p", mode: 0o500 }]);
  });

  it("are none where the content is lost or the name was special", () => {
    expect([revertOps(restore(file("a"), null), null), revertOps(restore({ ...folder(), kind: "fifo" }, null), null)]).toEqual([null, null]);
  });
});
