// The live score as lines of text. Everything shown was made printable before; no colour, no terminal codes.

import type { RiskSummary } from "./summary.js";

const BAR = 10;

/** A few lines: live beside static, posture, findings. */
export function riskLines(summary: RiskSummary): readonly string[] {
  const { live, peak, posture } = summary;
  return [
    `live AIVSS    ${live.score} ${live.band} (formula ${summary.formula}, ${summary.model}; driven by ${live.driver}; peak ${peak.score} ${peak.band})`,
    `static AIVSS  ${summary.static.score} ${summary.static.band} (v0.8, profile ${summary.profile.id}, no sandbox, CVSS ${summary.static.cvss}, factor sum ${summary.static.factorSum}${summary.nonRubric ? ", non-rubric inputs" : ""})`,
    `posture       ${posture.score} ${posture.band} (CVSS ${posture.cvss}, ${posture.earned.length === 0 ? "no control attested" : `attested ${posture.earned.join(" ")}`})`,
    `findings      ${summary.findings.length}${summary.findings.length === 0 ? "" : `: ${summary.findings.slice(0, 5).map(({ rule, outcome, count, score }) => `${rule} ${outcome}${count > 1 ? ` x${count}` : ""}${score === null ? "" : ` ${score.score}`}`).join(", ")}${summary.findings.length > 5 ? ", …" : ""}`}`,
  ];
}

/** The same with the ten factors, the layers, every finding and every reason. */
export function riskExplanation(summary: RiskSummary): readonly string[] {
  return [
    ...riskLines(summary),
    "",
    `factors (published -> now; sum ${summary.factorSum.base} -> ${summary.factorSum.live}; * off the 0, 0.5, 1 rubric)`,
    ...summary.factors.map(({ key, base, live, nonRubric }) => `  ${key.padEnd(16)} ${bar(base, live)} ${base}${nonRubric ? "*" : ""}${base === live ? "" : ` -> ${live}`}`),
    ...(summary.layers.length === 0 ? [] : ["", "layers (highest finding)", ...summary.layers.map(({ layer, findings, score }) => `  ${layer.padEnd(5)} ${score === null ? "-" : `${score.score} ${score.band}`} (${findings} finding${findings === 1 ? "" : "s"})`)]),
    ...(summary.findings.length === 0 ? [] : ["", "findings", ...summary.findings.map((finding) => `  ${finding.score?.score ?? "-"}  ${finding.rule} ${finding.outcome} x${finding.count} (${finding.severity}${finding.layer === null ? "" : `, ${finding.layer}`})${finding.cvss === null ? "" : `, CVSS ${finding.cvss}`}`)]),
    "",
    "why",
    ...summary.reasons.map((line) => `  ${line}`),
    "",
    "weights are asserted by this project, not measured; see docs/risk.md",
  ];
}

/** Ten cells: published part `#`, evidence `+`. */
function bar(base: string, live: string): string {
  const [from, to] = [cells(base), cells(live)];
  return `[${"#".repeat(from)}${"+".repeat(Math.max(to - from, 0))}${".".repeat(BAR - Math.max(from, to))}]`;
}

function cells(value: string): number {
  return Math.min(BAR, Math.round(Number(value) * BAR));
}
