// One control switched off moves the posture by a named amount for a named reason; lost while the session runs, it does the same.

import { describe, expect, it } from "vitest";
import type { EventDraft } from "../../../src/core/session/event.js";
import { compare, subtract } from "../../../src/core/risk/decimal.js";
import { formatExact, initialRisk, KIMI_DEV, reduceRisk, replayRisk, riskSummary, supposeAttested, type RiskState } from "../../../src/core/risk/index.js";
import { EVERY_CONTROL, switchedOff } from "./doc-tables.js";
import { controls, denied, log, opened, risk } from "./events.js";

const WHOLE = initialRisk(KIMI_DEV, { controls: controls(EVERY_CONTROL) });

function again(ids: readonly string[], state: "attested" | "missing"): EventDraft {
  return { call: null, type: "controls.attested", data: { controls: controls(ids, state), trigger: "schedule", cause: null } };
}

describe("a control that is switched off", () => {
  it.each([
    ["the network", ["no-network"], ["MSC:N withheld", "MSI:N withheld", "MSA:N withheld"], "+0.59"],
    ["the read-only root", ["rootfs-read-only"], ["MVI:L withheld", "MSI:N withheld"], "+1.54"],
    ["the masks", ["secrets-masked"], ["MVC:L withheld"], "+0.94"],
    ["the log", ["record-kept"], ["opacity at 1"], "+0.18"],
    ["the limits", ["processes-limited", "memory-limited", "disk-limited"], ["MVA:L withheld", "MSA:N withheld"], "+1.54"],
    ["the limit of the disk alone", ["disk-limited"], ["MVA:L withheld", "MSA:N withheld"], "+1.54"],
  ] as const)("%s moves the posture by that much, for that reason", (_name, ids, reasons, moved) => {
    expect(switchedOff(ids)).toMatchObject({ reasons, moved });
  });

  it.each(EVERY_CONTROL)("moves it, whichever it is: %s", (id) => {
    const state = initialRisk(KIMI_DEV, { controls: controls(EVERY_CONTROL).map((one) => (one.id === id ? { ...one, state: "missing" as const } : one)) });
    expect(compare(state.headline.score.raw, WHOLE.headline.score.raw)).toBe(1);
    expect(riskSummary(state).reasons.join("\n")).toContain(`${id} (missing)`);
  });
});

describe("a session of which nothing was tested", () => {
  const attack = denied("L4.container-escape", risk("critical", { tools: 0.7 }));
  const events = log([{ ...opened([]), data: { ...opened([]).data, controls: [{ id: "witnessed", state: "missing", detail: "" }] } } as EventDraft, attack]);

  it("says so, keeps the score of no sandbox, and is told from others by what its evidence would come to", () => {
    const known = riskSummary(replayRisk(log([opened(EVERY_CONTROL), attack])));
    const unknown = riskSummary(replayRisk(events));
    expect([unknown.posture.state, unknown.posture.cvss, known.posture.state]).toEqual(["unknown", "9.4", "tested"]);
    expect(riskSummary(supposeAttested(events)).live).toEqual(known.live);
    expect(riskSummary(supposeAttested(events)).peak).toEqual(known.peak);
  });
});

describe("a control that is lost while the session runs", () => {
  it.each(EVERY_CONTROL)("leaves the score that it would have started with: %s", (id) => {
    const late = reduceRisk(WHOLE, { ...again([id], "missing"), seq: 5 });
    const early = initialRisk(KIMI_DEV, { controls: controls(EVERY_CONTROL).map((one) => (one.id === id ? { ...one, state: "missing" as const } : one)) });
    expect(formatExact(late.headline.score.raw)).toBe(formatExact(early.headline.score.raw));
    expect(late.posture).toEqual(early.posture);
    expect(late.changes).toHaveLength(1);
    expect(late.changes[0]).toMatchObject({ seq: 5, rule: "posture", outcome: "lost", inputs: expect.arrayContaining([{ name: `control ${id}`, before: "attested", after: "missing" }]) });
    expect(formatExact(subtract(late.changes[0]?.after ?? late.headline.score.raw, WHOLE.headline.score.raw))).not.toBe("0");
  });

  it("puts findings that it contained under the worse posture", () => {
    const attack = denied("L4.container-escape", risk("critical", { tools: 0.7 }));
    const before = replayRisk(log([opened(EVERY_CONTROL), attack]));
    const lost = replayRisk(log([opened(EVERY_CONTROL), attack, again(["no-network"], "missing")]));
    const [was, is] = [before, lost].map((state) => Number(riskSummary(state).findings[0]?.cvss));
    expect(is).toBeGreaterThan(was ?? 10);
    // In another order it is the same.
    expect(lost.headline).toEqual(replayRisk(log([opened(EVERY_CONTROL), again(["no-network"], "missing"), attack])).headline);
  });

  it("does not come back in that session, and one that was never attested earns nothing late", () => {
    const lost = reduceRisk(WHOLE, { ...again(["no-network"], "missing"), seq: 5 });
    expect(reduceRisk(lost, { ...again(["no-network"], "attested"), seq: 6 })).toBe(lost);
    const bare: RiskState = initialRisk(KIMI_DEV, { controls: [] });
    expect(reduceRisk(bare, { ...again(EVERY_CONTROL, "attested"), seq: 5 })).toBe(bare);
  });
});
