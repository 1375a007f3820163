// The AIVSS 2.0 candidate: its vector, class and experimental number. A candidate of its authors, not published as a standard and not
// confirmed by data; everything here is marked so, and the live score does not use it.

import { err, ok, printable, type Issue, type Result } from "../shared/index.js";
import { cvssOf } from "./cvss.js";
import { add, decimal, formatFixed, min, TEN, ZERO, type Decimal } from "./decimal.js";
import type { RiskState } from "./state.js";

const METRICS = { LC: "DIMNX", CP: "CSNX", AP: "LCNX", SR: "RPUX", EX: "WMNX", PT: "HMLX", CA: "WMNX", TD: "HMLX" } as const;
type Metric = keyof typeof METRICS;
export type CandidateVector = Readonly<Record<Metric, string>>;
const PREFIX = "AIVSS:2.0/";

/** What each of the last four adds in the experimental number. */
const ADDS: Readonly<Record<string, string>> = { "EX:W": "0.40", "EX:M": "0.15", "EX:N": "0", "PT:H": "0.30", "PT:M": "0.10", "PT:L": "0", "CA:W": "0.30", "CA:M": "0.10", "CA:N": "0", "TD:H": "0.50", "TD:M": "0.20", "TD:L": "0" };

/** Reads `AIVSS:2.0/LC:D/CP:S/…`: all eight metrics, in order, nothing else. */
export function parseCandidate(text: string): Result<CandidateVector, Issue> {
  const parts = text.startsWith(PREFIX) && text.length < 100 ? text.slice(PREFIX.length).split("/") : [];
  const keys = Object.keys(METRICS) as readonly Metric[];
  const values = keys.map((key, index) => {
    const part = parts[index] ?? "";
    const value = part.slice(key.length + 1);
    return part.startsWith(`${key}:`) && value.length === 1 && METRICS[key].includes(value) ? value : null;
  });
  if (parts.length !== keys.length || values.includes(null)) return err({ code: "candidate-vector", message: `\`${printable(text, 80)}\` is no AIVSS 2.0 candidate vector`, hint: `${PREFIX}${keys.map((key) => `${key}:[${METRICS[key]}]`).join("/")}` });
  return ok(Object.fromEntries(keys.map((key, index) => [key, values[index]])) as unknown as CandidateVector);
}

export function candidateText(vector: CandidateVector): string {
  return PREFIX + (Object.keys(METRICS) as readonly Metric[]).map((key) => `${key}:${vector[key]}`).join("/");
}

/** AX: something that decides is not known; A2: control is lost or passed on; A0: all benign; A1: between. */
export function candidateClass({ LC, CP, AP, SR }: CandidateVector): "A0" | "A1" | "A2" | "AX" {
  if ([LC, CP, AP, SR].includes("X")) return "AX";
  if (AP === "L" || ((LC === "D" || LC === "I") && CP === "C") || (LC === "D" && SR === "R")) return "A2";
  return LC === "N" && CP === "N" && AP === "N" && SR === "U" ? "A0" : "A1";
}

/** The experimental number over CVSS-BTE; null where anything is not known. A score of 0.0 stays 0.0. */
export function candidateNumber(vector: CandidateVector, bte: Decimal): Decimal | null {
  if (Object.values(vector).includes("X")) return null;
  if (bte.units === 0n) return ZERO;
  const added = (["EX", "PT", "CA", "TD"] as const).reduce((sum, key) => add(sum, decimal(ADDS[`${key}:${vector[key]}`] ?? "0")), ZERO);
  return min(TEN, add(bte, added));
}

export interface CandidateResult {
  readonly vector: string;
  readonly class: ReturnType<typeof candidateClass>;
  /** CVSS v4.0 score it stands on, as `8.7`. */
  readonly cvss: string;
  /** The experimental number; null where a metric is not known. */
  readonly experimental: string | null;
  readonly status: string;
}

/** What every output of a candidate says of itself. */
export const CANDIDATE_STATUS = "candidate, not a published version; no score here uses it";

/** Class and experimental number of a candidate vector over a CVSS v4.0 vector, which may name threat and environment. All issues at once. */
export function calculateCandidate(vector: string, cvss: string): Result<CandidateResult, readonly Issue[]> {
  const [parsed, scored] = [parseCandidate(vector), cvssOf(cvss)];
  if (!parsed.ok || !scored.ok) return err([...(parsed.ok ? [] : [parsed.error]), ...(scored.ok ? [] : scored.error)]);
  const number = candidateNumber(parsed.value, scored.value.score);
  return ok({ vector: candidateText(parsed.value), class: candidateClass(parsed.value), cvss: formatFixed(scored.value.score, 1), experimental: number === null ? null : formatFixed(number, 1), status: CANDIDATE_STATUS });
}

/**
 * The vector that one session gives facts for. Prompts decide what is run (LC:D); what the agent leaves is a copy (CP:S), or nothing
 * after a discard (CP:N); it speaks to no other agent as long as nothing was seen to (AP:N); one session is no thirty episodes (SR:X).
 * EX:M and CA:N only where the walls and limits behind them are attested; PT is not asked of a session (X); TD:L with a record that was read back.
 */
export function sessionCandidate(state: RiskState): CandidateVector {
  const holds = (...ids: readonly string[]): boolean => ids.every((id) => state.controls.some((control) => control.id === id) && state.controls.every((control) => control.id !== id || control.state === "attested"));
  const spoke = [...state.findings.values()].some(({ weights }) => weights.has("multi_agent"));
  return {
    LC: "D",
    CP: state.discarded ? "N" : holds("workspace-copy") ? "S" : "C",
    AP: spoke ? "X" : "N",
    SR: "X",
    EX: holds("no-network", "caps-empty", "rootfs-read-only", "workspace-copy") ? "M" : "W",
    PT: "X",
    CA: holds("processes-limited", "memory-limited") ? "N" : "W",
    TD: holds("record-kept") ? "L" : "H",
  };
}
