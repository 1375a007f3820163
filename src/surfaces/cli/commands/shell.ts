// `ringfence shell`: a person types, each line is judged and runs as a call of one session.

import type { Command } from "commander";
import { riskSummary } from "../../../core/risk/index.js";
import { ERRORS, GuardError, LIMITS, count, printable } from "../../../core/shared/index.js";
import type { OpenedSession } from "../../../compose.js";
import type { CallHooks, TypedInput } from "../../../engine/hooks.js";
import type { Change } from "../../../core/reconcile/change.js";
import type { CliContext } from "../main.js";
import { addGateOptions, gateSaysNo, type GateFlags } from "../gate-options.js";
import type { Io } from "../io.js";
import { readKeys } from "../key-line.js";
import { addSessionOptions, type SessionFlags } from "../session-options.js";
import { openLines, type Lines } from "../shell-lines.js";
import { PROCESS_HELP, processLine } from "../shell-processes.js";
import { tellOutcome } from "../render/outcome.js";
import { changeLine } from "../render/text.js";

type ShellFlags = SessionFlags & GateFlags;

const REFUSED = 126;
const OUR_FAULT = 125;
const CANCELLED = 130;
/** Changes listed after `:undo`. */
const LISTED = 20;

const HELP = `  :undo [STEP]         back to before the last change, or to how it was after call STEP (0: before the first)
  :score               the score, and where it stands
${PROCESS_HELP}
  :help                this
  :exit                end the session (so does Ctrl-D)`;

export function registerShell(program: Command, context: CliContext): void {
  addGateOptions(addSessionOptions(program.command("shell")))
    .description("type commands; each line is judged and runs guarded, in one session on a copy of the folder")
    .addHelpText(
      "after",
      `
Working directory and exported variables are carried from line to line; functions, aliases and jobs are not. A line
that ends with \\ goes on in the next. On a terminal programs have one too (its size, its keys): what you type while
one runs is judged line by line as what it reads, put on record, and then sent; a line that would need a question is
not sent. Programs that draw the whole screen do not work: what steers a terminal is shown, not obeyed. Ctrl-C
interrupts the program, three times end the command; Ctrl-D ends its input, and with nothing running the session.
Lines may also come from a pipe; programs then get no input. The changes stay in the session: see
\`ringfence diff\`, then \`apply\` or \`discard\`.

${HELP}

Examples:
  ringfence shell
  ringfence shell --workspace ../other --role bugfixer
  printf 'npm test\\n' | ringfence shell

Exit code: that of the last command, as of \`exec\`; ${ERRORS.SESSION_STOPPED.exit} when policy stopped the session; 1 when it would be 0 and a gate said no.`,
    )
    .action(async (flags: ShellFlags, command: Command) => context.exit(await shell(flags, context.ioOf(command))));
}

async function shell(flags: ShellFlags, io: Io): Promise<number> {
  const ending = new AbortController();
  const running: { call: AbortController | null; strikes: number } = { call: null, strikes: 0 };
  const lines = openLines(io);
  // Ctrl-C ends what runs; with nothing running, and for every other signal, the session ends and nothing more is read.
  const onSignal = (name: NodeJS.Signals): void => {
    running.strikes += 1;
    lines.forget();
    if (running.strikes > 2) process.exit(CANCELLED);
    if (name !== "SIGINT" || running.call === null) {
      ending.abort();
      lines.close();
    }
    running.call?.abort();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, onSignal);
  try {
    const { openCliSession } = await import("../open-session.js");
    const session = await openCliSession(flags, "shell", io, ending.signal);
    try {
      return await talk(session, { lines, flags, io, running, ending: ending.signal });
    } finally {
      await session.close(ending.signal.aborted ? "cancelled" : "finished");
    }
  } finally {
    lines.close();
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(name, onSignal);
  }
}

