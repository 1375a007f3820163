// A session as it is played: what the author of the trajectory says about a line, each call, the decision, and the score as it moves.

import { ROLE_HARNESS, type TrajectoryLine } from "../../../core/action/index.js";
import type { AuditEvent } from "../../../core/session/index.js";
import { printable } from "../../../core/shared/index.js";
import type { HarnessRun } from "../../../compose.js";
import type { Io } from "../io.js";
import type { HarnessKind, PlayListener } from "../play.js";
import { columnsOf, pad } from "./layout.js";
import { createProgress } from "./progress.js";
import { reactionLines, type ReactionEvent } from "./reactions.js";
import { createScoreMoves } from "./score-moves.js";
import { callLabel, callLines, head, line, MARGIN, paragraph, reasonText, type Sheet } from "./step.js";
import { createStopped, type Stopped } from "./stopped.js";

/** Where the words of the author stand: under the role. */
const NOTE_MARGIN = 5;

/** A listener that prints, and an event sink that keeps the score. */
export interface PlayRenderer extends PlayListener {
  readonly onEvent: (event: AuditEvent) => void;
  /** Says at the bottom of a terminal what is waited for; null takes it away. */
  readonly waiting: (text: string | null) => void;
  readonly stopped: Stopped;
  readonly sheet: Sheet;
}

/** Prints to standard output. Everything of the agent's is escaped. */
export function createPlayRenderer(io: Io, root: string): PlayRenderer {
  const { paint } = io;
  const sheet: Sheet = { width: columnsOf(process.stdout), paint, root };
  const progress = createProgress(process.stdout, io.isTerminal.out && io.env["TERM"] !== "dumb" && !io.options.json && !io.options.quiet, paint.dim);
  const score = createScoreMoves();
  const stopped = createStopped();
  const reactions: ReactionEvent[] = [];
  const state: { number: number; role: string | null; isFirst: boolean; wantsAir: boolean } = { number: 0, role: null, isFirst: true, wantsAir: false };

  const print = (lines: readonly string[]): void => {
    progress.clear();
    for (const text of lines) io.out(text);
  };
  return {
    sheet,
    stopped,
    waiting: (text) => (text === null ? progress.clear() : progress.show(text)),
    onEvent: (event) => {
      if (event.type === "approval.requested") progress.clear();
      if (event.type === "risk.updated") score.add(event.data);
      if (event.type === "session.tightened" || event.type === "session.copied") reactions.push(event);
    },
    onLine: (entry) => {
      const role = roleOf(entry);
      const { note } = entry;
      if (!state.isFirst && (role !== state.role || state.wantsAir)) print([""]);
      if (note !== undefined && note !== "") print(paragraph(sheet, [{ text: printable(note, 400), paint: paint.dim }], NOTE_MARGIN));
      Object.assign(state, { role, isFirst: false, wantsAir: false });
    },
    onStart: (call) => {
      state.number += 1;
      if (call.role === ROLE_HARNESS) print([`${head(sheet, state.number, call.role)}${paint.bold(callLabel(call, root))}`]);
      else progress.show(`${String(state.number).padStart(3)}  ${pad(printable(call.role ?? "agent", 10), 10)}  … ${callLabel(call, root)}`);
    },
    onCall: (call, observation) => {
      stopped.add(observation);
      const lines = [...callLines(sheet, state.number, call, observation), ...score.lines(sheet), ...reactions.splice(0).flatMap((event) => reactionLines(sheet, event))];
      state.wantsAir = lines.length > 1;
      const wasAsked = observation.approval !== null && observation.approval.outcome !== "unavailable";
      print(wasAsked ? ["", ...lines] : lines);
    },
    onHarnessStart: (kind) => progress.show(`${" ".repeat(MARGIN)}… ${HARNESS_TEXT[kind]}`),
    onHarness: (kind, result) => {
      if (result.observation.outcome === "denied") stopped.add(result.observation);
      print([...harnessLines(sheet, kind, result), ...score.lines(sheet)]);
    },
    onUnreadable: (number, observation) => {
      state.number += 1;
      state.wantsAir = true;
      // The code and what is wrong; the whole text for the model is on record.
      const [reason] = observation.decision.reasons;
      const parts = [{ text: `${reason?.subject ?? ""} `, paint: paint.bold }, { text: printable(reason?.message ?? observation.message, 600) }];
      print([
        `${head(sheet, state.number, null)}${paint.red("✘ unread")} ${paint.bold(`line ${number}`)}`,
        ...paragraph(sheet, parts),
        ...(reason?.allowed === null || reason === undefined ? [] : paragraph(sheet, [{ text: printable(reason.allowed, 300), paint: paint.dim }])),
        ...score.lines(sheet),
        ...reactions.splice(0).flatMap((event) => reactionLines(sheet, event)),
      ]);
    },
  };
}

function roleOf({ calls }: TrajectoryLine): string | null {
  return calls.ok ? (calls.value[0]?.role ?? null) : null;
}

const HARNESS_TEXT: Readonly<Record<HarnessKind, string>> = {
  base: "on the untouched copy",
  accepted: "with the accepted edits, in a fresh sandbox",
  "tests-only": "with the new tests but without the fix",
};

/** How one run of the tests came out, and why it is no pass where it is none. */
function harnessLines(sheet: Sheet, kind: HarnessKind, result: HarnessRun): readonly string[] {
  const { paint } = sheet;
  const { verdict, observation } = result;
  if (observation.outcome === "denied") return [line(sheet, "✘ not run", paint.red), ...reasonText(sheet, observation)];
  const failed = verdict.counts?.failed ?? 0;
  // The new tests must fail without the fix: there a failure is what is wanted.
  const isGood = kind === "tests-only" ? failed > 0 : verdict.passed;
  const colour = isGood ? paint.green : kind === "base" ? paint.yellow : paint.red;
  const counts = countText(result);
  const must = kind === "tests-only" ? (isGood ? ", as they must" : ", where some must fail") : "";
  const parts = [{ text: `${isGood ? "✔" : "✘"} ${counts}`, paint: colour }, { text: ` ${HARNESS_TEXT[kind]}${must}`, paint: paint.dim }];
  const reasons = isGood ? [] : verdict.reasons.flatMap((reason) => paragraph(sheet, [{ text: printable(reason, 300) }], MARGIN + 2));
  return [...paragraph(sheet, parts), ...reasons];
}

function countText({ verdict }: HarnessRun): string {
  const { counts } = verdict;
  if (counts === null) return "no report";
  const all = counts.passed + counts.failed;
  const skipped = counts.skipped === 0 ? "" : `, ${counts.skipped} skipped`;
  return counts.failed > 0 ? `${counts.failed} of ${all} fail${skipped}` : `${all} pass${skipped}`;
}
