// `npm run bench -- --policy-strace [--count N] [--seed N] [--only RULE] [--all] [--why] [--write] [--check] [--resume FILE [--for SECONDS]]`: refused rows of nl2bash and
// tldr that carry no risk tag are run for real under strace in a throwaway container, in a world that has what they presuppose. A row
// is false when nothing that its refusal names was seen.

import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadPolicySources } from "../../src/adapters/files/policy-source.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import type { ActionEffect } from "../../src/core/action/effects.js";
import { compilePolicy, type PolicySet } from "../../src/core/policy/index.js";
import { explainQuestion } from "../../src/core/policy/check-line.js";
import { evaluateShell, sessionEnvironment } from "../../src/core/shell/index.js";
import { CHECKOUT } from "../soak/checkout.js";
import { confirm, programsOf, type Verdict } from "../support/trace/confirm.js";
import { programsIn, traceImage, traceLines, whyNoTrace, type Order, type Traced } from "../support/trace/container.js";
import { fillPlaceholders, withVariables } from "../support/trace/fill.js";
import { layoutFor } from "../support/trace/layout.js";
import { corpusRows } from "../support/trace/lines.js";
import { REFUSED_PACKAGES } from "../support/trace/packages.js";

const PLACE = { root: "/workspace", cwd: "/workspace", home: "/home/agent" };
const DOC = join(CHECKOUT, "docs", "benchmarks.md");
const LIST = join(CHECKOUT, "docs", "policy-strace.txt");
const MARK = "<!-- policy strace -->";
const SETS = ["nl2bash/commands.jsonl", "tldr/commands.jsonl"];
/** Rows run between two looks at how many are still wanted. */
const BATCH = 40;
/** The second run is for what asks first or takes something for given, the third for what was cut off in it. */
const SECONDS = { first: 8, second: 15, third: 90 } as const;
/** Rows at a time: most of their time is waiting for answers that do not come. */
const WORKERS = 4;
const SHOWN = 160;
/** The time of `--for` is over before the rows are. */
const UNFINISHED = 75;

interface Row {
  readonly id: string;
  readonly text: string;
  readonly command: string;
  readonly raw?: string;
  /** The page of an example; `name.other` is about another program of that name. */
  readonly page?: string;
  readonly tags: readonly string[];
}

interface Refused {
  readonly id: string;
  /** As it is run: placeholders filled. */
  readonly text: string;
  readonly rules: readonly string[];
  /** The effects that rules refuse. */
  readonly effects: readonly ActionEffect[];
  readonly all: readonly ActionEffect[];
}

interface Result {
  readonly refused: Refused;
  readonly verdict: Verdict;
  readonly stderr: string;
  readonly timedOut: boolean;
}

function flag(name: string): string | null {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? null : (process.argv[at + 1] ?? "");
}

async function builtinPolicy(): Promise<PolicySet> {
  const made = compilePolicy(await loadPolicySources({ files: [], builtinDir: join(CHECKOUT, "policies"), profile: "kimi-dev" }), { hash: sha256 });
  if (!made.ok) throw new Error(made.error.map((issue) => issue.message).join("\n"));
  return made.value;
}

/** What the policy says of one command; null when it is allowed. */
function refusalOf(policy: PolicySet, id: string, text: string): Refused | null {
  const { decision, effects } = explainQuestion(policy, { subject: { kind: "command", text }, role: null, root: PLACE.root, cwd: PLACE.cwd }, { home: PLACE.home, containment: "attested" });
  if (decision.effect === "allow") return null;
  const all = evaluateShell(text, { ...PLACE, environment: sessionEnvironment(PLACE), environmentIsWhole: true }).effects;
  return { id, text, rules: decision.reasons.map((reason) => reason.rule), effects: all.filter((_, index) => effects[index]?.verdict !== "allow"), all };
}

/** The refused rows of the two sets, as they are run; empty when the corpora are not there. A row that is allowed once it is filled in is run as it was refused. */
function refusedRows(policy: PolicySet): readonly Refused[] {
  return SETS.flatMap((file) => corpusRows<Row>(file)).filter((row) => row.tags.length === 0 && row.page?.includes(".") !== true).flatMap((row): readonly Refused[] => {
    const asWritten = refusalOf(policy, row.id, row.command);
    if (asWritten === null) return [];
    const filled = row.raw === undefined ? null : fillPlaceholders(row.raw);
    return [filled === null || filled === row.command ? asWritten : (refusalOf(policy, row.id, filled) ?? asWritten)];
  });
}