interface Talk {
  readonly lines: Lines;
  readonly flags: ShellFlags;
  readonly io: Io;
  readonly running: { call: AbortController | null; strikes: number };
  readonly ending: AbortSignal;
}

async function talk(session: OpenedSession, { lines, flags, io, running, ending }: Talk): Promise<number> {
  const paint = io.paintErr;
  if (io.isTerminal.in) io.note(`session ${session.id}: a copy of ${printable(flags.workspace)}, no network; :help for help`);
  let code = 0;
  for (let step = 1; !ending.aborted; ) {
    const text = await whole(lines, () => `${paint.cyan(printable(session.cwd(), 200))} ${paint.dim(riskSummary(session.risk()).live.score)} ${paint.bold("$")} `);
    if (text === null || text === ":exit" || text === "exit") break;
    if (text === "") continue;
    running.call = new AbortController();
    if (text.startsWith(":")) {
      await own(session, text, io, running.call.signal).finally(() => {
        running.call = null;
        running.strikes = 0;
      });
      if (session.stopped() !== null) break;
      continue;
    }
    const observation = await session
      .call({ id: String(step), role: null, tool: "bash", arguments: { command: text } }, hooksOf(io, running.call, lines), running.call.signal)
      .catch((error: unknown) => {
        // A pause that nobody ended, or a stop by policy, is told below.
        if (session.stopped() === null) throw error;
        return null;
      })
      .finally(() => {
        running.call = null;
        running.strikes = 0;
      });
    if (observation !== null && !io.options.json) tellOutcome(observation, io);
    if (session.stopped() !== null) break;
    step += 1;
    code = observation === null ? OUR_FAULT : exitOf(observation.outcome, observation.exitCode);
    if (observation?.ended === "cancelled") code = CANCELLED;
  }
  return farewell(session, flags, code, io);
}

function outputOf(io: Io): NonNullable<CallHooks["output"]> {
  return { stdout: (chunk) => io.command("stdout", chunk), stderr: (chunk) => io.command("stderr", chunk) };
}

/** Strikes of Ctrl-C at one program before its call is ended. */
const STRIKES = 3;

/** Output as it comes; on a terminal the program has one too, and what is typed meanwhile goes to it. */
function hooksOf(io: Io, call: AbortController, lines: Lines): CallHooks {
  if (io.options.json) return {};
  const output = outputOf(io);
  if (!io.isTerminal.in || !io.isTerminal.err || process.stdout.isTTY !== true) return { output };
  return { output: { stdout: withoutReturns(output.stdout), stderr: withoutReturns(output.stderr) }, terminal: { ...sizeOf(process.stdout), attach: (to) => type(to, io, call, lines) } };
}

function sizeOf({ rows, columns }: Pick<typeof process.stdout, "rows" | "columns">): { readonly rows: number; readonly columns: number } {
  return { rows: Math.min(Math.max(1, rows), LIMITS.terminalRows), columns: Math.min(Math.max(1, columns), LIMITS.terminalColumns) };
}

/** The program's terminal ends lines by two characters, and the person's makes two of the second: passes on one. */
function withoutReturns(to: (chunk: Uint8Array) => void): (chunk: Uint8Array) => void {
  const RETURN = 13;
  const LINE_FEED = 10;
  let held = false;
  return (chunk) => {
    const out: number[] = [];
    for (const byte of chunk) {
      if (held && byte !== LINE_FEED) out.push(RETURN);
      held = byte === RETURN;
      if (!held) out.push(byte);
    }
    to(Uint8Array.from(out));
  };
}

