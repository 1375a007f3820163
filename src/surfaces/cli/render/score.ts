// A session's score, recomputed from its events: what a person reads and what a program gets.

import { formatFixed, replayRisk, riskSummary, supposeAttested, type RiskChange, type RiskSummary } from "../../../core/risk/index.js";
import type { AuditEvent } from "../../../core/session/index.js";
import { printable } from "../../../core/shared/index.js";
import type { Palette } from "../io.js";
import { pad, wrap, type Part } from "./layout.js";
import { bandColour } from "./score-moves.js";

/** Summary of the live score after the last event. */
export function sessionScore(events: readonly AuditEvent[]): RiskSummary {
  return riskSummary(replayRisk(events));
}

/** The score with its posture and findings; `explain` adds the factors, the layers and every change with its call. */
export function scoreLines(events: readonly AuditEvent[], explain: boolean, width: number, paint: Palette): readonly string[] {
  const state = replayRisk(events);
  const summary = riskSummary(state);
  return [...headLines(summary, width, paint), ...supposedLines(summary, events, width, paint), ...findingTable(summary, paint), ...(explain ? [...factorLines(summary, paint), ...layerLines(summary, paint), ...profileLines(summary, width, paint), ...changeLines(state.changes, events, width, paint), "", paint.dim("Weights are asserted by this project, not measured: docs/risk.md")] : [])];
}

function headLines(summary: RiskSummary, width: number, paint: Palette): readonly string[] {
  const { live, peak, posture, profile } = summary;
  const row = (name: string, shown: { readonly score: string; readonly band: string }, text: string): readonly string[] =>
    hanging(2 + 9 + 14, width, [{ text: `  ${pad(name, 9)}` }, { text: pad(`${shown.score} ${shown.band}`, 14), paint: (plain) => paint.bold(bandColour(paint, shown.band)(plain)) }], [{ text, paint: paint.dim }]);
  const withheld = posture.withheld.map(({ metric, lacking }) => `; ${metric} withheld, not tested: ${lacking.map((control) => printable(control)).join(", ")}`).join("");
  return [
    ...row("live", live, `AIVSS ${summary.formula}, factor sum ${short(summary.factorSum.live)}, driven by ${live.driver}; peak ${peak.score} ${peak.band}`),
    ...row("posture", posture, posture.state === "unknown" ? `unknown: no control was tested; CVSS ${posture.cvss} as without a sandbox` : `CVSS ${summary.static.cvss} → ${posture.cvss} by tested controls${posture.earned.length === 0 ? ": none" : ` (${posture.earned.join(" ")})`}${withheld}`),
    ...row("static", summary.static, `AIVSS 0.8 as published: CVSS ${summary.static.cvss}, factor sum ${summary.static.factorSum}, profile ${profile.id}, no sandbox`),
  ];
}

/** Of a session whose posture is not known: what its evidence would come to with every control attested. */
function supposedLines({ posture }: RiskSummary, events: readonly AuditEvent[], width: number, paint: Palette): readonly string[] {
  const supposed = supposedScore(posture.state, events);
  if (supposed === null) return [];
  const text = `if every control had been attested (peak ${supposed.peak.score} ${supposed.peak.band}); nothing was tested, so the score is that of no sandbox`;
  return hanging(2 + 9 + 14, width, [{ text: `  ${pad("supposed", 9)}` }, { text: pad(`${supposed.live.score} ${supposed.live.band}`, 14), paint: paint.bold }], [{ text, paint: paint.dim }]);
}

/** Live score and peak as if every control had been attested; null where controls were reported. */
export function supposedScore(state: RiskSummary["posture"]["state"], events: readonly AuditEvent[]): Pick<RiskSummary, "live" | "peak"> | null {
  if (state === "tested") return null;
  const { live, peak } = riskSummary(supposeAttested(events));
  return { live, peak };
}

function findingTable({ findings }: RiskSummary, paint: Palette): readonly string[] {
  if (findings.length === 0) return ["", "No findings."];
  const rule = Math.max(...findings.map((finding) => finding.rule.length));
  return [
    "",
    paint.bold("Findings"),
    ...findings.map(({ rule: id, score, outcome, count, severity, cvss }) => {
      const shown = pad(score?.score ?? "-", 4);
      const times = count > 1 ? ` ×${count}` : "";
      return `  ${score === null ? shown : bandColour(paint, score.band)(shown)}  ${pad(id, rule)}  ${pad(severity, 8)}  ${outcome}${times}${cvss === null ? "" : paint.dim(`, CVSS ${cvss}`)}`;
    }),
  ];
}

