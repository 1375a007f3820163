// `ringfence import`: sessions of other tools become sessions on record, each call judged. Nothing is run.

import { Option, type Command } from "commander";
import { GuardError, printable } from "../../../core/shared/index.js";
import { IMPORT_FORMATS, type ImportFormat, type Skipped } from "../../../core/import/form.js";
import type { ImportOutcome } from "../../../compose-import.js";
import type { CliContext } from "../main.js";
import type { Io } from "../io.js";
import { riskSummary } from "../../../core/risk/index.js";
import { collect } from "../session-options.js";
import { count } from "../render/text.js";

interface ImportFlags {
  readonly policy: readonly string[];
  readonly format?: ImportFormat;
  readonly root?: string;
  readonly role?: string;
  readonly containment: "attested" | "none";
  readonly html?: string;
}

const SHOWN = 5;

export function registerImport(program: Command, context: CliContext): void {
  program
    .command("import")
    .description("put sessions of other tools on record and judge every call of them; nothing is run")
    .argument("<file...>", "trajectory files, or folders of them")
    .option("-p, --policy <file>", "policy file, in place of the built-in kimi-dev profile (may be repeated)", collect, [])
    .addOption(new Option("--format <format>", "format of the files (default: detected)").choices([...IMPORT_FORMATS]))
    .option("--root <path>", "the folder the agent worked in, where the file does not tell")
    .option("--role <role>", "role the calls are judged under: bugfixer, testwriter")
    .addOption(new Option("--containment <state>", "judge as in a tested container, or as with nothing that holds the calls").choices(["attested", "none"]).default("attested"))
    .option("--html <file>", "write the session as one page for a browser, too (of one session)")
    .addHelpText(
      "after",
      `
Formats: SWE-agent .traj, mini-swe-agent, OpenHands events, ATIF, Claude Code, Codex and Gemini CLI sessions, Kimi Code wire.jsonl,
lists of chat messages. What is in the file is claimed by it: the session says so, and is never taken for one that was witnessed.

Exit codes: 0 imported, 2 not a trajectory.

Examples:
  ringfence import run.traj                      one session; then: show, score, log verify, replay
  ringfence import run.traj --html run.html      a stranger's run as a page with verdicts, in one command
  ringfence import ~/.claude/projects/my-app     every session below a folder
  ringfence import trajs/ --policy team.policy.yaml --json`,
    )
    .action(async (paths: readonly string[], flags: ImportFlags, command: Command) => context.exit(await run(paths, flags, context.ioOf(command))));
}

async function run(paths: readonly string[], flags: ImportFlags, io: Io): Promise<number> {
  const { importTrajectories } = await import("../../../compose-import.js");
  const { policy, format, root, role, containment } = flags;
  if (root !== undefined && !root.startsWith("/")) throw new GuardError("USAGE_INVALID", "--root must be an absolute path");
  const optional = { ...(format === undefined ? {} : { format }), ...(root === undefined ? {} : { root }), ...(role === undefined ? {} : { role }) };
  const outcomes = await importTrajectories({ paths, env: io.env, policies: policy, containment, startedBy: "import", ...optional, onOutcome: (outcome) => tell(outcome, io) });
  const done = outcomes.filter((outcome) => outcome.ok);
  if (outcomes.length > 1 && !io.options.json) total(outcomes, io);
  if (done.length === 0) throw new GuardError("TRAJECTORY_INVALID", "nothing was imported", { hint: "`ringfence import --help` names the formats" });
  if (flags.html !== undefined) await page(done, flags.html, io);
  return 0;
}

async function page(done: readonly Extract<ImportOutcome, { ok: true }>[], file: string, io: Io): Promise<void> {
  const [only, second] = done;
  if (only === undefined || second !== undefined) throw new GuardError("USAGE_INVALID", `${count(done.length, "session")} imported, and --html takes one`, { hint: "`ringfence replay view SESSION --html FILE` writes each" });
  const { writeSessionPage } = await import("../../../compose-replay.js");
  const written = await writeSessionPage(only.session.session, file, io.env);
  io.note(`wrote ${printable(file, 300)}, ${written.bytes} bytes`);
}

function tell(outcome: ImportOutcome, io: Io): void {
  if (io.options.json) return io.json(jsonOf(outcome));
  if (!outcome.ok) return io.note(`left out ${printable(outcome.file, 300)}: ${outcome.problem}`);
  const { session, trajectory, file } = outcome;
  const { tally } = trajectory;
  const { paint } = io;
  const version = trajectory.version === null ? "" : ` ${printable(trajectory.version, 60)}`;
  const { live } = riskSummary(session.score);
  io.out(`${paint.bold(session.session)}  ${trajectory.format}${version}  ${verdicts(session.decided, io)}  AIVSS ${live.score} ${live.band}  ${paint.dim(printable(file, 300))}`);
  if (io.options.quiet) return;
  const kinds = Object.entries(tally.kinds).filter(([, number]) => number > 0).map(([kind, number]) => `${number} ${kind}`);
  const skipped = tally.skipped.reduce((sum, one) => sum + one.count, 0);
  io.out(`  ${count(tally.records, "record")}: ${[...kinds, `${skipped} skipped`].join(", ")}; ${count(tally.calls, "call")}${tally.unanswered === 0 ? "" : `, ${tally.unanswered} without a result`}`);
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
  return list.length > SHOWN ? [...lines, `and ${list.length - SHOWN} more reasons; \`show --json\` has them all`] : lines;
}

function total(outcomes: readonly ImportOutcome[], io: Io): void {
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
