// `node warm.mjs <dist/cli>`: runs what people start most, judging and help, and keeps what V8 compiled for it beside each file, and
// the built-in policy as it was compiled.

import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs of the command line, each twice: what is read from the state folder the second time is written the first time. */
const RUNS = [
  ["policy", "check", "--", "ls"],
  ["policy", "check", "--command", "cd src && cat a.py | grep -n x > out.txt; rm -rf build"],
  ["--help"],
  ["completion", "bash"],
  ["--version"],
];

const [folder = ""] = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "ringfence-build-"));
const write = process.stdout.write;
try {
  process.env["RINGFENCE_HOME"] = scratch;
  process.stdout.write = () => true;
  /** @type {Map<string, import("node:vm").Script>} */
  const scripts = new Map();
  const { main } = createRequire(import.meta.url)("../../bin/load.cjs").loadCli(folder, (/** @type {string} */ file, /** @type {import("node:vm").Script} */ script) => scripts.set(file, script));
  for (const words of [...RUNS, ...RUNS]) await main([process.execPath, "ringfence", ...words]);
  cpSync(join(scratch, "cache", "policy"), join(folder, "policy"), { recursive: true });
  for (const [file, script] of scripts) writeFileSync(`${file}.v8`, script.createCachedData());
} finally {
  process.stdout.write = write;
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = 0;
