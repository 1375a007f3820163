// The vector grammar, and the score against a second library and an outside vector set.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { calculateBaseScoreV4 } from "cvss4";
import { describe, expect, it } from "vitest";
import { parseCvssVector, withMetrics } from "../../../src/core/risk/cvss-vector.js";
import { cvssOf, formatFixed } from "../../../src/core/risk/index.js";
import { CANDIDATE_CVSS, V05_ORCHESTRATION, V08_EXAMPLES } from "./aivss-oracle.js";

const BASE = "AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
const CORPUS = join(import.meta.dirname, "../../../../shared/corpora/cvss-vectors");

function codes(text: string): readonly string[] {
  const parsed = parseCvssVector(text);
  return parsed.ok ? [] : parsed.error.map(({ code }) => code);
}

function score(vector: string): string {
  const scored = cvssOf(vector);
  return scored.ok ? formatFixed(scored.value.score, 1) : scored.error.map(({ code }) => code).join();
}

describe("vector grammar", () => {
  it.each<[string, string, readonly string[]]>([
    ["a complete base vector", `CVSS:4.0/${BASE}`, []],
    ["threat, environmental and supplemental metrics in order", `CVSS:4.0/${BASE}/E:P/CR:H/MAV:L/MSI:S/S:P/U:Amber`, []],
    ["the empty text", "", ["cvss-prefix"]],
    ["a prefix alone", "CVSS:4.0/", ["cvss-metric-unknown", "cvss-base-incomplete"]],
    ["a missing base metric", `CVSS:4.0/${BASE.replace("/SA:N", "")}`, ["cvss-base-incomplete"]],
    ["a base metric of no value", `CVSS:4.0/${BASE.replace("SA:N", "SA:X")}`, ["cvss-value-unknown"]],
    ["a metric twice", `CVSS:4.0/${BASE}/SA:N`, ["cvss-metric-repeated"]],
    ["metrics out of order", `CVSS:4.0/${BASE.replace("AV:N/AC:L", "AC:L/AV:N")}`, ["cvss-metric-order"]],
    ["an unknown metric", `CVSS:4.0/${BASE}/LC:D`, ["cvss-metric-unknown"]],
    ["a trailing slash", `CVSS:4.0/${BASE}/`, ["cvss-metric-unknown"]],
    ["lower case", `CVSS:4.0/${BASE.replace("AV:N", "av:n")}`, ["cvss-metric-unknown", "cvss-base-incomplete"]],
    ["a line break", `CVSS:4.0/${BASE}\n`, ["cvss-value-unknown"]],
    ["v3.1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", ["cvss-version"]],
    ["v3.0", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", ["cvss-version"]],
    ["a very long text", `CVSS:4.0/${BASE.repeat(50)}`, ["cvss-too-long"]],
  ])("judges %s", (_what, text, expected) => {
    expect(codes(text)).toEqual(expected);
  });

  it("tells a v3.1 user what to do", () => {
    const parsed = parseCvssVector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    expect(parsed).toEqual({ ok: false, error: [{ code: "cvss-version", message: "CVSS v3.1 vector given, v4.0 is needed", hint: "AIVSS v0.8 takes CVSS v4.0 only; score the finding anew with v4.0" }] });
  });

  it("adds metrics in their place and refuses illegal ones", () => {
    const parsed = parseCvssVector(`CVSS:4.0/${BASE}/E:P/MSA:N`);
    if (!parsed.ok) throw new Error("not parsed");
    expect(withMetrics(parsed.value, new Map([["MVC", "L"]])).text).toBe(`CVSS:4.0/${BASE}/E:P/MVC:L/MSA:N`);
    expect(() => withMetrics(parsed.value, new Map([["MVC", "Q"]]))).toThrow();
    expect(() => withMetrics(parsed.value, new Map([["QQ", "L"]]))).toThrow();
  });
});

describe("scores", () => {
  it.each([
    ["", "9.4"],
    ["/MSC:N/MSI:N/MSA:N", "8.7"],
    ["/MVC:L/MVA:L/MSC:N/MSI:N/MSA:N", "7.2"],
    ["/MVC:L/MVI:L/MVA:L/MSC:N/MSI:N/MSA:N", "5.3"],
    ["/MVC:L/MVI:L/MVA:L/MSI:N/MSA:N", "6.3"],
    ["/MVI:L/MVA:L/MSC:N/MSI:N/MSA:N", "7.2"],
  ])("steps of the posture ladder: %s is %s", (metrics, expected) => {
    expect(score(`CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H${metrics}`)).toBe(expected);
  });

  it("equal those of a second library on every published vector", () => {
    const vectors = [...V08_EXAMPLES.map(({ cvss }) => cvss), V05_ORCHESTRATION[0], ...CANDIDATE_CVSS.map(([, vector]) => vector)];
    expect(vectors.filter((vector) => score(vector) !== second(vector))).toEqual([]);
    expect(vectors.length).toBe(21);
  });

  it("agree with the second library over the base space but for ties that binary fractions break", () => {
    const differ = sampledVectors().filter((vector) => Math.abs(Number(score(vector)) - Number(second(vector))) > 1e-9);
    expect(differ.map((vector) => [vector, score(vector), second(vector)])).toEqual(KNOWN_TIES);
  });
});

describe.skipIf(!existsSync(CORPUS))(`outside vectors in ${existsSync(CORPUS) ? "the corpus" : "the corpus (absent here: skipped)"}`, () => {
  it.each(["vectors_simple4.txt", "vectors_security4.txt", "vectors_supplemental4.txt", "vectors_threat4.txt"])("%s: every score is equal", (file) => {
    const rows = readFileSync(join(CORPUS, file), "utf8").split("\n").filter((line) => line !== "").map((line) => /^(\S+) - \(?([0-9.]+)/.exec(line));
    expect(rows.length).toBeGreaterThan(5);
    const wrong = rows.filter((row) => row === null || score(row[1] ?? "") !== Number(row[2]).toFixed(1)).map((row) => row?.[0]);
    expect(wrong).toEqual([]);
  });
});

function second(vector: string): string {
  return calculateBaseScoreV4(vector).toFixed(1);
}

/** Every 97th of the 104,976 base vectors. */
function sampledVectors(): readonly string[] {
  const axes = [["AV", "NALP"], ["AC", "LH"], ["AT", "NP"], ["PR", "NLH"], ["UI", "NPA"], ["VC", "HLN"], ["VI", "HLN"], ["VA", "HLN"], ["SC", "HLN"], ["SI", "HLN"], ["SA", "HLN"]] as const;
  const count = axes.reduce((product, [, values]) => product * values.length, 1);
  const vectors: string[] = [];
  for (let index = 0; index < count; index += 97) {
    let rest = index;
    const parts = axes.map(([name, values]) => {
      const value = values[rest % values.length];
      rest = Math.floor(rest / values.length);
      return `${name}:${value}`;
    });
    vectors.push(`CVSS:4.0/${parts.join("/")}`);
  }
  return vectors;
}

/** Vectors of the sample where the second library rounds a tie down. */
const KNOWN_TIES: readonly (readonly [string, string, string])[] = [
  ["CVSS:4.0/AV:N/AC:L/AT:P/PR:H/UI:A/VC:N/VI:N/VA:N/SC:H/SI:H/SA:H", "5.0", "4.9"],
  ["CVSS:4.0/AV:L/AC:H/AT:P/PR:H/UI:N/VC:L/VI:H/VA:N/SC:L/SI:N/SA:L", "5.7", "5.6"],
  ["CVSS:4.0/AV:L/AC:H/AT:N/PR:H/UI:N/VC:L/VI:H/VA:N/SC:N/SI:N/SA:L", "5.7", "5.6"],
  ["CVSS:4.0/AV:L/AC:L/AT:P/PR:H/UI:N/VC:N/VI:L/VA:H/SC:N/SI:N/SA:N", "5.7", "5.6"],
];
