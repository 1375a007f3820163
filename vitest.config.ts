// Test projects: one a folder of test/. Those without an engine run side by side; docker and e2e come after them: first, alone, the files
// that disturb or measure, then all others.

import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";

const TEST = fileURLToPath(new URL("./test", import.meta.url));

/** Folders that hold no tests of their own. */
const NO_TESTS = new Set(["bench", "fixtures", "support"]);

/** Files without an engine at a time. Left to itself vitest leaves one processor free: of two it uses one. */
const WORKERS = Math.max(2, availableParallelism() - 1);

/** These need an engine and share it: one file at a time, but for those named in `BESIDE`. */
const ENGINE = ["docker", "e2e"];

/** Files that neither disturb the engine nor look at what others have on it or on the machine, nor measure time closely. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  docker: ["ancestors", "budget", "cli-image", "controls-off", "enforcement", "guard-credit", "guard-silence", "last-output", "process", "programs", "programs-attacks", "programs-followed", "remote-engine", "resolved", "sandbox-attacks", "sandbox-battery", "sandbox-tools", "user-edits", "warm", "workspace", "workspace-modes"],
  e2e: ["apply", "approval", "bad-input", "bundle", "engine-loss", "full-disk", "image", "kimi-aivss", "kimi-demo", "kimi-malformed", "kimi-run", "log", "names", "output", "packages", "pause", "pool", "process", "refusals", "rerun", "rerun-imported", "review-killed", "shell", "surface", "undo"],
};

/** Of those at a time: they wait more than they compute, for containers and for programs that sleep. */
const BESIDE_WORKERS = 3;

/**
 * Files of these leave no global state behind, so that one process serves many of them and loads the sources once: two fifths of the
 * processor time less. A file that changes a global must put it back, or lie elsewhere. The same is true of those in `BESIDE`.
 */
const SHARED: ReadonlySet<string> = new Set(["contract", "engine", "integration", "property", "unit"]);

/** Every other folder, found by looking, so that a new one is never left out. */
const parallel = existsSync(TEST)
  ? readdirSync(TEST, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !NO_TESTS.has(entry.name) && !ENGINE.includes(entry.name))
      .map((entry) => entry.name)
      .sort()
  : [];

function project(name: string): TestProjectConfiguration {
  return { extends: true, test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: 20_000, isolate: !SHARED.has(name), maxWorkers: WORKERS, sequence: { groupOrder: 0 } } };
}

function engineProject(name: string, index: number): readonly TestProjectConfiguration[] {
  const beside = (BESIDE[name] ?? []).map((file) => `test/${name}/${file}.test.ts`);
  for (const file of beside) if (!existsSync(`${TEST}/../${file}`)) throw new Error(`vitest.config.ts names ${file}, which is not there`);
  const common = { testTimeout: 120_000, hookTimeout: 120_000 };
  const one = { name, include: [`test/${name}/**/*.test.ts`], exclude: beside, fileParallelism: false, maxWorkers: 1, sequence: { groupOrder: index + 1 } };
  const others = { name: `${name}-beside`, include: beside, isolate: false, maxWorkers: BESIDE_WORKERS, sequence: { groupOrder: ENGINE.length + 1 } };
  return [one, others].map((test) => ({ extends: true, test: { ...common, ...test } }));
}

export default defineConfig({
  test: {
    globalSetup: ["scripts/test/sweep.mjs"],
    passWithNoTests: false,
    retry: 0,
    setupFiles: ["test/soak/count-inputs.ts"],
    env: { TESTCONTAINERS_RYUK_DISABLED: "true", NO_COLOR: "1" },
    projects: [...parallel.map(project), ...ENGINE.filter((name) => existsSync(`${TEST}/${name}`)).flatMap(engineProject)],
  },
});
