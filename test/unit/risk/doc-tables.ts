// The tables of docs/risk.md, computed. The page is compared with them, so that it cannot drift from the code.

import { OUTCOME_ROWS, REPEAT_SHARES, RUN_SIGNALS, SEVERITY_ROWS, THM_ATTEMPTED, THM_SUCCEEDED } from "../../../src/core/risk/catalogue.js";
import { decimal, subtract, type Decimal } from "../../../src/core/risk/decimal.js";
import { isRubricLevel } from "../../../src/core/risk/factors.js";
import { POSTURE_LADDER } from "../../../src/core/risk/posture.js";
import { calculate, cvssOf, FACTOR_KEYS, FACTOR_NAMES, formatExact, formatFixed, initialRisk, KIMI_DEV, OUTCOMES, reduceRisk, riskSummary, scoreAivss, SEVERITIES, type FactorKey, type Formula, type RiskProfile, type RiskState } from "../../../src/core/risk/index.js";
import type { EventDraft } from "../../../src/core/session/event.js";
import { ALL_CONTROLS, controls, denied, noted, reason, reconciled, risk } from "./events.js";

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function profileTable(): string {
  return table(
    ["#", "factor (v0.8)", "key", "published as", "value", "on the rubric"],
    FACTOR_KEYS.map((key, index) => {
      const value = KIMI_DEV.factors.get(key) ?? decimal("0");
      return [String(index + 1), FACTOR_NAMES[key], `\`${key}\``, KIMI_DEV.publishedNames.get(key) ?? "", formatFixed(value, 2), isRubricLevel(value) ? "yes" : "no"];
    }),
  );
}

function staticTable(): string {
  const bases = ["7.3", "8.7", "9.4"];
  const score = (formula: Formula, base: string, mf: string): string => {
    const result = calculate({ formula, base, sum: "5.2", mf });
    return result.ok ? formatFixed(result.value.aivss, 1) : "?";
  };
  const rows = bases.map((base) => [base, ...(["0.8", "0.8-floor"] as const).flatMap((formula) => ["1", "0.83", "0.67"].map((mf) => score(formula, base, mf))), score("0.5", base, "1")]);
  return table(["CVSS", "v0.8 MF 1", "MF .83", "MF .67", "floored MF 1", "MF .83", "MF .67", "v0.5"], rows);
}

function ladderTable(): string {
  return table(["metric", "earned when all of these are attested"], POSTURE_LADDER.map(({ metric, value, needs }) => [`\`${metric}:${value}\``, needs.map((id) => `\`${id}\``).join(" ")]));
}

function postureTable(): string {
  const without = (...ids: readonly string[]): readonly string[] => ALL_CONTROLS.filter((id) => !ids.includes(id));
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ["nothing", []],
    ["workspace copy and read-only root only", ["workspace-copy", "rootfs-read-only"]],
    ["all ten but `no-network`", without("no-network")],
    ["all ten but `seccomp`", without("seccomp")],
    ["all ten but the three limits", without("processes-limited", "memory-limited", "disk-limited")],
    ["all ten but `workspace-copy`", without("workspace-copy")],
    ["all ten", ALL_CONTROLS],
    ["all ten and `secrets-masked`", [...ALL_CONTROLS, "secrets-masked"]],
  ];
  return table(
    ["attested", "metrics earned", "CVSS", "AIVSS at the start"],
    rows.map(([name, ids]) => {
      const { posture } = riskSummary(initialRisk(KIMI_DEV, { controls: controls(ids) }));
      return [name, posture.earned.length === 0 ? "none" : `\`${posture.earned.join(" ")}\``, posture.cvss, posture.score];
    }),
  );
}

/** Every control that the score knows: the ten of the container, the masks and the record. */
export const EVERY_CONTROL = [...ALL_CONTROLS, "secrets-masked", "record-kept"];

/** What switching controls off takes from the posture: metrics withheld, factors raised, and the movement of the score, exact. */
export function switchedOff(ids: readonly string[]): { readonly reasons: readonly string[]; readonly cvss: string; readonly score: string; readonly moved: string } {
  const state = initialRisk(KIMI_DEV, { controls: EVERY_CONTROL.map((id) => ({ id, state: ids.includes(id) ? ("missing" as const) : ("attested" as const), detail: "" })) });
  const whole = initialRisk(KIMI_DEV, { controls: controls(EVERY_CONTROL) });
  const { posture } = riskSummary(state);
  return {
    reasons: [...posture.withheld.map(({ metric }) => `${metric} withheld`), ...posture.raised.map(({ factor, at }) => `${factor} at ${at}`)],
    cvss: posture.cvss,
    score: formatFixed(state.headline.score.raw, 2),
    moved: `+${formatFixed(subtract(state.headline.score.raw, whole.headline.score.raw), 2)}`,
  };
}

