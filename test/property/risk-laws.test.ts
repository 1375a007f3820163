// Laws of the live score over random logs: bounded, floored, monotone, order-free, the same from any prefix.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventDraft } from "../../src/core/session/event.js";
import { add, compare, formatExact, ONE, subtract, TEN, ZERO, type Decimal } from "../../src/core/risk/decimal.js";
import { scoreCvss } from "../../src/core/risk/cvss.js";
import { parseCvssVector } from "../../src/core/risk/cvss-vector.js";
import { contained, postureOf } from "../../src/core/risk/posture.js";
import { findingScore } from "../../src/core/risk/state.js";
import { FACTOR_KEYS, FORMULAS, initialRisk, KIMI_DEV, reduceRisk, replayRisk, riskSummary, scoreAivss, SEVERITIES, type RiskState } from "../../src/core/risk/index.js";
import { ALL_CONTROLS, answered, closed, controls, decision, denied, finished, log, noted, opened, reason, reconciled, risk } from "../unit/risk/events.js";

const SOAK = process.env["RINGFENCE_SOAK"] === "1";
const RUNS = { numRuns: SOAK ? 1_000 : 60, ...(SOAK ? {} : { seed: 20_260 }) };
const TIMEOUT = SOAK ? 600_000 : 30_000;
const CONTROL_IDS = [...ALL_CONTROLS, "secrets-masked"];

const axis = (name: string, values: string): fc.Arbitrary<string> => fc.constantFrom(...values.split("")).map((value) => `${name}:${value}`);
const vectors = fc
  .tuple(axis("AV", "NALP"), axis("AC", "LH"), axis("AT", "NP"), axis("PR", "NLH"), axis("UI", "NPA"), axis("VC", "HLN"), axis("VI", "HLN"), axis("VA", "HLN"), axis("SC", "HLN"), axis("SI", "HLN"), axis("SA", "HLN"))
  .map((parts) => `CVSS:4.0/${parts.join("/")}`);
const weights = fc.dictionary(fc.constantFrom(...FACTOR_KEYS, "Tool Use", "unknown"), fc.integer({ min: -5, max: 110 }).map((percent) => percent / 100), { maxKeys: 4 });
const risks = fc.record({ severity: fc.constantFrom(...SEVERITIES), cvss: fc.option(fc.oneof(vectors, fc.constant("nonsense")), { freq: 2 }), factors: weights }).map(({ severity, cvss, factors }) => risk(severity, factors, cvss));
const rules = fc.constantFrom("L1.a", "L2.b", "L3.c", "L7.d", "reconcile.e", "default-deny");
const ended = fc.constantFrom("exit", "timeout", "cancelled", "limit", "fault");

/** Events whose order does not matter, because none answers another. */
const evidence: fc.Arbitrary<EventDraft> = fc.oneof(
  fc.tuple(rules, fc.option(risks)).map(([rule, asserted]) => denied(rule, asserted)),
  fc.tuple(rules, fc.option(risks)).map(([rule, asserted]) => noted([reason(rule, asserted)])),
  fc.tuple(rules, risks).map(([rule, asserted]) => decision("ask", [reason(rule, asserted, "ask")], 99)),
  fc.tuple(rules, fc.option(risks), fc.boolean()).map(([rule, asserted, reverted]) => reconciled([{ rule, reverted, risk: asserted }])),
  fc.tuple(ended, fc.nat(3), fc.boolean()).map(([end, killed, quiescent]) => finished({ ended: end, killed, quiescent })),
  fc.constantFrom(closed("in-doubt"), closed("completed")),
);
const answers: fc.Arbitrary<EventDraft> = fc.oneof(
  fc.tuple(rules, fc.option(risks), fc.nat(2)).map(([rule, asserted, call]) => decision("ask", [reason(rule, asserted, "ask")], call)),
  fc.tuple(fc.constantFrom("approved", "rejected", "expired", "unavailable"), fc.nat(2)).map(([outcome, call]) => answered(outcome, call)),
);
const anyEvent = fc.oneof({ weight: 3, arbitrary: evidence }, { weight: 1, arbitrary: answers });
const controlIds = fc.subarray(CONTROL_IDS);

function headline(state: RiskState): Decimal {
  return state.headline.score.raw;
}

function step(state: RiskState, draft: EventDraft, seq: number): RiskState {
  return reduceRisk(state, { ...draft, seq });
}

