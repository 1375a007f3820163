// `npm run bench -- --policy-strace [--count N] [--seed N] [--only RULE] [--all [--samples SEED,…] [--as-is]] [--workers N] [--why] [--write] [--check] [--resume FILE [--for SECONDS]]`: refused rows of nl2bash and
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
import { OTHER_PROGRAMS, REFUSED_PACKAGES } from "../support/trace/packages.js";

const PLACE = { root: "/workspace", cwd: "/workspace", home: "/home/agent" };
const DOC = join(CHECKOUT, "docs", "benchmarks.md");
const LIST = join(CHECKOUT, "docs", "policy-strace.txt");
const MARK = "<!-- policy strace -->";
const SETS = ["nl2bash/commands.jsonl", "tldr/commands.jsonl"];
/** Rows run between two looks at how many are still wanted. */
const BATCH = 40;
/** Of a row's three runs: the second is for what asks first or takes something for given, the third for what was cut off in it. */
const SECONDS = [8, 15, 90] as const;
/** Rows at a time: most of their time is waiting for answers that do not come. */
const WORKERS = 4;
const SHOWN = 160;
const SAMPLE = 200;
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

interface World {
  readonly policy: PolicySet;
  readonly image: string;
  readonly programs: ReadonlySet<string>;
  readonly workers: number;
}

/**
 * Runs rows, once quickly and, where nothing was seen, once with time and answers, a third time where that was cut off. Each result is handed
 * on as soon as it stands; none is begun after `until`.
 */
async function runRows({ policy, image, programs, workers }: World, rows: readonly Refused[], until: number, onRow: (row: Refused, result: Result) => void): Promise<void> {
  const environment = Object.fromEntries(sessionEnvironment(PLACE));
  const begun = new Map<string, { readonly row: Refused; readonly refused: Refused; readonly pass: number }>();
  const orderOf = (row: Refused, refused: Refused, pass: number): Order => {
    begun.set(row.id, { row, refused, pass });
    return { id: row.id, text: waiting(refused.text), cwd: PLACE.cwd, root: true, network: true, answers: pass > 0, seconds: SECONDS[pass] ?? 0, environment: pass > 0 ? { ...environment, TERM: "xterm" } : environment, seed: layoutFor(refused.text, refused.all) };
  };
  function* orders(): Generator<Order> {
    for (const row of rows) {
      if (performance.now() > until) return;
      if (isThere(row, programs)) yield orderOf(row, row, 0);
      else onRow(row, { refused: row, verdict: "not runnable", stderr: "", timedOut: false });
    }
  }
  await traceLines(image, orders(), workers, ({ id }, traced: Traced) => {
    const one = begun.get(id);
    if (one === undefined) throw new Error(`nothing was begun of ${id}`);
    const { row, refused, pass } = one;
    // On a busy machine the world may not have been laid out in time: that says nothing of the row.
    if (!traced.started && pass < SECONDS.length - 1) return orderOf(row, refused, pass + 1);
    const verdict = traced.started ? confirm(refused.text, refused.effects, traced) : "not runnable";
    // What a variable holds is part of the text that is judged, so the refusal is the one of the line with its values.
    if (verdict === "false" && pass === 0) return orderOf(row, refusalOf(policy, id, withVariables(row.text)) ?? row, 1);
    if (verdict === "false" && pass === 1 && traced.timedOut) return orderOf(row, refused, 2);
    return onRow(row, { refused, verdict, stderr: traced.stderr, timedOut: traced.timedOut });
  });
}

/** A program that is named is installed, or something is named that is no program. */
function isThere({ effects }: Refused, programs: ReadonlySet<string>): boolean {
  const needed = programsOf(effects);
  return needed.length < effects.length || needed.some((program) => program === "redirect" || programs.has(program));
}

