// rf-ahead reads what it is told to, and nothing else: seen by the time that a file system keeps of a folder's last reading.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findAheadProgram, openAhead } from "../../src/adapters/files/ahead-program.js";
import { rawFromText } from "../../src/adapters/files/raw-path.js";

const program = findAheadProgram();
if (program === null) console.warn("left out: rf-ahead is not built; run `npm run setup`");
const base = mkdtempSync(join(tmpdir(), "ringfence-ahead-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const LONG_AGO = 1_000;
const wasRead = (folder: string): boolean => statSync(folder).atimeMs > LONG_AGO * 1000;

/** Folders that were never read, as far as their times tell. */
function make(name: string, folders: readonly string[]): string {
  const root = join(base, name);
  for (const folder of ["", ...folders]) mkdirSync(join(root, folder), { recursive: true });
  for (const folder of [...folders, ""]) utimesSync(join(root, folder), LONG_AGO, LONG_AGO);
  return root;
}

const told = make("told", []);
readdirSync(told);
/** Elsewhere nobody can see what is read. */
const isTold = wasRead(told);
if (!isTold) console.warn("left out: this file system keeps no time of a folder's last reading");

describe.skipIf(program === null || !isTold)("folders read from the disk", () => {
  it("are all there are, but through no link and under names of any bytes", async () => {
    const deep = Array.from({ length: 40 }, (_, index) => "d".repeat(index % 9 === 0 ? 200 : 3) + String(index));
    const folders = ["a", "a/b", "a/b/c", "né", ...deep, ...deep.map((name) => `a/${name}`)];
    const [root, outside] = [make("root", folders), make("outside", ["below"])];
    symlinkSync(outside, join(root, "a", "link"));
    symlinkSync("..", join(root, "a", "b", "up"));
    for (const folder of ["a/b", "a", ""]) utimesSync(join(root, folder), LONG_AGO, LONG_AGO);
    await openAhead(program ?? "", rawFromText(root), "list").done;
    expect(folders.filter((folder) => !wasRead(join(root, folder)))).toEqual([]);
    expect([outside, join(outside, "below")].map(wasRead)).toEqual([false, false]);
  });

  it("are not listed where they are only looked at, and need not be there", async () => {
    const root = make("looked", ["a", "a/b"]);
    writeFileSync(join(root, "file"), "");
    symlinkSync(base, join(root, "link"));
    await openAhead(program ?? "", rawFromText(root), { look: ["", "a", "a/b", "gone", "gone/too", "file", "file/x", "link/told", "../told", "/etc", "x".repeat(9_000)].map(rawFromText) }).done;
    expect(["a", "a/b"].map((folder) => wasRead(join(root, folder)))).toEqual([false, false]);
  });

  it("take no longer than they are wanted, and fail for nobody", async () => {
    const root = make("stopped", ["a"]);
    const reading = openAhead(program ?? "", rawFromText(root), "list");
    reading.stop();
    await reading.done;
    for (const [using, where] of [["/no/such/program", root], ["/bin/false", root], [program ?? "", join(base, "gone")]] as const) await openAhead(using, rawFromText(where), "list").done;
  });
});

describe("a program that does not end", () => {
  it("is waited for no longer than is told, and ended", async () => {
    const [root, file] = [make("slow", []), join(base, "slow.sh")];
    const pid = join(base, "pid");
    writeFileSync(file, `#!/bin/sh\necho $$ > '${pid}'\nexec sleep 600\n`, { mode: 0o755 });
    const { done } = openAhead(file, rawFromText(root), "list", 500);
    await done;
    const left = Number(readFileSync(pid, "utf8"));
    await expect.poll(() => existsSync(`/proc/${left}`)).toBe(false);
  });
});
