// `ringfence exec`: one guarded command in a session of its own.

import { constants } from "node:os";
import type { Command } from "commander";
import type { JsonObject } from "../../../core/shared/index.js";
import { ERRORS, GuardError, count, printable } from "../../../core/shared/index.js";
import type { AuditEvent } from "../../../core/session/index.js";
import type { CallHooks } from "../../../engine/hooks.js";
import type { Observation } from "../../../engine/observation.js";
import type { CliContext } from "../main.js";
import { riskSummary } from "../../../core/risk/index.js";
import { addGateOptions, gateSaysNo, type GateFlags } from "../gate-options.js";
import { onInterrupt } from "../interrupt.js";
import { looksLikeText } from "../one-word.js";
import type { Io } from "../io.js";
import { addSessionOptions, type SessionFlags } from "../session-options.js";
import { tellOutcome } from "../render/outcome.js";

const TIMED_OUT = 124;
const OUR_FAULT = 125;
const REFUSED = 126;
const NOT_FOUND = 127;
const INTERRUPTED = 130;

interface ExecFlags extends SessionFlags, GateFlags {
  readonly shell?: string;
}

export function registerExec(program: Command, context: CliContext): void {
  addGateOptions(addSessionOptions(program.command("exec")))
    .description("run one command, guarded: judged, in a disposable container, on a copy of the folder")
    .option("--shell <text>", "shell text to run with bash, instead of words")
    .argument("[command...]", "the command's words, after --")
    .passThroughOptions()
    .addHelpText(
      "after",
      `
The changes stay in the session: see \`ringfence diff\`, then \`apply\` or \`discard\`.

Examples:
  ringfence exec -- npm test
  ringfence exec --workspace ../other --timeout 60 -- python3 -m pytest -q
  ringfence exec --role bugfixer --shell 'sed -i s/a/b/ src/x.js && npm test'

Exit code: the command's own; 124 time-out, 125 our fault, 126 denied, rejected or stopped by policy; 1 when it would be 0 and a gate said no.`,
    )
    .action(async (words: readonly string[], flags: ExecFlags, command: Command) => {
      const io = context.ioOf(command);
      const call = toolCall(words, flags);
      context.exit(await exec(call, words, flags, io));
    });
}

function toolCall(words: readonly string[], flags: ExecFlags): { readonly tool: string; readonly arguments: JsonObject } {
  if (flags.shell !== undefined) {
    if (words.length > 0) throw new GuardError("USAGE_INVALID", "give either --shell or words after --, not both");
    return { tool: "bash", arguments: { command: flags.shell } };
  }
  if (words.length === 0) throw new GuardError("USAGE_INVALID", "no command given", { hint: "`ringfence exec -- npm test`, for example" });
  return { tool: "exec", arguments: { argv: [...words] } };
}

async function exec(call: ReturnType<typeof toolCall>, words: readonly string[], flags: ExecFlags, io: Io): Promise<number> {
  const interrupt = onInterrupt(io);
  const output = passOn(io);
  let opened: string | null = null;
  try {
    const { openCliSession } = await import("../open-session.js");
    const session = await openCliSession(flags, "exec", io, interrupt.signal, output.onEvent);
    opened = session.id;
    const close = (): Promise<void> => session.close(interrupt.wasInterrupted() ? "cancelled" : "finished");
    interrupt.hurry.addEventListener("abort", () => void session.abandon("stopped at once by the person who started it"));
    const observation = await session.call({ id: "1", role: null, ...call }, output.hooks, interrupt.signal).catch(async (error: unknown) => {
      // The first failure is the one to tell; that the session cannot be closed either follows from it.
      await close().catch(() => undefined);
      throw error;
    });
    await close();
    if (!io.options.json) {
      for (const line of output.missing()) io.fail(line);
      summarise(observation, session.id, io);
      if (observation.exitCode === NOT_FOUND && flags.shell === undefined && looksLikeText(words)) io.note("one word is the name of a program; for shell text: ringfence exec --shell '…'");
    }
    const stopped = session.stopped();
    if (stopped !== null) {
      io.fail(`${io.paintErr.red("stopped")} ${printable(stopped, 400)}`, `why: ringfence score ${session.id} --explain`);
      return REFUSED;
    }
    const code = exitCode(observation);
    // A command's own failure says more than the gate.
    return gateSaysNo(flags, riskSummary(session.risk()), io) && code === 0 ? 1 : code;
  } catch (error) {
    if (interrupt.wasInterrupted()) {
      io.fail("interrupted", opened === null ? "nothing ran" : `what ran is on record: ringfence show ${opened}`);
      return INTERRUPTED;
    }
    return fault(error, output.started() ? opened : null, io);
  } finally {
    interrupt.release();
  }
}

interface Passing {
  readonly hooks: CallHooks;
  readonly onEvent: (event: AuditEvent) => void;
  /** Was the command on record as started. */
  readonly started: () => boolean;
  /** What did not come of its output, in words. */
  readonly missing: () => readonly string[];
}

/** Output as it comes, and what became of the command. */
function passOn(io: Io): Passing {
  let started = false;
  const passed = { stdout: 0, stderr: 0 };
  const made = { stdout: 0, stderr: 0 };
  const take = (stream: "stdout" | "stderr") => (chunk: Uint8Array) => {
    passed[stream] += chunk.byteLength;
    io.command(stream, chunk);
  };
  return {
    hooks: io.options.json ? {} : { output: { stdout: take("stdout"), stderr: take("stderr") } },
    started: () => started,
    onEvent: (event) => {
      started ||= event.type === "execution.started";
      if (event.type !== "execution.finished") return;
      made.stdout = event.data.stdout.bytes;
      made.stderr = event.data.stderr.bytes;
    },
    missing: () => (["stdout", "stderr"] as const).filter((stream) => made[stream] > passed[stream]).map((stream) => `${stream} is cut: ${passed[stream]} of ${count(made[stream], "byte")} passed on`),
  };
}

/** @param started the session in which the command had started; null when nothing ran, and the plain codes tell more than 125 */
function fault(error: unknown, started: string | null, io: Io): number {
  if (!(error instanceof GuardError)) throw error;
  if (started === null) {
    io.fail(error.message, error.hint);
    return ERRORS[error.code].exit;
  }
  io.fail(error.message, `the command had started, and what it did is in doubt: ringfence show ${started}`);
  return OUR_FAULT;
}

function summarise(observation: Observation, session: string, io: Io): void {
  tellOutcome(observation, io);
  const changed = observation.changes.length === 0 ? "no file changed" : `${count(observation.changes.length, "file")} changed; see \`ringfence diff ${session}\``;
  io.note(`session ${session}: ${changed}`);
}

function exitCode(observation: Observation): number {
  if (observation.outcome === "denied" || observation.outcome === "rejected") return REFUSED;
  if (observation.ended === "refused") return REFUSED;
  if (observation.ended === "timeout") return TIMED_OUT;
  if (observation.ended === "cancelled") return INTERRUPTED;
  if (observation.signal !== null) return 128 + (constants.signals[observation.signal as NodeJS.Signals] ?? 0);
  return observation.exitCode ?? OUR_FAULT;
}
