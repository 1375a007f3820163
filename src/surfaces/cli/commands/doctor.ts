// `ringfence doctor`: what is there, what is missing or lost, and the mend.

import type { Command } from "commander";
import { ERRORS } from "../../../core/shared/index.js";
import type { CliContext } from "../main.js";
import type { Io } from "../io.js";
import type { Recovered } from "../../../engine/recover.js";
import { recoverFirst, tellRecovered } from "../recovered.js";

export function registerDoctor(program: Command, context: CliContext): void {
  program
    .command("doctor")
    .description("check the installation: engine, images, runtime, state; say what is missing or lost and how to mend it")
    .option("--stop-engine", "end an engine that set-up started")
    .addHelpText("after", "\nExit codes: 0 ready (or the engine was stopped), 1 the engine is not ours to stop, 75 something needed is missing.\n\nExamples:\n  ringfence doctor\n  ringfence doctor --json\n  ringfence doctor --stop-engine")
    .action(async (flags: { readonly stopEngine?: boolean }, command: Command) => {
      const io = context.ioOf(command);
      context.exit(flags.stopEngine === true ? await stop(io) : await look(io));
    });
}

async function look(io: Io): Promise<number> {
  const { checkUp } = await import("../../../compose-doctor.js");
  const closed: Recovered[] = [];
  const tell = tellRecovered(io);
  const removed = await recoverFirst(io, (recovered) => {
    tell(recovered);
    if (recovered.apply === undefined) closed.push(recovered);
  });
  const parts = await checkUp(io.env, { ...removed, closed });
  const missing = parts.some((part) => part.state === "missing");
  if (io.options.json) io.json({ ready: !missing, parts });
  else {
    const { paint } = io;
    const marks = { ok: paint.green("ok     "), note: paint.dim("note   "), lost: paint.yellow("lost   "), missing: paint.red("missing") };
    for (const part of parts) {
      io.out(`${marks[part.state]}  ${paint.bold(part.id.padEnd(17))} ${part.detail}`);
      if (part.mend !== null) io.out(`${" ".repeat(27)}${paint.dim(part.mend)}`);
    }
    io.out("");
    io.out(missing ? paint.red("Not ready.") : paint.green("Ready."));
  }
  return missing ? ERRORS.ENGINE_UNAVAILABLE.exit : 0;
}

async function stop(io: Io): Promise<number> {
  const { stopOwnEngine } = await import("../../../compose-doctor.js");
  const result = await stopOwnEngine(io.env);
  if (io.options.json) io.json({ engine: result });
  else io.note(TEXT[result]);
  return result === "not-ours" ? 1 : 0;
}

const TEXT = {
  stopped: "the engine that set-up started was stopped",
  "not-ours": "an engine runs, but set-up did not start it; it was left alone",
  "not-running": "no engine runs",
} as const;
