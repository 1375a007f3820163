// `ringfence process`: the processes of a session that another process runs, as a person looks at them, writes to them and ends them.

import { InvalidArgumentError, Option, type Command } from "commander";
import { GuardError, LIMITS, printable } from "../../../core/shared/index.js";
import { isProcessName, PROCESS_NAMES } from "../../../core/action/index.js";
import type { ProcessState } from "../../../core/session/index.js";
import type { ProcessAnswer, SessionHandle } from "../../../compose-control.js";
import type { CliContext, Exit } from "../main.js";
import type { Io } from "../io.js";
import { recoverFirst } from "../recovered.js";
import { processText } from "../render/lifetimes.js";
import { processNote } from "../render/outcome.js";

interface WaitFlags {
  readonly wait?: number;
  readonly until?: string;
}

interface WriteFlags extends WaitFlags {
  readonly key?: string;
  readonly endInput?: boolean;
}

const SESSION = "session id, a unique beginning of it, or `last`";
const NAME = "name it was opened under";
const KEYS = ["C-c", "C-d", "C-z", "C-\\"];
const LISTS = "`ringfence process list` names them";
const DENIED = 3;
const REJECTED = 4;
/** Most bytes read from standard input for one write. */
const MOST_INPUT = 4 * LIMITS.processInputChars;

export function registerProcess(program: Command, context: CliContext): void {
  const process = program
    .command("process")
    .description("the processes a session handed over (a dev server, a shell): list, read, write to, end")
    .addHelpText(
      "after",
      `
Calls of the tool \`process\` open them; they live on between calls, frozen, until a call closes them, no call has named
them for ${String(LIMITS.processLeaseMs / 60_000)} minutes (their lease), or the session ends. Ending one ends all that it started.

Examples:
  ringfence process list last
  ringfence process read last server --until 'listening' --wait 10
  ringfence process write ses_abc repl -- 'print(1 + 1)'
  ringfence process end last server`,
    );
  process
    .command("list")
    .description("the processes of a session, those that have ended too")
    .argument("<session>", SESSION)
    .addHelpText("after", "\nExamples:\n  ringfence process list last\n  ringfence process list ses_abc --json")
    .action(async (id: string, _flags: object, command: Command) => list(id, context.ioOf(command)));
  waiting(process.command("read").description("let it run for a moment and print what it said since you last looked; what the agent has not read stays there for it"))
    .argument("<session>", SESSION)
    .argument("<name>", NAME)
    .addHelpText("after", "\nOn record as a call of yours.\n\nExit codes: 0 read, 1 no such process or the text of --until did not come, 2 no such session or it has ended, 3 denied, 4 ask rejected, 75 no answer or paused.\n\nExamples:\n  ringfence process read last server\n  ringfence process read last server --until ready --wait 30")
    .action(async (id: string, name: string, flags: WaitFlags, command: Command) => act(id, name, (session) => session.readProcess(name, waitOf(flags)), context.ioOf(command), context.exit));
  waiting(process.command("write").description("write lines to it; each is judged as the agent's own would be"))
    .argument("<session>", SESSION)
    .argument("<name>", NAME)
    .argument("[text...]", "what is written, whole lines, several words with a blank between; `-` reads it from standard input")
    .addOption(new Option("--key <key>", "a key of its terminal instead of text").choices(KEYS))
    .option("--end-input", "its input ends after this")
    .addHelpText("after", "\nPrints what it says to that. On record as a call of yours, with your name.\n\nExit codes: 0 written, 1 no such process, it could not be written or the text of --until did not come, 2 wrong words, no such session or it has ended, 3 denied, 4 ask rejected, 75 no answer or paused.\n\nExamples:\n  ringfence process write last repl -- 'print(1 + 1)'\n  ringfence process write last server --key C-c\n  printf 'one\\ntwo\\n' | ringfence process write last cat - --end-input")
    .action(async (id: string, name: string, words: readonly string[], flags: WriteFlags, command: Command) => {
      const text = words.length === 0 ? undefined : words.join(" ");
      const io = context.ioOf(command);
      const hint = "`ringfence process write --help` has examples";
      if (text === undefined && flags.key === undefined && flags.endInput !== true) throw new GuardError("USAGE_INVALID", "give text, --key or --end-input", { hint });
      if (text !== undefined && flags.key !== undefined) throw new GuardError("USAGE_INVALID", "give text or --key, not both", { hint });
      const written = text === "-" ? await standardInput() : text;
      const input = { ...(written === undefined ? {} : { text: written }), ...(flags.key === undefined ? {} : { key: flags.key }), ...(flags.endInput === true ? { end: true } : {}) };
      return act(id, name, (session) => session.writeProcess(name, input, waitOf(flags)), io, context.exit);
    });
  process
    .command("end")
    .description("end it at once, with everything it started")
    .argument("<session>", SESSION)
    .argument("<name>", NAME)
    .addHelpText("after", "\nNot judged: it is yours to end. On record as process.closed, with your name.\n\nExit codes: 0 ended, 1 none of that name lives, 2 no such session or it has ended, 75 no answer.\n\nExamples:\n  ringfence process end last server")
    .action(async (id: string, name: string, _flags: object, command: Command) => end(id, name, context.ioOf(command), context.exit));
}

