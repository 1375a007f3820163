// Names kept between sessions: whatever became of the folder since, they are the names that listing all of it gives.

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createStamper } from "../../src/adapters/files/folder-stamp.js";
import { openNameKeep } from "../../src/adapters/files/kept-names.js";
import { findListProgram } from "../../src/adapters/files/list-program.js";
import { searchRelevant, type Search } from "../../src/adapters/files/name-lister.js";
import { rawFromText } from "../../src/adapters/files/raw-path.js";
import { compilePolicy, enforcementPlanner } from "../../src/core/policy/index.js";
import type { RelevantNames } from "../../src/ports/workspace.js";
import { hash } from "../unit/policy/support.js";

const BUILTIN = join(import.meta.dirname, "..", "..", "policies");
const packs = compilePolicy(readdirSync(BUILTIN).filter((name) => name.endsWith(".policy.yaml")).map((name) => ({ name, text: readFileSync(join(BUILTIN, name), "utf8") })), { hash, examples: "skip" });
if (!packs.ok) throw new Error("the built-in packs do not compile");
const { filter } = enforcementPlanner({ policySet: packs.value, role: null, root: "/workspace", home: "/home/agent" });
const program = findListProgram();
const signal = new AbortController().signal;
const base = mkdtempSync(join(tmpdir(), "ringfence-kept-names-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
/** Here the kernel's word is taken; elsewhere nothing is kept, which is no test. */
const isTold = createStamper(rawFromText(base))("") !== null;
/** As if everything had stood for long. */
const later = (): number => Date.now() + 60_000;

let root = "";
let state = "";
let count = 0;
beforeEach(() => {
  count += 1;
  [root, state] = [join(base, `w${String(count)}`), join(base, `s${String(count)}`)];
  mkdirSync(root);
});

interface Listing {
  readonly names: readonly string[];
  readonly total: number | undefined;
  readonly folders: readonly string[];
}

function sorted(listed: RelevantNames | null, folders: readonly string[]): Listing {
  return { names: (listed?.names ?? []).map((name) => JSON.stringify(name)).sort(), total: listed?.total, folders: [...folders].sort() };
}

async function fresh(): Promise<Listing> {
  const folders: string[] = [];
  return sorted(await searchRelevant({ program: program ?? "", ahead: null, root: rawFromText(root), filter, signal, onFolder: (folder) => folders.push(folder), kept: null }).find(), folders);
}

interface Using {
  readonly build?: string;
  readonly using?: string;
  readonly nowMs?: () => number;
}

function search({ build = "b", using = program ?? "", nowMs = later }: Using = {}, onFolder: (folder: string) => void = () => undefined): Search {
  const keep = openNameKeep(state, { root: rawFromText(root), build, key: filter.key, fewest: 0 });
  return searchRelevant({ program: using, ahead: null, root: rawFromText(root), filter, signal, onFolder, kept: { keep, stamp: createStamper(rawFromText(root), nowMs) } });
}

async function kept(using: Using = {}): Promise<Listing> {
  const folders: string[] = [];
  return sorted(await search(using, (folder) => folders.push(folder)).find(), folders);
}

const namesOf = (listed: RelevantNames | null): Listing => sorted(listed, []);

/** Until a change has another time than one of before: what two seconds are for between sessions. */
function tick(): void {
  const file = join(base, "tick");
  writeFileSync(file, "");
  const before = statSync(file, { bigint: true }).mtimeNs;
  while (statSync(file, { bigint: true }).mtimeNs === before) writeFileSync(file, "1");
}

const NAMES = ["a.js", "b.txt", "prod", ".env", "id_rsa", ".git", "config", "hooks", "src", "keys", ".ssh", "né.txt", "CLAUDE.md", ".vscode"];
const path = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const change = fc.oneof(
  fc.record({ what: fc.constant("file" as const), path }),
  fc.record({ what: fc.constant("folder" as const), path }),
  fc.record({ what: fc.constant("link" as const), path, to: fc.oneof(path, fc.constantFrom("..", ".", "/etc/passwd", "src/", "keys/.")) }),
  fc.record({ what: fc.constant("remove" as const), path }),
  fc.record({ what: fc.constant("move" as const), path, to: path }),
  fc.record({ what: fc.constant("mode" as const), path }),
);

/** What cannot be done is left out. */
function make(changes: readonly (typeof change extends fc.Arbitrary<infer T> ? T : never)[]): void {
  for (const one of changes) {
    const at = join(root, one.path);
    try {
      if (one.what === "remove") rmSync(at, { recursive: true });
      else if (one.what === "mode") chmodSync(at, 0o700);
      else if (one.what === "move") {
        mkdirSync(dirname(join(root, one.to)), { recursive: true });
        renameSync(at, join(root, one.to));
      } else {
        mkdirSync(dirname(at), { recursive: true });
        if (one.what === "file") writeFileSync(at, one.path);
        else if (one.what === "folder") mkdirSync(at);
        else symlinkSync(one.to, at);
      }
    } catch {
      continue;
    }
  }
}

describe.skipIf(program === null || !isTold)("names kept between sessions", () => {
  it("are those of a fresh listing, whatever was changed since", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(change, { maxLength: 12 }), { minLength: 2, maxLength: 4 }), async (rounds) => {
        rmSync(root, { recursive: true });
        mkdirSync(root);
        for (const changes of rounds) {
          tick();
          make(changes);
          expect(await kept()).toEqual(await fresh());
          const again = search();
          expect(namesOf(again.expected)).toEqual(namesOf(await again.find()));
        }
      }),
      { numRuns: 40, seed: 20261126 },
    );
  });

  it("are expected where all of them were kept, and looked at for nothing", async () => {
    make([{ what: "file", path: "src/a.js" }, { what: "file", path: "src/keys/.env" }, { what: "link", path: "prod", to: "src/a.js" }]);
    expect(search().expected).toBeNull();
    const first = await kept();
    const before = search();
    rmSync(join(root, "src", "keys"), { recursive: true });
    tick();
    make([{ what: "file", path: "id_rsa" }]);
    expect(namesOf(before.expected).names).toEqual(first.names);
    expect(namesOf(search().expected).names).toEqual(first.names);
    expect((await kept()).names.join()).toContain("id_rsa");
    // A folder that had just changed was listed and is not kept.
    await search({ nowMs: Date.now }).find();
    tick();
    make([{ what: "file", path: "b.txt" }]);
    await search({ nowMs: Date.now }).find();
    expect(search().expected).toBeNull();
  });

  it("tell whether the folder changed while they were looked for", async () => {
    make([{ what: "file", path: "src/a.js" }]);
    await kept();
    expect((await search().find())?.isStill).toBe(true);
    const now = search();
    make([{ what: "file", path: "src/b.txt" }]);
    expect((await now.find())?.isStill).toBe(false);
    const real = Date.now.bind(Date);
    const clock = vi.spyOn(Date, "now");
    try {
      // An hour later nothing of it is news.
      clock.mockImplementation(() => real() + 3_600_000);
      make([{ what: "file", path: "src/c.txt" }]);
      expect((await search().find())?.isStill).toBe(true);
      const set = search();
      clock.mockImplementation(() => real() + 7_200_000);
      expect((await set.find())?.isStill).toBe(false);
    } finally {
      clock.mockRestore();
    }
  });

  it("need no listing where nothing changed", async () => {
    make([{ what: "file", path: "src/a.js" }, { what: "file", path: "src/keys/.env" }, { what: "link", path: "prod", to: "src/a.js" }]);
    const first = await kept();
    expect(await kept({ using: "/bin/false" })).toEqual(first);
    tick();
    make([{ what: "file", path: "src/b.txt" }]);
    expect((await kept({ using: "/bin/false" })).total).toBeUndefined();
    expect(await kept()).toEqual(await fresh());
  });

  it("of a folder that had just changed are not believed", async () => {
    make([{ what: "file", path: "src/a.js" }]);
    await kept({ nowMs: Date.now });
    expect((await kept({ using: "/bin/false", nowMs: Date.now })).total).toBeUndefined();
  });

  it("hold a file that a new link leads to, though it was left out", async () => {
    make([{ what: "file", path: "keys/b.txt" }]);
    expect((await kept()).names.join()).not.toContain("b.txt");
    tick();
    make([{ what: "link", path: ".env", to: "keys/b.txt" }]);
    expect((await kept()).names.join()).toContain("keys/b.txt");
    expect(await kept()).toEqual(await fresh());
  });

  it("are not taken from a broken file, another build, or a clock that went back, and are nobody's to read", async () => {
    make([{ what: "file", path: "src/a.js" }]);
    await kept();
    const folder = join(state, "cache", "names");
    const file = join(folder, readdirSync(folder)[0] ?? "");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, "utf8");
    const keep = (build = "b") => openNameKeep(state, { root: rawFromText(root), build, key: filter.key, fewest: 0 }).read();
    expect([keep()?.folders.size, keep("c")]).toEqual([2, null]);
    for (const broken of [text.slice(0, -1), text.slice(0, 20), "", text.replace('"src"', '"srd"')]) {
      writeFileSync(file, broken);
      expect(keep()).toBeNull();
      expect(await kept()).toEqual(await fresh());
    }
    const [origin = "", , body = ""] = text.split("\n");
    const ahead = body.replace(/"at":\d+/u, `"at":${String(Date.now() + 3_600_000)}`);
    writeFileSync(file, `${origin}\n${hash(ahead).slice("sha256:".length)}\n${ahead}`);
    expect(keep()).toBeNull();
  });
});
