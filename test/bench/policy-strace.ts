// `npm run bench -- --policy-strace [--count N] [--seed N] [--all] [--write]`: refused rows of nl2bash and tldr that carry no risk tag are
// run for real under strace in a throwaway container. A row is false when nothing that its refusal names was seen.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadPolicySources } from "../../src/adapters/files/policy-source.js";
import { sha256 } from "../../src/adapters/system/hasher.js";
import { baseName, parentOf } from "../../src/core/action/paths.js";
import type { ActionEffect, FileEffect } from "../../src/core/action/effects.js";
import { compilePolicy, type PolicySet } from "../../src/core/policy/index.js";
import { explainQuestion } from "../../src/core/policy/check-line.js";
import { compileGlob, subjectOf } from "../../src/core/policy/match-path.js";
import { evaluateShell, sessionEnvironment } from "../../src/core/shell/index.js";
import { CHECKOUT } from "../soak/checkout.js";
import { createRandom, type Random } from "../soak/random.js";
import { traceImage, traceLines, whyNoTrace, type Order, type Traced, type TraceEvent } from "../support/trace/container.js";
import { corpusRows, seedFor } from "../support/trace/lines.js";
import { TRACE_PACKAGES } from "../support/trace/packages.js";

/** Installed beside the default sandbox. */
const PACKAGES = TRACE_PACKAGES;

const PLACE = { root: "/workspace", cwd: "/workspace", home: "/home/agent" };
const DOC = join(CHECKOUT, "docs", "benchmarks.md");
const LIST = join(CHECKOUT, "docs", "policy-strace.txt");
const MARK = "<!-- policy strace -->";
const BUILTINS = new Set("alias bg bind builtin caller cd command compgen complete declare dirs disown echo enable eval exec exit export fc fg getopts hash help history jobs kill let local logout mapfile popd printf pushd pwd read readonly return set shift shopt source suspend test times trap type typeset ulimit umask unalias unset wait".split(" "));

interface Row {
  readonly id: string;
  readonly command: string;
  readonly text: string;
  readonly tags: readonly string[];
}

interface Refused {
  readonly row: Row;
  readonly rules: readonly string[];
  /** The effects that rules refuse. */
  readonly effects: readonly ActionEffect[];
  readonly all: readonly ActionEffect[];
}

type Verdict = "seen" | "false" | "not runnable" | "not to be seen";

function flag(name: string): string | null {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? null : (process.argv[at + 1] ?? "");
}

async function builtinPolicy(): Promise<PolicySet> {
  const made = compilePolicy(await loadPolicySources({ files: [], builtinDir: join(CHECKOUT, "policies"), profile: "kimi-dev" }), { hash: sha256 });
  if (!made.ok) throw new Error(made.error.map((issue) => issue.message).join("\n"));
  return made.value;
}

/** The refused rows of the two sets; empty when the corpora are not there. */
function refusedRows(policy: PolicySet): readonly Refused[] {
  const environment = sessionEnvironment(PLACE);
  return ["nl2bash/commands.jsonl", "tldr/commands.jsonl"].flatMap((file) => corpusRows<Row>(file).filter((row) => row.tags.length === 0)).flatMap((row): readonly Refused[] => {
    const { decision, effects } = explainQuestion(policy, { subject: { kind: "command", text: row.command }, role: null, root: PLACE.root, cwd: PLACE.cwd }, { home: PLACE.home, containment: "attested" });
    if (decision.effect === "allow") return [];
    const all = evaluateShell(row.command, { ...PLACE, environment, environmentIsWhole: true }).effects;
    const refused = all.filter((_, index) => effects[index]?.verdict !== "allow");
    return [{ row, rules: decision.reasons.map((reason) => reason.rule), effects: refused, all }];
  });
}

