// `ringfence run`: plays an agent's recorded calls through the guard.

import { readFile, stat } from "node:fs/promises";
import { Option, type Command } from "commander";
import { detectFormat, isTrajectoryFormat, parseTrajectory, TRAJECTORY_FORMATS, type ToolCall, type TrajectoryFormat } from "../../../core/action/index.js";
import { riskSummary, type RiskSummary } from "../../../core/risk/index.js";
import type { Change } from "../../../core/reconcile/change.js";
import { ERRORS, GuardError, LIMITS, printable } from "../../../core/shared/index.js";
import type { Observation } from "../../../compose.js";
import { addGateOptions, gateSaysNo, type GateFlags } from "../gate-options.js";
import { onInterrupt } from "../interrupt.js";
import type { Io } from "../io.js";
import type { CliContext } from "../main.js";
import { play, type PlayResult } from "../play.js";
import { createPlayRenderer } from "../render/play.js";
import { closing, opening } from "../render/session.js";
import { addSessionOptions, type SessionFlags } from "../session-options.js";
import { repositoryOf } from "../repository.js";

export interface RunFlags extends SessionFlags, GateFlags {
  readonly trajectory: string;
  readonly format?: string;
  readonly keepGoing?: boolean;
}

export function registerRun(program: Command, context: CliContext): void {
  addGateOptions(addSessionOptions(program.command("run")))
    .description("play an agent's recorded calls through the guard")
    .requiredOption("-t, --trajectory <file>", "recorded calls, one JSON object a line")
    .addOption(new Option("-f, --format <format>", "format of the file (default: seen from it)").choices([...TRAJECTORY_FORMATS]))
    .option("--keep-going", "go on after a line that cannot be read, or an answer whose edit does not fit")
    .addHelpText(
      "after",
      `
Examples:
  ringfence run --workspace ./minimist --trajectory session.kimi-dev.jsonl
  ringfence run -t calls.jsonl --keep-going --json > events.jsonl
  ringfence run -t calls.jsonl --max-aivss 8.9 --fail-on critical

Exit codes: 0 played; 1 the tests did not pass, a line could not be read, an edit did not fit, or a gate said no; 6 policy stopped the session; 75 engine not available.`,
    )
    .action(async (flags: RunFlags, command: Command) => context.exit(await run(flags, "run", context.ioOf(command))));
}

/** Plays a trajectory and prints it. Gives the exit code. */
export async function run(flags: RunFlags, source: "run" | "demo", io: Io): Promise<number> {
  const started = performance.now();
  const { lines, format } = await readTrajectory(flags.trajectory, flags.format);
  const interrupt = onInterrupt(io);
  const root = flags.root ?? "/workspace";
  const renderer = createPlayRenderer(io, root);
  try {
    const { openCliSession } = await import("../open-session.js");
    renderer.waiting("… a sandbox is opened and tested");
    const session = await openCliSession(flags, source, io, interrupt.signal, renderer.onEvent);
    renderer.waiting(null);
    const close = (): Promise<void> => session.close(interrupt.wasInterrupted() ? "cancelled" : "finished");
    interrupt.hurry.addEventListener("abort", () => void session.abandon("stopped at once by the person who started it"));
    const playAll = async (): Promise<{ readonly result: PlayResult; readonly start: RiskSummary }> => {
      const start = io.options.json ? riskSummary(session.risk()) : await opening(session, flags, performance.now() - started, io);
      const repository = repositoryOf(flags.workspace, root);
      const listener = io.options.json ? {} : io.options.quiet ? { onCall: (_call: ToolCall, observation: Observation) => renderer.stopped.add(observation) } : renderer;
      const onChanges = (changes: readonly Change[]): void => repository.note(changes);
      const result = await play(session, parseTrajectory(lines, format, repository), listener, { keepGoing: flags.keepGoing === true, format, signal: interrupt.signal, onChanges });
      return { result, start };
    };
    const ended = await playAll().catch(async (error: unknown) => {
      // The first failure is the one to tell; that the session cannot be closed either follows from it.
      await close().catch(() => undefined);
      throw error;
    });
    renderer.waiting("… the sandbox is closed");
    await close();
    renderer.waiting(null);
    if (interrupt.wasInterrupted()) {
      io.fail("interrupted", `what ran is on record: ringfence show ${session.id}`);
      return 130;
    }
    const { result } = ended;
    if (!io.options.json) await closing(session, { ...ended, renderer, tookMs: performance.now() - started }, io);
    if (result.stoppedAt !== null) io.fail(`stopped at line ${result.stoppedAt} of the trajectory; what was done before stands`, "`--keep-going` goes on after such a line");
    if (result.stopped !== null) io.fail(`${io.paintErr.red("stopped")} ${printable(result.stopped, 400)}`, `why: ringfence score ${session.id} --explain`);
    const isGated = gateSaysNo(flags, riskSummary(session.risk()), io);
    if (result.stopped !== null) return ERRORS.SESSION_STOPPED.exit;
    return isGated || result.tests?.passed === false || result.failsWithoutFix === false || result.unreadable + result.unfit > 0 ? 1 : 0;
  } finally {
    renderer.waiting(null);
    interrupt.release();
  }
}

async function readTrajectory(file: string, wanted: string | undefined): Promise<{ readonly lines: readonly string[]; readonly format: TrajectoryFormat }> {
  const size = await stat(file).catch((cause: unknown) => {
    throw new GuardError("TRAJECTORY_INVALID", `cannot read the trajectory \`${printable(file)}\``, { cause, hint: "give a file of recorded calls with --trajectory" });
  });
  if (!size.isFile()) throw new GuardError("TRAJECTORY_INVALID", `\`${printable(file)}\` is no file`);
  if (size.size > LIMITS.trajectoryBytes) throw new GuardError("TRAJECTORY_INVALID", `the trajectory is larger than ${LIMITS.trajectoryBytes} bytes`);
  const lines = (await readFile(file, "utf8")).split("\n");
  const format = wanted ?? detectFormat(lines);
  if (format === null || !isTrajectoryFormat(format)) throw new GuardError("TRAJECTORY_INVALID", `the format of \`${printable(file)}\` cannot be seen`, { hint: `name it with --format: ${TRAJECTORY_FORMATS.join(" or ")}` });
  return { lines, format };
}
