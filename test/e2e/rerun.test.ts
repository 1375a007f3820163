// `replay run`: a recorded session runs again without a difference, whatever became of the folder since; a difference that was planted is
// named at exactly its step; another image and another policy are differences of their own; nothing is left behind.

import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rerunSteps, RERUN_FILES } from "../support/rerun-steps.js";
import { createRig, leftInTheEnd, lines, whyNotHere, type Rig } from "./rig.js";

const missing = whyNotHere();
let rig: Rig;
let sound = "";
let planted = "";
const STEPS = 14;
const AT = 9;
/** Where re-runs of this file put their folders: those of others come and go in the machine's own. The sandbox's user passes through it. */
const own = mkdtempSync(join(tmpdir(), "ringfence-reruns-"));
chmodSync(own, 0o711);
afterAll(() => rmSync(own, { recursive: true, force: true }));
const folders = (): readonly string[] => readdirSync(own).filter((name) => name.startsWith("ringfence-rerun-"));

async function record(plantedAt: number | null): Promise<{ readonly folder: string; readonly id: string }> {
  const folder = rig.workspace(RERUN_FILES);
  const played = join(rig.scratch, `steps-${String(plantedAt)}.jsonl`);
  writeFileSync(played, rerunSteps(plantedAt === null ? STEPS : plantedAt + 1, plantedAt).map((call) => `${JSON.stringify(call)}\n`).join(""));
  const { code, err } = await rig.run(["run", "--workspace", folder, "--trajectory", played, "--quiet"]);
  expect(code, err).toBe(0);
  return { folder, id: (await rig.sessions())[0]?.id ?? "" };
}

interface Step {
  readonly type: string;
  readonly number: number;
  readonly divergence: { readonly kind: string; readonly why: string } | null;
  readonly workspace: { readonly recorded: string; readonly rerun: string } | null;
}

async function again(...args: readonly string[]): Promise<{ readonly code: number; readonly err: string; readonly steps: readonly Step[]; readonly rerun: string }> {
  const { code, out, err } = await rig.run(["replay", "run", ...args, "--json"], { env: { TMPDIR: own } });
  const told = lines(out).map((line) => JSON.parse(line) as Step & { readonly rerun?: string });
  expect(folders()).toEqual([]);
  return { code, err, steps: told.filter(({ type }) => type === "replay.step"), rerun: told.find(({ type }) => type === "replay.opened")?.rerun ?? "" };
}

const differing = (steps: readonly Step[]): readonly string[] => steps.flatMap(({ number, divergence }) => (divergence === null ? [] : [`${String(number)} ${divergence.kind}`]));

