// Risk profiles as files: the built-in ones are what the build holds, another agent is one file, and what is wrong with one is said with its place.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatExact, initialRisk, KIMI_DEV, profileData, profileForAgent, PROFILES, readProfile, replayRisk, riskSummary, RUBRIC } from "../../../src/core/risk/index.js";
import { factorSum, nonRubricFactors } from "../../../src/core/risk/factors.js";
import { parseProfileFile } from "../../../src/core/risk/profile-file.js";
import { loadRiskProfile } from "../../../src/compose-profile.js";
import type { JsonObject } from "../../../src/core/shared/index.js";
import { ALL_CONTROLS, controls, denied, log, opened, risk } from "./events.js";

const FOLDER = join(import.meta.dirname, "../../../policies/profiles");
const TEXT = readFileSync(join(FOLDER, "kimi-dev.profile.yaml"), "utf8");

function problems(text: string): readonly (readonly [number, string])[] {
  const parsed = parseProfileFile("x.profile.yaml", text);
  return parsed.ok ? [] : parsed.error.map((issue) => [issue.at?.line ?? 0, issue.message]);
}

describe("a built-in profile", () => {
  it.each(readdirSync(FOLDER))("is the file %s", (name) => {
    const parsed = parseProfileFile(name, readFileSync(join(FOLDER, name), "utf8"));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    expect(PROFILES.find(({ id }) => id === parsed.value.id)).toEqual(parsed.value);
    expect(name).toBe(`${parsed.value.id}.profile.yaml`);
  });

  it("of Kimi-Dev has the ten published values, their sum 5.2, and the layers that the listing was not certain of", () => {
    expect(formatExact(factorSum(KIMI_DEV.factors))).toBe("5.2");
    expect(KIMI_DEV.layers.filter(({ isStated }) => !isStated).map(({ layer }) => layer)).toEqual(["L2", "L4", "L5", "L6", "L7"]);
    expect(KIMI_DEV.reasoning.length).toBeGreaterThan(3);
  });

  it("of an agent that nobody has rated is on the rubric, with 1 for code that runs what it writes", () => {
    expect(formatExact(factorSum(RUBRIC.factors))).toBe("7.5");
    expect(nonRubricFactors(RUBRIC.factors)).toEqual([]);
    expect([profileForAgent("some-agent").id, profileForAgent(null).id, profileForAgent("Kimi-Dev-72B").id]).toEqual(["rubric", "kimi-dev", "kimi-dev"]);
  });
});

describe("a profile file", () => {
  const OTHER = TEXT.replace("id: kimi-dev", "id: acme").replace('Opacity & Reflexivity, value: "0.60"', 'Opacity & Reflexivity, value: "0.5"');

  it("is all that another agent takes, and the record alone gives its score", () => {
    const parsed = parseProfileFile("acme.profile.yaml", OTHER);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    const data = JSON.parse(JSON.stringify(profileData(parsed.value))) as JsonObject;
    const back = readProfile(data).profile;
    expect(back === null ? null : profileData(back)).toEqual(data);
    const first = opened();
    const events = log([{ ...first, data: { ...first.data, riskProfile: data } } as typeof first, denied("L7.x", risk("high", { tools: 0.5 }))]);
    const [own, published] = [riskSummary(replayRisk(events)), riskSummary(replayRisk(log([first, denied("L7.x", risk("high", { tools: 0.5 }))])))];
    expect([own.profile.id, own.factorSum.base, published.factorSum.base]).toEqual(["acme", "5.1", "5.2"]);
    expect(Number(own.live.exact)).toBeLessThan(Number(published.live.exact));
  });

  it.each([
    ["an unknown key", TEXT.replace("formula:", "formulae:"), "unknown key `formulae`"],
    ["a missing factor", TEXT.replace(/ {2}- \{ name: Non-Determinism.*\n/u, ""), "missing factor non_determinism"],
    ["a factor twice", TEXT.replace("Dynamic Identity", "Identity").replace("Multi-Agent Interactions", "Dynamic Identity"), "factor identity is given twice"],
    ["a factor above 1", TEXT.replace('"0.70"', '"1.70"'), "factor non_determinism `1.70` is above 1"],
    ["a factor that is no quoted decimal", TEXT.replace('value: "0.70"', "value: 0.7"), "a factor's value must be a quoted decimal of 0 to 1"],
    ["a CVSS vector of another version", TEXT.replace("CVSS:4.0/", "CVSS:3.1/"), "CVSS v3.1 vector given, v4.0 is needed"],
    ["an incomplete vector", TEXT.replace("/SA:H", ""), "CVSS vector lacks the base metric SA"],
    ["a formula of its own", TEXT.replace("0.8-floor", "mine"), "`formula` must be one of 0.5, 0.8, 0.8-floor"],
    ["a multiplier above 1", TEXT.replace('thm: "0.97"', 'thm: "1.2"'), "`thm` must be a decimal of 0 to 1"],
    ["a layer less", TEXT.replace("layer: L3", "layer: L2"), "missing layer L3"],
    ["a layer that says nothing of what is open", TEXT.replace(/ {4}open: whether what is done.*\n/u, ""), "`open` is missing"],
  ])("with %s is refused with its place", (_what, text, message) => {
    const found = problems(text);
    expect(found.map(([, said]) => said)).toContain(message);
    expect(found.every(([line]) => line > 0)).toBe(true);
  });

  it("that is not there, or is none, ends the start and says what to do", async () => {
    await expect(loadRiskProfile("/nowhere/x.profile.yaml", null)).rejects.toMatchObject({ code: "POLICY_NOT_FOUND", hint: expect.stringContaining("kimi-dev, rubric") });
    await expect(loadRiskProfile(join(FOLDER, "..", "kimi-dev.policy.yaml"), null)).rejects.toMatchObject({ code: "POLICY_INVALID" });
    expect((await loadRiskProfile("rubric", null)).id).toBe("rubric");
    expect((await loadRiskProfile(undefined, "some-agent")).id).toBe("rubric");
  });
});

describe("a layer that the listing was not certain of", () => {
  const states = (ids: readonly string[], state: "attested" | "missing" = "attested"): Record<string, string> => Object.fromEntries(riskSummary(initialRisk(KIMI_DEV, { controls: controls(ids, state) })).profileLayers.map(({ layer, state: is }) => [layer, is]));

  it("is unknown until its controls are tested, then attested or failed", () => {
    expect(states([])).toEqual({ L1: "stated", L2: "unknown", L3: "stated", L4: "unknown", L5: "unknown", L6: "unknown", L7: "unknown" });
    const all = [...ALL_CONTROLS, "secrets-masked", "protected-read-only", "record-kept"];
    expect(states(all)).toEqual({ L1: "stated", L2: "attested", L3: "stated", L4: "attested", L5: "attested", L6: "attested", L7: "attested" });
    expect(states(["no-network"], "missing")).toMatchObject({ L4: "failed", L7: "failed", L2: "unknown" });
  });
});
