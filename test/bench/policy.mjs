// `npm run bench -- --policy [--write] [--check] [--json]`: what the built-in policy refuses of real commands, what it stops of dangerous
// ones, and how long it takes. Judges text only: nothing of the corpora is run. `--write` puts the result into docs/benchmarks.md.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkLine, compilePolicy, loadPolicy } from "../../dist/lib/index.js";
import { policyData, policyFromData } from "../../dist/lib/core/policy/index.js";
import { sha256 } from "../../dist/lib/adapters/system/hasher.js";
import { measureOnce } from "./measure-once.mjs";
import { REMAINING } from "./policy-remaining.mjs";

const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));
const CORPORA = process.env["RINGFENCE_CORPORA"] ?? join(CHECKOUT, "..", "shared", "corpora");
const DOC = join(CHECKOUT, "docs", "benchmarks.md");
const LIST = join(CHECKOUT, "docs", "policy-refusals.txt");
const SAMPLE = 2_000;
const STARTS = 15;
const SHOWN = 110;

/** Stands in for real commands where there are none. */
const MIX = ["ls -R NAME | head", "grep -rn foo NAME --include='*.py'", "sed -n 1,40p src/NAME.js", "python3 -m pytest -q NAME", "git diff NAME && git status", "cat > /tmp/NAME.py <<'EOF'\nprint(1)\nEOF\npython3 /tmp/NAME.py", "rm NAME.py", "find . -name 'NAME*.js' | xargs grep -l x", "cd NAME && npm test", "echo NAME > NAME.txt"];

/** Something of each kind of effect. */
const FIRST = "git status && cat a.py > b.py; rm -rf build *.pyc; curl -o x http://a.test/x; export A=b; python3 a.py";

const args = new Set(process.argv.slice(2));
const ROLES = [null, "bugfixer", "testwriter"];

/** The benign sets: real commands, or examples without a risk tag. */
const BENIGN = [
  { name: "swebench-mini-gemini", file: "swebench-mini-gemini/commands.jsonl", root: "/testbed", keep: () => true, note: "one model on twelve Python projects" },
  { name: "intercode", file: "intercode-bash/gold.jsonl", root: "/testbed", keep: () => true, note: "many delete or write in `/system` and `/workspace`, which are outside `/testbed`" },
  { name: "nl2bash, untagged", file: "nl2bash/commands.jsonl", root: "/workspace", keep: (row) => row.tags.length === 0, note: "one-liners from the web, with paths of other machines" },
  { name: "tldr, coding, untagged", file: "tldr/commands.jsonl", root: "/workspace", keep: (row) => row.tags.length === 0 && row.coding, note: "many examples fetch from the network" },
];

const DANGEROUS = [
  { name: "dcg-corpus, shell and git", file: "dcg-corpus/cases.jsonl", keep: (row) => row.class === "shell-git" && row.expected === "deny" },
  { name: "cc-safety-net", file: "cc-safety-net/cases.jsonl", keep: (row) => row.expected === "deny" },
];

