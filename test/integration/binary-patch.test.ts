// Bytes in a patch: what `git apply` makes of it is the content itself, forwards and backwards.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { binaryPatch } from "../../src/adapters/files/binary-patch.js";

const folder = mkdtempSync(join(tmpdir(), "ringfence-binary-patch-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Content = Uint8Array | null;

function put(name: string, content: Content): void {
  if (content === null) rmSync(join(folder, name), { force: true });
  else writeFileSync(join(folder, name), content);
}

const get = (name: string): Content => (existsSync(join(folder, name)) ? new Uint8Array(readFileSync(join(folder, name))) : null);

/** Files f0, f1, … before and after, in one patch through one git. */
function throughGit(pairs: readonly (readonly [Content, Content])[], back: boolean): readonly Content[] {
  const head = (before: Content, after: Content): string => (before === null ? "new file mode 100644\n" : after === null ? "deleted file mode 100644\n" : "");
  const patch = pairs.map(([before, after], index) => `diff --git a/f${index} b/f${index}\n${head(before, after)}${binaryPatch(before, after)}`).join("");
  for (const [index, [before, after]] of pairs.entries()) put(`f${index}`, back ? after : before);
  execFileSync("git", ["apply", ...(back ? ["--reverse"] : []), "-"], { cwd: folder, input: patch, env: { PATH: process.env["PATH"] ?? "", GIT_CEILING_DIRECTORIES: tmpdir() }, stdio: ["pipe", "pipe", "pipe"] });
  return pairs.map((_, index) => get(`f${index}`));
}

describe("binaryPatch", () => {
  it("gives back any bytes through git, at every length around the ends of lines and groups", () => {
    const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 167 + length) % 256);
    const pairs = [...Array.from({ length: 120 }, (_, length) => [length % 3 === 0 ? null : bytes(length + 1), length % 3 === 1 ? null : bytes(length)] as const), [bytes(0), bytes(300_000)] as const];
    expect(throughGit(pairs, false)).toEqual(pairs.map(([, after]) => after));
    expect(throughGit(pairs, true)).toEqual(pairs.map(([before]) => before));
  });

  it("holds for contents by chance", () => {
    const content = fc.uint8Array({ maxLength: 400 });
    const pair = fc.tuple(fc.option(content), fc.option(content)).filter(([before, after]) => before !== null || after !== null).filter(([before, after]) => before === null || after === null || Buffer.compare(before, after) !== 0);
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1, maxLength: 40 }), (pairs) => {
        expect(throughGit(pairs, false)).toEqual(pairs.map(([, after]) => after));
      }),
      { numRuns: 20, seed: 5 },
    );
  });
});