/** The person's keys, and the size of the terminal when it changes, until the program ends. */
function type(to: TypedInput, io: Io, call: AbortController, lines: Lines): () => void {
  const state = { strikes: 0, sending: Promise.resolve() };
  const onResize = (): void => {
    const { rows, columns } = sizeOf(process.stdout);
    state.sending = state.sending.then(() => to.resize(rows, columns));
  };
  process.stdout.on("resize", onResize);
  const stop = readKeys({
    show: (text) => process.stderr.write(text),
    onKey: (key) => {
      state.strikes = key === "C-c" ? state.strikes + 1 : 0;
      // What was pasted behind this command goes with it, as at any terminal.
      if (key === "C-c") lines.forget();
      if (state.strikes >= STRIKES) return call.abort();
      // Behind the lines that were typed before it: those wait for the judge only, never for the program.
      state.sending = state.sending.then(() => to.press(key));
    },
    onLine: (text) => {
      state.strikes = 0;
      state.sending = state.sending.then(async () => {
        const why = await to.send(text).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
        for (const part of why?.split("\n").slice(0, 5) ?? []) io.fail(`${io.paintErr.red("not sent")} ${printable(part, 400)}`);
      });
    },
  });
  return () => {
    process.stdout.off("resize", onResize);
    stop();
  };
}

/** One command: a line, with those it says go on. Null at the end. */
async function whole(lines: Lines, prompt: () => string): Promise<string | null> {
  let text = await lines.next(prompt());
  while (text?.endsWith("\\") === true) {
    const more = await lines.next("> ");
    if (more === null) break;
    text = `${text}\n${more}`;
  }
  return text?.trim() ?? null;
}

async function own(session: OpenedSession, text: string, io: Io, signal: AbortSignal): Promise<void> {
  const isDone = await processLine(session, text, io, io.options.json ? {} : { output: outputOf(io) }, signal).catch((error: unknown) => {
    // A stop by policy is told at the end.
    if (session.stopped() === null) throw error;
    return true;
  });
  if (isDone) return;
  const [word, argument, ...rest] = text.split(/\s+/u);
  if (word === ":undo" && rest.length === 0) return undo(session, argument ?? null, io);
  if (word === ":score" && argument === undefined) {
    const { live, peak } = riskSummary(session.risk());
    return io.note(`AIVSS ${live.score} ${live.band}, peak ${peak.score}; every reason: ringfence score ${session.id} --explain`);
  }
  if (word !== ":help") io.fail(`\`${printable(text, 80)}\` is no command of this shell`);
  for (const line of HELP.split("\n")) io.note(line);
}

async function undo(session: OpenedSession, step: string | null, io: Io): Promise<void> {
  try {
    const { moved, step: at } = await session.undo(step);
    for (const change of moved.slice(0, LISTED)) io.note(changeLine(change satisfies Change, io.paintErr));
    if (moved.length > LISTED) io.note(`and ${String(moved.length - LISTED)} more`);
    io.note(`as it was ${at === 0 ? "before the first call" : `after call ${String(at)}`}: ${count(moved.length, "path")} moved`);
    // Files are taken back, not what a program that lives remembers or holds open.
    const living = session.processes().filter(({ end }) => end === null);
    if (moved.length > 0 && living.length > 0) io.note(`still live, with what they remember and hold open: ${living.map(({ name }) => printable(name, 40)).join(", ")} (\`:end NAME\` ends one)`);
  } catch (error) {
    if (!(error instanceof GuardError) || session.isBroken()) throw error;
    io.fail(error.message, error.hint);
  }
}

function exitOf(outcome: string, exitCode: number | null): number {
  if (outcome === "denied" || outcome === "rejected") return REFUSED;
  return exitCode ?? OUR_FAULT;
}

function farewell(session: OpenedSession, flags: ShellFlags, code: number, io: Io): number {
  const stopped = session.stopped();
  if (!io.options.json) io.note(`session ${session.id}: see \`ringfence diff ${session.id}\`, then \`apply\` or \`discard\``);
  if (stopped !== null) {
    io.fail(`${io.paintErr.red("stopped")} ${printable(stopped, 400)}`, `why: ringfence score ${session.id} --explain`);
    return ERRORS.SESSION_STOPPED.exit;
  }
  return gateSaysNo(flags, riskSummary(session.risk()), io) && code === 0 ? 1 : code;
}
