// The user's folder listed by rf-list: whatever the folder holds, the plan of enforcement is the one that all its names give.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { createBreath } from "../../src/adapters/files/breath.js";
import { listNames } from "../../src/adapters/files/name-index.js";
import { findListProgram } from "../../src/adapters/files/list-program.js";
import { findAheadProgram } from "../../src/adapters/files/ahead-program.js";
import { searchRelevant } from "../../src/adapters/files/name-lister.js";
import { rawFromText } from "../../src/adapters/files/raw-path.js";
import { compilePolicy, enforcementPlanner, type EnforcementPlan } from "../../src/core/policy/index.js";
import { hash } from "../unit/policy/support.js";
import type { FoundNames } from "../../src/ports/workspace.js";

const BUILTIN = join(import.meta.dirname, "..", "..", "policies");
const packs = compilePolicy(readdirSync(BUILTIN).filter((name) => name.endsWith(".policy.yaml")).map((name) => ({ name, text: readFileSync(join(BUILTIN, name), "utf8") })), { hash, examples: "skip" });
if (!packs.ok) throw new Error("the built-in packs do not compile");
const planner = enforcementPlanner({ policySet: packs.value, role: null, root: "/workspace", home: "/home/agent" });
const program = findListProgram();
if (program === null) console.warn("left out: rf-list is not built; run `npm run setup`");
const never = new AbortController().signal;
const list = (root: string, onFolder: (folder: string) => void = () => undefined, using = program ?? "", signal = never): Promise<FoundNames | null> => searchRelevant({ program: using, ahead: findAheadProgram(), root: rawFromText(root), filter: planner.filter, signal, onFolder, kept: null }).find();
const base = mkdtempSync(join(tmpdir(), "ringfence-names-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const NAMES = ["a.js", "b.txt", "prod", ".env", ".ENV.local", "id_rsa", ".git", "config", "hooks", ".github", "workflows", "src", "keys", ".ssh", "x.pem", "né.txt", "CLAUDE.md", ".mcp.json", ".vscode", "settings.json"];
const path = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const entry = fc.record({ path, link: fc.option(fc.oneof(path, fc.constantFrom("..", ".", "../..", "/workspace", "/etc/passwd", "src/", "keys/.")), { nil: null, freq: 3 }) });

/** What can be made of the entries: a name that is taken, or lies below a file, is left out. */
function make(root: string, entries: readonly { readonly path: string; readonly link: string | null }[]): void {
  for (const { path: name, link } of entries) {
    const at = join(root, name);
    try {
      mkdirSync(dirname(at), { recursive: true });
      if (link === null) writeFileSync(at, name, { flag: "wx" });
      else symlinkSync(link, at);
    } catch {
      continue;
    }
  }
}

const sorted = (plan: EnforcementPlan): unknown => Object.fromEntries(Object.entries(plan).map(([key, list]) => [key, [...(list as readonly unknown[])].map((one) => JSON.stringify(one)).sort()]));

describe.skipIf(program === null)("names listed beside this process", () => {
  it("give the plan that all names give, and are counted whole", async () => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 25 }), async (entries) => {
        const root = join(base, `t${(count += 1)}`);
        mkdirSync(root);
        make(root, entries);
        const all = await listNames(rawFromText(root), createBreath(never));
        const folders: string[] = [];
        const listed = await list(root, (folder) => folders.push(folder));
        expect(listed?.total).toBe(all.length);
        expect(folders.sort()).toEqual(["", ...all.filter(({ kind }) => kind === "directory").map((name) => name.path)].sort());
        expect(sorted(planner.plan(listed?.names ?? []))).toEqual(sorted(planner.plan(all)));
        rmSync(root, { recursive: true });
      }),
      { numRuns: 150, seed: 20261126 },
    );
  });

  it("leave out plain files that nothing is about, and hold a secret whose bytes lie under a plain name", async () => {
    const root = join(base, "plain");
    make(root, [...Array.from({ length: 400 }, (_, index) => ({ path: `src/f${String(index)}.js`, link: null })), { path: "conf/prod.txt", link: null }, { path: "app/.env", link: "../conf/prod.txt" }]);
    const listed = await list(root);
    expect([listed?.total, (listed?.names.length ?? 0) < 10]).toEqual([405, true]);
    expect(planner.plan(listed?.names ?? []).masked.map((held) => held.path).sort()).toEqual(["app/.env", "conf/prod.txt"]);
  });

  it("are not known when the program fails, and are refused when cancelled", async () => {
    expect(await list(base, undefined, "/bin/false")).toBeNull();
    expect(await list(base, undefined, "/no/such/program")).toBeNull();
    await expect(list(base, undefined, undefined, AbortSignal.abort())).rejects.toMatchObject({ code: "CANCELLED" });
  });
});
