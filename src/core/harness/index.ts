export { readReport, type TestReport, type TestResult } from "./report.js";
export { testVerdict, type TestRun, type TestVerdict } from "./verdict.js";