describe("the live score", { timeout: TIMEOUT }, () => {
  it("never falls with any event, whatever it is", () => {
    fc.assert(
      fc.property(controlIds, fc.array(anyEvent, { maxLength: 25 }), (ids, drafts) => {
        let state = initialRisk(KIMI_DEV, { controls: controls(ids) });
        for (const [index, draft] of drafts.entries()) {
          const next = step(state, draft, index + 1);
          expect(compare(headline(next), headline(state))).toBeGreaterThanOrEqual(0);
          expect(compare(next.factorSum, state.factorSum)).toBeGreaterThanOrEqual(0);
          // As numbers: 0.30 and 0.3 are the same score.
          expect(compare(next.peak.raw, headline(next))).toBe(0);
          state = next;
        }
      }),
      RUNS,
    );
  });

  it("stays between its CVSS score and ten, with every factor between its published value and one", () => {
    fc.assert(
      fc.property(controlIds, fc.array(anyEvent, { maxLength: 25 }), (ids, drafts) => {
        const state = replayRisk(log([opened(ids), ...drafts]));
        expect(compare(headline(state), state.posture.cvss)).toBeGreaterThanOrEqual(0);
        expect(compare(headline(state), TEN)).toBeLessThanOrEqual(0);
        for (const { base, live } of state.factors.values()) {
          expect(compare(live, base)).toBeGreaterThanOrEqual(0);
          expect(compare(live, ONE)).toBeLessThanOrEqual(0);
        }
        for (const finding of state.findings.values()) {
          const score = findingScore(state, finding);
          if (score === null || finding.cvss === null) continue;
          expect(compare(score.raw, finding.cvss.contained)).toBeGreaterThanOrEqual(0);
          expect(compare(headline(state), score.raw)).toBeGreaterThanOrEqual(0);
        }
      }),
      RUNS,
    );
  });

  it("does not depend on the order of evidence", () => {
    const shuffled = fc.array(evidence, { maxLength: 12 }).chain((drafts) => fc.tuple(fc.constant(drafts), fc.shuffledSubarray(drafts, { minLength: drafts.length, maxLength: drafts.length })));
    fc.assert(
      fc.property(controlIds, shuffled, (ids, [drafts, other]) => {
        const [a, b] = [drafts, other].map((order) => replayRisk(log([opened(ids), ...order])));
        expect([...(b?.findings ?? [])].sort(byName)).toEqual([...(a?.findings ?? [])].sort(byName));
        expect(b?.factors).toEqual(a?.factors);
        expect(b?.headline).toEqual(a?.headline);
      }),
      RUNS,
    );
  });

  it("is the same replayed at once, replayed twice, and carried on from any prefix", () => {
    fc.assert(
      fc.property(controlIds, fc.array(anyEvent, { maxLength: 20 }), fc.nat(20), (ids, drafts, cut) => {
        const events = log([opened(ids), ...drafts]);
        const whole = replayRisk(events);
        const at = 1 + Math.min(cut, drafts.length);
        const resumed = events.slice(at).reduce(reduceRisk, replayRisk(events.slice(0, at)));
        expect(resumed).toEqual(whole);
        expect(riskSummary(replayRisk(events))).toEqual(riskSummary(whole));
      }),
      RUNS,
    );
  });

  it("explains itself: the contributions add up to the movement", () => {
    fc.assert(
      fc.property(controlIds, fc.array(anyEvent, { maxLength: 20 }), (ids, drafts) => {
        const state = replayRisk(log([opened(ids), ...drafts]));
        const start = initialRisk(KIMI_DEV, { controls: controls(ids) });
        const total = state.changes.reduce((sum, change) => add(sum, subtract(change.after, change.before)), ZERO);
        expect(formatExact(add(headline(start), total))).toBe(formatExact(headline(state)));
        const causes = new Set(state.changes.map(({ seq }) => seq));
        expect([...causes].every((seq) => seq >= 1 && seq <= drafts.length)).toBe(true);
      }),
      RUNS,
    );
  });

  it("is raised by a repeated rule by less each time", () => {
    fc.assert(
      fc.property(risks, fc.boolean(), fc.integer({ min: 2, max: 8 }), (asserted, reverted, times) => {
        const draft = reconciled([{ rule: "r", reverted, risk: asserted }]);
        const sums = Array.from({ length: times + 1 }, (_, count) => replayRisk(log([opened(), ...Array.from({ length: count }, () => draft)])).factorSum);
        const steps = sums.slice(1).map((sum, index) => subtract(sum, sums[index] ?? ZERO));
        for (const [index, later] of steps.slice(1).entries()) {
          expect(later.units >= 0n).toBe(true);
          // Rounding up to six digits, factor by factor, may shift a unit between neighbours.
          expect(compare(later, add(steps[index] ?? ZERO, { units: 10n, scale: 6 }))).toBeLessThanOrEqual(0);
        }
      }),
      RUNS,
    );
  });

  it("is raised at least as much by what succeeded as by the same thing undone or blocked", () => {
    fc.assert(
      fc.property(controlIds, fc.array(evidence, { maxLength: 8 }), rules.filter((rule) => rule !== "default-deny"), risks, (ids, before, rule, asserted) => {
        const start = replayRisk(log([opened(ids), ...before]));
        const [blocked, undone, succeeded] = [denied(rule, asserted), reconciled([{ rule, reverted: true, risk: asserted }]), reconciled([{ rule, reverted: false, risk: asserted }])].map((draft) => headline(step(start, draft, before.length + 1)));
        if (blocked === undefined || undone === undefined || succeeded === undefined) throw new Error("three outcomes");
        expect(compare(undone, blocked)).toBeGreaterThanOrEqual(0);
        expect(compare(succeeded, undone)).toBeGreaterThanOrEqual(0);
        expect(compare(blocked, headline(start))).toBeGreaterThanOrEqual(0);
      }),
      RUNS,
    );
  });

  it("never rises with one more control attested", () => {
    fc.assert(
      fc.property(controlIds, fc.constantFrom(...CONTROL_IDS), fc.array(evidence, { maxLength: 8 }), (ids, extra, drafts) => {
        const without = replayRisk(log([opened(ids.filter((id) => id !== extra)), ...drafts]));
        const withIt = replayRisk(log([opened([...ids, extra]), ...drafts]));
        expect(compare(headline(withIt), headline(without))).toBeLessThanOrEqual(0);
      }),
      RUNS,
    );
  });
});

