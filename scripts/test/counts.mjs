// Reads vitest's JSON report and says how many tests passed and failed. Pure.

/**
 * @typedef {{readonly passed: number, readonly failed: number, readonly skipped: number}} Counts
 */

/**
 * A file that could not be loaded counts as one failure. No report at all is a failure too.
 * @param {any} report parsed JSON of vitest's json reporter, or null
 * @returns {Counts}
 */
export function countsOf(report) {
  if (report === null || typeof report !== "object") return { passed: 0, failed: 1, skipped: 0 };
  const files = Array.isArray(report.testResults) ? report.testResults : [];
  const broken = files.filter((/** @type {any} */ file) => file?.status === "failed" && !(file.assertionResults ?? []).some((/** @type {any} */ test) => test.status === "failed"));
  const failed = number(report.numFailedTests) + broken.length;
  return {
    passed: number(report.numPassedTests),
    failed: failed === 0 && report.success === false && files.length > 0 ? 1 : failed,
    skipped: number(report.numPendingTests) + number(report.numTodoTests),
  };
}

/**
 * Full names of the tests that were skipped; why stands in the name, or in what their file printed.
 * @param {any} report parsed JSON of vitest's json reporter, or null
 * @returns {readonly string[]}
 */
export function skippedOf(report) {
  const files = Array.isArray(report?.testResults) ? report.testResults : [];
  const isSkipped = (/** @type {any} */ test) => ["skipped", "pending", "todo", "disabled"].includes(test?.status);
  return files.flatMap((/** @type {any} */ file) => (file?.assertionResults ?? []).filter(isSkipped).map((/** @type {any} */ test) => String(test.fullName)));
}

/** @param {unknown} value */
function number(value) {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
