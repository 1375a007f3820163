// Strict grammar of a CVSS v4.0 vector: all base metrics, known keys and values, the standard's order, nothing twice.
// Libraries read an empty or partial vector as 0.0; this file is why that cannot happen here.

import { err, ok, printable, type Issue, type Result } from "../shared/index.js";

const CIA = ["H", "L", "N"] as const;
const REQUIREMENT = ["X", "H", "M", "L"] as const;

/** Every metric of CVSS v4.0 in the order of its specification, with its values. The first eleven are the base group. */
const METRICS: readonly (readonly [string, readonly string[]])[] = [
  ["AV", ["N", "A", "L", "P"]],
  ["AC", ["L", "H"]],
  ["AT", ["N", "P"]],
  ["PR", ["N", "L", "H"]],
  ["UI", ["N", "P", "A"]],
  ["VC", CIA],
  ["VI", CIA],
  ["VA", CIA],
  ["SC", CIA],
  ["SI", CIA],
  ["SA", CIA],
  ["E", ["X", "A", "P", "U"]],
  ["CR", REQUIREMENT],
  ["IR", REQUIREMENT],
  ["AR", REQUIREMENT],
  ["MAV", ["X", "N", "A", "L", "P"]],
  ["MAC", ["X", "L", "H"]],
  ["MAT", ["X", "N", "P"]],
  ["MPR", ["X", "N", "L", "H"]],
  ["MUI", ["X", "N", "P", "A"]],
  ["MVC", ["X", ...CIA]],
  ["MVI", ["X", ...CIA]],
  ["MVA", ["X", ...CIA]],
  ["MSC", ["X", ...CIA]],
  ["MSI", ["X", "S", ...CIA]],
  ["MSA", ["X", "S", ...CIA]],
  ["S", ["X", "N", "P"]],
  ["AU", ["X", "N", "Y"]],
  ["R", ["X", "A", "U", "I"]],
  ["V", ["X", "D", "C"]],
  ["RE", ["X", "L", "M", "H"]],
  ["U", ["X", "Clear", "Green", "Amber", "Red"]],
];
const BASE_COUNT = 11;
const PREFIX = "CVSS:4.0/";
const MAX_CHARS = 300;

/** A vector that passed the grammar. `text` is as given. */
export interface CvssVector {
  readonly text: string;
  readonly metrics: ReadonlyMap<string, string>;
}

/** Reads a CVSS v4.0 vector, or says everything that is wrong with it. */
export function parseCvssVector(text: string): Result<CvssVector, readonly Issue[]> {
  const shown = printable(text, 80);
  if (text.length > MAX_CHARS) return err([{ code: "cvss-too-long", message: `CVSS vector is longer than ${MAX_CHARS} characters` }]);
  if (!text.startsWith(PREFIX)) return err([wrongVersion(text, shown)]);
  const issues: Issue[] = [];
  const metrics = new Map<string, string>();
  let last = -1;
  for (const part of text.slice(PREFIX.length).split("/")) {
    const at = part.indexOf(":");
    const key = part.slice(0, Math.max(at, 0));
    const value = part.slice(at + 1);
    const index = METRICS.findIndex(([name]) => name === key);
    const known = METRICS[index]?.[1];
    if (known === undefined) {
      issues.push({ code: "cvss-metric-unknown", message: `unknown CVSS v4.0 metric \`${printable(part, 40)}\`` });
      continue;
    }
    if (metrics.has(key)) issues.push({ code: "cvss-metric-repeated", message: `CVSS metric ${key} is given twice` });
    else if (index < last) issues.push({ code: "cvss-metric-order", message: `CVSS metric ${key} stands out of order`, hint: `the order is ${METRICS.map(([name]) => name).join(" ")}` });
    if (!known.includes(value)) issues.push({ code: "cvss-value-unknown", message: `CVSS metric ${key} has no value \`${printable(value, 20)}\``, hint: `values are ${known.join(" ")}` });
    metrics.set(key, value);
    last = Math.max(last, index);
  }
  const missing = METRICS.slice(0, BASE_COUNT).map(([name]) => name).filter((name) => !metrics.has(name));
  if (missing.length > 0) issues.push({ code: "cvss-base-incomplete", message: `CVSS vector lacks the base metric${missing.length > 1 ? "s" : ""} ${missing.join(" ")}` });
  return issues.length > 0 ? err(issues) : ok({ text, metrics });
}

function wrongVersion(text: string, shown: string): Issue {
  const older = /^CVSS:([23]\.[0-9])\//.exec(text)?.[1] ?? (/^\(?AV:[NAL]\/AC:[LMH]\/Au:/.test(text) ? "2.0" : null);
  if (older !== null) {
    return { code: "cvss-version", message: `CVSS v${older} vector given, v4.0 is needed`, hint: "AIVSS v0.8 takes CVSS v4.0 only; score the finding anew with v4.0" };
  }
  return { code: "cvss-prefix", message: `CVSS vector \`${shown}\` does not start with ${PREFIX}` };
}

/**
 * Adds or replaces metrics and writes the vector in standard order. Values must be legal ones of their metric;
 * an illegal one is a fault of the caller and throws.
 */
export function withMetrics(vector: CvssVector, changes: ReadonlyMap<string, string>): CvssVector {
  const merged = new Map([...vector.metrics, ...changes]);
  const ordered = METRICS.flatMap(([name]) => {
    const value = merged.get(name);
    return value === undefined ? [] : [`${name}:${value}`];
  });
  const parsed = parseCvssVector(PREFIX + ordered.join("/"));
  if (!parsed.ok || parsed.value.metrics.size !== merged.size) throw new Error("illegal CVSS metric in a change");
  return parsed.value;
}
