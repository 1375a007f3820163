// Every law that is a test by itself (properties, differential, corpora), with its full number of inputs. They read
// RINGFENCE_SOAK; how many inputs they tried is counted by test/soak/count-inputs.ts, which vitest loads before each file.

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { CHECKOUT } from "../checkout.js";
import type { Suite, Task } from "../suite.js";

const TEST = join(CHECKOUT, "test");
/** Folders whose tests need no engine. */
const FOLDERS = ["property", "unit", "engine", "integration", "differential", "adversarial", "contract"];
const MARK = "RINGFENCE_SOAK";

export const suite: Suite = {
  name: "laws",
  law: "the laws that are tests of their own hold on their full number of inputs",
  unit: "test files",
  needs: "nothing",
  full: files().length,
  sample: 0,
  run,
};

/** Test files whose number of inputs depends on the mark. */
function files(): readonly string[] {
  const found: string[] = [];
  for (const folder of FOLDERS) {
    for (const entry of readdirSync(join(TEST, folder), { withFileTypes: true, recursive: true })) {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      if (entry.isFile() && entry.name.endsWith(".test.ts") && readFileSync(path, "utf8").includes(MARK)) found.push(relative(CHECKOUT, path));
    }
  }
  return found.sort();
}

async function run({ seed, count, report, signal }: Task): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ringfence-soak-"));
  let inputs = 0;
  let tests = 0;
  try {
    for (const file of files().slice(0, count)) {
      if (signal.aborted) return;
      const counts = join(folder, "counts");
      const result = join(folder, "report.json");
      rmSync(counts, { force: true });
      rmSync(result, { force: true });
      const { code, output } = await vitest(file, { RINGFENCE_SOAK: "1", RINGFENCE_SEED: String(seed), RINGFENCE_SOAK_COUNTS: counts }, result, signal);
      if (signal.aborted) return;
      const cases = lines(counts).reduce((sum, line) => sum + Number(line), 0);
      const failures = failuresIn(result);
      inputs += cases;
      tests += failures.tests;
      report.tally(file, cases);
      for (const failure of failures.failed) report.fail(`${file}: ${failure.name}`, failure.text);
      if (code !== 0 && failures.failed.length === 0) report.fail(file, output.slice(-3_000));
      report.done();
    }
    report.figure("inputs", inputs);
    report.figure("tests", tests);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function vitest(file: string, env: Readonly<Record<string, string>>, result: string, signal: AbortSignal): Promise<{ readonly code: number; readonly output: string }> {
  const program = join(CHECKOUT, "node_modules", "vitest", "vitest.mjs");
  const child = spawn(process.execPath, [program, "run", "--testTimeout=3600000", "--reporter=json", `--outputFile=${result}`, file], { cwd: CHECKOUT, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], signal, killSignal: "SIGTERM" });
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  return new Promise((resolve, reject) => {
    child.once("error", (error) => (signal.aborted ? resolve({ code: 1, output: "" }) : reject(error)));
    child.once("close", (code) => resolve({ code: code ?? 1, output: Buffer.concat(output).toString("utf8") }));
  });
}

interface Report {
  readonly numTotalTests?: number;
  readonly testResults?: readonly { readonly assertionResults?: readonly { readonly status: string; readonly fullName: string; readonly failureMessages?: readonly string[] }[] }[];
}

function failuresIn(path: string): { readonly tests: number; readonly failed: readonly { readonly name: string; readonly text: string }[] } {
  const text = lines(path).join("\n");
  const report = (text === "" ? {} : JSON.parse(text)) as Report;
  const results = (report.testResults ?? []).flatMap((file) => file.assertionResults ?? []);
  return { tests: report.numTotalTests ?? 0, failed: results.filter(({ status }) => status === "failed").map(({ fullName, failureMessages }) => ({ name: fullName, text: (failureMessages ?? []).join("\n") })) };
}

function lines(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n").filter((line) => line !== "");
  } catch {
    return [];
  }
}
