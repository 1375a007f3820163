// Test files that read RINGFENCE_SOAK, run with it: each is one case. How many inputs they tried is counted by
// test/soak/count-inputs.ts, which vitest loads before each file.

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { CHECKOUT } from "./checkout.js";
import type { Task } from "./suite.js";

const TEST = join(CHECKOUT, "test");
const MARK = "RINGFENCE_SOAK";

/** Test files below these folders of test/ that do more under the mark. */
export function markedFiles(folders: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (const folder of folders) {
    for (const entry of readdirSync(join(TEST, folder), { withFileTypes: true, recursive: true })) {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      if (entry.isFile() && entry.name.endsWith(".test.ts") && readFileSync(path, "utf8").includes(MARK)) found.push(relative(CHECKOUT, path));
    }
  }
  return found.sort();
}

/** Runs the first `count` of the files, one after the other. */
export async function runMarked(files: readonly string[], { seed, count, report, signal }: Task): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ringfence-soak-"));
  let inputs = 0;
  let tests = 0;
  try {
    for (const file of files.slice(0, count)) {
      const begun = performance.now();
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
      report.figure(`${file}, s`, Math.round((performance.now() - begun) / 100) / 10);
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
