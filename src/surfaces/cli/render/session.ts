// The first and the last lines of a played session.

import { riskSummary, type RiskSummary } from "../../../core/risk/index.js";
import { LIMITS, count, printable } from "../../../core/shared/index.js";
import type { OpenedSession } from "../../../compose.js";
import type { Io } from "../io.js";
import type { PlayResult } from "../play.js";
import type { SessionFlags } from "../session-options.js";
import { columnsOf, cut, wrap, type Part } from "./layout.js";
import { patchLine } from "./patch.js";
import type { PlayRenderer } from "./play.js";
import { bandColour } from "./score-moves.js";

const PATCH_LINES = 60;

/** Columns before what a row of the opening says. */
const ROW = 13;

/** What runs where, under which policy, and the score at the start. Gives that score. */
export async function opening(session: OpenedSession, flags: SessionFlags, openedMs: number, io: Io): Promise<RiskSummary> {
  const { paint } = io;
  const { openStore } = await import("../../../compose.js");
  const { store, close } = await openStore(io.env);
  const [first] = await store.read(session.id);
  await close();
  const opened = first?.type === "session.opened" ? first.data : null;
  const attested = opened?.controls.filter((control) => control.state === "attested").length ?? 0;
  const risk = riskSummary(session.risk());
  if (io.options.quiet) return risk;
  const row = (name: string, ...parts: readonly Part[]): void => {
    for (const [index, text] of wrap(parts, columnsOf(process.stdout) - ROW).entries()) io.out(`${(index === 0 ? `  ${name}` : "").padEnd(ROW)}${text}`);
  };
  io.out(`${paint.bold("ringfence")}  session ${paint.bold(session.id)}, ready in ${seconds(openedMs)}`);
  row("workspace", { text: `a copy of ${printable(opened?.workspace.path ?? flags.workspace, LIMITS.pathChars)}; nothing in it is written` });
  row("sandbox", { text: `${printable(opened?.image.reference ?? "")}, no network, ${count(attested, "control")} tested inside` });
  const tiers = (["organisation", "user", "workspace"] as const).filter((tier) => opened?.policy.sources.some((source) => source.startsWith(`${tier}:`)) === true);
  row("policy", { text: `${opened?.policy.profile ?? flags.policy.map((file) => printable(file)).join(", ")}, ${count(session.rules, "rule")}${tiers.length === 0 ? "" : `, tightened by the ${tiers.join(", the ")}`}` });
  row("AIVSS", { text: `${risk.static.score} ${risk.static.band} as published, ` }, { text: `${risk.live.score} ${risk.live.band}`, paint: (text) => paint.bold(bandColour(paint, risk.live.band)(text)) }, { text: " in this sandbox" });
  io.out("");
  return risk;
}

export interface Closing {
  readonly result: PlayResult;
  /** The score at the start. */
  readonly start: RiskSummary;
  readonly renderer: PlayRenderer;
  /** Time of the whole command so far. */
  readonly tookMs: number;
}

/** The patch, what was stopped, the verified record, the score, and what to type next. */
export async function closing(session: OpenedSession, { result, start, renderer, tookMs }: Closing, io: Io): Promise<void> {
  const { paint } = io;
  const hasPatch = await patchSection(session, renderer, io);
  const stopped = renderer.stopped.lines(renderer.sheet);
  if (stopped.length > 0) {
    io.out("");
    io.out(paint.bold("What was stopped"));
    for (const line of stopped) io.out(line);
  }
  const { openStore } = await import("../../../compose.js");
  const { store, close } = await openStore(io.env);
  const report = await store.verify(session.id);
  await close();
  const risk = riskSummary(session.risk());
  const unreadable = result.unreadable === 0 ? "" : `, ${paint.red(`${count(result.unreadable, "line")} unreadable`)}`;
  const unfit = result.unfit === 0 ? "" : `, ${paint.red(`${count(result.unfit, "answer")} with an edit that did not fit`)}`;
  io.out("");
  io.out(`  calls   ${result.calls}: ${result.refused} refused, ${count(result.reverted, "path")} undone${unreadable}${unfit}; ${seconds(tookMs)}`);
  io.out(`  tests   ${testsText(result, io)}`);
  io.out(`  AIVSS   ${scoreText(risk.live, io)}, from ${start.live.score} ${start.live.band}; peak ${risk.peak.score}; ${risk.static.score} ${risk.static.band} as published`);
  io.out(`  record  ${report.ok ? `${paint.green("intact")}, ${count(report.records, "record")}, signed` : paint.red(`invalid: ${printable(report.message, 300)}`)}`);
  io.out("");
  const next = [
    [`ringfence show ${session.id}`, "every call with its rule and reason"],
    [`ringfence score ${session.id} --explain`, "why the score is what it is"],
    [`ringfence log verify ${session.id}`, "check the record"],
    ...(hasPatch ? [[`ringfence apply ${session.id}`, "take the patch over"] as const] : []),
  ] as const;
  const widest = Math.max(...next.map(([command]) => command.length));
  for (const [command, why] of next) io.out(`  ${command.padEnd(widest)}  ${paint.dim(why)}`);
}

async function patchSection(session: OpenedSession, { sheet }: PlayRenderer, io: Io): Promise<boolean> {
  const { paint } = io;
  const { openReview } = await import("../../../compose.js");
  const review = await openReview(session.id, io.env);
  const { bytes } = await review.patch();
  await review.close();
  io.out("");
  if (review.changes.length === 0) {
    io.out(paint.bold("No change was accepted."));
    return false;
  }
  io.out(`${paint.bold("The patch")} ${paint.dim(cut(`(${review.changes.map((change) => printable(change.path)).join(", ")})`, sheet.width - 10))}`);
  io.out("");
  const lines = new TextDecoder().decode(bytes).replace(/\n$/u, "").split("\n");
  for (const line of lines.slice(0, PATCH_LINES)) io.out(`  ${patchLine(cut(line, sheet.width - 2), paint)}`);
  if (lines.length > PATCH_LINES) io.out(paint.dim(`  and ${count(lines.length - PATCH_LINES, "more line")}: ringfence diff ${session.id}`));
  return true;
}

function testsText({ tests, withoutFix, failsWithoutFix }: PlayResult, { paint }: Io): string {
  const outcome = tests === null ? "not run" : tests.passed ? paint.green(`${tests.counts?.passed ?? 0} pass`) : paint.red("do not pass");
  if (failsWithoutFix === null) return outcome;
  return `${outcome}; ${failsWithoutFix ? `${withoutFix?.counts?.failed ?? 0} of them fail without the fix` : paint.red("no test fails without the fix")}`;
}

function scoreText(shown: { readonly score: string; readonly band: string }, { paint }: Io): string {
  return paint.bold(bandColour(paint, shown.band)(`${shown.score} ${shown.band}`));
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
