// Taking over, killed before every single change it makes to a file, and the recovery killed in the same way: after one recovery that
// comes to its end the folder is wholly as it was or wholly as the session left it, and the note says which.

import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyChanges } from "../../src/adapters/files/apply.js";
import { openJournal } from "../../src/adapters/files/apply-journal.js";
import { recoverApply } from "../../src/adapters/files/apply-recover.js";
import { digestOf } from "../../src/adapters/files/entry.js";
import { createMemoryWorkspaceProvider, type MemoryNode, type MemoryTree } from "../../src/adapters/memory/workspace.js";
import { GuardError } from "../../src/core/shared/index.js";
import type { CutApply } from "../../src/ports/workspace.js";
import { countInputs } from "../soak/count-inputs.js";
import { createRandom } from "../soak/random.js";
import { SEED } from "../soak/suite.js";
import { dieAt } from "../support/dying-files.js";
import { treePicture } from "../support/tree-picture.js";

const SOAK = process.env["RINGFENCE_SOAK"] === "1";
/** Moments of the recovery at which it is killed too, for each moment of the apply; under soak all. */
const AGAIN = 2;
const random = createRandom(Number(process.env["RINGFENCE_SEED"] ?? SEED));
/** In memory where there is some: this is about order, and no power will fail. */
const BASE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const hasher = (bytes: Uint8Array | string): `sha256:${string}` => digestOf(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
let scratch = "";
beforeAll(() => void (scratch = realpathSync(mkdtempSync(join(BASE, "rf-killed-")))));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const START: ReadonlyMap<string, MemoryNode> = new Map<string, MemoryNode>([
  ["a.txt", { kind: "file", content: "a\n" }],
  ["gone.txt", { kind: "file", content: "gone\n", mode: 0o600 }],
  ["run.sh", { kind: "file", content: "run\n" }],
  ["dir/b.txt", { kind: "file", content: "b\n" }],
  ["dir/c.txt", { kind: "file", content: "c\n" }],
  ["old/deep/d.txt", { kind: "file", content: "d\n" }],
  ["turns", { kind: "file", content: "a file\n" }],
  ["link", { kind: "symlink", target: "a.txt" }],
]);

/** Every kind of step: new, changed, gone, other mode, a file that becomes a folder, a folder that becomes a file, a link turned elsewhere. */
function agent(view: MemoryTree): void {
  view.set("a.txt", { kind: "file", content: "changed\n" });
  view.set("new/deep/n.txt", { kind: "file", content: "new\n", mode: 0o755 });
  view.remove("gone.txt");
  view.set("run.sh", { kind: "file", content: "run\n", mode: 0o755 });
  view.remove("dir/b.txt");
  view.set("dir/c.txt", { kind: "file", content: "c\nc\n" });
  for (const path of ["old/deep/d.txt", "old/deep", "old", "turns"]) view.remove(path);
  view.set("old", { kind: "file", content: "was a folder\n" });
  view.set("turns/inside.txt", { kind: "file", content: "is a folder\n" });
  view.set("link", { kind: "symlink", target: "dir/c.txt" });
}

function makeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [path, node] of START) {
    mkdirSync(join(folder, dirname(path)), { recursive: true, mode: 0o755 });
    if (node.kind === "symlink") symlinkSync(node.target, join(folder, path));
    if (node.kind !== "file") continue;
    writeFileSync(join(folder, path), node.content);
    chmodSync(join(folder, path), node.mode ?? 0o644);
  }
}

const picture = (folder: string): readonly string[] => treePicture(folder, { exact: false });

interface Trial {
  readonly folder: string;
  readonly session: string;
  readonly apply: () => Promise<void>;
  readonly recover: () => CutApply | null;
}

