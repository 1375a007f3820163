// Every published score, exactly; and the calculator's refusals.

import { describe, expect, it } from "vitest";
import { aivssJson, aivssLines, calculate, cvssOf, FACTOR_KEYS, formatExact, formatFixed, type AivssOptions } from "../../../src/core/risk/index.js";
import { CANDIDATE_CVSS, DIRECTORY_PAGES, ROUNDING_TRAPS, V05_EXAMPLES, V05_ORCHESTRATION, V08_EXAMPLES } from "./aivss-oracle.js";

function json(options: AivssOptions): unknown {
  const result = calculate(options);
  return result.ok ? aivssJson(result.value) : result.error;
}

function shown(options: AivssOptions): string {
  const result = calculate(options);
  return result.ok ? formatFixed(result.value.aivss, 1) : JSON.stringify(result.error);
}

function codes(options: AivssOptions): readonly string[] {
  const result = calculate(options);
  return result.ok ? [] : result.error.map(({ code }) => code);
}

const BANDS = (score: string): string => (Number(score) >= 9 ? "Critical" : Number(score) >= 7 ? "High" : Number(score) >= 4 ? "Medium" : "Low");

describe("worked examples of AIVSS v0.8", () => {
  it.each(V08_EXAMPLES)("$risk comes out as published, from vector and factors", (row) => {
    const factors = FACTOR_KEYS.map((key, index) => `${key}=${row.factors[index]}`).join(",");
    expect(json({ formula: "0.8", cvss: row.cvss, factors, thm: "0.97", mf: "1.0" })).toEqual({ cvss: Number(row.base), factorSum: Number(row.sum), aars: row.aars, aivss: Number(row.aivss), band: BANDS(row.aivss) });
    for (const [index, mf] of ["0.83", "0.67"].entries()) {
      expect(shown({ formula: "0.8", base: row.base, sum: row.sum, mf })).toBe(row.v08[index]);
      expect(shown({ formula: "0.8-floor", base: row.base, sum: row.sum, mf })).toBe(row.floor[index]);
    }
    expect(shown({ formula: "0.8-floor", base: row.base, sum: row.sum })).toBe(row.aivss);
  });
});

describe("worked examples of AIVSS v0.5", () => {
  it.each(V05_EXAMPLES)("%s comes out as published", (_risk, base, sum, aivss) => {
    expect(json({ formula: "0.5", base, sum })).toEqual({ cvss: Number(base), factorSum: Number(sum), aars: sum, aivss: Number(aivss), band: BANDS(aivss) });
  });

  it("scores the one vector that differs from v0.8's", () => {
    const scored = cvssOf(V05_ORCHESTRATION[0]);
    expect(scored.ok && formatFixed(scored.value.score, 1)).toBe(V05_ORCHESTRATION[1]);
  });
});

describe("scores printed by the directory", () => {
  it.each(DIRECTORY_PAGES)("%s comes out as printed, and is marked as off the tables", (_page, base, sum, thm, mf, aars, aivss) => {
    const result = calculate({ formula: "0.8", base, sum, thm, mf });
    expect(result.ok && { aars: formatFixed(result.value.aars, 2), aivss: formatFixed(result.value.aivss, 1) }).toEqual({ aars, aivss });
    expect(result.ok && result.value.input.nonRubric.length).toBeGreaterThan(0);
    expect(codes({ formula: "0.8", base, sum, thm, mf, strict: true })).toContain("off-rubric");
  });
});

describe("CVSS of the 2.0 candidate's scenarios", () => {
  it.each(CANDIDATE_CVSS)("%s comes out as published, threat metric included", (_id, vector, score) => {
    const scored = cvssOf(vector);
    expect(scored.ok && formatFixed(scored.value.score, 1)).toBe(score);
  });
});

