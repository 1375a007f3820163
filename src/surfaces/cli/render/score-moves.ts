// How the live score moved in one step, and which rule moved it.

import type { EventData } from "../../../core/session/index.js";
import { count, printable } from "../../../core/shared/index.js";
import type { Palette } from "../io.js";
import type { Part } from "./layout.js";
import { paragraph, type Sheet } from "./step.js";

/** Collects scores as they are put on record and tells what is new. */
export interface ScoreMoves {
  readonly add: (risk: EventData["risk.updated"]) => void;
  /** Lines on what moved since the last time; none while the shown score stays the same. */
  readonly lines: (sheet: Sheet) => readonly string[];
}

export function createScoreMoves(): ScoreMoves {
  const state: { shown: string | null; pending: EventData["risk.updated"][] } = { shown: null, pending: [] };
  return {
    add: (risk) => {
      if (state.shown === null) state.shown = risk.score;
      else state.pending.push(risk);
    },
    lines: (sheet) =>
      state.pending.splice(0).flatMap((risk) => {
        const before = state.shown;
        state.shown = risk.score;
        return before === null || risk.score === before ? [] : moveLines(sheet, before, risk);
      }),
  };
}

/** A colour for a band of the score. */
export function bandColour(paint: Palette, band: string): (text: string) => string {
  if (band === "Critical" || band === "High") return paint.red;
  return band === "Medium" ? paint.yellow : paint.green;
}

function moveLines(sheet: Sheet, before: string, risk: EventData["risk.updated"]): readonly string[] {
  const { paint } = sheet;
  const colour = bandColour(paint, risk.band);
  const rises = Number(risk.score) > Number(before);
  const parts: readonly Part[] = [
    { text: rises ? "▲ " : "▼ ", paint: rises ? paint.red : paint.green },
    { text: "AIVSS ", paint: paint.bold },
    { text: `${before} → ` },
    { text: `${risk.score} ${risk.band}  `, paint: (text) => paint.bold(colour(text)) },
    { text: whyMoved(risk), paint: paint.dim },
  ];
  return paragraph(sheet, parts);
}

interface RecordedChange {
  readonly rule: string;
  readonly outcome: string;
  readonly contribution: string;
  readonly inputs: readonly { readonly name: string; readonly before: string | null; readonly after: string }[];
}

/** The change of this step that moved the score most, in a few words. `score --explain` has all of them. */
function whyMoved(risk: EventData["risk.updated"]): string {
  const changes = Array.isArray(risk.detail["changes"]) ? (risk.detail["changes"] as readonly RecordedChange[]) : [];
  const [first] = [...changes].sort((a, b) => Number(b.contribution) - Number(a.contribution));
  if (first === undefined) return printable(risk.reasons.at(-1) ?? "", 120);
  const factors = first.inputs.filter(({ name, before }) => before !== null && name !== "factor sum" && name !== "finding CVSS");
  const moved = factors.slice(0, 3).map(({ name, before, after }) => `${name.replaceAll("_", " ")} ${difference(before ?? "", after)}`);
  const others = changes.length > 1 ? ` and ${count(changes.length - 1, "more rule")}` : "";
  return printable(`${first.rule}${moved.length === 0 ? ` ${first.outcome}` : `: ${moved.join(", ")}`}${others}`, 200);
}

function difference(before: string, after: string): string {
  const moved = Math.round((Number(after) - Number(before)) * 100) / 100;
  return Number.isFinite(moved) ? `${moved < 0 ? "−" : "+"}${Math.abs(moved)}` : after;
}
