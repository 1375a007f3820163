// Test projects: one a folder of test/. Those without an engine run side by side; docker and e2e run one file at a time, after them.

import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";

const TEST = fileURLToPath(new URL("./test", import.meta.url));

/** Folders that hold no tests of their own. */
const NO_TESTS = new Set(["bench", "fixtures", "support"]);

/** These need an engine and share it, so their files never run at the same time. */
const ENGINE = ["docker", "e2e"];

/** Every other folder, found by looking, so that a new one is never left out. */
const parallel = existsSync(TEST)
  ? readdirSync(TEST, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !NO_TESTS.has(entry.name) && !ENGINE.includes(entry.name))
      .map((entry) => entry.name)
      .sort()
  : [];

function project(name: string): TestProjectConfiguration {
  return { extends: true, test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: 20_000, sequence: { groupOrder: 0 } } };
}

function engineProject(name: string, index: number): TestProjectConfiguration {
  return {
    extends: true,
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout: 120_000,
      hookTimeout: 120_000,
      fileParallelism: false,
      maxWorkers: 1,
      sequence: { groupOrder: index + 1 },
    },
  };
}

export default defineConfig({
  test: {
    globalSetup: ["scripts/test/sweep.mjs"],
    passWithNoTests: false,
    retry: 0,
    setupFiles: ["test/soak/count-inputs.ts"],
    env: { TESTCONTAINERS_RYUK_DISABLED: "true", NO_COLOR: "1" },
    projects: [...parallel.map(project), ...ENGINE.filter((name) => existsSync(`${TEST}/${name}`)).map(engineProject)],
  },
});