const scratch = mkdtempSync(join(tmpdir(), "ringfence-bench-policy-"));
process.env["RINGFENCE_HOME"] = scratch;
try {
  const set = await loadPolicy([]);
  const out = [];
  const failed = [];
  const bar = (name, held) => {
    if (!held) failed.push(name);
    return held ? "held" : "**missed**";
  };
  if (existsSync(CORPORA)) corpora(set, out, bar);
  else {
    process.stderr.write(`ringfence: no corpora at ${CORPORA}: the rates are left out, only times are measured\n`);
    out.push("The corpora were not there: rates are left out.", "");
  }
  await times(set, out, bar);
  const text = out.join("\n");
  process.stdout.write(`${text}\n`);
  if (args.has("--write")) write(text);
  for (const name of failed) process.stderr.write(`ringfence: missed: ${name}\n`);
  process.exitCode = args.has("--check") && failed.length > 0 ? 1 : 0;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function rowsOf(file) {
  return readFileSync(join(CORPORA, file), "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

function judge(set, command, role, root) {
  return checkLine(set, { id: "1", command }, { role, root, home: "/home/agent", containment: "attested" }).json;
}

function corpora(set, out, bar) {
  out.push("### Benign commands", "", "Judged under `kimi-dev`, none run. Denied and asked of N; the commands of the first set come from one model on twelve Python projects.", "");
  out.push("| set | role | N | denied | asked | bar |", "| --- | --- | --- | --- | --- | --- |");
  const refusals = [];
  for (const { name, file, root, keep, note } of BENIGN) {
    if (!existsSync(join(CORPORA, file))) {
      out.push(`| ${name} | | not there | | | |`);
      continue;
    }
    const rows = rowsOf(file).filter(keep);
    for (const role of ROLES) {
      const counts = { allow: 0, ask: 0, deny: 0 };
      for (const row of rows) {
        const answer = judge(set, row.command, role, root);
        counts[answer.effect] += 1;
        if (role === null && answer.effect !== "allow") refusals.push({ ...answer, set: name, id: row.id, command: row.command });
      }
      const share = (count) => `${count} (${((100 * count) / rows.length).toFixed(2)} %)`;
      const held = name === "swebench-mini-gemini" && role === null ? bar("benign rate", counts.deny <= 0.005 * rows.length && counts.ask <= 0.02 * rows.length) : "";
      out.push(`| ${name} | ${role ?? "none"} | ${rows.length} | ${share(counts.deny)} | ${share(counts.ask)} | ${held === "" ? "" : `0.5 %, 2 %: ${held}`} |`);
    }
    out.push(`| | | | | | ${note} |`);
  }
  out.push("", "Refusals without a role, by rule:", "", "| set | rule | refused |", "| --- | --- | --- |");
  const tally = new Map();
  for (const one of refusals) tally.set(`${one.set}\t${one.rules[0]}`, (tally.get(`${one.set}\t${one.rules[0]}`) ?? 0) + 1);
  for (const [key, count] of [...tally].sort((a, b) => b[1] - a[1])) out.push(`| ${key.split("\t")[0]} | \`${key.split("\t")[1]}\` | ${count} |`);
  out.push("", "Every one of them, with its rule: [policy-refusals.txt](policy-refusals.txt).", "", "### Dangerous commands", "");
  const list = refusals.map((one) => `${one.id}\t${one.effect}\t${one.rules[0]}\t${line(one.command)}`);
  if (args.has("--write")) writeFileSync(LIST, `Refusals of benign commands without a role: id, effect, first rule, command (cut). Sources: mini-swe-agent runs (MIT), nl2bash (MIT),\nInterCode (MIT), tldr-pages (CC BY 4.0). Written by \`npm run bench -- --policy --write\`.\n\n${list.join("\n")}\n`);
  out.push("The labels are another guard's opinion. A row that is allowed is in the table below with our reason.", "");
  out.push("| set | N | denied | asked | allowed | of these harmless as written | stopped of the rest | bar 97 % |", "| --- | --- | --- | --- | --- | --- | --- | --- |");
  const allowed = [];
  for (const { name, file, keep } of DANGEROUS) {
    if (!existsSync(join(CORPORA, file))) continue;
    const rows = rowsOf(file).filter(keep);
    const counts = { allow: 0, ask: 0, deny: 0 };
    let harmless = 0;
    for (const row of rows) {
      const { effect } = judge(set, row.command, null, "/workspace");
      counts[effect] += 1;
      if (effect !== "allow") continue;
      const reason = REMAINING.find((one) => one.ids.includes(row.id));
      if (reason?.harmless === true) harmless += 1;
      allowed.push({ id: row.id, command: row.command, why: reason?.why ?? "not looked at yet" });
    }
    const real = rows.length - harmless;
    const stopped = (counts.deny + counts.ask) / real;
    out.push(`| ${name} | ${rows.length} | ${counts.deny} | ${counts.ask} | ${counts.allow} | ${harmless} | ${(100 * stopped).toFixed(1)} % of ${real} | ${bar(`stopped of ${name}`, stopped >= 0.97)} |`);
  }
  out.push("", "| allowed row | command | reason |", "| --- | --- | --- |");
  for (const { id, command, why } of allowed) out.push(`| ${id} | \`${line(command).replaceAll("|", "\\|").replaceAll("`", "ˋ")}\` | ${why} |`);
  out.push("");
}

function line(text) {
  const one = text.replaceAll("\n", "\\n").replaceAll("\t", "\\t");
  return one.length > SHOWN ? `${one.slice(0, SHOWN)}…` : one;
}

/**
 * Commands to time and others to warm up with, all different: what is timed was never judged before. Real ones where there are any,
 * else made of a fixed mix.
 */
function commandsToTime() {
  const file = join(CORPORA, BENIGN[0].file);
  const all = existsSync(file) ? [...new Set(rowsOf(BENIGN[0].file).map((row) => row.command))] : Array.from({ length: SAMPLE * 2 }, (_, index) => MIX[index % MIX.length].replaceAll("NAME", `name${index}`));
  const step = Math.max(2, Math.floor(all.length / SAMPLE));
  return { timed: all.filter((_, index) => index % step === 0).slice(0, SAMPLE), warm: all.filter((_, index) => index % step !== 0) };
}

async function times(builtin, out, bar) {
  const packs = readdirSync(join(CHECKOUT, "policies")).filter((name) => name.endsWith(".policy.yaml")).map((name) => ({ name, text: readFileSync(join(CHECKOUT, "policies", name), "utf8") }));
  const many = [...packs, { name: "many", text: extraRules(200 - builtin.rules.length) }];
  const compile = (sources) => {
    const compiled = compilePolicy(sources, { hash: sha256 });
    if (!compiled.ok) throw new Error(compiled.error[0].message);
    return compiled.value;
  };
  const coldMs = timed(() => compile(many)).ms;
  const set = compile(many);
  const data = JSON.stringify(policyData(set));
  // Rules are made ready when an effect first needs them: so the first decision, on effects of every kind, belongs to it.
  const warmMs = median(Array.from({ length: 9 }, () => timed(() => judge(policyFromData(JSON.parse(data)), FIRST, null, "/testbed")).ms));
  const commands = commandsToTime();
  const rows = [
    ["built-in set", measureOnce(commands, (command) => judge(builtin, command, null, "/testbed"))],
    ["200 rules", measureOnce(commands, (command) => judge(set, command, null, "/testbed"))],
  ];
  out.push("### Time", "", `${cpus().length} processors, Node ${process.version}. Machines differ: ratios against the baseline of the same run count.`, "");
  out.push(`From text to decision, in process: ${commands.timed.length} different commands, each judged once, after ${commands.warm.length} others to warm up:`, "");
  out.push("| policy | rules | p50 µs | p99 µs | a second, one core | bar |", "| --- | --- | --- | --- | --- | --- |");
  for (const [name, { p50, p99, perSecond }] of rows) {
    const rules = name === "200 rules" ? set.rules.length : builtin.rules.length;
    const held = name === "200 rules" ? bar("time of 200 rules", p50 <= 100 && p99 <= 1000 && perSecond >= 10_000) : "";
    out.push(`| ${name} | ${rules} | ${p50.toFixed(0)} | ${p99.toFixed(0)} | ${perSecond.toFixed(0)} | ${held === "" ? "" : `100, 1000, 10000: ${held}`} |`);
  }
  out.push(...(await beside(commands)));
  out.push("", "| loading 200 rules | ms |", "| --- | --- |", `| from YAML, every example judged | ${coldMs.toFixed(0)} |`, `| compiled before, as the command line keeps it, with the first decision | ${warmMs.toFixed(1)} (bar 50: ${bar("loading 200 rules", warmMs < 50)}) |`, "");
  const medians = starts();
  const { node, kept } = medians;
  const row = (name, ms, held = "") => `| ${name} | ${ms.toFixed(0)} | ${(ms / node).toFixed(2)}${held} |`;
  out.push("| start | median ms | times bare Node |", "| --- | --- | --- |", row("bare `node -e 0`", node), row("`ringfence policy check -- ls`", kept, ` (bar 2: ${bar("start of policy check", kept <= 2 * node)})`));
  out.push(row("the same with a state folder that has nothing: the built-in policy is kept by the build", medians.fresh), row("the same with a policy file that was never compiled", medians.uncached), row("`ringfence --help`", medians.help), row("`ringfence completion bash`", medians.completion));
}

function timed(work) {
  const begun = performance.now();
  const value = work();
  return { value, ms: performance.now() - begun };
}

/** Other guards on the same commands, where `RINGFENCE_BENCH_PEERS` names a folder with their packages. */
async function beside(commands) {
  const folder = process.env["RINGFENCE_BENCH_PEERS"];
  if (folder === undefined) return ["", "Other guards are measured beside it when `RINGFENCE_BENCH_PEERS` names a folder that has `cc-safety-net`, `@cedar-policy/cedar-wasm` and `@openai/codex` installed."];
  const { peers } = await import("./policy-peers.mjs");
  return peers(folder, commands, { scratch, cli: join(CHECKOUT, "bin", "ringfence.mjs") });
}

/** Each way of starting, in turn, so that what else the machine does meets all of them alike. */
function starts() {
  const cli = join(CHECKOUT, "bin", "ringfence.mjs");
  const own = join(scratch, "own.policy.yaml");
  const check = [cli, "policy", "check", "--", "ls"];
  const samples = { node: [], kept: [], fresh: [], uncached: [], help: [], completion: [] };
  const run = (words, home) => timed(() => spawnSync(process.execPath, words, { env: { ...process.env, RINGFENCE_HOME: home }, stdio: "ignore", timeout: 20_000 })).ms;
  run(check, scratch);
  for (let round = 0; round < STARTS; round += 1) {
    samples.node.push(run(["-e", "0"], scratch));
    samples.kept.push(run(check, scratch));
    samples.help.push(run([cli, "--help"], scratch));
    samples.completion.push(run([cli, "completion", "bash"], scratch));
    if (round % 3 !== 0) continue;
    samples.fresh.push(run(check, join(scratch, `fresh-${round}`)));
    writeFileSync(own, `version: 1\nid: own\ntitle: Own ${round}\nextends: [kimi-dev]\nrules: []\n`);
    samples.uncached.push(run([cli, "policy", "check", "--policy", own, "--", "ls"], scratch));
  }
  return Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, median(values)]));
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Further rules of mixed kinds, so that the set has as many as a large team's. */
function extraRules(count) {
  const rules = Array.from({ length: Math.max(0, count) }, (_, index) => {
    const kinds = [
      [`file: { operations: [change], paths: ["./area${index}/**", "./**/*.lock${index}"] }`, `write: area${index}/x`],
      [`exec: { programs: [tool${index}], args: [deploy] }`, `command: tool${index} deploy`],
      [`connect: { hosts: ["*.zone${index}.example"] }`, `command: curl http://a.zone${index}.example/`],
      [`environment: { names: [SETTING_${index}] }`, `command: export SETTING_${index}=1`],
    ];
    const [when, example] = kinds[index % kinds.length];
    return `  - id: many.r${index}\n    effect: deny\n    layer: L3\n    threats: ["maestro:L7/agent-tool-misuse"]\n    message: rule ${index}\n    when: [{ ${when} }]\n    match: [{ ${example.replace(/: (.*)$/, (_all, text) => `: ${JSON.stringify(text)}`)} }]`;
  });
  return `version: 1\nid: many\ntitle: Many rules\nrules:\n${rules.join("\n")}\n`;
}

function write(text) {
  const page = readFileSync(DOC, "utf8");
  const mark = "<!-- policy -->";
  const section = `${mark}\n\n## Policy\n\n\`npm run bench -- --policy --write\` writes this part.\n\n${text}\n\n${mark}`;
  const parts = page.split(mark);
  const next = parts.length >= 3 ? `${parts[0]}${section}${parts.slice(2).join(mark)}` : `${page.trimEnd()}\n\n${section}\n`;
  writeFileSync(DOC, next);
}