describe("rounding", () => {
  it.each(ROUNDING_TRAPS)("base %s, sum %s, ThM %s, MF %s rounds half up to %s", (base, sum, thm, mf, aivss) => {
    expect(shown({ formula: "0.8", base, sum, thm, mf })).toBe(aivss);
  });

  it("equals exact fractions on the whole grid of rubric inputs, where floats are wrong 24 times", () => {
    let floatErrors = 0;
    const wrong: string[] = [];
    for (let base = 0; base <= 100; base += 1) {
      for (let halves = 0; halves <= 20; halves += 1) {
        for (const thm of [100, 97, 50]) {
          for (const mf of [100, 83, 67]) {
            // In units of 1e-6: (base/10 + (10 - base/10) * sum/10 * thm/100) * mf/100, halves = 2 * sum.
            const units = (BigInt(base) * 20_000n + BigInt(100 - base) * BigInt(halves) * BigInt(thm) * 10n) * BigInt(mf);
            const tenths = (units * 2n + 2_000_000n) / 4_000_000n;
            const options = { base: (base / 10).toFixed(1), sum: String(halves / 2), thm: String(thm / 100), mf: String(mf / 100) };
            if (shown(options) !== (Number(tenths) / 10).toFixed(1)) wrong.push(JSON.stringify(options));
            const naive = Math.round((base / 10 + (10 - base / 10) * (halves / 2 / 10) * (thm / 100)) * (mf / 100) * 10) / 10;
            if (naive.toFixed(1) !== (Number(tenths) / 10).toFixed(1)) floatErrors += 1;
          }
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(floatErrors).toBe(24);
  });

  it("takes bands from the rounded score", () => {
    const band = (base: string): unknown => {
      const result = calculate({ base, sum: "0" });
      return result.ok ? result.value.band : null;
    };
    expect(["10", "9", "8.9", "7", "6.9", "4", "3.9", "0.1", "0"].map(band)).toEqual(["Critical", "Critical", "High", "High", "Medium", "Medium", "Low", "Low", "None"]);
    expect(calculate({ base: "8.9", sum: "0.5", thm: "1" })).toMatchObject({ value: { band: "Critical" } });
  });
});

describe("the published Kimi-Dev values", () => {
  const factors = "Autonomy of Action=0.80,Goal-Driven Planning=0.80,Self-Modification=0.20,Dynamic Tool Use=0.80,Persistent Memory=0.30,Contextual Awareness=0.80,Dynamic Identity=0.10,Multi-Agent Interactions=0.10,Non-Determinism=0.70,Opacity & Reflexivity=0.60";

  it("are read under the names they were published with, and sum to 5.2", () => {
    expect(json({ base: "8.7", factors })).toEqual({ cvss: 8.7, factorSum: 5.2, aars: "0.65572", aivss: 9.4, band: "Critical" });
    expect(shown({ formula: "0.5", base: "8.7", factors })).toBe("6.7");
  });

  it("are marked as off the rubric, with the stand-in named", () => {
    const result = calculate({ base: "8.7", factors });
    if (!result.ok) throw new Error("not computed");
    expect(aivssLines(result.value)).toEqual([
      "AIVSS 9.4 Critical (formula 0.8)",
      "  CVSS        8.7 (given as a number, no vector)",
      "  factor sum  5.2",
      "  AARS        0.65572",
      "  ThM         0.97",
      "  MF          1",
      ...FACTOR_KEYS.map((key, index) => `  note: non-rubric input: factor ${key} ${["0.8", "0.8", "0.8", "0.8", "0.7", "0.6", "0.3", "0.1", "0.1", "0.2"][index]} is not 0, 0.5 or 1`),
      "  note: Goal-Driven Planning (v0.5) stands in for Natural Language Interface (v0.8)",
    ]);
    expect(codes({ base: "8.7", factors, strict: true })).toEqual(FACTOR_KEYS.map(() => "off-rubric"));
  });
});

describe("refusals", () => {
  const all = FACTOR_KEYS.map((key) => `${key}=1`).join(",");

  it.each<[string, AivssOptions, string]>([
    ["an unknown formula", { formula: "0.9", base: "5", sum: "5" }, "formula-unknown"],
    ["neither vector nor base", { sum: "5" }, "cvss-choice"],
    ["both vector and base", { cvss: "x", base: "5", sum: "5" }, "cvss-choice"],
    ["neither factors nor sum", { base: "5" }, "factors-choice"],
    ["a base above ten", { base: "10.1", sum: "5" }, "number-range"],
    ["a base with two decimals", { base: "9.41", sum: "5" }, "number-too-long"],
    ["a negative base", { base: "-1", sum: "5" }, "number-invalid"],
    ["an exponent", { base: "1e1", sum: "5" }, "number-invalid"],
    ["a JSON number that prints as an exponent", { base: 5, sum: 1e-7 }, "number-invalid"],
    ["not a number", { base: Number.NaN, sum: "5" }, "number-invalid"],
    ["infinity", { base: "5", sum: Number.POSITIVE_INFINITY }, "number-invalid"],
    ["a binary remainder", { base: "5", sum: 0.1 + 0.2 }, "number-too-long"],
    ["a blank", { base: " 5", sum: "5" }, "number-invalid"],
    ["an empty text", { base: "", sum: "5" }, "number-invalid"],
    ["a ThM above one", { base: "5", sum: "5", thm: "1.01" }, "number-range"],
    ["a mitigation factor with v0.5", { formula: "0.5", base: "5", sum: "5", mf: "0.83" }, "mf-not-in-formula"],
    ["nine factors", { base: "5", factors: all.replace(",self_mod=1", "") }, "factor-missing"],
    ["eleven factors", { base: "5", factors: `${all},planning=1` }, "factor-repeated"],
    ["an unknown factor", { base: "5", factors: `${all},charm=1` }, "factor-unknown"],
    ["a factor above one", { base: "5", factors: all.replace("tools=1", "tools=1.5") }, "factor-range"],
    ["a factor without value", { base: "5", factors: all.replace("tools=1", "tools") }, "factor-form"],
    ["a CVSS v3.1 vector", { cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", sum: "5" }, "cvss-version"],
    ["a CVSS v2 vector", { cvss: "AV:N/AC:L/Au:N/C:P/I:P/A:P", sum: "5" }, "cvss-version"],
  ])("refuses %s", (_what, options, code) => {
    expect(codes(options)).toContain(code);
  });

  it("names every issue at once", () => {
    expect(codes({ formula: "9", base: "x", factors: "tools=2", thm: "-1" })).toEqual(["formula-unknown", "number-invalid", "factor-range", "factor-missing", "number-invalid"]);
  });

  it("shows hostile text escaped", () => {
    const result = calculate({ base: "5", factors: "a\u001b[31m=1" });
    expect(JSON.stringify(result)).not.toContain("\\u001b");
  });
});

describe("exact numbers", () => {
  it("prints without trailing zeros", () => {
    const result = calculate({ base: "0.0", sum: "5.20", thm: "1.0" });
    expect(result.ok && formatExact(result.value.aars)).toBe("5.2");
  });
});
