// The live score over small logs: what moves it, by how much, and what never does.

import { describe, expect, it } from "vitest";
import type { EventDraft } from "../../../src/core/session/event.js";
import { initialRisk, KIMI_DEV, replayRisk, riskEvent, riskSummary, SEVERITIES, SEVERITY_ROWS, cvssOf, bandOf, type RiskSummary } from "../../../src/core/risk/index.js";
import { OTHER_RULES } from "../../../src/core/risk/reduce.js";
import { LIMITS } from "../../../src/core/shared/index.js";
import { ALL_CONTROLS, answered, closed, controls, decision, denied, DISCARDED, finished, log, opened, reason, reconciled, risk } from "./events.js";

const CRITICAL = risk("critical", { tools: 0.3, autonomy: 0.2 });
const HIGH = risk("high", { self_mod: 0.3, persistence: 0.2 });

function summaryOf(drafts: readonly EventDraft[], ids: readonly string[] = ALL_CONTROLS): RiskSummary {
  return riskSummary(replayRisk(log([opened(ids), ...drafts])));
}

function live(drafts: readonly EventDraft[], ids: readonly string[] = ALL_CONTROLS): string {
  return summaryOf(drafts, ids).live.exact;
}

describe("posture", () => {
  it("starts from the published profile where nothing is attested, at the static score", () => {
    const summary = summaryOf([], []);
    expect(summary.live).toEqual({ score: "9.7", band: "Critical", exact: "9.70264", driver: "posture" });
    expect(summary.static).toMatchObject({ score: "9.7", band: "Critical", cvss: "9.4", factorSum: "5.2", aars: "0.30264" });
    expect(summary.reasons[0]).toBe("posture: CVSS 9.4, no control is attested");
  });

  it("goes down the ladder with what is attested", () => {
    const summary = summaryOf([]);
    expect([summary.posture.cvss, summary.posture.score, summary.live.score, summary.static.score]).toEqual(["7.2", "8.6", "8.6", "9.7"]);
    expect(summary.posture.vector).toBe("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H/MVI:L/MVA:L/MSC:N/MSI:N/MSA:N");
    expect(summary.posture.withheld).toEqual([{ metric: "MVC:L", lacking: ["secrets-masked (not reported)"] }]);
    expect(live([], [...ALL_CONTROLS, "secrets-masked"])).toBe("7.67068");
  });

  it.each(ALL_CONTROLS)("withholds credit where %s is not attested, and says so", (missing) => {
    const summary = summaryOf([], ALL_CONTROLS.filter((id) => id !== missing));
    expect(summary.posture.withheld.filter(({ lacking }) => lacking.includes(`${missing} (not reported)`))).not.toEqual([]);
    expect(Number(summary.live.exact)).toBeGreaterThanOrEqual(Number(live([])));
    expect(summary.reasons.join("\n")).toContain(`${missing} (not reported)`);
  });

  it("gives nothing for a control that is only configured, and believes the worse of two reports", () => {
    const configured = initialRisk(KIMI_DEV, { controls: controls(ALL_CONTROLS, "configured") });
    expect(riskSummary(configured).live.score).toBe("9.7");
    const both = initialRisk(KIMI_DEV, { controls: [...controls(["no-network"], "missing"), ...controls(ALL_CONTROLS)] });
    expect(riskSummary(both).posture.withheld.map(({ metric }) => metric)).toEqual(["MVC:L", "MSC:N", "MSI:N", "MSA:N"]);
  });

  it("knows no attested control in a log that does not begin with its opening", () => {
    expect(riskSummary(replayRisk(log([denied("a", CRITICAL)]))).posture.cvss).toBe("9.4");
    expect(riskSummary(replayRisk([])).live.score).toBe("9.7");
  });
});