/** The folder as it was, and a session's changes to take over. */
async function trial(exchanged: () => void = () => undefined): Promise<Trial> {
  const folder = join(scratch, "project");
  const session = join(scratch, "session");
  makeFolder(folder);
  rmSync(session, { recursive: true, force: true });
  mkdirSync(session);
  const { uid, gid } = statSync(folder);
  const provider = createMemoryWorkspaceProvider({ folders: new Map([[folder, START]]), hasher, uid, gid });
  const workspace = await provider.create("ses_killed001", folder);
  agent(provider.workspaceOf("ses_killed001").view);
  const changes = await workspace.changes(new AbortController().signal);
  return {
    folder,
    session,
    apply: async () => {
      const journal = openJournal(session);
      await applyChanges({ workspace, changes, journal: { ...journal, exchanged: (paths) => (exchanged(), journal.exchanged({ paths })) } });
      journal.clear();
    },
    recover: () => {
      const outcome = recoverApply(session);
      openJournal(session).clear();
      return outcome;
    },
  };
}

/** The folder after a recovery that came to its end: one of the two, as the outcome says, and nothing beside it. */
function expectWhole({ folder, session }: Trial, outcome: CutApply | null, before: readonly string[], after: readonly string[]): void {
  const now = picture(folder);
  if (outcome === null) expect([before, after]).toContainEqual(now);
  else if (outcome.outcome === "finished") expect(now).toEqual(after);
  else expect([now, outcome.left]).toEqual([before, []]);
  expect(readdirSync(folder).filter((name) => name.startsWith(".ringfence"))).toEqual([]);
  // No draft of the note either.
  expect(readdirSync(session)).toEqual([]);
}

/** Kills one apply before each of its changes, and the recovery at some or all of its own. Gives how often it was which outcome. */
async function killEverywhere(make: () => Promise<Trial>, total: number, before: readonly string[], after: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const seen: Record<string, number> = {};
  let inputs = 0;
  for (let at = 0; at < total; at += 1) {
    const one = await make();
    expect((await dieAt(at, one.apply)).died).toBe(true);
    const told = { outcome: null as CutApply | null };
    const steps = (await dieAt(NEVER, () => void (told.outcome = one.recover()))).changes.length;
    expectWhole(one, told.outcome, before, after);
    const name = told.outcome?.outcome ?? "nothing to do";
    seen[name] = (seen[name] ?? 0) + 1;
    const moments = SOAK ? Array.from({ length: steps }, (_, index) => index) : Array.from({ length: AGAIN }, () => random.int(0, steps - 1));
    for (const moment of moments) {
      const two = await make();
      await dieAt(at, two.apply);
      expect((await dieAt(moment, () => void two.recover())).died).toBe(true);
      expectWhole(two, two.recover(), before, after);
    }
    inputs += 1 + moments.length;
  }
  countInputs(inputs);
  return seen;
}

const NEVER = Number.POSITIVE_INFINITY;

describe("an apply that is killed", { timeout: SOAK ? 600_000 : 60_000 }, () => {
  it("before any of its changes, and again while it is taken back: the folder is wholly the one or the other", async () => {
    const first = await trial();
    const before = picture(first.folder);
    const whole = await dieAt(NEVER, first.apply);
    const after = picture(first.folder);
    expect(lstatSync(join(first.folder, "old")).isFile() && lstatSync(join(first.folder, "turns")).isDirectory()).toBe(true);
    const seen = await killEverywhere(() => trial(), whole.changes.length, before, after);
    expect(seen["undone"]).toBeGreaterThan(30);
    expect(seen["finished"]).toBeGreaterThan(3);
  });

  it("while it walks back by itself, because its end could not be noted: the folder is as it was", async () => {
    const full = (): Promise<Trial> =>
      trial(() => {
        throw new GuardError("STATE_UNUSABLE", "no space");
      });
    const first = await full();
    const before = picture(first.folder);
    const failed = await dieAt(NEVER, () => first.apply().catch(() => undefined));
    expect(picture(first.folder)).toEqual(before);
    const seen = await killEverywhere(full, failed.changes.length, before, before);
    expect(seen["undone"]).toBeGreaterThan(60);
    expect(seen["finished"]).toBe(undefined);
  });
});
