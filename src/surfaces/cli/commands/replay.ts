// `ringfence replay`: recorded sessions judged again and looked at. Nothing is run.

import { Option, type Command } from "commander";
import { ERRORS, GuardError, printable } from "../../../core/shared/index.js";
import type { RedecideAnswer } from "../../../compose-redecide.js";
import type { CliContext } from "../main.js";
import type { Io } from "../io.js";
import { noteBundle, SESSION_OR_BUNDLE } from "../named-session.js";
import { columnsOf } from "../render/layout.js";
import { collect, parseCount, parseImage } from "../session-options.js";
import type { RerunFlags } from "../rerun.js";
import type { ViewFlags } from "../replay-view.js";

const FAIL_ON = ["change", "stricter", "looser", "unknown", "never"] as const;

interface RedecideFlags {
  readonly policy: readonly string[];
  readonly baseline: readonly string[];
  readonly all?: boolean;
  readonly limit: number;
  readonly failOn: (typeof FAIL_ON)[number];
}

export function registerReplay(program: Command, context: CliContext): void {
  const replay = program.command("replay").description("look at recorded sessions again, judge them under another policy, or run them again");
  replay
    .command("view")
    .description("step through a session: each call with its decision, its end, its output and the score")
    .argument("<session>", SESSION_OR_BUNDLE)
    .option("--step <number>", "begin at this call; without a terminal: print this one alone", parseCount)
    .option("--find <text>", "only calls with these words: in commands, rules, threats, paths, arguments")
    .option("--findings", "only calls that were refused or asked, or have findings")
    .option("--diff", "show what each call changed, line by line")
    .option("--workspace", "show all that differed from the folder once the call had ended")
    .option("--html <file>", "write one page for a browser instead: it needs nothing else and loads nothing")
    .addHelpText(
      "after",
      `
On a terminal: j k or arrows step, space and b page, n N next and previous finding, / search, o output, d what it changed,
w the workspace after it, g G first and last, q quit.
Without one, everything is printed.

Examples:
  ringfence replay view last
  ringfence replay view last --findings | less
  ringfence replay view last --html report.html
  ringfence replay view evidence.bundle.tar`,
    )
    .action(async (session: string, flags: ViewFlags, command: Command) => (await import("../replay-view.js")).showView(session, flags, context.ioOf(command)));
  replay
    .command("run")
    .description("run a session again in a fresh container of the same image, and hold each call against its record")
    .argument("<session>", SESSION_OR_BUNDLE)
    .option("--until <step>", "stop after this call", parseCount)
    .option("--keep-going", "go on after a call that differs")
    .option("-w, --workspace <dir>", "a folder that holds what the recorded one held, in place of the one that was kept")
    .option("--image <reference>", "run on another image (base, kimi-dev, python, node, or any the engine has); that it is another one is a difference", parseImage)
    .option("-p, --policy <file>", "judge under another policy; that it is another one is a difference (may be repeated)", collect, [])
    .addHelpText(
      "after",
      `
Compared, in this order: decision with its rules, end of the command, output, files changed. What may differ in an output (times, durations,
process numbers, temporary names) is listed in docs/replay.md. Questions are answered as they were answered then. Nobody's folder is changed.

Exit codes: 0 no call differs, 1 a call differs or could not be told, 2 it cannot be run again, 5 log invalid, 75 engine not available.

Examples:
  ringfence replay run last
  ringfence replay run ses_abc --until 40
  ringfence replay run last --image my/image:2 --keep-going --json`,
    )
    .action(async (session: string, flags: RerunFlags, command: Command) => context.exit(await (await import("../rerun.js")).runRerun(session, flags, context.ioOf(command))));
  replay
    .command("redecide")
    .description("judge recorded sessions under another policy: what it would refuse, ask or let through")
    .argument("[session...]", "session ids, unique beginnings of them, `last`, or bundle files")
    .option("-a, --all", "every session on record")
    .option("-p, --policy <file>", "the policy to judge with (default: the built-in kimi-dev profile; may be repeated)", collect, [])
    .option("-b, --baseline <file>", "compare with this policy in place of the recorded decisions (may be repeated)", collect, [])
    .option("-n, --limit <count>", "most changed calls listed", parseCount, 40)
    .addOption(new Option("--fail-on <what>", "what makes the exit code 1").choices([...FAIL_ON]).default("change"))
    .addHelpText(
      "after",
      `
A call whose text is not wholly on record (a secret taken out, a script that was not read) is never counted as allowed: it is unknown.

Exit codes: 0 every decision is the same, 1 at least one is another (see --fail-on), 5 log invalid (of all or of one that was left out), 65 policy invalid.

Examples:
  ringfence replay redecide last --policy new.policy.yaml
  ringfence replay redecide --all --policy new.policy.yaml --baseline old.policy.yaml
  ringfence replay redecide --all --policy new.policy.yaml --fail-on stricter --json`,
    )
    .action(async (sessions: readonly string[], flags: RedecideFlags, command: Command) => context.exit(await runRedecide(sessions, flags, context.ioOf(command))));
}

async function runRedecide(sessions: readonly string[], flags: RedecideFlags, io: Io): Promise<number> {
  if ((sessions.length === 0) !== (flags.all === true)) throw new GuardError("USAGE_INVALID", "name sessions, or give --all");
  for (const one of sessions) await noteBundle(one, io);
  const { redecideSessions } = await import("../../../compose-redecide.js");
  const answer = await redecideSessions({ sessions, all: flags.all === true, policies: flags.policy, baseline: flags.baseline, env: io.env });
  const { redecideLines } = await import("../render/redecide.js");
  if (io.options.json) io.json(jsonOf(answer, flags));
  else for (const line of redecideLines(answer, { policy: nameOf(flags.policy), baseline: flags.baseline.length === 0 ? null : nameOf(flags.baseline), limit: io.options.quiet ? 0 : flags.limit, width: columnsOf(process.stdout) }, io.paint)) io.out(line);
  return exitOf(answer, flags.failOn);
}

function nameOf(files: readonly string[]): string {
  return files.length === 0 ? "kimi-dev" : files.map((file) => printable(file)).join(" + ");
}

/** A record that does not hold is no record of which every decision is the same. */
function exitOf({ summary, left }: RedecideAnswer, failOn: RedecideFlags["failOn"]): number {
  const { stricter, looser, unknown } = summary;
  const count = { change: stricter + looser, stricter, looser, unknown, never: 0 }[failOn];
  if (count > 0) return 1;
  return left.some(({ code }) => code === "LEDGER_INVALID") ? ERRORS.LEDGER_INVALID.exit : 0;
}

function jsonOf({ summary, policy, baseline, left }: RedecideAnswer, flags: RedecideFlags): unknown {
  return { policy: { files: flags.policy, digest: policy.digest }, baseline: baseline === null ? null : { files: flags.baseline, digest: baseline.digest }, ...summary, left };
}
