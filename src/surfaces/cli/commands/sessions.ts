// `ringfence sessions` and `ringfence show`: what ran, from the record alone.

import type { Command } from "commander";
import { count, printable } from "../../../core/shared/index.js";
import { netChanges, sessionState, sessionStatus, type CallState, type SessionState } from "../../../core/session/index.js";
import type { CliContext } from "../main.js";
import type { Io } from "../io.js";
import { registerStore } from "./sessions-store.js";
import { recoverFirst } from "../recovered.js";
import { openNamed, SESSION_OR_BUNDLE } from "../named-session.js";
import { parseCount } from "../session-options.js";
import { pauseTexts, processText } from "../render/lifetimes.js";
import { groupFindings, groupLine } from "../render/findings.js";
import { programLines } from "../render/programs.js";
import { claimLines, importLines, outputLines } from "../render/claimed.js";
import { changeLine, effectMark, reasonLines } from "../render/text.js";

/** Programs of a call that are shown, and with --output. */
const FEW_PROGRAMS = 8;
const MOST_PROGRAMS = 200;

export function registerSessions(program: Command, context: CliContext): void {
  const sessions = program
    .command("sessions")
    .description("list the sessions on record, newest first; search them; remove old ones")
    .option("-n, --limit <count>", "most sessions listed", parseCount, 20)
    .addHelpText("after", "\nExamples:\n  ringfence sessions\n  ringfence sessions --json -n 100\n  ringfence sessions search --rule L3.delete-outside --min-score 8\n  ringfence sessions prune --older-than 90d --keep 100 --dry-run")
    .action(async (flags: { readonly limit: number }, command: Command) => list(flags.limit, context.ioOf(command)));
  registerStore(sessions, context);
  program
    .command("show")
    .description("show a session: its calls, decisions, findings and score")
    .argument("<session>", SESSION_OR_BUNDLE)
    .option("--output", "show the recorded beginning of each output, and more of the programs that ran")
    .addHelpText("after", "\nExamples:\n  ringfence show last\n  ringfence show ses_abc --output\n  ringfence show last --json")
    .action(async (id: string, flags: { readonly output?: boolean }, command: Command) => show(id, flags.output === true, context.ioOf(command)));
}

async function list(limit: number, io: Io): Promise<void> {
  await recoverFirst(io);
  const { openStore } = await import("../../../compose.js");
  const { store, close } = await openStore(io.env);
  try {
    const all = await store.list();
    const listings = [...all].sort((a, b) => (a.openedAt < b.openedAt ? 1 : -1)).slice(0, limit);
    if (all.length === 0 && !io.options.json) io.note("no sessions yet; `ringfence exec -- npm test` makes one");
    for (const listing of listings) {
      const events = await store.read(listing.id).catch(() => null);
      const state = events === null ? null : sessionState(events);
      if (io.options.json) {
        io.json({ ...listing, status: sessionStatus(state), calls: state?.calls.length ?? 0, score: state?.risk?.score ?? null, changes: events === null ? null : netChanges(events).length });
        continue;
      }
      const calls = state === null ? "" : count(state.calls.length, "call");
      const refused = state?.calls.filter((call) => call.outcome === "denied" || call.outcome === "rejected").length ?? 0;
      const score = state?.risk === null || state === null ? "" : `AIVSS ${state.risk.score}`;
      const parts = [calls, refused === 0 ? "" : io.paint.red(`${refused} refused`), score].filter((part) => part !== "");
      io.out(`${io.paint.bold(listing.id)}  ${listing.openedAt.slice(0, 19).replace("T", " ")}  ${sessionStatus(state).padEnd(10)} ${parts.join(", ")}  ${io.paint.dim(printable(listing.workspace))}`);
    }
  } finally {
    await close();
  }
}

async function show(wanted: string, withOutput: boolean, io: Io): Promise<void> {
  await recoverFirst(io);
  const { store, id, close } = await openNamed(wanted, io);
  try {
    const events = await store.read(id);
    if (io.options.json) {
      for (const event of events) io.json(event);
      return;
    }
    const state = sessionState(events);
    if (state === null) return;
    header(state, io);
    for (const { opened, closed } of state.processes) io.out(`  process    ${paintedName(opened.name, io)} ${processText(closed)}  ${io.paint.dim(printable(opened.summary, 200))}`);
    if (state.paused !== null) io.out(`  ${state.closed === null ? "paused    " : "was paused"} by ${printable(state.paused.by)}${state.paused.reason === null ? "" : `: ${printable(state.paused.reason)}`}`);
    for (const text of pauseTexts(events)) io.out(`  paused     ${text}`);
    for (const event of events) if (event.type === "session.copied") io.out(`  copied     ${count(event.data.files, "file")} into ${printable(event.data.place)} of the state folder${event.data.left === 0 ? "" : `, ${event.data.left} left out`}${event.call === null ? "" : io.paint.dim(` as ${printable(event.call)} left it`)}`);
    for (const call of state.calls) callLines(call, withOutput, io);
    const net = netChanges(events);
    io.out("");
    if (state.undone !== null) io.out(io.paint.yellow(`Taken back to ${state.undone.to === null ? "before the first call" : `how it was after ${state.undone.to}`}.`));
    io.out(net.length === 0 ? "No file changed." : `${count(net.length, "path")} changed:`);
    for (const change of net.slice(0, 50)) io.out(`  ${changeLine(change, io.paint)}`);
    if (net.length > 50) io.out(io.paint.dim(`  and ${net.length - 50} more`));
  } finally {
    await close();
  }
}