describe("posture", { timeout: TIMEOUT }, () => {
  it("never makes a vector worse, even one that has less to lose than a credit grants", () => {
    fc.assert(
      fc.property(controlIds, vectors, (ids, text) => {
        const parsed = parseCvssVector(text);
        if (!parsed.ok) throw new Error(text);
        const { credits } = postureOf(KIMI_DEV.vector, controls(ids));
        expect(compare(scoreCvss(contained(parsed.value, credits)), scoreCvss(parsed.value))).toBeLessThanOrEqual(0);
      }),
      RUNS,
    );
  });
});

describe("the formulas", () => {
  const terms = fc.record({ base: fc.nat(100), sum: fc.nat(1_000), thm: fc.nat(100), mf: fc.nat(100) });

  it("equal exact fractions, and v0.8 and its floored form agree without mitigation", () => {
    fc.assert(
      fc.property(terms, ({ base, sum, thm, mf }) => {
        const input = { cvss: { units: BigInt(base), scale: 1 }, factorSum: { units: BigInt(sum), scale: 2 }, thm: { units: BigInt(thm), scale: 2 }, mf: { units: BigInt(mf), scale: 2 } };
        // Units of 1e-8.
        const [b, s, t, m] = [BigInt(base), BigInt(sum), BigInt(thm), BigInt(mf)];
        const aars = (100n - b) * s * t * 100n;
        const expected = { "0.5": (b * 10n + s) * t * 5_000n, "0.8": ((b * 10_000_000n + aars) * m) / 100n, "0.8-floor": b * 10_000_000n + (aars * m) / 100n };
        for (const formula of FORMULAS) {
          const { raw, aivss } = scoreAivss(formula, input);
          expect(`${formula} ${formatExact(raw)}`).toBe(`${formula} ${formatExact({ units: expected[formula], scale: 8 })}`);
          expect(aivss.units).toBe((expected[formula] * 2n + 10_000_000n) / 20_000_000n);
          if (formula === "0.8-floor") expect(compare(raw, input.cvss)).toBeGreaterThanOrEqual(0);
        }
        expect(scoreAivss("0.8", { ...input, mf: ONE }).raw.units).toBe(scoreAivss("0.8-floor", { ...input, mf: ONE }).raw.units);
      }),
      RUNS,
    );
  });
});

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
