// What a test run proves. Passing needs an exit status, a whole report, and every test that was there before.

import type { TestReport } from "./report.js";

export interface TestRun {
  /** From the kernel; null when a signal ended it. */
  readonly exitCode: number | null;
  readonly report: TestReport | null;
}

export interface TestVerdict {
  readonly passed: boolean;
  readonly counts: { readonly passed: number; readonly failed: number; readonly skipped: number } | null;
  /** Why it is no pass, most telling first; empty when it passed. */
  readonly reasons: readonly string[];
}

const NAMED = 5;

/**
 * Judges a run. `before` is the same command on the base copy: a test that passed there and is gone or skipped now is held
 * against the run, so that a change cannot pass by making tests disappear.
 */
export function testVerdict(run: TestRun, before: TestRun | null): TestVerdict {
  const { report } = run;
  const reasons: string[] = [];
  if (run.exitCode !== 0) reasons.push(run.exitCode === null ? "the runner was ended by a signal" : `the runner ended with ${run.exitCode}`);
  if (report === null) return { passed: false, counts: null, reasons: [...reasons, "there is no report that can be read (TAP or pytest -rA); the exit code alone proves nothing"] };
  if (report.incomplete !== null) reasons.push(`the report is not whole: ${report.incomplete}`);
  const counts = countOutcomes(report);
  if (counts.failed > 0) reasons.push(`${counts.failed} failed: ${names(report, "failed")}`);
  if (counts.passed === 0) reasons.push("no test passed");
  const lost = lostTests(before, report);
  if (lost.length > 0) reasons.push(`${lost.length} that passed before did not run: ${lost.slice(0, NAMED).join(", ")}`);
  return { passed: reasons.length === 0, counts, reasons };
}

function countOutcomes(report: TestReport): NonNullable<TestVerdict["counts"]> {
  const count = (outcome: string): number => report.tests.filter((test) => test.outcome === outcome).length;
  return { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
}

function names(report: TestReport, outcome: string): string {
  const all = report.tests.filter((test) => test.outcome === outcome).map((test) => test.name);
  return all.length > NAMED ? `${all.slice(0, NAMED).join(", ")} and ${all.length - NAMED} more` : all.join(", ");
}

/** Names that passed before more often than they ran now; the same name may stand for many assertions. */
function lostTests(before: TestRun | null, report: TestReport): readonly string[] {
  if (before?.report === null || before === null) return [];
  const left = new Map<string, number>();
  for (const test of report.tests) if (test.outcome !== "skipped") left.set(test.name, (left.get(test.name) ?? 0) + 1);
  const lost: string[] = [];
  for (const test of before.report.tests) {
    if (test.outcome !== "passed") continue;
    const count = left.get(test.name) ?? 0;
    if (count === 0) lost.push(test.name);
    else left.set(test.name, count - 1);
  }
  return lost;
}