/** In an order that hangs on the seed and each row's id alone: what else is refused moves no row. */
function drawn(list: readonly Refused[], seed: number): readonly Refused[] {
  return list.map((one) => ({ one, key: sha256(`${seed} ${one.id}`) })).sort((left, right) => (left.key < right.key ? -1 : 1)).map(({ one }) => one);
}

/** What a line leaves running is waited for. */
function waiting(text: string): string {
  return /&\s*$/.test(text) ? `${text}\nwait` : text;
}

/** Runs rows, once quickly and, where nothing was seen, once with time and answers. */
async function runRows(policy: PolicySet, image: string, rows: readonly Refused[], programs: ReadonlySet<string>): Promise<readonly Result[]> {
  const environment = Object.fromEntries(sessionEnvironment(PLACE));
  const results = new Map<string, Result>();
  const pass = async (part: readonly Refused[], seconds: number, answers: boolean): Promise<void> => {
    const orders = part.map((refused): Order => ({ id: refused.id, text: waiting(refused.text), cwd: PLACE.cwd, root: true, network: true, answers, seconds, environment, seed: layoutFor(refused.text, refused.all) }));
    await traceLines(image, orders, WORKERS, (order, traced: Traced) => {
      const refused = part.find(({ id }) => id === order.id);
      if (refused !== undefined) results.set(refused.id, { refused, verdict: traced.started ? confirm(refused.text, refused.effects, traced) : "not runnable", stderr: traced.stderr, timedOut: traced.timedOut });
    });
  };
  const isThere = ({ effects }: Refused): boolean => {
    const needed = programsOf(effects);
    return needed.length < effects.length || needed.some((program) => program === "redirect" || programs.has(program));
  };
  for (const refused of rows) if (!isThere(refused)) results.set(refused.id, { refused, verdict: "not runnable", stderr: "", timedOut: false });
  await pass(rows.filter(isThere), SECONDS.first, false);
  // What a variable holds is part of the text that is judged, so the refusal is the one of the line with its values.
  const again = rows.filter(({ id }) => results.get(id)?.verdict === "false").map((refused) => refusalOf(policy, refused.id, withVariables(refused.text)) ?? refused);
  await pass(again, SECONDS.second, true);
  await pass(again.filter(({ id }) => results.get(id)?.verdict === "false" && results.get(id)?.timedOut === true), SECONDS.third, true);
  return rows.flatMap(({ id }) => results.get(id) ?? []);
}