function switchedOffTable(): string {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ["none", []],
    ["network: `no-network`", ["no-network"]],
    ["read-only root: `rootfs-read-only`", ["rootfs-read-only"]],
    ["masks: `secrets-masked`", ["secrets-masked"]],
    ["log: `record-kept`", ["record-kept"]],
    ["limits: any of `processes-limited` `memory-limited` `disk-limited`", ["processes-limited", "memory-limited"]],
    ["workspace copy: `workspace-copy`", ["workspace-copy"]],
    ["boundary: any of `caps-empty` `no-new-privs` `seccomp` `guard-unreachable`", ["seccomp"]],
  ];
  return table(
    ["switched off", "what follows", "CVSS", "score before rounding", "moves it by"],
    rows.map(([name, ids]) => {
      const { reasons, cvss, score, moved } = switchedOff(ids);
      return [name, reasons.length === 0 ? "nothing" : reasons.map((text) => `\`${text}\``).join(", "), cvss, score, moved];
    }),
  );
}

function severityTable(): string {
  return table(
    ["severity", "vector when the rule has none", "CVSS", "weight when the rule has none"],
    SEVERITIES.map((severity) => {
      const { cvss, weight } = SEVERITY_ROWS[severity];
      const scored = cvss === null ? null : cvssOf(cvss);
      return [severity, cvss === null ? "none: evidence only" : `\`${cvss.slice("CVSS:4.0/".length)}\``, scored?.ok === true ? formatFixed(scored.value.score, 1) : "none", formatExact(weight)];
    }),
  );
}

function outcomeTable(): string {
  return table(
    ["outcome", "share of the weight, applied in turn", "own score", "CVSS", "ThM"],
    OUTCOMES.map((outcome) => {
      const { parts, scored, contained } = OUTCOME_ROWS[outcome];
      const thm = formatFixed(outcome === "succeeded" ? THM_SUCCEEDED : THM_ATTEMPTED, 2);
      return [outcome, parts.map(formatExact).join(", then "), scored ? "yes" : "no", scored ? (contained ? "under the posture" : "in the open") : "none", scored ? thm : "none"];
    }),
  );
}

function runTable(): string {
  return table(
    ["signal", "severity", "layer", "factors"],
    Object.entries(RUN_SIGNALS).map(([name, { layer, risk: asserted }]) => [`\`${name}\``, asserted.severity, layer ?? "the rule's", Object.entries(asserted.factors).map(([key, weight]) => `${key} ${weight}`).join(", ")]),
  );
}

/** The session that the sensitivity table replays, with every asserted weight times `scale`, those of what was contained times `share` besides. */
function sampleSession(scale: number, share = 1): readonly (readonly [string, readonly EventDraft[]])[] {
  const weigh = (factors: Readonly<Record<string, number>>): Record<string, number> => Object.fromEntries(Object.entries(factors).map(([key, weight]) => [key, Math.min(1, Math.round(weight * scale * 1000) / 1000)]));
  const contained = (factors: Readonly<Record<string, number>>): Record<string, number> => Object.fromEntries(Object.entries(weigh(factors)).map(([key, weight]) => [key, Math.min(1, weight * share)]));
  return [
    ["three contained", [
      noted([reason("X.watch-accounts", risk("low", contained({ identity: 0.3, context: 0.3 })))]),
      noted([reason("X.watch-machine", risk("low", contained({ context: 0.3, tools: 0.2 })))]),
      noted([reason("kimi-dev.network", risk("medium", contained({ tools: 0.5, context: 0.5 })))]),
    ]],
    ["five blocked", [
      denied("L7.reverse-shell", risk("critical", weigh({ tools: 0.3, autonomy: 0.2 }))),
      denied("L2.exfiltration", risk("high", weigh({ tools: 0.2, context: 0.2 }))),
      denied("L6.credentials", risk("critical", weigh({ identity: 0.35, context: 0.2 }))),
      denied("L7.agent-config", risk("high", weigh({ self_mod: 0.3, persistence: 0.2 }))),
      denied("L3.encoded", risk("high", weigh({ opacity: 0.2, tools: 0.2 }))),
    ]],
    ["one undone", [reconciled([{ rule: "L7.hook", reverted: true, risk: risk("high", weigh({ persistence: 0.2 })) }])]],
    ["one that stayed", [reconciled([{ rule: "L7.tests", reverted: false, risk: risk("high", weigh({ self_mod: 0.2, opacity: 0.2 })) }])]],
  ];
}

