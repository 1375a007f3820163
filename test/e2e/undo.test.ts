// A session taken back to a step is what only the commands up to that step would have left: compared with just those, run by a plain
// shell in a copy of the folder.

import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plainBash } from "../support/plain-bash.js";
import { treePicture } from "../support/tree-picture.js";
import { createRig, lines, whyNotHere, type Rig } from "./rig.js";

const missing = whyNotHere();
let rig: Rig;
let folder = "";

/** Every kind of change, and names that change again, go and come back as something else. */
const STEPS = [
  "echo two >> a.txt; mkdir -p new/deep; echo made > new/deep/made.txt; ln -s a.txt link",
  "rm b.txt; chmod 755 tool; printf '\\000\\001\\377binary' > data.bin",
  "echo three >> a.txt; rm new/deep/made.txt; rmdir new/deep new; ln -sfn tool link; mv c.txt d.txt",
  "true",
  "echo back > b.txt; rm link; mkdir link; echo x > link/file; rm data.bin",
] as const;

const picture = (path: string): unknown => treePicture(path, { exact: false });

/** The folder as the first so many steps leave it. */
function expected(steps: number): unknown {
  const copy = rig.workspace({}, "copy");
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true });
  for (const step of STEPS.slice(0, steps)) plainBash(copy, step);
  return picture(copy);
}

describe.skipIf(missing !== null)(`undo${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    rig = createRig();
    folder = rig.workspace({ "a.txt": "one\n", "b.txt": "b\n", "c.txt": "c\n", tool: "#!/bin/sh\n" });
    const played = join(rig.scratch, "steps.jsonl");
    writeFileSync(played, STEPS.map((command, index) => JSON.stringify({ id: String(index + 1), tool: "bash", arguments: { command } })).join("\n"));
    const { code, err } = await rig.run(["run", "--workspace", folder, "--trajectory", played]);
    expect(code, err).toBe(0);
    const outcomes = lines((await rig.run(["show", "last", "--json"])).out).map((line) => JSON.parse(line) as { readonly type: string; readonly data: { readonly outcome?: string } });
    expect(outcomes.filter(({ type }) => type === "call.closed").map(({ data }) => data.outcome)).toEqual(STEPS.map(() => "completed"));
  });

  afterAll(() => rig.remove());

  /** What `apply` makes of the folder, which is put back afterwards. */
  const applied = async (): Promise<unknown> => {
    const before = rig.workspace({}, "before");
    cpSync(folder, before, { recursive: true, verbatimSymlinks: true });
    const { code, err } = await rig.run(["apply", "last", "--yes", "--accept-runs-later"]);
    expect(code, err).toBe(0);
    const seen = picture(folder);
    execFileSync("bash", ["-c", 'find "$1" -mindepth 1 -delete && cp -a "$0"/. "$1"', before, folder]);
    return seen;
  };

  for (const step of [3, 0, 5, 1, 4, 2]) {
    it(`to step ${step} leaves what the first ${step} commands alone leave, from wherever it stood`, async () => {
      const { code, err } = await rig.run(["undo", "last", "--to", String(step)]);
      expect(code, err).toBe(0);
      expect(await applied()).toEqual(expected(step));
    });
  }

  it("without a step goes back before the last change, again and again, and says when there is none", async () => {
    await rig.run(["undo", "last", "--to", "5"]);
    const steps: number[] = [];
    for (let at = 0; at < 4; at += 1) steps.push((JSON.parse((await rig.run(["undo", "last", "--json"])).out) as { readonly step: number }).step);
    expect(steps).toEqual([3, 2, 1, 0]);
    expect((await rig.run(["diff", "last"])).out).toBe("");
    expect(await rig.run(["undo", "last"])).toMatchObject({ code: 2, err: expect.stringContaining("no call changed anything that stands") as string });
  });

  it("refuses a step that there is not, and the record stays sound", async () => {
    for (const step of ["6", "call_9999", "-1", "x"]) expect((await rig.run(["undo", "last", `--to=${step}`])).code, step).toBe(2);
    expect((await rig.run(["log", "verify", "last"])).code).toBe(0);
    expect(lines((await rig.run(["show", "last"])).out).join("\n")).toContain("Taken back to before the first call.");
  });

  it("refuses a step whose content is gone, before anything changes", async () => {
    await rig.run(["undo", "last", "--to", "5"]);
    const { id } = (await rig.sessions())[0] ?? { id: "" };
    const pack = execFileSync("find", [join(rig.state, "sessions", id), "-name", "pack", "-path", "*objects*"], { encoding: "utf8" }).trim();
    writeFileSync(pack, readFileSync(pack).fill(0));
    const { code, err } = await rig.run(["undo", "last", "--to", "1"]);
    expect([code, err]).toEqual([1, expect.stringMatching(/nothing was undone: what `.*` held at that step was not kept/) as string]);
    expect((await rig.run(["diff", "last", "--stat"])).out).toContain("link/file");
  });
});