describe("evidence", () => {
  const attacks: readonly EventDraft[] = [
    denied("L7.reverse-shell", CRITICAL),
    denied("L2.exfiltration", risk("high", { tools: 0.2, context: 0.2 })),
    denied("L6.credentials", risk("critical", { identity: 0.35, context: 0.2 })),
    denied("L7.agent-config", HIGH),
    denied("L3.encoded", risk("high", { opacity: 0.2, tools: 0.2 })),
  ];

  it("moves the number visibly over a session of blocked attacks, one reason each", () => {
    const scores = attacks.map((_, index) => summaryOf(attacks.slice(0, index + 1)).live.score);
    expect(["8.6", ...scores]).toEqual(["8.6", "8.6", "8.7", "8.8", "8.9", "8.9"]);
    expect(summaryOf(attacks).reasons.slice(2)).toEqual([
      "#1 L7.reverse-shell blocked (critical, L7): autonomy 0.8 -> 0.84, tools 0.8 -> 0.86, factor sum 5.2 -> 5.3, finding CVSS 7.2 blocked; score 8.6123 -> 8.6395 (+0.0272)",
      "#2 L2.exfiltration blocked (high, L7): tools 0.86 -> 0.888, context 0.8 -> 0.84, factor sum 5.3 -> 5.368, finding CVSS 7.2 blocked; score 8.6395 -> 8.6579 (+0.0185)",
      "#3 L6.credentials blocked (critical, L7): context 0.84 -> 0.872, identity 0.1 -> 0.415, factor sum 5.368 -> 5.715, finding CVSS 7.2 blocked; score 8.6579 -> 8.7522 (+0.0942)",
      "#4 L7.agent-config blocked (high, L7): persistence 0.3 -> 0.44, self_mod 0.2 -> 0.44, factor sum 5.715 -> 6.095, finding CVSS 7.2 blocked; score 8.7522 -> 8.8554 (+0.1032)",
      "#5 L3.encoded blocked (high, L7): tools 0.888 -> 0.9104, opacity 0.6 -> 0.68, factor sum 6.095 -> 6.1974, finding CVSS 7.2 blocked; score 8.8554 -> 8.8832 (+0.0278)",
    ]);
  });

  it("is raised more by what succeeded than by what was undone, and more by that than by what was blocked", () => {
    const order = [
      live([]),
      live([decision("ask", [reason("r", HIGH, "ask")])]),
      live([decision("ask", [reason("r", HIGH, "ask")]), answered("rejected")]),
      live([denied("r", HIGH)]),
      live([reconciled([{ rule: "r", reverted: true, risk: HIGH }])]),
      live([reconciled([{ rule: "r", reverted: false, risk: HIGH }])]),
    ].map(Number);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(new Set(order).size).toBe(order.length);
  });

  it("scores a change that stayed on its own vector, without the container's credit and with the attacked multiplier", () => {
    const summary = summaryOf([reconciled([{ rule: "r", reverted: false, risk: risk("critical", { tools: 0.3 }) }])]);
    // 9.4 + 0.6 × (5.2 + 0.2 × (1 - 0.7²)) / 10 × 1.00
    expect(summary.live).toEqual({ score: "9.7", band: "Critical", exact: "9.71812", driver: "r" });
  });

  it("lets the current score fall when the session is discarded, and keeps the peak and the evidence", () => {
    const stayed = reconciled([{ rule: "r", reverted: false, risk: risk("critical", { tools: 0.3 }) }]);
    const summary = summaryOf([stayed, DISCARDED]);
    expect([summary.live.score, summary.peak.score, summary.factorSum.live]).toEqual(["8.6", "9.7", "5.302"]);
    expect(summary.reasons.at(-1)).toBe("#2 r discarded (critical, L7): finding CVSS 9.4 succeeded -> 7.2 undone; score 9.7181 -> 8.6400 (-1.0781)");
  });

  it("adds less with every repeat of one rule, and nothing after the fourth", () => {
    const scores = [0, 1, 2, 3, 4, 5, 50].map((times) => Number(live(Array.from({ length: times }, () => denied("r", HIGH)))));
    const steps = scores.slice(1).map((score, index) => score - (scores[index] ?? 0));
    expect(steps.slice(0, 4).every((step, index, all) => step > 0 && step < (all[index - 1] ?? 10))).toBe(true);
    expect(steps.slice(4)).toEqual([0, 0]);
  });

  it("counts a rule once a call, however many paths it met", () => {
    expect(live([decision("deny", Array.from({ length: 100 }, () => reason("r", HIGH)))])).toBe(live([denied("r", HIGH)]));
  });

  it("takes a refusal without a rule as small, bounded evidence", () => {
    const one = summaryOf([denied("default-deny", null)]);
    const many = summaryOf(Array.from({ length: 500 }, () => denied("default-deny", null)));
    expect([one.findings[0]?.severity, one.findings[0]?.score, one.live.score, many.live.score]).toEqual(["info", null, "8.6", "8.6"]);
    expect(Number(one.live.exact)).toBeGreaterThan(Number(live([])));
    expect(live([decision("deny", [])])).toBe(one.live.exact);
    expect(live([denied("a.rule", null)])).toBe(one.live.exact);
  });

  it("lets no amount of harmless work lower or raise it", () => {
    const harmless = Array.from({ length: 200 }, () => [decision("allow", [reason("allow.read", risk("critical"), "allow")]), finished(), reconciled([]), closed("completed")]).flat();
    expect(live([...attacks, ...harmless])).toBe(live(attacks));
  });

  it("reads limits, left processes, unproven ends and doubt from the run itself", () => {
    const rules = (draft: EventDraft): readonly string[] => summaryOf([draft]).findings.map(({ rule, outcome }) => `${rule} ${outcome}`);
    expect(rules(finished({ ended: "timeout", killed: 3 }))).toEqual(["run.timeout blocked"]);
    expect(rules(finished({ ended: "limit" }))).toEqual(["run.limit blocked"]);
    expect(rules(finished({ killed: 1 }))).toEqual(["run.left-processes blocked"]);
    expect(rules(finished({ quiescent: false }))).toEqual(["run.not-quiescent succeeded"]);
    expect(rules(finished({ ended: "fault" }))).toEqual(["run.in-doubt blocked"]);
    expect(rules(closed("in-doubt"))).toEqual(["run.in-doubt blocked"]);
    expect(rules(finished({ ended: "cancelled" }))).toEqual([]);
    expect(rules(reconciled([{ rule: "reconcile.unexpected", reverted: false, risk: null }]))).toEqual(["reconcile.unexpected succeeded"]);
  });

  it("uses the catalogue for a rule whose vector or weights are no good, never less than that", () => {
    const good = risk("high", { tools: 0.15 });
    expect(live([denied("r", risk("high", { tools: Number.NaN }, "CVSS:3.1/AV:N"))])).toBe(live([denied("r", good)]));
    expect(live([denied("r", risk("high", { tools: 7 }))])).toBe(live([denied("r", good)]));
    expect(live([denied("r", risk("high", { charm: 0.9 }))])).toBe(live([denied("r", risk("high"))]));
  });
});