/** Raw headline after each stage, two decimals. */
function stages(profile: RiskProfile, scale: number, ids: readonly string[] = ALL_CONTROLS, share = 1): readonly string[] {
  let state: RiskState = initialRisk(profile, { controls: controls(ids) });
  const shown = [formatFixed(state.headline.score.raw, 2)];
  for (const [, drafts] of sampleSession(scale, share)) {
    for (const draft of drafts) state = reduceRisk(state, { ...draft, seq: 1 });
    shown.push(formatFixed(state.headline.score.raw, 2));
  }
  return shown;
}

function rounded(): ReadonlyMap<FactorKey, Decimal> {
  return new Map(FACTOR_KEYS.map((key): [FactorKey, Decimal] => [key, decimal(String(Math.round(Number(formatExact(KIMI_DEV.factors.get(key) ?? decimal("0"))) * 2) / 2))]));
}

function uniform(value: string): ReadonlyMap<FactorKey, Decimal> {
  return new Map(FACTOR_KEYS.map((key): [FactorKey, Decimal] => [key, decimal(value)]));
}

function sensitivityTable(): string {
  const variants: readonly (readonly [string, RiskProfile, number, (readonly string[])?, number?])[] = [
    ["as shipped", KIMI_DEV, 1],
    ["all weights halved", KIMI_DEV, 0.5],
    ["all weights doubled", KIMI_DEV, 2],
    ["contained weighs nothing", KIMI_DEV, 1, ALL_CONTROLS, 0.002],
    ["contained weighs as blocked", KIMI_DEV, 1, ALL_CONTROLS, 2],
    ["factors rounded to halves", { ...KIMI_DEV, factors: rounded() }, 1],
    ["all factors 0", { ...KIMI_DEV, factors: uniform("0") }, 1],
    ["all factors 1", { ...KIMI_DEV, factors: uniform("1") }, 1],
    ["posture ThM 1.00", { ...KIMI_DEV, thm: decimal("1") }, 1],
    ["posture ThM 0.50", { ...KIMI_DEV, thm: decimal("0.5") }, 1],
    ["MF 0.83, floored form", { ...KIMI_DEV, mf: decimal("0.83") }, 1],
    ["MF 0.83, v0.8 as printed", { ...KIMI_DEV, mf: decimal("0.83"), formula: "0.8" }, 1],
    ["v0.5 averaging", { ...KIMI_DEV, formula: "0.5" }, 1],
    ["nothing attested", KIMI_DEV, 1, []],
    ["`secrets-masked` attested too", KIMI_DEV, 1, [...ALL_CONTROLS, "secrets-masked"]],
  ];
  return table(["variant", "start", ...sampleSession(1).map(([stage]) => `after ${stage}`)], variants.map(([name, profile, scale, ids, share]) => [name, ...stages(profile, scale, ids, share)]));
}

function criticismTable(): string {
  const rows = ["0", "5", "7", "8.7", "9.8", "10"].map((base) => {
    const score = (sum: string): string => formatFixed(scoreAivss("0.8", { cvss: decimal(base), factorSum: decimal(sum), thm: decimal("0.97"), mf: decimal("1") }).aivss, 1);
    return [base, score("2"), score("5.2"), score("8.5")];
  });
  return table(["CVSS", "factor sum 2", "factor sum 5.2", "factor sum 8.5"], rows);
}

/** Every generated block of the page, by its marker. */
export function docTables(): ReadonlyMap<string, string> {
  return new Map([
    ["profile", profileTable()],
    ["static", staticTable()],
    ["ladder", ladderTable()],
    ["posture", postureTable()],
    ["switched-off", switchedOffTable()],
    ["severities", severityTable()],
    ["outcomes", outcomeTable()],
    ["run-signals", runTable()],
    ["repeats", REPEAT_SHARES.map(formatExact).join(", ")],
    ["sensitivity", sensitivityTable()],
    ["compression", criticismTable()],
  ]);
}

