// A gate holds the peak and the findings of a session against what a pipeline accepts.

import { describe, expect, it } from "vitest";
import { gateReasons, parseMaxAivss, parseSeverity, type RiskSummary } from "../../../src/core/risk/index.js";

type Part = Pick<RiskSummary, "peak" | "findings">;

function summary(peak: string, findings: readonly Partial<RiskSummary["findings"][number]>[] = []): RiskSummary {
  const whole: Part = { peak: { score: peak, band: "High", exact: peak }, findings: findings.map((one) => ({ rule: "r", layer: null, threats: [], severity: "low", outcome: "blocked", count: 1, vector: null, cvss: null, score: null, ...one })) };
  return whole as RiskSummary;
}

const most = (text: string): NonNullable<ReturnType<typeof parseMaxAivss>> => parseMaxAivss(text) ?? expect.fail(`${text} is a score`);

describe("a gate", () => {
  it("accepts everything when it names nothing", () => {
    expect(gateReasons({}, summary("10.0", [{ severity: "critical" }]))).toEqual([]);
  });

  it("accepts the very score it names, and nothing above", () => {
    expect(gateReasons({ maxAivss: most("8.9") }, summary("8.9"))).toEqual([]);
    expect(gateReasons({ maxAivss: most("8.9") }, summary("9.0"))).toEqual([expect.stringContaining("9.0")]);
    expect(gateReasons({ maxAivss: most("9") }, summary("10.0"))).toHaveLength(1);
    expect(gateReasons({ maxAivss: most("10") }, summary("10.0"))).toEqual([]);
  });

  it("does not pass a score it cannot read", () => {
    expect(gateReasons({ maxAivss: most("10") }, summary("?"))).toHaveLength(1);
  });

  it("names each finding from a severity on, blocked or not", () => {
    const findings = [{ rule: "a", severity: "medium" }, { rule: "b", severity: "high", outcome: "blocked", count: 3 }, { rule: "c\u001b[2J", severity: "critical", outcome: "succeeded" }] as const;
    expect(gateReasons({ failOn: "high" }, summary("1.0", findings))).toEqual(["finding b: high, blocked 3 times", "finding c\\x1b[2J: critical, succeeded"]);
    expect(gateReasons({ failOn: "info" }, summary("1.0", findings))).toHaveLength(3);
  });

  it("takes plain scores and known severities only", () => {
    for (const text of ["-1", "10.1", "8.95", "1e1", "", " 8", "08", "NaN"]) expect(parseMaxAivss(text)).toBeNull();
    for (const text of ["High", "", "severe", "__proto__"]) expect(parseSeverity(text)).toBeNull();
  });
});