describe("approvals", () => {
  const asked = decision("ask", [reason("r", HIGH, "ask")]);
  const routine = decision("ask", [reason("r", null, "ask")]);

  it("gives no finding score to a question that a person allowed, and keeps its small evidence", () => {
    const summary = summaryOf([asked, answered("approved")]);
    expect(summary.findings.map(({ outcome, score, count }) => [outcome, score, count])).toEqual([["approved", null, 1]]);
    expect(summary.live.exact).toBe(live([asked]));
  });

  it("raises on a rejection", () => {
    const summary = summaryOf([asked, answered("rejected")]);
    expect(summary.findings.map(({ outcome, count }) => [outcome, count])).toEqual([["rejected", 1]]);
    expect(Number(summary.live.exact)).toBeGreaterThan(Number(live([asked])));
  });

  it.each(["expired", "unavailable"] as const)("takes %s as no person's judgement", (outcome) => {
    expect(live([asked, answered(outcome)])).toBe(live([asked]));
  });

  it("counts a routine question only when it is refused", () => {
    expect(live([routine])).toBe(live([]));
    expect(live([routine, answered("approved")])).toBe(live([]));
    expect(Number(live([routine, answered("rejected")]))).toBeGreaterThan(Number(live([])));
  });

  it("heeds the answer to the call that asked, once", () => {
    expect(live([asked, answered("rejected", 2)])).toBe(live([asked]));
    expect(live([asked, answered("rejected"), answered("rejected")])).toBe(live([asked, answered("rejected")]));
  });
});

