// `replay run` of a session of another tool, as a person does it: imported from a file, run again in a container on a folder that is named,
// the step whose output the file claims otherwise named as just that, and nothing left behind.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRig, leftInTheEnd, lines, whyNotHere, type Rig } from "./rig.js";

const missing = whyNotHere();
let rig: Rig;

interface Step {
  readonly type: string;
  readonly rerun: string;
  readonly number: number;
  readonly divergence: { readonly kind: string; readonly recorded: string | null; readonly rerun: string | null } | null;
}

/** A line of a Codex session: a command in a folder, and what came of it. */
const ran = (id: string, command: readonly string[], workdir: string, code: number, output: string): readonly unknown[] => [
  { type: "response_item", payload: { type: "function_call", name: "shell", call_id: id, arguments: JSON.stringify({ command, workdir }) } },
  { type: "response_item", payload: { type: "function_call_output", call_id: id, output: `Exit code: ${code}\nWall time: 0.1 seconds\nOutput:\n${output}` } },
];

async function imported(name: string, cwd: string, calls: readonly (readonly unknown[])[]): Promise<string> {
  const file = join(rig.scratch, `${name}.jsonl`);
  writeFileSync(file, [{ type: "session_meta", payload: { id: name, cwd, cli_version: "0.50.0" } }, ...calls.flat()].map((line) => `${JSON.stringify(line)}\n`).join(""));
  const { code, out, err } = await rig.run(["import", file, "--json"]);
  expect(code, err).toBe(0);
  return (JSON.parse(lines(out)[0] ?? "{}") as { readonly session: string }).session;
}

describe.skipIf(missing !== null)(`replay run of an imported session${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(() => {
    rig = createRig();
  });
  afterAll(() => rig.remove());

  it("each command runs in its folder, and the step whose output differs is named with both", async () => {
    const root = "/home/somebody/project";
    const id = await imported("session", root, [
      ran("1", ["bash", "-lc", "mkdir sub && cp a.py sub/b.py"], root, 0, ""),
      ran("2", ["bash", "-lc", "pwd; python3 b.py"], `${root}/sub`, 0, `${root}/sub\n42\n`),
      ran("3", ["bash", "-lc", "python3 a.py; exit 3"], root, 3, "41\n"),
      ran("4", ["cat", "gone.txt"], root, 1, "cat: gone.txt: No such file or directory\n"),
    ]);
    const folder = rig.workspace({ "a.py": "print(42)\n" });
    const { code, out, err } = await rig.run(["replay", "run", id, "--workspace", folder, "--keep-going", "--json"]);
    const told = lines(out).map((line) => JSON.parse(line) as Step);
    const steps = told.filter(({ type }) => type === "replay.step");
    expect(steps.map(({ divergence }) => divergence?.kind ?? "same"), err).toEqual(["same", "same", "output", "same"]);
    expect(steps[2]?.divergence).toMatchObject({ recorded: "41", rerun: "42" });
    expect(code).toBe(1);
    expect(readdirSync(folder)).toEqual(["a.py"]);
    expect(readFileSync(join(folder, "a.py"), "utf8")).toBe("print(42)\n");
    const rerun = told.find(({ type }) => type === "replay.opened")?.rerun ?? "";
    expect((await rig.run(["log", "verify", rerun])).code).toBe(0);
    expect(await leftInTheEnd([rerun], rig.state)).toEqual([]);
  });

  it("one that worked where no folder can lie in a sandbox is refused with its reason and a way", async () => {
    const id = await imported("system", "/tmp", [ran("1", ["ls"], "/tmp", 0, "")]);
    const { code, err } = await rig.run(["replay", "run", id, "--workspace", rig.workspace({})]);
    expect(code).toBe(2);
    expect(err).toContain(`session ${id} cannot be run again: it worked in \`/tmp\``);
    expect(err).toContain("--root");
  });
});
