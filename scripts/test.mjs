// `npm test`: sets up what is missing, runs every test project, and ends with the counts alone on a line.
// Arguments go to vitest, for instance `npm test -- --project unit` or a file name.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { follow } from "./setup/follow.mjs";
import { readJson } from "./setup/hash.mjs";
import { ensureSetup } from "./setup/main.mjs";
import { CHECKOUT } from "./setup/paths.mjs";
import { countsOf, skippedOf } from "./test/counts.mjs";

const ready = await ensureSetup();
process.exitCode = ready.exit === 0 ? await runTests(ready.env, process.argv.slice(2)) : ready.exit;

/** @param {NodeJS.ProcessEnv} base @param {readonly string[]} rest */
async function runTests(base, rest) {
  const folder = mkdtempSync(join(tmpdir(), "ringfence-test-"));
  const report = join(folder, "report.json");
  const plain = process.stdout.isTTY ? {} : { NO_COLOR: "1" };
  const env = { ...base, ...plain, RINGFENCE_REQUIRE_ENGINE: "1", TESTCONTAINERS_RYUK_DISABLED: "true" };
  const vitest = join(CHECKOUT, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  try {
    const code = await follow([process.execPath, vitest, "run", ...reporters, ...rest], { env, cwd: CHECKOUT });
    const result = readJson(report);
    const { passed, failed, skipped } = countsOf(result);
    if (skipped > 0) process.stdout.write(`${skipped} skipped, for what they need is not here:\n${skippedOf(result).map((name) => `  - ${name}\n`).join("")}`);
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
    if (code !== 0) return code;
    return failed > 0 || passed === 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