describe("the risk.updated event", () => {
  const start = initialRisk(KIMI_DEV, { controls: controls(ALL_CONTROLS) });

  it("reports the opening state, then only what moved", () => {
    expect(riskEvent(null, start, 0)).toMatchObject({ formula: "0.8-floor", score: "8.6", band: "High", peak: "8.6", cause: 0 });
    expect(riskEvent(start, replayRisk(log([opened(), finished()])), 1)).toBeNull();
    const event = riskEvent(start, replayRisk(log([opened(), denied("L7.agent-config", HIGH)])), 1);
    expect(event).toMatchObject({
      score: "8.7",
      cause: 1,
      reasons: ["#1 L7.agent-config blocked (high, L7): persistence 0.3 -> 0.44, self_mod 0.2 -> 0.44, factor sum 5.2 -> 5.58, finding CVSS 7.2 blocked; score 8.6123 -> 8.7155 (+0.1032)"],
      detail: { exact: "8.715528", before: "8.61232", driver: "posture", static: { score: "9.7", band: "Critical" }, changes: [{ contribution: "+0.103208" }] },
    });
  });

  it("is plain JSON", () => {
    const event = riskEvent(null, replayRisk(log([opened(), denied("r", CRITICAL), reconciled([{ rule: "s", reverted: false, risk: null }])])), 2);
    expect(JSON.parse(JSON.stringify(event))).toEqual(event);
  });

  it("says nothing when a repeat no longer adds anything", () => {
    const many = Array.from({ length: 10 }, () => denied("r", HIGH));
    const before = replayRisk(log([opened(), ...many]));
    expect(riskEvent(before, replayRisk(log([opened(), ...many, denied("r", HIGH)])), 11)).toBeNull();
  });
});

describe("limits and hostile text", () => {
  it("keeps a bounded number of rules apart and folds the rest into one finding", () => {
    const flood = Array.from({ length: LIMITS.riskFindings + 40 }, (_, index) => denied(`r${index}`, risk("low", { opacity: 0.01 })));
    const state = replayRisk(log([opened(), ...flood]));
    expect(state.findings.size).toBe(LIMITS.riskFindings + 1);
    expect(state.findings.get(OTHER_RULES)?.counts.blocked).toBe(40);
  });

  it("waits for a bounded number of answers", () => {
    const flood = Array.from({ length: LIMITS.riskPending + 40 }, (_, index) => decision("ask", [reason("r", HIGH, "ask")], index));
    expect(replayRisk(log([opened(), ...flood])).pending.size).toBe(LIMITS.riskPending);
  });

  it("prints no escape sequence of a rule name, and survives names of object members", () => {
    const state = replayRisk(log([opened(), denied("__proto__", HIGH), denied("constructor", HIGH), denied("a\u001b]0;x\u0007\nb", CRITICAL)]));
    const summary = riskSummary(state);
    const text = [...summary.reasons, ...summary.findings.map(({ rule }) => rule), ...(riskEvent(null, state, 3)?.reasons ?? [])].join("");
    expect(text.split("").filter((char) => char < " " || char === "\u007f")).toEqual([]);
    expect(summary.findings.length).toBe(3);
  });
});

describe("the catalogue", () => {
  it("has a vector in the band of its severity", () => {
    const bands = SEVERITIES.map((severity) => {
      const scored = SEVERITY_ROWS[severity].cvss === null ? null : cvssOf(SEVERITY_ROWS[severity].cvss);
      return scored?.ok === true ? bandOf(scored.value.score).toLowerCase() : "none";
    });
    expect(bands).toEqual(["none", "low", "medium", "high", "critical"]);
  });
});
