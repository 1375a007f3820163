// The published forms beside the live score: the v0.8 assessment of its Appendix A, and the marked 2.0 candidate.

import { describe, expect, it } from "vitest";
import { assessment, calculateCandidate, CANDIDATE_STATUS, candidateClass, candidateNumber, candidateText, cvssOf, FACTOR_KEYS, formatFixed, initialRisk, KIMI_DEV, parseCandidate, replayRisk, sessionCandidate } from "../../../src/core/risk/index.js";
import { CANDIDATE_CVSS } from "./aivss-oracle.js";
import { EVERY_CONTROL } from "./doc-tables.js";
import { controls, decision, denied, log, opened, reason, reconciled, risk } from "./events.js";

describe("the v0.8 assessment", () => {
  const events = log([
    opened(EVERY_CONTROL),
    denied("L7.x", risk("high")),
    reconciled([{ rule: "L3.y", reverted: false, risk: risk("critical", {}, "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:L/VA:N/SC:N/SI:L/SA:N/MVC:L") }]),
    denied("L1.z", risk("info")),
    decision("ask", [reason("L2.asked", risk("medium"), "ask")]),
  ]);
  const first = opened();
  const made = assessment(replayRisk(events), { agent: { name: "kimi-dev", model: null, endpoint: null, version: "72B", sampling: null }, product: "ringfence 1" }, "2026-01-01");

  it("has the required members of Appendix A, and values its schema takes", () => {
    expect(first.type).toBe("session.opened");
    expect(Object.keys(made)).toEqual(["metadata", "vulnerabilities"]);
    expect(made.metadata).toMatchObject({ system_name: "kimi-dev", system_version: "72B", assessment_date: "2026-01-01", assessor_id: "ringfence 1" });
    expect(made.vulnerabilities.map(({ id }) => id)).toEqual(["L3.y", "L7.x"]);
    for (const one of made.vulnerabilities) {
      expect(Object.keys(one.amplification_factors)).toEqual([...FACTOR_KEYS]);
      expect(Object.values(one.amplification_factors).every((value) => [0, 0.5, 1].includes(value))).toBe(true);
      expect([0.5, 0.97, 1]).toContain(one.threat_multiplier);
      expect(one.scores).toMatchObject({ factor_sum: 5.5, mitigation_factor: 1 });
      expect(["Low", "Medium", "High", "Critical"]).toContain(one.scores.severity);
      const base = cvssOf(one.cvss_base.vector_string);
      expect(base.ok && Number(formatFixed(base.value.score, 1))).toBe(one.cvss_base.score);
      const { cvss_base: cvss, threat_multiplier: thm, scores } = one;
      expect(scores.aars).toBeCloseTo((10 - cvss.score) * 0.55 * thm, 9);
      expect(Math.abs(scores.aivss - (cvss.score + scores.aars))).toBeLessThanOrEqual(0.05 + 1e-9);
    }
  });

  it("takes the base group of a vector, the category of the first OWASP id, and a full threat for what stayed", () => {
    expect(made.vulnerabilities[0]).toMatchObject({ cvss_base: { vector_string: "CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:L/VA:N/SC:N/SI:L/SA:N" }, threat_multiplier: 1 });
    expect(made.vulnerabilities[1]).toMatchObject({ owasp_category: "Agentic AI Tool Misuse", threat_multiplier: 0.97 });
  });
});