const CELLS = 20;

function factorLines({ factors, factorSum }: RiskSummary, paint: Palette): readonly string[] {
  const filled = (value: string): number => Math.min(CELLS, Math.round(Number(value) * CELLS));
  return [
    "",
    `${paint.bold("Factors")} ${paint.dim(`published → now; sum ${factorSum.base} → ${short(factorSum.live)}; * is off the rubric's 0, 0.5, 1`)}`,
    ...factors.map(({ key, base, live, nonRubric }) => {
      const [from, to] = [filled(base), filled(live)];
      const bar = paint.dim("█".repeat(from)) + paint.red("▓".repeat(Math.max(0, to - from))) + paint.dim("░".repeat(CELLS - Math.max(from, to)));
      return `  ${pad(key.replaceAll("_", " "), 15)} ${bar} ${base}${nonRubric ? "*" : ""}${base === live ? "" : ` → ${paint.bold(short(live))}`}`;
    }),
  ];
}

function layerLines({ layers }: RiskSummary, paint: Palette): readonly string[] {
  if (layers.length === 0) return [];
  const shown = layers.map(({ layer, findings, score }) => `${layer} ${score === null ? "-" : score.score} (${findings})`);
  return ["", `${paint.bold("Layers")} ${paint.dim("MAESTRO layer, its highest finding, number of findings")}`, `  ${shown.join("   ")}`];
}

/** Layers that the listing was not certain about, and what was tested here. */
function profileLines({ profileLayers, profile }: RiskSummary, width: number, paint: Palette): readonly string[] {
  const uncertain = profileLayers.filter(({ state }) => state !== "stated");
  if (uncertain.length === 0) return [];
  const colours = { attested: paint.green, failed: paint.red, unknown: paint.yellow, stated: String } as const;
  return [
    "",
    `${paint.bold("Not certain from the listing")} ${paint.dim(`layers of ${profile.id}, by what was tested in this container`)}`,
    ...uncertain.flatMap(({ layer, state, open, controls }) => {
      const lacking = controls.filter((control) => control.state !== "attested").map((control) => `${control.id} ${control.state}`);
      const text = `${printable(open ?? "", 200)}${lacking.length === 0 ? "" : `: ${lacking.join(", ")}`}`;
      return hanging(16, width, [{ text: `  ${pad(layer, 4)}` }, { text: pad(state, 10), paint: colours[state] }], [{ text, paint: paint.dim }]);
    }),
  ];
}

/** One entry a change: event, score before and after, rule; below it what moved. */
function changeLines(changes: readonly RiskChange[], events: readonly AuditEvent[], width: number, paint: Palette): readonly string[] {
  if (changes.length === 0) return [];
  const calls = new Map(events.map((event) => [event.seq, event.call]));
  const from = Math.max(...changes.map(({ seq }) => String(seq).length));
  return [
    "",
    `${paint.bold("Why it moved")} ${paint.dim("event, score, rule")}`,
    ...changes.flatMap((change) => {
      const { seq, rule, outcome, severity, before, after, inputs } = change;
      const call = calls.get(seq) ?? null;
      const start = `  ${pad(`#${seq}`, from + 1)}  ${formatFixed(before, 2)} → ${formatFixed(after, 2)}  `;
      const moved = inputs.map(({ name, before: old, after: now }) => (old === null ? `${name} ${shortAll(now)}` : `${name.replaceAll("_", " ")} ${shortAll(old)} → ${shortAll(now)}`)).join(", ");
      return [
        ...hanging(start.length, width, [{ text: start }], [{ text: `${printable(rule, 80)} `, paint: paint.bold }, { text: `${outcome}, ${severity} ` }, { text: call ?? "", paint: paint.dim }]),
        ...(moved === "" ? [] : hanging(start.length, width, [{ text: " ".repeat(start.length) }], [{ text: moved, paint: paint.dim }])),
      ];
    }),
  ];
}

/** Parts that begin on the line of `first` and go on below it, `margin` columns in. */
function hanging(margin: number, width: number, first: readonly Part[], parts: readonly Part[]): readonly string[] {
  const lead = first.map(({ text, paint = String }) => paint(text)).join("");
  return wrap(parts, width - margin).map((text, index) => (index === 0 ? lead : " ".repeat(margin)) + text);
}

/** Two places are enough to read; `--json` has every digit. */
function short(exact: string): string {
  const value = Number(exact);
  return Number.isFinite(value) ? String(Math.round(value * 100) / 100) : exact;
}

function shortAll(text: string): string {
  return text.replaceAll(/\d+\.\d{3,}/gu, short);
}