async function main(): Promise<number> {
  const reason = whyNoTrace();
  if (reason !== null) throw new Error(reason);
  const seed = Number(flag("seed") ?? "20261122");
  const isAll = process.argv.includes("--all");
  const wanted = isAll ? Number.POSITIVE_INFINITY : Number(flag("count") ?? SAMPLE);
  const only = flag("only");
  const policy = await builtinPolicy();
  const rows = drawn(refusedRows(policy), seed).filter(({ rules }) => only === null || rules.includes(only));
  const image = process.env["RINGFENCE_TRACE_IMAGE"] ?? traceImage(REFUSED_PACKAGES);
  const world = { policy, image, programs: new Set([...programsIn(image)].filter((name) => !OTHER_PROGRAMS.has(name))), workers: Number(flag("workers") ?? WORKERS) };
  const file = flag("resume");
  const kept = earlier(file);
  const until = performance.now() + 1000 * Number(flag("for") ?? "Infinity");
  const results: Result[] = [];
  let unreached = 0;
  const count = (verdict: Verdict): number => results.filter((one) => one.verdict === verdict).length;
  const size = isAll ? rows.length : BATCH;
  for (let at = 0; at < rows.length && count("seen") + count("false") < wanted; at += size) {
    const batch = rows.slice(at, at + size);
    await runRows(world, batch.filter((row) => !kept.has(keyOf(row))), until, (row, result) => {
      kept.set(keyOf(row), result);
      if (file !== null) appendFileSync(file, `${JSON.stringify([keyOf(row), result])}\n`);
    });
    const left = batch.filter((row) => !kept.has(keyOf(row))).length;
    process.stderr.write(`${Math.min(at + size, rows.length) - left} of ${rows.length} rows\n`);
    // With what there is, the rows that are left said beside it.
    if (left > 0 && !process.argv.includes("--as-is")) return UNFINISHED;
    unreached += left;
    for (const row of batch) {
      const result = kept.get(keyOf(row));
      if (result === undefined || count("seen") + count("false") >= wanted) continue;
      results.push(result);
      if (result.verdict === "false") process.stderr.write(`${describe(result)}\n`);
    }
  }
  const lines: readonly Line[] = isAll ? [lineOf("every row", results), ...(flag("samples") ?? String(seed)).split(",").map((one) => lineOf(`sample of ${SAMPLE}, seed ${one}`, sampled(rows, kept, Number(one))))] : [lineOf(`sample of ${wanted}, seed ${seed}`, results)];
  const share = lines[0]?.share ?? 100;
  const table = [
    "### Refusals of untagged rows, run for real",
    "",
    `\`npm run bench -- --policy-strace --write\` writes this part. Refused rows of \`nl2bash\` and \`tldr\` without a risk tag, in an order drawn with a seed, each run by bash under strace as root in a throwaway container on files laid out for it; ${REFUSED_PACKAGES.length} Debian packages are installed beside the default sandbox. Placeholders of tldr's pages are filled with values of their kind and judged as filled. The row's network has a card, a router and a resolver, and nothing behind them: every name has an address, and every address is the row's own machine, so that a connection is tried and goes nowhere. Where nothing was seen it is run once more on a terminal with a yes to every question, and values in front of it for the variables it takes for given, judged with them, and with ${SECONDS[2]} seconds where it was cut off.`,
    "",
    "A row is false when no effect that its refusal names was seen, tried ones counted. Seen is: of a program that is refused, its start; of a file, a change or read of a path that the effect covers, of that operation; of a connection, a `connect`, a datagram (a question to the resolver too) or a raw frame of the named program or of one that it started, to anything but the row's own loopback; of text that cannot be told, a program of that name started with a word, or a file changed at a name, that stands nowhere in the text. A row whose program is not installed is replaced by the next.",
    "",
    "| of the refused rows | drawn | run | false | share | bar 1 % | not runnable, replaced | effect inside the shell, not to be seen by strace |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...lines.map(({ name, drawn: all, run, wrong, share: of, missing, inner }) => `| ${name} | ${all} | ${run} | ${wrong} | ${of.toFixed(2)} % | ${of <= 1 ? "held" : "**missed**"} | ${missing} | ${inner} |`),
    "",
    ...(unreached > 0 ? [`${unreached} rows were not reached: they are in no figure.`, ""] : []),
    "Every row that was run, with its rule and what was seen: [policy-strace.txt](policy-strace.txt).",
  ].join("\n");
  process.stdout.write(`${table}\n`);
  if (process.argv.includes("--write")) write(table, seed, results);
  return share <= 1 || !process.argv.includes("--check") ? 0 : 1;
}

/** A line of the table. */
interface Line {
  readonly name: string;
  readonly drawn: number;
  readonly run: number;
  readonly wrong: number;
  readonly share: number;
  readonly missing: number;
  readonly inner: number;
}

function lineOf(name: string, results: readonly Result[]): Line {
  const count = (verdict: Verdict): number => results.filter((one) => one.verdict === verdict).length;
  const wrong = count("false");
  const run = count("seen") + wrong;
  return { name, drawn: results.length, run, wrong, share: (100 * wrong) / Math.max(1, run), missing: count("not runnable"), inner: count("not to be seen") };
}

/** The rows that a sample of this seed draws, of all that were run. */
function sampled(rows: readonly Refused[], kept: ReadonlyMap<string, Result>, seed: number): readonly Result[] {
  const out: Result[] = [];
  let run = 0;
  for (const row of drawn(rows, seed)) {
    const result = kept.get(keyOf(row));
    if (result === undefined || run >= SAMPLE) continue;
    out.push(result);
    if (result.verdict === "seen" || result.verdict === "false") run += 1;
  }
  return out;
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