describe.skipIf(missing !== null)(`replay run${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    rig = createRig();
    const one = await record(null);
    sound = one.id;
    // What the user does to the folder meanwhile is no part of what the session ran on.
    rmSync(join(one.folder, "src"), { recursive: true });
    writeFileSync(join(one.folder, "package.json"), "{}");
    planted = (await record(AT)).id;
  });
  afterAll(() => rig.remove());

  it(`${STEPS} steps run again and none differs`, async () => {
    const { code, err, steps, rerun } = await again(sound, "--keep-going");
    expect(differing(steps), err).toEqual([]);
    expect(steps).toHaveLength(STEPS);
    expect(steps.filter(({ workspace }) => workspace !== null && workspace.recorded !== workspace.rerun).map(({ number }) => number)).toEqual([8]);
    expect(code).toBe(0);
    const shown = lines((await rig.run(["show", rerun, "--json"])).out).map((line) => JSON.parse(line) as { readonly type: string; readonly data: Readonly<Record<string, unknown>> });
    expect(shown[0]?.data).toMatchObject({ source: "replay", replayOf: sound });
    expect(shown.map(({ type }) => type).slice(-2)).toEqual(["session.closed", "session.discarded"]);
    expect((await rig.run(["log", "verify", rerun])).code).toBe(0);
    expect(await leftInTheEnd([rerun], rig.state)).toEqual([]);
  });

  it("each step shows what it changed and the workspace after it, on the terminal and on the page", async () => {
    const { code, out } = await rig.run(["replay", "view", sound, "--step", "14", "--diff", "--workspace"]);
    expect(code).toBe(0);
    expect(out).toContain("-module.exports = 1;");
    expect(out).toContain("+module.exports = 1 * 2;");
    // As its own steps left it: the file of this round, and what the round before made.
    const after = lines(out).map((line) => line.trim().replace(/ +/gu, " "));
    expect(after).toContain("create src/m1.js");
    expect(after).toContain("create out/0/when.txt");
    expect(after).not.toContain("create out/1/when.txt");
    const page = join(rig.scratch, "page.html");
    expect((await rig.run(["replay", "view", sound, "--html", page])).code).toBe(0);
    expect(readFileSync(page, "utf8")).toContain("+module.exports = 1 * 2;");
    expect((await rig.run(["replay", "view", sound, "--step", "1", "--diff", "--workspace"])).out).toContain("after it the workspace is as the folder was");
  });

  it(`a difference that was planted is named at step ${AT}, and no other`, async () => {
    const { code, err, steps } = await again(planted, "--keep-going");
    expect(differing(steps), err).toEqual([`${AT} output`]);
    expect(code).toBe(1);
  });

  it("another image and another policy are the first difference", async () => {
    const image = await again(sound, "--image", "base", "--until", "1");
    expect(differing(image.steps), image.err).toEqual(["0 image"]);
    expect(image.code).toBe(1);
    const policy = join(rig.scratch, "strict.policy.yaml");
    writeFileSync(policy, 'version: 1\nid: strict\ntitle: S\nextends: [kimi-dev]\nrules:\n  - { id: strict.no-ls, effect: deny, layer: L3, threats: ["maestro:L7/agent-tool-misuse"], message: no listing, when: [{ exec: { programs: [ls] } }], match: [{ command: ls }], notMatch: [{ command: cat a }] }\n');
    const strict = await again(sound, "--policy", policy, "--keep-going", "--until", "2");
    expect(differing(strict.steps), strict.err).toEqual(["0 policy", "1 decision"]);
  });

  it("what cannot be run again is refused with the reason", async () => {
    rmSync(join(rig.state, "bases"), { recursive: true });
    const gone = await again(sound);
    expect(gone.code).toBe(70);
    expect(gone.err).toContain("it is not kept any more");
    expect(gone.err).toContain("--workspace");
    const file = join(rig.scratch, "foreign.jsonl");
    writeFileSync(file, `${JSON.stringify([{ role: "assistant", tool_calls: [{ id: "1", type: "function", function: { name: "bash", arguments: '{"command":"ls"}' } }] }])}\n`);
    expect((await rig.run(["import", file, "--format", "chat"])).code).toBe(0);
    const imported = await again("last");
    expect(imported.code).toBe(2);
    expect(imported.err).toContain("it was imported");
    expect((await rig.sessions()).length).toBeGreaterThan(0);
    expect(existsSync(join(rig.state, "bases"))).toBe(false);
  });

  it("on a folder that is named, with Ctrl-C in the middle: what ran is on record, nothing is left", async () => {
    const folder = rig.workspace(RERUN_FILES);
    const process = rig.start(["replay", "run", sound, "--workspace", folder, "--json"]);
    await process.until("the third step", () => lines(process.out()).length > 3);
    process.kill("SIGINT");
    const { code, out } = await process.ended;
    expect(code).toBe(130);
    const rerun = (JSON.parse(lines(out)[0] ?? "{}") as { readonly rerun: string }).rerun;
    expect((await rig.run(["log", "verify", rerun])).code).toBe(0);
    expect(await leftInTheEnd([rerun], rig.state)).toEqual([]);
  });
});
