// `ringfence run`: plays an agent's recorded calls through the guard.

import { readFile, stat } from "node:fs/promises";
import { Option, type Command } from "commander";
import { detectFormat, isTrajectoryFormat, parseTrajectory, TRAJECTORY_FORMATS, type TrajectoryFormat } from "../../../core/action/index.js";
import { GuardError, LIMITS, printable } from "../../../core/shared/index.js";
import { onInterrupt } from "../interrupt.js";
import type { Io } from "../io.js";
import type { CliContext } from "../main.js";
import { play, type PlayResult } from "../play.js";
import { createPlayRenderer } from "../render/play.js";
import { closing, opening } from "../render/session.js";
import { addSessionOptions, type SessionFlags } from "../session-options.js";
import { repositoryOf } from "../repository.js";

export interface RunFlags extends SessionFlags {
  readonly trajectory: string;
  readonly format?: string;
  readonly keepGoing?: boolean;
}

export function registerRun(program: Command, context: CliContext): void {
  addSessionOptions(program.command("run"))
    .description("play an agent's recorded calls through the guard")
    .requiredOption("-t, --trajectory <file>", "recorded calls, one JSON object a line")
    .addOption(new Option("-f, --format <format>", "format of the file (default: seen from it)").choices([...TRAJECTORY_FORMATS]))
    .option("--keep-going", "go on after a line that cannot be read")
    .addHelpText(
      "after",
      `
Examples:
  ringfence run --workspace ./minimist --trajectory session.kimi-dev.jsonl
  ringfence run -t calls.jsonl --keep-going --json > events.jsonl

Exit codes: 0 played, 1 the tests did not pass or a line could not be read, 75 engine not available.`,
    )
    .action(async (flags: RunFlags, command: Command) => context.exit(await run(flags, "run", context.ioOf(command))));
}

/** Plays a trajectory and prints it. Gives the exit code. */
export async function run(flags: RunFlags, source: "run" | "demo", io: Io): Promise<number> {
  const { lines, format } = await readTrajectory(flags.trajectory, flags.format);
  const interrupt = onInterrupt(io);
  try {
    const { openCliSession } = await import("../open-session.js");
    const renderer = createPlayRenderer(io);
    const opened = Date.now();
    const session = await openCliSession(flags, source, io, interrupt.signal, renderer.onEvent);
    let result: PlayResult;
    try {
      interrupt.hurry.addEventListener("abort", () => void session.close("cancelled").catch(() => undefined));
      if (!io.options.json) await opening(session, flags, Date.now() - opened, io);
      const silent = { onCall: () => undefined, onHarness: () => undefined, onUnreadable: () => undefined };
      const repository = repositoryOf(flags.workspace, flags.root ?? "/workspace");
      result = await play(session, parseTrajectory(lines, format, repository), io.options.json ? silent : renderer, { keepGoing: flags.keepGoing === true, format, signal: interrupt.signal, onChanges: repository.note });
    } finally {
      await session.close(interrupt.wasInterrupted() ? "cancelled" : "finished");
    }
    if (interrupt.wasInterrupted()) {
      io.fail("interrupted", `what ran is on record: ringfence show ${session.id}`);
      return 130;
    }
    if (!io.options.json) await closing(session, result, io);
    return result.passed === false || result.failsWithoutFix === false || result.unreadable > 0 ? 1 : 0;
  } finally {
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
