// A session as it is played, line by line: each call, the decision, what was undone, and the score as it moves and why.

import type { ToolCall } from "../../../core/action/index.js";
import type { AuditEvent, EventData } from "../../../core/session/index.js";
import { printable, printableBlock } from "../../../core/shared/index.js";
import type { HarnessRun, Observation } from "../../../compose.js";
import type { Io } from "../io.js";
import type { PlayListener } from "../play.js";
import { changeLine, effectMark, findingLine, reasonLines } from "./text.js";

const SUMMARY_WIDTH = 64;
const MARGIN = "      ";

/** A listener that prints, and an event sink that keeps the score. */
export interface PlayRenderer extends PlayListener {
  readonly onEvent: (event: AuditEvent) => void;
}

/** Prints to standard output. Everything of the agent's is escaped. */
export function createPlayRenderer(io: Io): PlayRenderer {
  const { paint } = io;
  let number = 0;
  let shown: string | null = null;
  const pending: EventData["risk.updated"][] = [];
  const heading = (role: string | null, what: string): void => {
    number += 1;
    const who = (role ?? "agent").padEnd(10);
    io.out(`${paint.dim(String(number).padStart(4))}  ${roleColour(paint, role)(who)} ${what}`);
  };
  const scoreMoves = (): void => {
    for (const risk of pending.splice(0)) {
      if (shown !== null && risk.score !== shown) io.out(`${MARGIN}${paint.bold(`AIVSS ${shown} → ${bandColour(paint, risk.band)(risk.score)}`)} ${risk.band}  ${paint.dim(whyMoved(risk))}`);
      shown = risk.score;
    }
  };
  return {
    onEvent: (event) => {
      if (event.type !== "risk.updated") return;
      if (shown === null) shown = event.data.score;
      else pending.push(event.data);
    },
    onCall: (call, observation) => {
      heading(call.role, `${decisionWord(observation, io)} ${paint.bold(callSummary(call, observation))}`);
      details(observation, io);
      scoreMoves();
    },
    onHarness: (kind, command, result) => {
      heading("harness", `${harnessWord(kind, result, io)} ${paint.bold(printable(command, SUMMARY_WIDTH))} ${paint.dim(HARNESS_TEXT[kind])}`);
      io.out(`${MARGIN}${harnessText(kind, result)}`);
      if (result.observation.outcome === "denied") details(result.observation, io);
      scoreMoves();
    },
    onUnreadable: (line, observation) => {
      heading(null, `${paint.red("deny ")} ${paint.bold(`line ${line} could not be read`)}`);
      for (const text of observation.message.split("\n").slice(0, 3)) io.out(`${MARGIN}${printable(text, 400)}`);
      scoreMoves();
    },
  };
}

/** The change of this step that moved the score most, in a few words. */
function whyMoved(risk: EventData["risk.updated"]): string {
  const changes = Array.isArray(risk.detail["changes"]) ? (risk.detail["changes"] as readonly RecordedChange[]) : [];
  const [first] = [...changes].sort((a, b) => Number(b.contribution) - Number(a.contribution));
  if (first === undefined) return printable(risk.reasons.at(-1) ?? "", 120);
  const inputs = first.inputs.filter(({ name }) => name !== "factor sum").slice(0, 3).map(({ name, before, after }) => `${name} ${short(before)} → ${short(after)}`);
  const others = changes.length > 1 ? ` and ${changes.length - 1} more` : "";
  return printable(`${first.rule} ${first.outcome}: ${inputs.join(", ")}${others}`, 120);
}

interface RecordedChange {
  readonly rule: string;
  readonly outcome: string;
  readonly contribution: string;
  readonly inputs: readonly { readonly name: string; readonly before: string; readonly after: string }[];
}

function short(value: string): string {
  const number = Number(value);
  return Number.isFinite(number) ? String(Math.round(number * 100) / 100) : value;
}

const HARNESS_TEXT = {
  base: "on the untouched copy",
  accepted: "in a fresh sandbox, with the accepted edits",
  "tests-only": "in a fresh sandbox, with the new tests but without the fix",
} as const;

function harnessWord(kind: keyof typeof HARNESS_TEXT, { verdict }: HarnessRun, io: Io): string {
  // The new tests must fail without the fix: there a failure is what is wanted.
  const good = kind === "tests-only" ? (verdict.counts?.failed ?? 0) > 0 : verdict.passed;
  if (good) return io.paint.green("pass ");
  return kind === "base" ? io.paint.dim("base ") : io.paint.red("fail ");
}

function harnessText(kind: keyof typeof HARNESS_TEXT, { verdict, observation }: HarnessRun): string {
  const text = printable(observation.message, 300);
  if (kind !== "tests-only") return text;
  return (verdict.counts?.failed ?? 0) > 0 ? `fails without the fix, as it should: ${text}` : `does not fail without the fix: ${text}`;
}

function roleColour(paint: Io["paint"], role: string | null): (text: string) => string {
  if (role === "bugfixer") return paint.blue;
  return role === "testwriter" ? paint.magenta : paint.dim;
}

/** A colour for a band of the score. */
export function bandColour(paint: Io["paint"], band: string): (text: string) => string {
  if (band === "Critical" || band === "High") return paint.red;
  return band === "Medium" ? paint.yellow : paint.green;
}

function decisionWord(observation: Observation, io: Io): string {
  const { paint } = io;
  if (observation.outcome === "reverted") return paint.red("undo ");
  if (observation.approval?.outcome === "approved") return paint.green("asked");
  if (observation.outcome === "rejected") return paint.yellow("ask  ");
  return effectMark(observation.decision.effect, paint);
}

function callSummary(call: ToolCall, observation: Observation): string {
  const summary = observation.summary === "" ? call.tool : observation.summary;
  return printable(summary, SUMMARY_WIDTH);
}

function details(observation: Observation, io: Io): void {
  const { paint } = io;
  if (observation.decision.effect !== "allow") for (const line of reasonLines(observation.decision, paint, 2)) io.out(`${MARGIN}${line}`);
  if (observation.approval !== null) io.out(`${MARGIN}${observation.approval.outcome} by ${printable(observation.approval.by)}${observation.approval.detail === null ? "" : ` (${printable(observation.approval.detail)})`}`);
  for (const change of observation.changes.slice(0, 6)) io.out(`${MARGIN}${changeLine(change, paint)}`);
  for (const finding of observation.findings.slice(0, 6)) io.out(`${MARGIN}${findingLine(finding, paint)}`);
  const failed = observation.exitCode !== null && observation.exitCode !== 0;
  if (failed) io.out(`${MARGIN}${paint.dim(`exit ${observation.exitCode}: ${lastLine(observation.stderr === "" ? observation.stdout : observation.stderr)}`)}`);
}

function lastLine(text: string): string {
  const lines = printableBlock(text).split("\n").filter((line) => line.trim() !== "");
  return (lines.at(-1) ?? "no output").slice(0, 120);
}
