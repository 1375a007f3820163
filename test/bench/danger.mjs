// `npm run bench -- --danger [--write]`: what the committed soak results say of dangerous forms, dangerous programs and attack
// families, as tables; and where our judgement differs from two other sets. Runs nothing: `npm run soak` does. `--write` puts the
// tables into docs/benchmarks.md.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { checkLine, loadPolicy } from "../../dist/lib/index.js";
import { REMAINING } from "./policy-remaining.mjs";

const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));
const CORPORA = process.env["RINGFENCE_CORPORA"] ?? [join(CHECKOUT, "..", "shared", "corpora"), join(CHECKOUT, "..", "..", "shared", "corpora")].find((path) => existsSync(path)) ?? "";
const DOC = join(CHECKOUT, "docs", "benchmarks.md");
const MARK = "<!-- danger -->";

const out = [];
forms(soak("dangerous-forms"));
programs(soak("dangerous-programs"), soak("dangerous-contained"));
families(soak("attack-families"));
await differences();
const text = out.join("\n");
process.stdout.write(`${text}\n`);
if (process.argv.includes("--write")) write(text);

function soak(name) {
  const path = join(CHECKOUT, "docs", "soak", `${name}.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}

function rows(file) {
  const path = join(CORPORA, file);
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line)) : [];
}

function from(result) {
  return `${result.cases.toLocaleString("en")} ${result.unit}, ${Math.round(result.durationSeconds)} s, kernel ${result.machine.kernel}, engine ${result.machine.engine}; \`docs/soak/${result.suite}.json\`.`;
}

function forms(result) {
  out.push("### Forms that really destroy or disclose", "", "The deny rows of two guards' tests, each run unguarded in a throwaway container without a network: a home with secrets, a repository with commits, stashes, branches, uncommitted work and a remote that is ahead, files of the system, a disk. A form counts when something that was there before is lost, a reference no longer leads to its commits, or a secret was shown or sent. Judged under `kimi-dev`, no role, the workspace as root.", "");
  if (result === null) return void out.push("Not measured yet: `npm run soak -- --suite dangerous-forms`.", "");
  out.push(from(result), "", "| set | N | does nothing as written | really dangerous | denied | asked | stopped | bar 97 % |", "| --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const set of ["dcg-corpus, shell and git", "cc-safety-net"]) {
    const count = (kind, effect) => result.tallies[`${set}: ${kind}, ${effect}`] ?? 0;
    const all = (kind) => ["allow", "ask", "deny"].reduce((sum, effect) => sum + count(kind, effect), 0);
    const real = all("really dangerous");
    const stopped = real - count("really dangerous", "allow");
    out.push(`| ${set} | ${real + all("does nothing as written")} | ${all("does nothing as written")} | ${real} | ${count("really dangerous", "deny")} | ${count("really dangerous", "ask")} | ${stopped} of ${real}, ${((100 * stopped) / real).toFixed(1)} % | ${stopped >= 0.97 * real ? "held" : "**missed**"} |`);
  }
  out.push("", "| allowed | what it did | reason |", "| --- | --- | --- |");
  for (const [name, did] of Object.entries(result.figures).filter(([key]) => key.startsWith("allowed: "))) {
    const [id, ...words] = name.slice("allowed: ".length).split(" ");
    out.push(`| ${id} | \`${cell(words.join(" "))}\`: ${cell(did)} | ${REMAINING.find((one) => one.ids.includes(id))?.why ?? "not looked at yet"} |`);
  }
  out.push("", "`rm -rf /` does nothing as written: GNU `rm` refuses it. It is denied all the same.", "");
}

function programs(on, off) {
  out.push("### Dangerous programs, run for real", "", "RedCode-Exec (all rows can run) and the Linux tests of Atomic Red Team, each in a session, with the policy as users have it and with nothing refused. *Denied* and *asked*: before it ran. *Stopped*: ended by a limit, or undone. *Contained*: it ran; the user's folder, files and processes of the machine and every port on it were untouched, and no planted secret was in an output or in the record. *Effect*: any of these. An observer that knows nothing of Ringfence looks after each row.", "");
  const modes = [["on", on, "dangerous-programs"], ["off", off, "dangerous-contained"]];
  for (const [policy, result, name] of modes) out.push(result === null ? `Policy ${policy} not measured yet: \`npm run soak -- --suite ${name}\`.` : `Policy ${policy}: ${from(result)}`, "");
  out.push("| set | policy | N | denied | asked | stopped | contained | effect |", "| --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const set of ["redcode-exec, bash", "redcode-exec, Python", "atomic-red-team-linux"]) {
    for (const [policy, result] of modes.filter(([, result]) => result !== null)) {
      const counts = ["denied", "asked", "stopped", "contained", "effect"].map((outcome) => result.tallies[`${set}: ${outcome}`] ?? 0);
      out.push(`| ${set} | ${policy} | ${counts.reduce((sum, one) => sum + one, 0)} | ${counts.join(" | ")} |`);
    }
  }
  out.push("", "Each row with its outcome and the rule is in the results. What runs with the policy on is held by the container: reading what everybody may read, sending to ports where nobody listens, listing folders.", "");
}

function families(result) {
  out.push("### Attack families", "", "Our own forms for each row of the attack battery (`test/adversarial/families`). Each is run unguarded in the same world and must do what it claims; text that tells it must be stopped before it runs; with nothing refused none may have an effect outside its copy.", "");
  if (result === null) return void counted();
  out.push(from(result), "", "| family | forms | denied | asked | left to the container |", "| --- | --- | --- | --- | --- |");
  const names = [...new Set(Object.keys(result.tallies).flatMap((key) => /^([FX]\d+): /.exec(key)?.[1] ?? []))].sort((a, b) => (a[0] === b[0] ? Number(a.slice(1)) - Number(b.slice(1)) : a < b ? -1 : 1));
  for (const name of names) {
    const counts = ["deny", "ask", "left to the container"].map((effect) => result.tallies[`${name}: ${effect}`] ?? 0);
    out.push(`| ${name} | ${counts.reduce((sum, one) => sum + one, 0)} | ${counts.join(" | ")} |`);
  }
  const inside = ["stopped", "contained", "effect"].map((outcome) => `${result.tallies[`inside, nothing refused: ${outcome}`] ?? 0} ${outcome}`);
  out.push("", `Inside a session with nothing refused: ${inside.join(", ")}.`, "");
}

/** The forms as they are written, where no result of a soak is there. */
function counted() {
  const folder = join(CHECKOUT, "test", "adversarial", "families");
  const all = readdirSync(folder).filter((name) => /^(?:files|commands)-/.test(name)).sort().flatMap((name) => parse(readFileSync(join(folder, name), "utf8")));
  const names = [...new Set(all.map(({ id }) => id.split("-")[0]))].sort((a, b) => (a[0] === b[0] ? Number(a.slice(1)) - Number(b.slice(1)) : a < b ? -1 : 1));
  out.push("`npm test` holds the judgement of every form; `npm run soak -- --suite attack-families` runs each of them again, and there is no committed result of it yet.", "", "| family | forms | stopped before they run | left to the container |", "| --- | --- | --- | --- |");
  for (const name of names) {
    const forms = all.filter(({ id }) => id.startsWith(`${name}-`));
    const after = forms.filter(({ held }) => held === "after").length;
    out.push(`| ${name} | ${forms.length} | ${forms.length - after} | ${after} |`);
  }
  out.push(`| all | ${all.length} | ${all.filter(({ held }) => held !== "after").length} | ${all.filter(({ held }) => held === "after").length} |`, "");
}

/** Two sets whose question is another one: where we differ, and why. */
async function differences() {
  const codex = rows("codex-command-safety/cases.jsonl");
  const intercode = rows("intercode-bash/gold.jsonl");
  if (codex.length === 0) return;
  const home = mkdtempSync(join(tmpdir(), "ringfence-danger-"));
  const set = await loadPolicy([], { RINGFENCE_HOME: home });
  rmSync(home, { recursive: true, force: true });
  const judge = (question, root) => checkLine(set, { id: "1", ...question }, { role: null, root, home: "/home/agent", containment: "attested" }).json;
  out.push("### Differences from two other sets", "", "`codex-command-safety` asks whether a command may run without a question outside of any container; we ask what it may harm inside one.", "", "| group | expected | N | denied | asked | allowed | why we differ |", "| --- | --- | --- | --- | --- | --- | --- |");
  const why = {
    dangerous: "deleting in `/tmp` is the session's own; `rm -f` of one file is no loss of a folder",
    "dangerous-in-shell-syntax": "the same in `/tmp`; an unset variable names nothing",
    unsafe: "reading, building and changing the copy is the agent's work: contained, compared and undone",
    "unsafe-shell": "the same",
    "plain-parse": "asks whether a text is plain words; we read the whole grammar",
  };
  const groups = new Map();
  for (const row of codex) {
    const key = `${row.group}\t${row.expected}`;
    const counts = groups.get(key) ?? { deny: 0, ask: 0, allow: 0 };
    counts[judge(row.script === null ? { argv: row.argv } : { command: row.script }, "/workspace").effect] += 1;
    groups.set(key, counts);
  }
  for (const [key, { deny, ask, allow }] of groups) {
    const [group, expected] = key.split("\t");
    out.push(`| ${group} | ${expected} | ${deny + ask + allow} | ${deny} | ${ask} | ${allow} | ${expected === "auto-approve" || expected === "not-dangerous" || expected === "plain-words" ? "" : (why[group] ?? "")} |`);
  }
  const reasons = {
    "L3.delete-outside": "deletes or moves away in `/system` or `/workspace`, which are outside the root `/testbed`",
    "L4.write-outside": "writes in `/`, `/system`, `/backup` or `/workspace`, outside the root",
    "L3.opaque-text": "paths that other commands compute; only their names are unknown",
    "L3.delete-everything": "names every file of the root to a program that replaces it (`gzip`, `compress`)",
    "kimi-dev.network": "asks a name server or another host; there is no network",
    "L5.guard-files": "takes in every hidden file, the guard's own among them",
    "L4.container-escape": "`mount`, here only to list",
  };
  const refused = new Map();
  for (const row of intercode) {
    const { effect, rules } = judge({ command: row.command }, "/testbed");
    if (effect !== "allow") refused.set(rules[0], (refused.get(rules[0]) ?? 0) + 1);
  }
  out.push("", `\`intercode-bash\`: ${[...refused.values()].reduce((sum, one) => sum + one, 0)} of ${intercode.length} gold commands are refused, judged with \`/testbed\` as the workspace. Its file systems differ from row to row, so most of these are right for that root:`, "", "| rule | refused | why |", "| --- | --- | --- |");
  for (const [rule, count] of [...refused].sort((a, b) => b[1] - a[1])) out.push(`| \`${rule}\` | ${count} | ${reasons[rule] ?? ""} |`);
  out.push("");
}

function cell(words) {
  const one = words.replaceAll("\n", "\\n").replaceAll("|", "\\|").replaceAll("`", "ˋ");
  return one.length > 110 ? `${one.slice(0, 110)}…` : one;
}

function write(text) {
  const page = readFileSync(DOC, "utf8");
  const section = `${MARK}\n\n## Dangerous forms and programs\n\n\`npm run bench -- --danger --write\` writes this part from the results of \`npm run soak\`.\n\n${text}\n${MARK}`;
  const parts = page.split(MARK);
  writeFileSync(DOC, parts.length >= 3 ? `${parts[0]}${section}${parts.slice(2).join(MARK)}` : `${page.trimEnd()}\n\n${section}\n`);
}