function paintedName(name: string, io: Io): string {
  return io.paint.bold(printable(name, 40));
}

function header(state: SessionState, io: Io): void {
  const { opened } = state;
  const { paint } = io;
  io.out(`${paint.bold(state.id)}  ${sessionStatus(state)}${state.closed?.detail === undefined || state.closed?.detail === null ? "" : ` (${printable(state.closed.detail)})`}`);
  io.out(`  opened     ${state.openedAt} by ${printable(opened.startedBy)}`);
  io.out(`  workspace  ${printable(opened.workspace.path)} at ${printable(opened.workspace.root)}`);
  io.out(`  policy     ${printable(opened.policy.profile ?? opened.policy.sources.join(", "))} ${paint.dim(opened.policy.digest.slice(0, 19))}`);
  if (opened.imported === undefined) {
    io.out(`  image      ${printable(opened.image.reference)} ${paint.dim(`${printable(opened.image.id.slice(0, 19))}${opened.image.packages === undefined ? "" : `, ${count(opened.image.packages.count, "package")}`}`)}`);
    io.out(`  engine     ${printable(`${opened.engine.name} ${opened.engine.version}, ${opened.engine.runtime}`)}`);
  } else for (const line of importLines(opened, paint)) io.out(line);
  const attested = opened.controls.filter((control) => control.state === "attested").map((control) => control.id);
  io.out(`  controls   ${attested.length === 0 ? paint.red("none attested") : `${printable(attested.join(", "), 1_000)} ${paint.dim("(tested inside)")}`}`);
  for (const control of opened.controls.filter((candidate) => candidate.state !== "attested")) io.out(`             ${paint.yellow(`${printable(control.id, 80)} ${control.state}`)} ${printable(control.detail)}`);
  if (state.risk !== null) io.out(`  AIVSS      ${paint.bold(state.risk.score)} ${state.risk.band}, peak ${state.risk.peak} ${paint.dim(state.risk.formula)}`);
}

function callLines(call: CallState, withOutput: boolean, io: Io): void {
  const { paint } = io;
  io.out("");
  const role = call.role === null ? "" : ` ${paint.dim(printable(call.role, 64))}`;
  io.out(`${paint.dim(call.id)} ${call.effect === null ? "" : effectMark(call.effect, paint)}${role} ${paint.bold(printable(call.summary === "" ? call.tool : call.summary, 200))}`);
  if (call.effect !== null && call.effect !== "allow") for (const line of reasonLines({ effect: call.effect, reasons: call.reasons }, paint)) io.out(`  ${line}`);
  if (call.approval !== null) io.out(`  ${call.approval.outcome} by ${printable(call.approval.by)}${call.approval.detail === null ? "" : ` (${printable(call.approval.detail)})`}`);
  if (call.by !== undefined) io.out(`  given by ${printable(call.by, 100)}, from another process`);
  if (call.claimed !== undefined) for (const line of claimLines(call.claimed, paint, withOutput)) io.out(`  ${line}`);
  if (call.execution !== null) {
    const { execution } = call;
    const ended = execution.ended === "exit" ? `exit ${execution.exitCode ?? printable(execution.signal ?? "?", 40)}` : execution.ended;
    io.out(`  ${ended} in ${Math.round(execution.durationMs)} ms, ${count(execution.stdout.bytes + execution.stderr.bytes, "byte")} of output${execution.killed > 0 ? `, ${count(execution.killed, "process")} ended` : ""}`);
    if (withOutput) for (const line of outputLines(execution.stdout.head + execution.stderr.head)) io.out(paint.dim(`  | ${line}`));
  }
  if (call.programs !== undefined) for (const line of programLines(call.programs, withOutput ? MOST_PROGRAMS : FEW_PROGRAMS, paint)) io.out(line);
  for (const change of call.changes.slice(0, 8)) io.out(`  ${changeLine(change, paint)}`);
  if (call.changes.length > 8) io.out(paint.dim(`  and ${call.changes.length - 8} more`));
  for (const group of groupFindings(call.findings)) io.out(`  ${groupLine(group, paint)}`);
  if (call.outcome === "in-doubt") io.out(`  ${paint.red("in doubt")}: it was started, and its end was not seen`);
}
