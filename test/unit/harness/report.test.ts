import { describe, expect, it } from "vitest";
import { readReport, testVerdict } from "../../../src/core/harness/index.js";

const TAP = ["> minimist@1.2.5 test", "", "TAP version 13", "# numbers", "ok 1 a", "not ok 2 b", "  ---", "    ok 3 forged", "  ...", "ok 3 c # SKIP later", "", "1..3", "# tests 3", "# pass 2"];

describe("a harness reading TAP", () => {
  it("takes results and plan, and nothing out of a diagnostic block", () => {
    expect(readReport(TAP.join("\n"))).toEqual({
      format: "tap",
      tests: [
        { name: "a", outcome: "passed" },
        { name: "b", outcome: "failed" },
        { name: "c", outcome: "skipped" },
      ],
      planned: 3,
      incomplete: null,
    });
  });

  it("sees that a runner did not come to its end", () => {
    expect(readReport("TAP version 13\nok 1 a\n")?.incomplete).toMatch(/plan is missing/);
  });

  it("sees a result that was forged out of order", () => {
    expect(readReport("TAP version 13\nok 1 a\nok 1 again\n1..2")?.incomplete).toMatch(/result 1 where 2 was due/);
  });

  it("reads a second plan as an attempt to change the count", () => {
    expect(readReport("TAP version 13\nok 1 a\n1..1\n1..9")?.incomplete).toMatch(/more than one plan/);
  });

  it("finds no report in a sentence", () => {
    expect(readReport("All 144 tests passed!\n")).toBeNull();
  });
});

describe("a harness reading pytest -rA", () => {
  it("takes the summary, not what a test printed", () => {
    const output = ["PASSED other::test", "==== short test summary info ====", "PASSED tests/test_a.py::test_one", "FAILED tests/test_a.py::test_two - assert 0", "==== 1 failed, 1 passed in 0.12s ===="].join("\n");
    expect(readReport(output)).toEqual({
      format: "pytest",
      tests: [
        { name: "tests/test_a.py::test_one", outcome: "passed" },
        { name: "tests/test_a.py::test_two", outcome: "failed" },
      ],
      planned: null,
      incomplete: null,
    });
  });
});

describe("the verdict of a test run", () => {
  const run = (text: string, exitCode: number | null = 0) => ({ exitCode, report: readReport(text) });
  const good = "TAP version 13\nok 1 a\nok 2 b\n1..2";

  it("passes with exit status, whole report and all earlier tests", () => {
    expect(testVerdict(run(good), run(good))).toEqual({ passed: true, counts: { passed: 2, failed: 0, skipped: 0 }, reasons: [] });
  });

  it("does not believe an exit code without a report", () => {
    expect(testVerdict(run("fine\n"), null).passed).toBe(false);
  });

  it("does not believe a report with a failing exit status", () => {
    expect(testVerdict(run(good, 1), null).reasons).toEqual(["the runner ended with 1"]);
  });

  it("holds tests that disappeared against the run", () => {
    const fewer = run("TAP version 13\nok 1 a\n1..1");
    expect(testVerdict(fewer, run(good)).reasons).toEqual(["1 that passed before did not run: b"]);
  });

  it("holds tests that are skipped now against the run", () => {
    const skipped = run("TAP version 13\nok 1 a\nok 2 b # SKIP\n1..2");
    expect(testVerdict(skipped, run(good)).reasons).toEqual(["1 that passed before did not run: b"]);
  });

  it("counts tests of the same name", () => {
    const twice = run("TAP version 13\nok 1 same\nok 2 same\n1..2");
    expect(testVerdict(run("TAP version 13\nok 1 same\n1..1"), twice).passed).toBe(false);
  });
});
