// `ringfence sessions search` and `sessions prune`: many sessions at once.

import { InvalidArgumentError, Option, type Command } from "commander";
import { SESSION_STATUSES, type SessionQuery } from "../../../core/session/index.js";
import { GuardError, count, printable } from "../../../core/shared/index.js";
import type { FoundSession } from "../../../compose-sessions.js";
import { onInterrupt } from "../interrupt.js";
import type { Io } from "../io.js";
import type { CliContext } from "../main.js";
import { recoverFirst } from "../recovered.js";
import { parseCount } from "../session-options.js";

interface SearchFlags extends Omit<SessionQuery, "words"> {
  readonly limit: number;
  readonly rebuild?: boolean;
}

interface PruneFlags {
  readonly olderThan?: number;
  readonly keep?: number;
  readonly withChanges?: boolean;
  readonly dryRun?: boolean;
}

export function registerStore(sessions: Command, context: CliContext): void {
  sessions
    .command("search")
    .description("sessions by what is in them: words, commands, paths, rules, threats, score")
    .argument("[word...]", "words that must all be found somewhere")
    .option("--command <text>", "a call with this text")
    .option("--path <text>", "a changed file, or one that a rule named")
    .option("--rule <text>", "a rule that refused, asked or found something")
    .option("--threat <text>", "a threat of such a rule: maestro:L7/agent-tool-misuse, ASI02")
    .option("--workspace <text>", "the user's folder")
    .addOption(new Option("--status <word>", "how it stands").choices(SESSION_STATUSES))
    .option("--min-score <score>", "AIVSS of at least", parseScore)
    .option("--max-score <score>", "AIVSS of at most", parseScore)
    .option("--since <date>", "opened on or after: 2026-11-01, 2026-11-01T12:00", parseDate)
    .option("--before <date>", "opened before", parseDate)
    .option("-n, --limit <count>", "most sessions listed", parseCount, 20)
    .option("--rebuild", "make the index anew first")
    .addHelpText(
      "after",
      `
Texts are found anywhere, whatever their case. The index is made of the records and brought up to date first; what is shown was read from
the records. A session whose record does not verify is named and never found.

Exit codes: 0 something was found, 1 nothing was, 75 another command has the index.

Examples:
  ringfence sessions search curl
  ringfence sessions search --rule L3.delete-outside --since 2026-11-01
  ringfence sessions search --threat ASI02 --min-score 8 --json`,
    )
    .action(async (words: readonly string[], _flags: SearchFlags, command: Command) => context.exit(await search(words, command.opts<SearchFlags>(), context.ioOf(command))));
  sessions
    .command("prune")
    .description("remove old sessions for good; of each a signed receipt and its signed head stay")
    .option("--older-than <age>", "opened longer ago than: 90d, 12h", parseAge)
    .option("--keep <count>", "so many of the newest stay whatever their age", parseCount)
    .option("--with-changes", "also those with changes that were neither applied nor discarded")
    .option("--dry-run", "tell what would go, and remove nothing")
    .addHelpText(
      "after",
      `
Never removed: a session that is open or in use, and one whose record does not verify. \`log verify\` of a removed session shows its receipt.

Examples:
  ringfence sessions prune --older-than 90d --dry-run
  ringfence sessions prune --older-than 90d --keep 100`,
    )
    .action(async (flags: PruneFlags, command: Command) => prune(flags, context.ioOf(command)));
}

