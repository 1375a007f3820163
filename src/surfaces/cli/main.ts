// The command line: parses words, calls the library, renders what comes back. Decides nothing itself.

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { GuardError, ERRORS, printable } from "../../core/shared/index.js";
import { GROUPS, registersFor } from "./command-modules.js";
import { createIo, type GlobalOptions, type Io } from "./io.js";
import { installedVersion } from "../../compose-policy.js";

/** Sets the exit code without ending the process, so that output is flushed. */
export type Exit = (code: number) => void;

/** Builds the program as far as the words need it; `io` is made per command from the global options. */
export async function buildProgram(words: readonly string[], exit: Exit): Promise<Command> {
  const program = new Command("ringfence")
    .description("Runs what a coding agent does in a disposable container: judged before, recorded throughout, reviewed after.")
    .version(installedVersion(), "-V, --version", "print the version")
    .showSuggestionAfterError(true)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(usageError(text)) })
    .addHelpText(
      "after",
      `
Examples:
  ringfence exec -- npm test                 run one command, guarded, on a copy of this folder
  ringfence exec --shell 'make && ./run.sh'  the same for shell text
  ringfence policy check -- rm -rf /         judge without running
  ringfence sessions                         what ran
  ringfence diff ses_…                       what it changed
  ringfence apply ses_…                      take the changes over
  ringfence log verify ses_…                 prove the record

Exit codes: 0 ok, 1 finding, 2 usage, 3 denied, 4 ask rejected, 5 log invalid, 6 policy stopped the session, 65 policy invalid, 70 our fault, 75 engine not available.
For exec: the command's own code; 124 time-out, 125 our fault, 126 denied, rejected or stopped by policy.`,
    );
  const ioOf = (command: Command): Io => createIo(globalsOf(command));
  const context = { ioOf, exit };
  for (const register of await registersFor(words)) register(program, context);
  for (const [heading, names] of Object.entries(GROUPS)) for (const command of program.commands) if (names.includes(command.name())) command.helpGroup(heading);
  addGlobals(program);
  return program;
}

/** The parser's complaint as one line; what the caller typed is in it. */
function usageError(text: string): string {
  const [what = "", ...more] = text.replace(/^error: /u, "").trimEnd().split(/\n(?=\(Did you mean )/u);
  return `ringfence: ${[what, ...more].map((part) => printable(part, 500)).join(" ")} (${ERRORS.USAGE_INVALID.hint})\n`;
}

/** The options of every command, taken before its name and after it. */
function addGlobals(command: Command): void {
  command
    .option("--json", "print JSON instead of text")
    .option("-q, --quiet", "print results and failures only")
    .addOption(new Option("--no-color", "never use colour (also: NO_COLOR)"));
  // Help would show an empty list as `[]`.
  for (const option of command.options) if (Array.isArray(option.defaultValue) && option.defaultValue.length === 0) option.default([], "none");
  for (const sub of command.commands) addGlobals(sub);
}

/** Given anywhere in the chain of commands counts. */
function globalsOf(command: Command): GlobalOptions {
  const chain: Command[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) chain.push(at);
  const all = chain.map((one) => one.opts<{ json?: boolean; quiet?: boolean; color?: boolean }>());
  return { json: all.some((one) => one.json === true), quiet: all.some((one) => one.quiet === true), color: all.every((one) => one.color !== false) };
}

/** What each command needs of the program. */
export interface CliContext {
  readonly ioOf: (command: Command) => Io;
  readonly exit: Exit;
}

/** Parses `argv` and runs. Resolves when the command is done; the exit code is in `process.exitCode`. */
export async function main(argv: readonly string[]): Promise<void> {
  const exit: Exit = (code) => {
    process.exitCode = code;
  };
  process.stdout.on("error", ignoreBrokenPipe);
  process.stderr.on("error", ignoreBrokenPipe);
  try {
    const program = await buildProgram(argv.slice(2), exit);
    await program.parseAsync([...argv]);
  } catch (error) {
    exit(report(error, createIo({ json: false, quiet: argv.includes("--quiet"), color: !argv.includes("--no-color") })));
  }
}

/** Prints a failure as one line with a hint and gives the exit code. */
export function report(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof InvalidArgumentError) {
    io.fail(printable(error.message));
    return 2;
  }
  if (error instanceof GuardError) {
    io.fail(error.message, error.hint);
    return ERRORS[error.code].exit;
  }
  const message = error instanceof Error ? error.message : String(error);
  io.fail(`internal error: ${printable(message, 500)}`, ERRORS.INTERNAL_BUG.hint);
  if (process.env["RINGFENCE_DEBUG"] !== undefined && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
  return ERRORS.INTERNAL_BUG.exit;
}

function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}