async function main(): Promise<number> {
  const reason = whyNoTrace();
  if (reason !== null) throw new Error(reason);
  const seed = Number(flag("seed") ?? "20261122");
  const wanted = process.argv.includes("--all") ? Number.POSITIVE_INFINITY : Number(flag("count") ?? "200");
  const only = flag("only");
  const policy = await builtinPolicy();
  const rows = drawn(refusedRows(policy), seed).filter(({ rules }) => only === null || rules.includes(only));
  const image = process.env["RINGFENCE_TRACE_IMAGE"] ?? traceImage(REFUSED_PACKAGES);
  const programs = programsIn(image);
  const file = flag("resume");
  const kept = earlier(file);
  const until = performance.now() + 1000 * Number(flag("for") ?? "Infinity");
  const results: Result[] = [];
  const count = (verdict: Verdict): number => results.filter((one) => one.verdict === verdict).length;
  for (let at = 0; at < rows.length && count("seen") + count("false") < wanted; at += BATCH) {
    const batch = rows.slice(at, at + BATCH);
    const fresh = batch.filter((refused) => !kept.has(keyOf(refused)));
    if (fresh.length > 0 && performance.now() > until) return UNFINISHED;
    for (const [index, result] of (await runRows(policy, image, fresh, programs)).entries()) {
      const entry: [string, Result] = [keyOf(fresh[index] ?? result.refused), result];
      kept.set(...entry);
      if (file !== null) appendFileSync(file, `${JSON.stringify(entry)}\n`);
    }
    for (const refused of batch) {
      const result = kept.get(keyOf(refused));
      if (result === undefined) throw new Error(`no result of ${refused.id}`);
      if (count("seen") + count("false") >= wanted) continue;
      results.push(result);
      if (result.verdict === "false") process.stderr.write(`${describe(result)}\n`);
    }
    process.stderr.write(`${Math.min(at + BATCH, rows.length)} of ${rows.length}: seen ${count("seen")}, false ${count("false")}, not runnable ${count("not runnable")}\n`);
  }
  const run = count("seen") + count("false");
  const share = (100 * count("false")) / Math.max(1, run);
  const table = [
    "### Refusals of untagged rows, run for real",
    "",
    `\`npm run bench -- --policy-strace --write\` writes this part. Refused rows of \`nl2bash\` and \`tldr\` without a risk tag, in an order drawn with seed ${seed}, each run by bash under strace as root in a throwaway container on files laid out for it; ${REFUSED_PACKAGES.length} Debian packages are installed beside the default sandbox. Placeholders of tldr's pages are filled with values of their kind and judged as filled. The row's network has a card, a router and a resolver, and nothing behind them: every name has an address, and every address is the row's own machine, so that a connection is tried and goes nowhere. Where nothing was seen it is run once more on a terminal with a yes to every question, and values in front of it for the variables it takes for given, judged with them, and with ${SECONDS.third} seconds where it was cut off.`,
    "",
    "A row is false when no effect that its refusal names was seen, tried ones counted. Seen is: of a program that is refused, its start; of a file, a change or read of a path that the effect covers, of that operation; of a connection, a `connect`, a datagram (a question to the resolver too) or a raw frame of the named program or of one that it started, to anything but the row's own loopback; of text that cannot be told, a program of that name started with a word, or a file changed at a name, that stands nowhere in the text. A row whose program is not installed is replaced by the next.",
    "",
    "| refused rows | run | false | share | bar 1 % | not runnable, replaced | effect inside the shell, not to be seen by strace |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    `| ${rows.length} | ${run} | ${count("false")} | ${share.toFixed(1)} % | ${share <= 1 ? "held" : "**missed**"} | ${count("not runnable")} | ${count("not to be seen")} |`,
    "",
    "Every row that was drawn, with its rule and what was seen: [policy-strace.txt](policy-strace.txt).",
  ].join("\n");
  process.stdout.write(`${table}\n`);
  if (process.argv.includes("--write")) write(table, seed, results);
  return share <= 1 || !process.argv.includes("--check") ? 0 : 1;
}

/** With `--why` what was refused, and what the row said. */
function describe({ refused, stderr }: Result): string {
  const why = process.argv.includes("--why") ? `\n    ${JSON.stringify(refused.effects.slice(0, 3))}\n    ${stderr.replaceAll("\n", "\\n").slice(0, 240)}` : "";
  return `${refused.id}\t${refused.rules.slice(0, 3).join(",")}\t${cut(refused.text)}${why}`;
}

/** Results of an earlier run that was cut off, by row as it was refused; `--resume` keeps them in a file. */
function earlier(file: string | null): Map<string, Result> {
  if (file === null || !existsSync(file)) return new Map();
  return new Map(readFileSync(file, "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as [string, Result]));
}

function keyOf({ id, text, rules }: Refused): string {
  return [id, text, ...rules].join("\0");
}

function cut(text: string): string {
  return text.replaceAll("\n", "\\n").replaceAll("\t", "\\t").slice(0, SHOWN);
}

function write(table: string, seed: number, results: readonly Result[]): void {
  const order: readonly Verdict[] = ["false", "seen", "not to be seen", "not runnable"];
  const lines = order.flatMap((verdict) => results.filter((one) => one.verdict === verdict).map(({ refused }) => `${verdict}\t${refused.id}\t${refused.rules.slice(0, 3).join(",")}\t${cut(refused.text)}`));
  writeFileSync(LIST, `Refused rows without a risk tag, in the order drawn with seed ${seed}, as they were run: what was seen, id, rules, command (cut).\nnl2bash (MIT), tldr-pages (CC BY 4.0). Written by \`npm run bench -- --policy-strace --write\`; what each word means: benchmarks.md.\n\n${lines.join("\n")}\n`);
  const page = readFileSync(DOC, "utf8");
  const parts = page.split(MARK);
  const section = `${MARK}\n\n${table}\n\n${MARK}`;
  writeFileSync(DOC, parts.length >= 3 ? `${parts[0] ?? ""}${section}${parts.slice(2).join(MARK)}` : `${page.trimEnd()}\n\n${section}\n`);
}

process.exitCode = await main();