function waiting(command: Command): Command {
  return command.option("--wait <seconds>", "longest wait for output, at most 60 (default 1; 10 with --until)", parseWait).option("--until <text>", "stop waiting when the output holds this");
}

function parseWait(text: string): number {
  const seconds = Number(text);
  if (text.trim() === "" || !Number.isFinite(seconds) || seconds < 0 || seconds * 1000 > LIMITS.processWaitMs) throw new InvalidArgumentError(`give seconds from 0 to ${String(LIMITS.processWaitMs / 1000)}`);
  return Math.ceil(seconds * 1000);
}

/** Whoever waits for a text waits for more than a moment. */
function waitOf({ wait, until }: WaitFlags): { readonly waitMs?: number; readonly until?: string } {
  const waitMs = wait ?? (until === undefined ? undefined : 10_000);
  return { ...(waitMs === undefined ? {} : { waitMs }), ...(until === undefined ? {} : { until }) };
}

async function steered<T>(wanted: string, io: Io, work: (session: SessionHandle) => Promise<T>): Promise<T> {
  await recoverFirst(io);
  const { steerSession } = await import("../../../compose-control.js");
  const { userName } = await import("../open-session.js");
  const session = await steerSession(wanted, userName(), io.env);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

async function list(wanted: string, io: Io): Promise<void> {
  await steered(wanted, io, async (session) => {
    const processes = await session.processes();
    if (io.options.json) return processes.forEach((one) => io.json(described(one)));
    if (processes.length === 0) return io.note(`session ${session.id} handed over no process`);
    for (const one of processes) {
      const { name, state, command, opened, terminal } = described(one);
      io.out(`${io.paint.bold(name.padEnd(16))} ${(state === "lives" ? io.paint.green : io.paint.dim)(processText(one.closed).padEnd(18))} ${io.paint.dim(`${opened ?? ""}${terminal ? ", terminal" : ""}`)}  ${command}`);
    }
  });
}

interface Described {
  readonly name: string;
  readonly state: string;
  readonly opened: string | null;
  readonly terminal: boolean;
  readonly leaseSeconds: number;
  readonly command: string;
  readonly closed: ProcessState["closed"];
}

function described({ opened, call, closed }: ProcessState): Described {
  const how = closed === null ? "lives" : closed.reason === "exit" ? `exit ${String(closed.exitCode ?? closed.signal ?? "?")}` : closed.reason;
  return { name: printable(opened.name, 40), state: printable(how, 40), opened: call, terminal: opened.terminal !== null, leaseSeconds: opened.leaseMs / 1000, command: printable(opened.summary, 200), closed };
}

async function act(wanted: string, name: string, work: (session: SessionHandle) => Promise<ProcessAnswer>, io: Io, exit: Exit): Promise<void> {
  await steered(wanted, io, async (session) => {
    // No process can be called that: it is a slip of the person's, and neither judged nor on record.
    if (!isProcessName(name)) {
      exit(1);
      if (io.options.json) return io.json({ session: session.id, name, ok: false, message: PROCESS_NAMES });
      return io.fail(`no process \`${printable(name, 40)}\` in ${session.id}: ${PROCESS_NAMES}`, LISTS);
    }
    const answer = await work(session);
    exit(codeOf(answer));
    if (io.options.json) return io.json({ session: session.id, name, ...answer });
    if (answer.outcome === "denied" || answer.outcome === "rejected") return answer.message.split("\n").slice(0, 20).forEach((line) => io.fail(printable(line, 400)));
    const told = processNote(answer.message);
    // Without a process there is no output of one: what stands there is ours.
    if (told === null && answer.exitCode !== 0) return io.fail(printable(answer.stdout.trim(), 400), LISTS);
    io.command("stdout", new TextEncoder().encode(answer.stdout));
    io.command("stderr", new TextEncoder().encode(answer.stderr));
    if (told !== null) (codeOf(answer) === 0 ? io.note : io.fail)(told);
  });
}

function codeOf({ outcome, exitCode }: ProcessAnswer): number {
  if (outcome === "denied") return DENIED;
  if (outcome === "rejected") return REJECTED;
  return exitCode === 0 ? 0 : 1;
}

async function end(wanted: string, name: string, io: Io, exit: Exit): Promise<void> {
  await steered(wanted, io, async (session) => {
    const ended = await session.endProcess(name);
    if (!ended) exit(1);
    if (io.options.json) return io.json({ session: session.id, name, ended });
    if (ended) io.note(`process ${printable(name, 40)} has ended, with everything it started`);
    else io.fail(`no process \`${printable(name, 40)}\` lives in ${session.id}`, LISTS);
  });
}

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).byteLength;
    if (size > MOST_INPUT) throw new GuardError("USAGE_INVALID", `more than ${String(LIMITS.processInputChars)} characters are written at once`);
  }
  return Buffer.concat(chunks).toString("utf8");
}
