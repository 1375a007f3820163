// Review at the command line: hunks by number, globs, a yes for what runs later, and the picker on a terminal.

import { readFileSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { treePicture } from "../support/tree-picture.js";
import { createRig, lines, sessionOf, whyNotHere, type Rig } from "./rig.js";

const missing = whyNotHere();
let rig: Rig;
let folder = "";
let session = "";

const numbered = Array.from({ length: 30 }, (_, index) => `line ${index + 1}\n`).join("");
const read = (path: string): string => readFileSync(join(folder, path), "utf8");
const KEYS = { space: " ", enter: "\r", down: "\u001b[B" } as const;

describe.skipIf(missing !== null)(`applying at the command line${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    rig = createRig();
    folder = rig.workspace({ "a.txt": numbered, "src/x.js": "x\n", "src/y.js": "y\n", "Makefile": "all:\n" });
    const result = await rig.run(["exec", "--workspace", folder, "--shell", "sed -i -e s/^line.2$/two/ -e s/^line.15$/fifteen/ -e s/^line.29$/'twenty nine'/ a.txt; echo 2 >> src/x.js; echo 2 >> src/y.js; printf 'all:\\n\\ttrue\\n' > Makefile"]);
    expect(result.code).toBe(0);
    session = sessionOf(result);
  });

  afterAll(() => rig.remove());

  it("numbers hunks in a patch that git takes all the same, and marks what runs later", async () => {
    const diff = await rig.run(["diff", session]);
    expect(lines(diff.out).filter((line) => line.startsWith("@@") && line.includes("hunk 2"))).toHaveLength(1);
    expect(diff.err).toMatch(/runs later on this machine once taken over: Makefile\n/);
    const patch = join(rig.scratch, "p.patch");
    writeFileSync(patch, diff.stdout);
    execFileSync("git", ["apply", "--check", patch], { cwd: folder, env: { PATH: process.env["PATH"] ?? "", GIT_CEILING_DIRECTORIES: rig.scratch }, stdio: "pipe" });
    expect(lines((await rig.run(["diff", "--stat", session])).out)).toEqual(["M Makefile  runs later", "M a.txt", "M src/x.js", "M src/y.js"]);
    const json = JSON.parse((await rig.run(["diff", "--json", session])).out) as { readonly changes: readonly { readonly path: string; readonly runsLater: boolean; readonly hunks: number }[] };
    expect(json.changes.map((change) => [change.path, change.runsLater, change.hunks])).toEqual([["Makefile", true, 1], ["a.txt", false, 3], ["src/x.js", false, 1], ["src/y.js", false, 1]]);
  });

  it("writes nothing that runs later without a yes of its own, and then only what is named", async () => {
    const before = treePicture(folder, { exact: true });
    const refused = await rig.run(["apply", session, "--yes"]);
    expect([refused.code, refused.out, refused.err]).toEqual([1, "", expect.stringMatching(/nothing was written: this machine would run `Makefile` later/)]);
    expect(treePicture(folder, { exact: true })).toEqual(before);
    const part = await rig.run(["apply", session, "--json", "--hunk", "a.txt:2", "--path", "src/x*"]);
    expect([part.code, JSON.parse(part.out)]).toMatchObject([0, { applied: [{ path: "a.txt" }, { path: "src/x.js" }], hunks: [{ path: "a.txt", numbers: [2] }] }]);
    expect([read("a.txt"), read("src/x.js"), read("src/y.js")]).toEqual([numbered.replace("line 15\n", "fifteen\n"), "x\n2\n", "y\n"]);
    // What was taken stays told by `diff`, in the numbers it had.
    expect(lines((await rig.run(["diff", session])).out).filter((line) => line.startsWith("@@ ") && line.includes(" hunk 3"))).toHaveLength(1);
    expect((await rig.run(["log", "verify", session])).code).toBe(0);
  });

  it("picks on a terminal: all but what runs later is ticked, and each hunk is asked for", async () => {
    const picking = rig.startOnTerminal(["apply", session, "--interactive"]);
    await picking.until("the list of files", () => picking.out().includes("enter goes on"));
    picking.stdin.write(KEYS.enter);
    await picking.until("the list of hunks", () => picking.out().includes("Which hunks of a.txt"));
    picking.stdin.write(`${KEYS.space}`);
    await picking.until("the first hunk is left out", () => /◻.{0,20}hunk 1/u.test(picking.out()));
    picking.stdin.write(KEYS.enter);
    await picking.until("the question", () => picking.out().includes("Write 3 changes"));
    picking.stdin.write("y");
    const { code, out } = await picking.ended;
    expect([code, out]).toEqual([0, expect.stringContaining("3 paths written")]);
    expect([read("a.txt"), read("src/y.js"), read("Makefile")]).toEqual([numbered.replace("line 15\n", "fifteen\n").replace("line 29\n", "twenty nine\n"), "y\n2\n", "all:\n"]);
    const rest = await rig.run(["apply", session, "--yes", "--accept-runs-later"]);
    expect([rest.code, read("Makefile"), read("a.txt").startsWith("line 1\ntwo\n")]).toEqual([0, "all:\n\ttrue\n", true]);
    const alone = await rig.run(["apply", session, "-i"]);
    expect([alone.code, alone.err]).toEqual([2, expect.stringContaining("needs a terminal")]);
  });
});
