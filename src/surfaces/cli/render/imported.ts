// What an import made of each file: the session, its verdicts, the account of its records.

import { kindTexts, type Skipped } from "../../../core/import/form.js";
import { riskSummary } from "../../../core/risk/index.js";
import { count, printable } from "../../../core/shared/index.js";
import type { ImportOutcome } from "../../../compose-import.js";
import type { Io } from "../io.js";

const SHOWN = 5;

/** One session that was imported, or one file that was left out. */
export function tell(outcome: ImportOutcome, io: Io): void {
  if (io.options.json) return io.json(jsonOf(outcome));
  if (!outcome.ok) return io.note(`left out ${printable(outcome.file, 300)}: ${outcome.problem}`);
  const { session, trajectory, file } = outcome;
  const { tally } = trajectory;
  const { paint } = io;
  const version = trajectory.version === null ? "" : ` ${printable(trajectory.version, 60)}`;
  const { live, posture } = riskSummary(session.score);
  io.out(`${paint.bold(session.session)}  ${trajectory.format}${version}  ${verdicts(session.decided, io)}  AIVSS ${live.score} ${live.band}${posture.state === "unknown" ? ", posture unknown" : ""}  ${paint.dim(printable(file, 300))}`);
  if (io.options.quiet) return;
  const skipped = tally.skipped.reduce((sum, one) => sum + one.count, 0);
  io.out(`  ${count(tally.records, "record")}: ${[...kindTexts(tally.kinds), `${skipped} skipped`].join(", ")}; ${count(tally.calls, "call")}${tally.unanswered === 0 ? "" : `, ${tally.unanswered} without a result`}`);
  for (const line of reasons("skipped", tally.skipped)) io.out(`  ${paint.yellow(line)}`);
  for (const line of reasons("note", tally.parts)) io.out(`  ${paint.dim(line)}`);
}

function verdicts(decided: { readonly allow: number; readonly ask: number; readonly deny: number; readonly thought: number }, io: Io): string {
  const { paint } = io;
  const parts = [paint.green(`${decided.allow} allow`), paint.yellow(`${decided.ask} ask`), paint.red(`${decided.deny} deny`), ...(decided.thought === 0 ? [] : [paint.dim(count(decided.thought, "thought"))])];
  return parts.join(", ");
}

function reasons(word: string, list: readonly Skipped[]): readonly string[] {
  const lines = list.slice(0, SHOWN).map(({ reason, count: number, places }) => `${word} ${number} × ${reason} (${places.slice(0, 3).join(", ")}${number > Math.min(3, places.length) ? " …" : ""})`);
  return list.length > SHOWN ? [...lines, `and ${count(list.length - SHOWN, "more reason")}; \`show --json\` has them all`] : lines;
}

/** The sum of several. */
export function total(outcomes: readonly ImportOutcome[], io: Io): void {
  const done = outcomes.filter((outcome) => outcome.ok);
  const calls = done.reduce((sum, { trajectory }) => sum + trajectory.tally.calls, 0);
  const sum = (effect: "allow" | "ask" | "deny"): number => done.reduce((all, { session }) => all + session.decided[effect], 0);
  io.note(`${count(done.length, "session")} imported, ${outcomes.length - done.length} left out; ${count(calls, "call")}: ${sum("allow")} allow, ${sum("ask")} ask, ${sum("deny")} deny`);
}

function jsonOf(outcome: ImportOutcome): unknown {
  if (!outcome.ok) return { file: outcome.file, error: outcome.problem };
  const { session, trajectory, file } = outcome;
  const { live } = riskSummary(session.score);
  return { file, session: session.session, format: trajectory.format, version: trajectory.version, agent: trajectory.agent, source: trajectory.session, root: session.root, decided: session.decided, score: live.score, band: live.band, tally: trajectory.tally };
}