/** Number, class and vector of the candidate's own scenarios. */
const SCENARIOS = {
  ASI01: ["9.8", "A2", "LC:D/CP:S/AP:C/SR:R/EX:M/PT:M/CA:M/TD:M"],
  ASI02: ["8.7", "A1", "LC:I/CP:N/AP:C/SR:R/EX:M/PT:M/CA:M/TD:L"],
  ASI03: ["8.8", "A2", "LC:M/CP:N/AP:L/SR:R/EX:M/PT:M/CA:N/TD:L"],
  ASI04: ["9.8", "A2", "LC:I/CP:N/AP:L/SR:P/EX:W/PT:H/CA:M/TD:M"],
  ASI05: ["9.5", "A2", "LC:D/CP:N/AP:N/SR:R/EX:M/PT:M/CA:W/TD:L"],
  ASI06: ["9.1", "A2", "LC:D/CP:C/AP:L/SR:R/EX:W/PT:H/CA:M/TD:H"],
  ASI07: ["8.1", "A2", "LC:I/CP:S/AP:L/SR:R/EX:W/PT:H/CA:M/TD:M"],
  ASI08: ["9.2", "A2", "LC:I/CP:S/AP:L/SR:P/EX:W/PT:M/CA:W/TD:H"],
  ASI09: ["7.5", "A1", "LC:D/CP:N/AP:C/SR:P/EX:N/PT:L/CA:N/TD:H"],
  ASI10: ["10.0", "A2", "LC:D/CP:C/AP:L/SR:R/EX:W/PT:H/CA:W/TD:H"],
} as const;

describe("the 2.0 candidate", () => {
  it.each(CANDIDATE_CVSS)("gives the number and class of scenario %s", (scenario, cvss, bte) => {
    const [number, group, text] = SCENARIOS[scenario as keyof typeof SCENARIOS];
    const vector = parseCandidate(`AIVSS:2.0/${text}`);
    const scored = cvssOf(cvss);
    if (!vector.ok || !scored.ok) throw new Error("not read");
    expect(candidateText(vector.value)).toBe(`AIVSS:2.0/${text}`);
    const result = candidateNumber(vector.value, scored.value.score);
    expect([formatFixed(scored.value.score, 1), candidateClass(vector.value), result === null ? null : formatFixed(result, 1)]).toEqual([bte, group, number]);
  });

  it.each(["AIVSS:2.0/LC:D", "CVSS:4.0/LC:D/CP:S/AP:C/SR:R/EX:M/PT:M/CA:M/TD:M", "AIVSS:2.0/LC:D/CP:S/AP:C/SR:R/EX:M/PT:M/CA:M/TD:Q", "AIVSS:2.0/CP:S/LC:D/AP:C/SR:R/EX:M/PT:M/CA:M/TD:M", "AIVSS:2.0/LC:D/CP:S/AP:C/SR:R/EX:M/PT:M/CA:M/TD:M/ZZ:Q"])("refuses %s", (text) => {
    expect(parseCandidate(text).ok).toBe(false);
  });

  it.each(CANDIDATE_CVSS)("is computed from texts: %s", (scenario, cvss, bte) => {
    const [number, group, text] = SCENARIOS[scenario as keyof typeof SCENARIOS];
    expect(calculateCandidate(`AIVSS:2.0/${text}`, cvss)).toEqual({ ok: true, value: { vector: `AIVSS:2.0/${text}`, class: group, cvss: bte, experimental: number, status: CANDIDATE_STATUS } });
  });

  it("withholds its number for an X, and tells all that is wrong with what it is given", () => {
    const cvss = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:H/SI:L/SA:N";
    expect(calculateCandidate("AIVSS:2.0/LC:D/CP:S/AP:C/SR:X/EX:M/PT:M/CA:M/TD:M", cvss)).toMatchObject({ ok: true, value: { class: "AX", experimental: null } });
    const wrong = calculateCandidate("AIVSS:2.0/LC:D", "CVSS:3.1/AV:N");
    expect(wrong.ok ? 0 : wrong.error.length).toBeGreaterThanOrEqual(2);
  });

  it("of a session says what the run shows, and gives no number where something is not known", () => {
    const vector = sessionCandidate(initialRisk(KIMI_DEV, { controls: controls(EVERY_CONTROL) }));
    expect(candidateText(vector)).toBe("AIVSS:2.0/LC:D/CP:S/AP:N/SR:X/EX:M/PT:X/CA:N/TD:L");
    expect([candidateClass(vector), candidateNumber(vector, KIMI_DEV.thm)]).toEqual(["AX", null]);
    expect(candidateText(sessionCandidate(initialRisk(KIMI_DEV, { controls: [] })))).toBe("AIVSS:2.0/LC:D/CP:C/AP:N/SR:X/EX:W/PT:X/CA:W/TD:H");
  });
});
