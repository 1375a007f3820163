// The first and the last lines of a played session.

import { riskSummary } from "../../../core/risk/index.js";
import { printable } from "../../../core/shared/index.js";
import { openReview, openStore, type OpenedSession } from "../../../compose.js";
import type { Io } from "../io.js";
import type { PlayResult } from "../play.js";
import type { SessionFlags } from "../session-options.js";
import { bandColour } from "./play.js";
import { patchLine } from "./patch.js";
import { count } from "./text.js";

const PATCH_LINES = 60;

/** What runs where, under which policy, and the score at the start. */
export async function opening(session: OpenedSession, flags: SessionFlags, openedMs: number, io: Io): Promise<void> {
  const { paint } = io;
  const { store } = await openStore(io.env);
  const [first] = await store.read(session.id);
  const opened = first?.type === "session.opened" ? first.data : null;
  const attested = opened?.controls.filter((control) => control.state === "attested").length ?? 0;
  const risk = riskSummary(session.risk());
  io.out(`${paint.bold("ringfence")}  session ${session.id}, ready in ${openedMs} ms`);
  io.out(`  workspace  a copy of ${printable(opened?.workspace.path ?? flags.workspace)}; nothing in it is written`);
  io.out(`  sandbox    ${opened?.image.reference ?? ""}, no network, ${count(attested, "control")} tested inside`);
  io.out(`  policy     ${opened?.policy.profile ?? flags.policy.join(", ")}, ${session.rules} rules`);
  io.out(`  AIVSS      static ${risk.static.score} ${risk.static.band}, live ${paint.bold(bandColour(paint, risk.live.band)(risk.live.score))} ${risk.live.band} in this sandbox`);
  io.out("");
}

/** The patch, the verified record, the score, and what to type next. */
export async function closing(session: OpenedSession, result: PlayResult, io: Io): Promise<void> {
  const { paint } = io;
  const review = await openReview(session.id, io.env);
  const patch = await review.patch();
  await review.close();
  io.out("");
  if (review.changes.length === 0) io.out(paint.bold("No change was accepted."));
  else {
    io.out(paint.bold(`The patch (${review.changes.map((change) => printable(change.path)).join(", ")})`));
    io.out("");
    for (const line of patchLines(patch, io)) io.out(`  ${line}`);
  }
  const { store, close } = await openStore(io.env);
  const report = await store.verify(session.id);
  await close();
  const risk = riskSummary(session.risk());
  const tests = result.passed === null ? "not run" : result.passed ? paint.green("pass") : paint.red("do not pass");
  const newTest = result.failsWithoutFix === null ? "" : result.failsWithoutFix ? ", and the new test fails without the fix" : paint.red(", but no test fails without the fix");
  io.out("");
  io.out(`  calls   ${result.calls}: ${count(result.refused, "call")} refused, ${count(result.reverted, "change")} undone${result.unreadable === 0 ? "" : `, ${count(result.unreadable, "line")} unreadable`}`);
  io.out(`  tests   ${tests}${newTest}`);
  io.out(`  AIVSS   ${paint.bold(bandColour(paint, risk.live.band)(risk.live.score))} ${risk.live.band}, peak ${risk.peak.score}; static ${risk.static.score} ${risk.static.band}`);
  io.out(`  record  ${report.ok ? `${paint.green("intact")}, ${report.records} records, signed` : paint.red(`invalid: ${report.message}`)}`);
  io.out("");
  io.out(`  ringfence show ${session.id}             every call with its rule and reason`);
  io.out(`  ringfence score ${session.id} --explain  why the score is what it is`);
  io.out(`  ringfence log verify ${session.id}       check the record`);
  io.out(`  ringfence apply ${session.id}            take the patch over`);
}

function patchLines(patch: Uint8Array, io: Io): readonly string[] {
  const lines = new TextDecoder().decode(patch).replace(/\n$/u, "").split("\n").map((line) => patchLine(line, io.paint));
  return lines.length > PATCH_LINES ? [...lines.slice(0, PATCH_LINES), io.paint.dim(`and ${lines.length - PATCH_LINES} more lines`)] : lines;
}
