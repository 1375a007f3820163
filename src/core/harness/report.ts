// Test results as a harness reads them: from a report with a test list and an end, never from a sentence that says "passed".

/** One test of a report. Names are agent-influenced text. */
export interface TestResult {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
}

export interface TestReport {
  readonly format: "tap" | "pytest";
  readonly tests: readonly TestResult[];
  /** The number the runner said it would run or had run; null when it said none. */
  readonly planned: number | null;
  /** Why the report is not whole, or null. */
  readonly incomplete: string | null;
}

/** Most results read; a report with more is incomplete. */
const MAX_TESTS = 100_000;

/** Reads a report from a runner's output: TAP or `pytest -rA`; null when it is neither. */
export function readReport(output: string): TestReport | null {
  const lines = output.split(/\r?\n/u);
  return readTap(lines) ?? readPytest(lines);
}

function readTap(lines: readonly string[]): TestReport | null {
  const start = lines.findIndex((line) => /^TAP version \d+$/u.test(line));
  if (start === -1) return null;
  const tests: TestResult[] = [];
  let planned: number | null = null;
  let plans = 0;
  let bailed = false;
  let diagnostic = false;
  for (const line of lines.slice(start + 1)) {
    // A YAML block of a failed test may hold anything, also lines that look like results.
    if (/^\s+---\s*$/u.test(line)) diagnostic = true;
    else if (/^\s+\.\.\.\s*$/u.test(line)) diagnostic = false;
    if (diagnostic) continue;
    const result = /^(not )?ok\b(?: +(\d+))?(?: +-)? *(.*)$/u.exec(line);
    if (result !== null) {
      if (tests.length >= MAX_TESTS) return { format: "tap", tests, planned, incomplete: `more than ${MAX_TESTS} results` };
      const number = result[2] === undefined ? null : Number(result[2]);
      if (number !== null && number !== tests.length + 1) return { format: "tap", tests, planned, incomplete: `result ${number} where ${tests.length + 1} was due` };
      tests.push(tapResult(result[1] !== undefined, result[3] ?? ""));
      continue;
    }
    const plan = /^1\.\.(\d+)(?: *#.*)?$/u.exec(line);
    if (plan !== null) {
      planned = Number(plan[1]);
      plans += 1;
    }
    if (line.startsWith("Bail out!")) bailed = true;
  }
  const incomplete = bailed
    ? "the runner bailed out"
    : plans === 0
      ? "the plan is missing: the runner did not come to its end"
      : plans > 1
        ? "there is more than one plan"
        : planned !== tests.length
          ? `${planned ?? 0} planned, ${tests.length} there`
          : null;
  return { format: "tap", tests, planned, incomplete };
}

function tapResult(failed: boolean, rest: string): TestResult {
  const directive = / # *(skip|todo)\b/iu.exec(rest)?.[1]?.toLowerCase();
  const name = rest.replace(/ # *(?:skip|todo)\b.*$/iu, "").trim();
  if (directive === "skip") return { name, outcome: "skipped" };
  return { name, outcome: failed && directive !== "todo" ? "failed" : "passed" };
}

function readPytest(lines: readonly string[]): TestReport | null {
  const begin = lines.findLastIndex((line) => /^=+ short test summary info =+$/u.test(line));
  const last = lines.findLast((line) => /^=*\s*(?:\d+ (?:passed|failed|skipped|errors?|xfailed|xpassed|deselected|warnings?)(?:, )?)+ in [\d.]+s/u.test(line.replace(/^=+ /u, "")));
  if (begin === -1) return null;
  const tests: TestResult[] = [];
  for (const line of lines.slice(begin + 1)) {
    const match = /^(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\s+(\S+)/u.exec(line);
    if (match === null) continue;
    if (tests.length >= MAX_TESTS) break;
    const word = match[1];
    tests.push({ name: match[2] ?? "", outcome: word === "PASSED" || word === "XFAIL" ? "passed" : word === "SKIPPED" ? "skipped" : "failed" });
  }
  return { format: "pytest", tests, planned: null, incomplete: last === undefined ? "the closing line of the runner is missing" : null };
}