/** Files that the refused effects speak of are laid out, so that what is refused can happen. */
function seedOf(refused: Refused): string {
  const text = refused.row.command;
  const lines = [PREPARED, seedFor(text)];
  // What a search looks for is there, is old, and holds the words of the line.
  const folders = [...new Set([".", ...refused.all.flatMap((effect) => (effect.kind === "file" && effect.operation === "read" && effect.certainty === "exact" && effect.recursive ? [effect.path] : []))])].slice(0, 4);
  for (const match of [...text.matchAll(/-i?(?:name|path|wholename)\s+\\?["']?([^"'\s;)]+)/g)].slice(0, 6)) {
    const name = sample(match[1] ?? "")?.split("/").pop() ?? "";
    if (!/^[\w. -]{1,60}$/.test(name)) continue;
    for (const folder of folders) if (!/^\/(?:usr|bin|sbin|lib|etc|proc|sys|dev)?(?:\/|$)(?:$)|'/.test(folder)) lines.push(`mkdir -p '${folder}/deep/er/est' && for p in '${folder}' '${folder}/deep/er/est'; do printf '%s\\n' "$WORDS" > "$p/${name}"; touch -d '10 days ago' "$p/${name}"; done 2>/dev/null || :`, `mkdir -p '${folder}/${name}.d' 2>/dev/null || :`);
  }
  for (const effect of refused.all) {
    if (effect.kind !== "file" || effect.operation === "write" || effect.operation === "create" || lines.length > 30) continue;
    const path = effect.certainty === "exact" ? effect.path : sample(effect.path);
    if (path === null || /^\/(?:usr|bin|sbin|lib|lib64|etc|proc|sys|dev|run)(?:\/|$)|'/.test(path) || path === "/" || path.length > 300) continue;
    const folder = effect.recursive && effect.certainty === "exact";
    lines.push(folder ? `[ -e '${path}' ] || { mkdir -p '${path}' && printf 'one\\n' > '${path}/one.txt'; } 2>/dev/null || :` : `[ -e '${path}' ] || { mkdir -p '${parentOf(path)}' && printf 'one\\ntwo\\n' > '${path}'; } 2>/dev/null || :`);
  }
  for (const effect of refused.all) if (effect.kind === "file" && effect.certainty === "exact" && (effect.operation === "write" || effect.operation === "create") && !/^\/(?:usr|bin|sbin|lib|proc|sys|dev)(?:\/|$)|'/.test(effect.path)) lines.push(`mkdir -p '${parentOf(effect.path)}' 2>/dev/null || :`);
  return `WORDS=${quoted(text.slice(0, 400))}\n${lines.join("\n")}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Keys and remotes that a program asks for before it goes to the network; none of them is real. */
const PREPARED = String.raw`
cd /workspace && git add -A && git -c user.name=a -c user.email=a@a.invalid commit -qm two
for r in remote_name upstream remote origin2; do git remote add $r https://example.invalid/p.git; done
printf '//registry.npmjs.org/:_authToken=x
' > /home/agent/.npmrc
printf 'module example.invalid/p

go 1.19
' > go.mod
printf 'one
two
' > list.txt
mkdir -p /home/backup /home/testuser/log /destination /target /path/to
`;

/** One name that a glob names. */
function sample(glob: string): string | null {
  const out = glob.replace(/\/\*\*(?=\/|$)/g, "/s").replace(/\[!?([^\]])[^\]]*\]/g, "$1").replace(/\*+/g, "x").replace(/\?/g, "x").replace(/\\(.)/g, "$1");
  return /[{}()]/.test(out) ? null : out;
}

function verdictOf(refused: Refused, traced: Traced): Verdict {
  const events = traced.events;
  const ran = new Set(events.flatMap((event) => (event.kind === "exec" && event.ok ? [event.program, baseName(event.argv[0] ?? "")] : [])));
  if (refused.effects.some((effect) => isSeen(effect, events, ran))) return "seen";
  const programs = refused.effects.flatMap((effect) => (effect.kind === "file" || effect.kind === "connect" ? [effect.by] : effect.kind === "exec" || effect.kind === "runs-code" ? [effect.program] : []));
  const missing = programs.some((program) => !ran.has(program) && !BUILTINS.has(program) && program !== "redirect");
  if (/is not a (?:git )?command|unknown command|no such subcommand|[Uu]nrecognized command/.test(traced.stderr)) return "not runnable";
  if (missing || /command not found|No such file or directory$/m.test(traced.code === 127 ? traced.stderr : /command not found/.test(traced.stderr) ? traced.stderr : "")) return "not runnable";
  if (refused.effects.every((effect) => effect.kind === "environment" || (effect.kind === "exec" && BUILTINS.has(effect.program)))) return "not to be seen";
  return "false";
}

function isSeen(effect: ActionEffect, events: readonly TraceEvent[], ran: ReadonlySet<string>): boolean {
  switch (effect.kind) {
    case "exec":
    case "runs-code":
      return ran.has(effect.program);
    case "connect":
      return events.some((event) => event.kind === "connect" && event.to !== "unix:/var/run/nscd/socket" && !event.to.startsWith("unix:/dev/log"));
    case "file":
      return events.some((event) => event.kind === "file" && isOperation(effect, event.operation) && [event.path, event.real].some((path) => path !== null && isNamed(effect, path)));
    case "environment":
      return false;
    case "opaque-text":
      return events.some((event) => event.kind === "file" && event.operation !== "read" && !/^\/dev\/(?:null|tty)/.test(event.path)) || (/runs|program|command/.test(effect.why) && events.some((event) => event.kind === "exec" && event.by.length > 1));
  }
}

function isOperation(effect: FileEffect, operation: string): boolean {
  if (effect.operation === "read") return operation === "read";
  if (effect.operation === "delete") return operation === "delete";
  return operation === "write" || operation === "create" || operation === "metadata";
}

function isNamed(effect: FileEffect, path: string): boolean {
  if (effect.certainty === "exact") return effect.path === path || (effect.recursive && (effect.path === "/" || path.startsWith(`${effect.path}/`)));
  return compileGlob(effect.recursive && !effect.path.endsWith("/**") ? `${effect.path}/**` : effect.path, { root: "/", home: "/" }).hits(subjectOf({ ...effect, path, certainty: "exact", recursive: false }));
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  return list.map((one) => ({ one, key: random.next() })).sort((left, right) => left.key - right.key).map(({ one }) => one);
}

async function main(): Promise<number> {
  const reason = whyNoTrace();
  if (reason !== null) throw new Error(reason);
  const seed = Number(flag("seed") ?? "20261122");
  const all = process.argv.includes("--all");
  const wanted = all ? Number.POSITIVE_INFINITY : Number(flag("count") ?? "200");
  const only = flag("only");
  const rows = shuffled(refusedRows(await builtinPolicy()), createRandom(seed)).filter(({ rules }) => only === null || rules.includes(only));
  const image = process.env["RINGFENCE_TRACE_IMAGE"] ?? traceImage(PACKAGES);
  const environment = Object.fromEntries(sessionEnvironment(PLACE));
  const counts = new Map<Verdict, number>();
  const told: string[] = [];
  const batch = 60;
  for (let at = 0; at < rows.length && (counts.get("seen") ?? 0) + (counts.get("false") ?? 0) < wanted; at += batch) {
    const part = rows.slice(at, at + batch);
    const results = new Map<string, Traced>();
    const orders = part.map(({ row }, index): Order => ({ id: String(index), text: row.command, cwd: PLACE.cwd, root: true, seconds: 6, environment, seed: seedOf(part[index] as Refused) }));
    await traceLines(image, orders, 2, (order, traced) => void results.set(order.id, traced));
    for (const [index, refused] of part.entries()) {
      if ((counts.get("seen") ?? 0) + (counts.get("false") ?? 0) >= wanted) break;
      const traced = results.get(String(index));
      const verdict = traced === undefined || !traced.started ? "not runnable" : verdictOf(refused, traced);
      counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
      if (verdict === "false") told.push(`${refused.row.id}\t${refused.rules.slice(0, 3).join(",")}\t${refused.row.command.replaceAll("\n", "\\n").slice(0, 160)}${process.argv.includes("--why") ? `\t${JSON.stringify(refused.effects.slice(0, 4))}\t${traced?.stderr.replaceAll("\n", "\\n").slice(0, 200) ?? ""}` : ""}`);
    }
    process.stderr.write(`${at + part.length} of ${rows.length}: ${JSON.stringify(Object.fromEntries(counts))}\n`);
  }
  const seen = counts.get("seen") ?? 0;
  const wrong = counts.get("false") ?? 0;
  const share = (100 * wrong) / Math.max(1, seen + wrong);
  const table = [
    "### Refusals of untagged rows, run for real",
    "",
    `\`npm run bench -- --policy-strace --write\` writes this part. Refused rows of \`nl2bash\` and \`tldr\` without a risk tag, in an order drawn with seed ${seed}, each run by bash under strace as root in a throwaway container without a network, on files laid out for it; ${PACKAGES.length} Debian packages are installed beside the default sandbox. A row is false when no effect that its refusal names was seen, tried ones counted. A row whose program is not installed is replaced by the next.`,
    "",
    "| refused rows | run | false | share | bar 1 % | not runnable, replaced | effect inside the shell, not to be seen by strace |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    `| ${rows.length} | ${seen + wrong} | ${wrong} | ${share.toFixed(1)} % | ${share <= 1 ? "held" : "**missed**"} | ${counts.get("not runnable") ?? 0} | ${counts.get("not to be seen") ?? 0} |`,
    "",
    wrong === 0 ? "No false row." : "Every false row: [policy-strace.txt](policy-strace.txt).",
  ].join("\n");
  process.stdout.write(`${table}\n\n${told.join("\n")}\n`);
  if (process.argv.includes("--write")) write(table, told);
  return share <= 1 || !process.argv.includes("--check") ? 0 : 1;
}

function write(table: string, told: readonly string[]): void {
  writeFileSync(LIST, `Refused rows without a risk tag of which nothing named in the refusal was seen: id, rules, command (cut). nl2bash (MIT), tldr-pages (CC BY 4.0).\nWritten by \`npm run bench -- --policy-strace --write\`.\n\n${told.join("\n")}\n`);
  const page = readFileSync(DOC, "utf8");
  const parts = page.split(MARK);
  const section = `${MARK}\n\n${table}\n\n${MARK}`;
  writeFileSync(DOC, parts.length >= 3 ? `${parts[0] ?? ""}${section}${parts.slice(2).join(MARK)}` : `${page.trimEnd()}\n\n${section}\n`);
}

process.exitCode = await main();
