import { describe, expect, it } from "vitest";
import type { Change, Entry } from "../../../src/core/reconcile/change.js";
import { renderPatch, type PatchInput } from "../../../src/core/reconcile/patch.js";
import { LIMITS } from "../../../src/core/shared/index.js";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const file = (mode = 0o644): Entry => ({ kind: "file", mode, bytes: 1, digest: "sha256:x", target: null });
const link = (target: string): Entry => ({ kind: "symlink", mode: 0o777, bytes: 1, digest: "sha256:x", target });
const change = (path: string, before: Entry | null, after: Entry | null): Change => ({ path, operation: "modify", before, after });
const input = (path: string, before: Entry | null, after: Entry | null, old: string | null, next: string | null): PatchInput => ({ change: change(path, before, after), before: old === null ? null : bytes(old), after: next === null ? null : bytes(next) });
const text = (...inputs: readonly PatchInput[]): string => Buffer.from(renderPatch(inputs).bytes).toString("latin1");

describe("a patch", () => {
  it("shows a changed file in git's form", () => {
    expect(text(input("src/a.js", file(), file(), "one\ntwo\nthree\n", "one\n2\nthree\n"))).toBe("diff --git a/src/a.js b/src/a.js\n--- a/src/a.js\n+++ b/src/a.js\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n");
  });

  it("shows new, deleted and empty files, modes and missing line ends", () => {
    expect(text(input("n", null, file(0o755), null, "a\nb"))).toBe("diff --git a/n b/n\nnew file mode 100755\n--- /dev/null\n+++ b/n\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n");
    expect(text(input("d", file(), null, "a\n", null))).toBe("diff --git a/d b/d\ndeleted file mode 100644\n--- a/d\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n");
    expect(text(input("e", null, file(), null, ""))).toBe("diff --git a/e b/e\nnew file mode 100644\n");
    expect(text(input("m", file(), file(0o755), "a\n", "a\n"))).toBe("diff --git a/m b/m\nold mode 100644\nnew mode 100755\n");
  });

  it("shows links as git does, and a link in place of a file as two changes", () => {
    expect(text(input("l", null, link("t"), null, "t"))).toBe("diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+t\n\\ No newline at end of file\n");
    expect(text(input("l", file(), link("t"), "a\n", "t"))).toBe(
      "diff --git a/l b/l\ndeleted file mode 100644\n--- a/l\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\ndiff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+t\n\\ No newline at end of file\n",
    );
  });

  it("quotes hostile names so that none can forge a header", () => {
    expect(text(input('a\nb"\\c', null, file(), null, ""))).toBe('diff --git "a/a\\nb\\"\\\\c" "b/a\\nb\\"\\\\c"\nnew file mode 100644\n');
    expect(text(input("ü\\xff\u001b", null, file(), null, ""))).toBe('diff --git "a/\\303\\274\\377\\033" "b/\\303\\274\\377\\033"\nnew file mode 100644\n');
    expect(text(input("a b", file(), file(), "1\n", "2\n"))).toContain("\n--- a/a b\t\n+++ b/a b\t\n");
  });

  it("keeps bytes outside of UTF-8, carriage returns and lines that look like headers", () => {
    const old = "\xff\r\n--- a/x\n@@ -1 +1 @@\n";
    expect(text(input("f", file(), file(), old, `${old}\xe9\n`))).toBe(`diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,3 +1,4 @@\n \xff\r\n --- a/x\n @@ -1 +1 @@\n+\xe9\n`);
  });

  it("says what it cannot carry", () => {
    const special: Entry = { kind: "fifo", mode: 0o644, bytes: 0, digest: null, target: null };
    const folder: Entry = { ...special, kind: "directory" };
    const rendered = renderPatch([
      input("bin", file(), file(), "a\n", "a\0b\n"),
      input("big", null, file(), null, "x".repeat(LIMITS.patchBytes + 1)),
      input("pipe", null, special, null, ""),
      input("empty", null, folder, null, ""),
      input("umask", file(0o644), file(0o600), "a", "a"),
    ]);
    expect(rendered.omitted.map((each) => `${each.path}: ${each.reason}`)).toEqual([
      "bin: binary",
      "big: too large for a patch",
      "pipe: a fifo cannot be in a patch",
      "empty: an empty folder cannot be in a patch",
      "umask: only permission bits that git does not keep differ",
    ]);
    expect(Buffer.from(rendered.bytes).toString()).toBe("diff --git a/bin b/bin\nBinary files a/bin and b/bin differ\ndiff --git a/big b/big\nnew file mode 100644\nBinary files /dev/null and b/big differ\n");
  });

  it("does not hang on two large files that have nothing in common", () => {
    const old = Array.from({ length: 20_000 }, (_, index) => `old ${index}\n`).join("");
    const next = Array.from({ length: 20_000 }, (_, index) => `new ${index}\n`).join("");
    const started = performance.now();
    expect(text(input("f", file(), file(), old, next))).toContain("@@ -1,20000 +1,20000 @@\n-old 0\n");
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
