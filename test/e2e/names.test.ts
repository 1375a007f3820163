// Names that break what is careless: in the path of the workspace, and of the files in it. Everything stays what it is, the
// patch applies, and nothing outside is touched.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { treePicture } from "../support/tree-picture.js";
import { createRig, lines, sessionOf, whyNotHere } from "./rig.js";

const missing = whyNotHere();
if (missing !== null) console.warn(`left out: ${missing}`);
const rig = createRig();
afterAll(() => rig.remove());

const exact = (folder: string): readonly string[] => treePicture(folder, { exact: true });
const HOSTILE = ["new\nline", "co:lon", "com,ma", "back\\slash", "quo'te\"s", "-rf", "$(touch owned)", "sp ace ", "ümläut\u202e", "tab\t", "a".repeat(250), "%s%n", "\u001b[31mred"];

describe.skipIf(missing !== null)("a workspace whose path is hostile", () => {
  it.each([
    ["a newline", "new\nline"],
    ["a colon and a comma", "lower:dir,upperdir=x"],
    ["quotes, a backslash and a dollar", "quo'te\"s \\ $(id) `id`"],
    ["an escape and a character that reverses text", "\u001b[31m\u202e"],
  ])("works with %s", async (_name, name) => {
    const folder = rig.workspace({ "a.txt": "one\n" }, name);
    const before = exact(folder);
    const result = await rig.run(["exec", "--workspace", folder, "--shell", "cat a.txt; echo two >> a.txt; ls -A"]);
    expect([result.code, result.out]).toEqual([0, "one\na.txt\n"]);
    expect(exact(folder)).toEqual(before);
    // eslint-disable-next-line no-control-regex
    expect((await rig.run(["show", sessionOf(result)])).out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/u);
    expect((await rig.run(["apply", "--yes", sessionOf(result)])).code).toBe(0);
    expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("one\ntwo\n");
  });
});

describe.skipIf(missing !== null)("files whose names are hostile", () => {
  it("are read, changed, deleted, shown, put in a patch that git takes, and applied", async () => {
    const folder = rig.workspace({}, "names");
    for (const name of HOSTILE) {
      mkdirSync(join(folder, `dir ${name.slice(0, 200)}`));
      for (const kind of ["keep", "change", "delete"]) writeFileSync(join(folder, `dir ${name.slice(0, 200)}`, `${name.slice(0, 240)}${kind}`), "one\n");
    }
    const copy = join(rig.workspace({}), "copy");
    cpSync(folder, copy, { recursive: true, preserveTimestamps: true });
    const before = exact(folder);
    const program = "find . -name '*change' -exec sh -c 'for f; do echo two >> \"$f\"; cp -- \"$f\" \"${f%change}made\"; done' sh {} + && find . -name '*delete' -delete";
    const result = await rig.run(["exec", "--workspace", folder, "--shell", program]);
    expect([result.code, exact(folder)]).toEqual([0, before]);
    const session = sessionOf(result);

    // One line a path: no name makes a second one, and none steers the terminal. Very long names are shown cut.
    const stat = await rig.run(["diff", "--stat", session]);
    expect([lines(stat.out).length, lines(stat.out).filter((line) => !/^[AMD] [\p{L}\u0020-\u007e…]+$/u.test(line))]).toEqual([HOSTILE.length * 3, []]);

    const patch = await rig.run(["diff", session]);
    const file = join(rig.scratch, "names.patch");
    writeFileSync(file, patch.stdout);
    execFileSync("git", ["apply", file], { cwd: copy, env: { PATH: process.env["PATH"] ?? "", HOME: rig.home, GIT_CEILING_DIRECTORIES: rig.scratch }, stdio: "pipe" });
    expect((await rig.run(["apply", "--yes", session])).code).toBe(0);
    const loose = { exact: false, withoutModes: true } as const;
    expect(treePicture(folder, loose)).toEqual(treePicture(copy, loose));
    expect(existsSync(join(folder, "owned"))).toBe(false);
  });

  it("that are links are never followed on this machine: what they point to is neither read nor written", async () => {
    const folder = rig.workspace({ "a.txt": "one\n" });
    const secret = join(rig.scratch, "secret.txt");
    writeFileSync(secret, "outside\n");
    symlinkSync(secret, join(folder, "out"));
    symlinkSync(rig.scratch, join(folder, "up"));
    const result = await rig.run(["exec", "--workspace", folder, "--shell", `cat out; echo owned > out; echo owned > up/owned; ln -sfn ${secret} a.txt; true`]);
    expect(result.out).toBe("");
    const session = sessionOf(result);
    expect((await rig.run(["diff", session])).out).not.toContain("outside");
    await rig.run(["apply", "--yes", session]);
    expect([readFileSync(secret, "utf8"), existsSync(join(rig.scratch, "owned")), lstatSync(join(folder, "out")).isSymbolicLink(), readlinkSync(join(folder, "out"))]).toEqual(["outside\n", false, true, secret]);
  });
});
