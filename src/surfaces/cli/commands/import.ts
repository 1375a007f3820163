// `ringfence import`: sessions of other tools become sessions on record, each call judged. Nothing is run.

import { Option, type Command } from "commander";
import { GuardError, count, printable } from "../../../core/shared/index.js";
import { IMPORT_FORMATS, type ImportFormat } from "../../../core/import/form.js";
import type { ImportOutcome } from "../../../compose-import.js";
import type { CliContext } from "../main.js";
import type { Io } from "../io.js";
import { onInterrupt } from "../interrupt.js";
import { collect } from "../session-options.js";

interface ImportFlags {
  readonly policy: readonly string[];
  readonly format?: ImportFormat;
  readonly root?: string;
  readonly role?: string;
  readonly containment: "attested" | "none";
  readonly html?: string;
}

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
  const { tell, total } = await import("../render/imported.js");
  const interrupt = onInterrupt(io);
  const outcomes = await importTrajectories({ paths, env: io.env, policies: policy, containment, startedBy: "import", signal: interrupt.signal, ...optional, onOutcome: (outcome) => tell(outcome, io) }).finally(() => interrupt.release());
  const done = outcomes.filter((outcome) => outcome.ok);
  if (outcomes.length > 1 && !io.options.json) total(outcomes, io);
  if (done.length === 0) throw new GuardError("TRAJECTORY_INVALID", "nothing was imported", { hint: "`ringfence import --help` names the formats" });
  if (flags.html !== undefined) await page(done, flags.html, io);
  return 0;
}

async function page(done: readonly Extract<ImportOutcome, { ok: true }>[], file: string, io: Io): Promise<void> {
  const [only, second] = done;
  if (only === undefined || second !== undefined) throw new GuardError("USAGE_INVALID", `${done.length} sessions were imported, and --html takes one`, { hint: "`ringfence replay view SESSION --html FILE` writes each" });
  const { writeSessionPage } = await import("../../../compose-replay.js");
  const written = await writeSessionPage(only.session.session, file, io.env);
  io.note(`wrote ${printable(file, 300)}, ${count(written.bytes, "byte")}`);
}
