// Scores a CVSS v4.0 vector. The only file that knows the calculator package; it is never given a vector that our grammar refused.

import calculator from "ae-cvss-calculator";
import { err, ok, type Issue, type Result } from "../shared/index.js";
import { parseCvssVector, type CvssVector } from "./cvss-vector.js";
import { parseDecimal, type Decimal } from "./decimal.js";

/**
 * Score of a parsed vector with every metric it names (base, threat, environmental), 0.0 to 10.0 in tenths.
 * Throws only when the calculator returns something that is no score, which is a fault of ours.
 */
export function scoreCvss(vector: CvssVector): Decimal {
  const cvss = new calculator.Cvss4P0(vector.text);
  const score = cvss.isBaseFullyDefined() ? parseDecimal(cvss.calculateScores().overall, "CVSS score", 1) : null;
  if (score === null || !score.ok) throw new Error(`no CVSS score for ${vector.text}`);
  return score.value;
}

/** Reads and scores a vector text. */
export function cvssOf(text: string): Result<{ readonly vector: CvssVector; readonly score: Decimal }, readonly Issue[]> {
  const vector = parseCvssVector(text);
  return vector.ok ? ok({ vector: vector.value, score: scoreCvss(vector.value) }) : err(vector.error);
}
