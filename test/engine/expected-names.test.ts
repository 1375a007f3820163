// A sandbox is made on the names that the folder is expected to hold, while it is looked at: what the folder demands holds before
// anything of the agent runs, whatever it was expected to hold.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compilePolicy, type EnforcementPlan, type IndexedName } from "../../src/core/policy/index.js";
import { GuardError } from "../../src/core/shared/index.js";
import { openGrounds, type Grounds } from "../../src/engine/grounds.js";
import type { FoundNames, NamesSearch } from "../../src/ports/workspace.js";
import { createRig, never, WORKSPACE } from "../support/rig.js";
import { hash } from "../unit/policy/support.js";

const BUILTIN = join(import.meta.dirname, "..", "..", "policies");
const packs = compilePolicy(readdirSync(BUILTIN).filter((name) => name.endsWith(".policy.yaml")).map((name) => ({ name, text: readFileSync(join(BUILTIN, name), "utf8") })), { hash, examples: "skip" });
if (!packs.ok) throw new Error("the built-in packs do not compile");
const policy = packs.value;

const names = (...paths: readonly string[]): readonly IndexedName[] => paths.map((path) => ({ path, kind: path.endsWith("/") ? "directory" : "file", ...{ path: path.replace(/\/$/, "") } }));
const OLD = names("src/", "src/.env");
const NEW = names("src/", "src/.env", "src/id_rsa");

interface Given {
  readonly expected: readonly IndexedName[] | null;
  readonly found: () => Promise<FoundNames>;
  /** What making the layer fails with on these masked names. */
  readonly fails?: (masked: readonly string[]) => Error | null;
  readonly opens?: () => Error | null;
}

/** Opens the ground of a session; tells what happened, in order. */
async function opened({ expected, found, fails = () => null, opens = () => null }: Given): Promise<{ readonly told: readonly string[]; readonly grounds: Grounds | Error; readonly kept: readonly string[][]; readonly undo: number }> {
  const rig = createRig({ policy });
  const told: string[] = [];
  const kept: string[][] = [];
  const undo: (() => Promise<void>)[] = [];
  const search = (): NamesSearch => ({
    expected: expected === null ? null : { names: expected, total: expected.length },
    find: async () => {
      told.push("look");
      const now = await found();
      told.push("found");
      return now;
    },
  });
  const protect = async (plan: EnforcementPlan) => {
    const masked = plan.masked.map(({ path }) => path).sort();
    told.push(`protect ${masked.join(" ")}`);
    const failure = fails(masked);
    if (failure !== null) throw failure;
    return { mounts: [], masked, linkedSecrets: [], boundMasks: 0, unheld: [] };
  };
  const deps: typeof rig.deps = {
    ...rig.deps,
    workspaces: { ...rig.deps.workspaces, create: async (...args) => ({ ...(await rig.workspaces.create(...args)), names: async () => [], relevantNames: search, protect }), remove: async (id) => (told.push("remove"), rig.workspaces.remove(id)) },
    sandboxes: {
      open: async (spec, signal) => {
        told.push("sandbox");
        const failure = opens();
        if (failure !== null) throw failure;
        const sandbox = await rig.sandboxes.open(spec, signal);
        return { ...sandbox, run: (...args) => (told.push("run"), sandbox.run(...args)), close: async () => (told.push("close"), sandbox.close()) };
      },
    },
    bases: { keep: async (_, hidden) => (kept.push([...hidden].sort()), { digest: null, files: 0, bytes: 0, why: "a test" }) },
  };
  const grounds = await openGrounds({ deps, options: { ...rig.options, policy }, id: "ses_1", path: WORKSPACE, role: null, modes: ["overlay"], undo, keepBase: true }, never).catch((error: unknown) => error as Error);
  return { told, grounds, kept, undo: undo.length };
}

const still = (list: readonly IndexedName[], isStill = true) => async (): Promise<FoundNames> => ({ names: list, total: list.length, isStill });
const soon = (list: readonly IndexedName[]) => async (): Promise<FoundNames> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return { names: list, total: list.length, isStill: true };
};

describe("a sandbox made on expected names", () => {
  it("stands where the folder demands the same, in whatever order, and nothing of the agent's user runs before that is known", async () => {
    const { told, grounds, kept } = await opened({ expected: OLD, found: soon([...OLD].reverse()) });
    expect(told).toEqual(["protect src/.env", "sandbox", "look", "found", "run"]);
    expect(grounds).toMatchObject({ enforced: { names: 2 } });
    expect(kept).toEqual([["src/.env"]]);
  });

  it("is as large as the folder is, where what came since demands nothing", async () => {
    const { told, grounds } = await opened({ expected: OLD, found: still([...OLD, ...names("src/b.js")]) });
    expect(told.filter((what) => what === "sandbox")).toHaveLength(1);
    expect(grounds).toMatchObject({ enforced: { names: 3 } });
  });

  it("is made anew where a secret came since, which nothing saw and nobody kept", async () => {
    const { told, grounds, kept, undo } = await opened({ expected: OLD, found: soon(NEW) });
    expect(told).toEqual(["protect src/.env", "sandbox", "look", "found", "close", "remove", "look", "found", "protect src/.env src/id_rsa", "sandbox", "run"]);
    expect(grounds).toMatchObject({ enforced: { names: 3, protection: { masked: ["src/.env", "src/id_rsa"] } } });
    expect(kept).toEqual([["src/.env", "src/id_rsa"]]);
    expect(undo).toBe(3);
  });

  it("is made anew where the folder changed meanwhile, though it demands the same", async () => {
    const { told } = await opened({ expected: OLD, found: still(OLD, false) });
    expect(told.filter((what) => what === "sandbox" || what === "remove" || what === "run")).toEqual(["sandbox", "remove", "sandbox", "run"]);
  });

  it("that fails on a name which is gone is made anew; what fails on names that are there fails", async () => {
    const broken = new GuardError("WORKSPACE_REFUSED", "it changed");
    const fails = (masked: readonly string[]): Error | null => (masked.includes("src/.env") ? broken : null);
    const gone = await opened({ expected: OLD, found: still(names("src/")), fails });
    expect(gone.grounds).toMatchObject({ enforced: { protection: { masked: [] } } });
    const there = await opened({ expected: OLD, found: still(OLD), fails });
    expect([there.grounds, there.told]).toEqual([broken, ["protect src/.env", "look", "found"]]);
    const refused = new GuardError("SANDBOX_FAILED", "no");
    let times = 0;
    const opens = (): Error | null => ((times += 1) === 1 ? refused : null);
    expect((await opened({ expected: OLD, found: still(NEW), opens })).grounds).toMatchObject({ enforced: { names: 3 } });
    times = 0;
    expect((await opened({ expected: OLD, found: still(OLD), opens })).grounds).toBe(refused);
  });

  it("is not used where the folder cannot be listed", async () => {
    const unreadable = new GuardError("WORKSPACE_UNREADABLE", "no");
    const { told, grounds, kept } = await opened({ expected: OLD, found: () => Promise.reject(unreadable) });
    expect([grounds, kept]).toEqual([unreadable, []]);
    expect(told).not.toContain("run");
  });

  it("is not begun where nothing is expected", async () => {
    expect((await opened({ expected: null, found: still(NEW) })).told).toEqual(["look", "found", "protect src/.env src/id_rsa", "sandbox", "run"]);
  });
});
