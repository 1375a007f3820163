// Loaded by vitest before each test file: under `npm run soak` every property reports how many inputs it was held against, and
// takes its seed from the run where it has none of its own.

import { appendFileSync } from "node:fs";
import * as fc from "fast-check";

const counts = process.env["RINGFENCE_SOAK_COUNTS"];
const seed = Number(process.env["RINGFENCE_SEED"] ?? Number.NaN);

/** For a law that is no property of fast-check: so many inputs were tried. */
export function countInputs(inputs: number): void {
  if (counts !== undefined) appendFileSync(counts, `${inputs}\n`);
}

if (counts !== undefined) {
  const reporter = (details: fc.RunDetails<unknown>): void => {
    countInputs(details.numRuns);
    if (details.failed) throw new Error(fc.defaultReportMessage(details) ?? "the property failed");
  };
  fc.configureGlobal({ ...(Number.isSafeInteger(seed) ? { seed } : {}), reporter } as fc.GlobalParameters);
}