async function search(words: readonly string[], { limit, rebuild, ...query }: SearchFlags, io: Io): Promise<number> {
  await recoverFirst(io);
  const { searchSessions } = await import("../../../compose-sessions.js");
  const interrupt = onInterrupt(io);
  try {
    const { found, more, index, invalid, refuted } = await searchSessions({ query: { ...query, ...(words.length === 0 ? {} : { words }) }, limit, rebuild: rebuild === true, env: io.env, signal: interrupt.signal });
    if (io.options.json) for (const one of found) io.json(one);
    else for (const one of found) for (const line of foundLines(one, io)) io.out(line);
    if (more > 0) io.note(`${more} more may fit; --limit shows them`);
    if (refuted.length > 0) io.fail(`${count(refuted.length, "session")} named by the index and not by the record: ${refuted.slice(0, 5).join(", ")}`, "--rebuild makes the index anew");
    if (invalid.length > 0) io.fail(`${count(invalid.length, "session")} left out, whose record does not verify: ${invalid.slice(0, 5).map(({ id }) => id).join(", ")}`, "`ringfence log verify ID` tells why");
    if (found.length === 0) io.note(`none of ${count(index.sessions, "session")} fits`);
    return found.length === 0 ? 1 : 0;
  } finally {
    interrupt.release();
  }
}

function foundLines({ id, openedAt, status, calls, refused, score, workspace, matched }: FoundSession, { paint }: Io): readonly string[] {
  const parts = [count(calls, "call"), refused === 0 ? "" : paint.red(`${refused} refused`), score === null ? "" : `AIVSS ${score}`].filter((part) => part !== "");
  const shown = matched.slice(0, 3).map(({ number, command, effect }) => `    ${paint.dim(String(number).padStart(4))} ${effect === null || effect === "allow" ? "" : `${paint.red(effect)} `}${printable(command.split("\n", 1)[0] ?? "", 140)}`);
  return [`${paint.bold(id)}  ${openedAt.slice(0, 19).replace("T", " ")}  ${status.padEnd(10)} ${parts.join(", ")}  ${paint.dim(printable(workspace))}`, ...shown, ...(matched.length > 3 ? [paint.dim(`         and ${matched.length - 3} more`)] : [])];
}

async function prune({ olderThan, keep, withChanges, dryRun }: PruneFlags, io: Io): Promise<void> {
  if (olderThan === undefined && keep === undefined) throw new GuardError("USAGE_INVALID", "say which: --older-than, --keep, or both");
  await recoverFirst(io);
  const { pruneSessions } = await import("../../../compose-sessions.js");
  const { userName } = await import("../open-session.js");
  const before = olderThan === undefined ? null : new Date(Date.now() - olderThan).toISOString();
  const verb = dryRun === true ? "would go" : "removed";
  const { pruned, kept } = await pruneSessions({
    before,
    keep: keep ?? 0,
    withChanges: withChanges === true,
    dryRun: dryRun === true,
    by: userName(),
    env: io.env,
    onPruned: (one) => (io.options.json ? io.json({ ...one, pruned: dryRun !== true }) : io.out(`${verb}  ${one.id}  ${one.openedAt.slice(0, 19).replace("T", " ")}  ${count(one.bytes, "byte")} of record`)),
  });
  if (io.options.json) for (const one of kept) io.json({ ...one, pruned: false });
  else for (const { id, why } of kept) io.out(`kept     ${id}  ${printable(why, 200)}`);
  io.note(`${count(pruned.length, "session")} ${verb}${kept.length === 0 ? "" : `, ${kept.length} kept all the same`}`);
}

function parseScore(text: string): number {
  if (!/^(?:10(?:\.0+)?|\d(?:\.\d{1,6})?)$/u.test(text)) throw new InvalidArgumentError("give a score between 0 and 10");
  return Number(text);
}

function parseDate(text: string): string {
  if (!/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{3})?)?)?Z?$/u.test(text) || Number.isNaN(Date.parse(text))) throw new InvalidArgumentError("give a date: 2026-11-01, 2026-11-01T12:00 (UTC)");
  return text.replace(/Z$/u, "");
}

/** An age in milliseconds. */
function parseAge(text: string): number {
  const [, number, unit] = /^(\d{1,6})([dhm])$/u.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError("give an age: 90d, 12h, 30m");
  return Number(number) * (unit === "d" ? 86_400_000 : unit === "h" ? 3_600_000 : 60_000);
}
