// `npm run bench -- --content [--write]`: what the rules about content find in sets of risky texts and of innocent look-alikes, and how
// long they take. Reads texts only. `--write` puts the result into docs/benchmarks.md.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findHidden, findInstructions, findObfuscation, findSecrets, findSmuggled } from "../../dist/lib/core/content/index.js";
import { checkLine, loadPolicy } from "../../dist/lib/index.js";

const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));
const CORPORA = process.env["RINGFENCE_CORPORA"] ?? join(CHECKOUT, "..", "shared", "corpora");
const DOC = join(CHECKOUT, "docs", "benchmarks.md");
const KINDS = { secret: findSecrets, "invisible-characters": findHidden, "hidden-text": findSmuggled, "injected-instructions": findInstructions, "obfuscated-code": findObfuscation };

const rows = (file) => readFileSync(join(CORPORA, file), "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
const hits = (texts, kind) => texts.filter((text) => KINDS[kind](text).length > 0).length;

if (!existsSync(CORPORA)) {
  process.stderr.write(`ringfence: no corpora at ${CORPORA}\n`);
  process.exitCode = 70;
} else {
  const text = [...found(), "", ...(await byPath()), "", ...speed()].join("\n");
  process.stdout.write(`${text}\n`);
  if (process.argv.includes("--write")) write(text);
}

function found() {
  const out = ["Texts in which a kind was found, of the texts of the set. What a set marks as risky is often of no kind here (a screenshot is taken, a request is built from input): those are not looked for.", "", "| set | texts | secret | invisible | hidden text | instructions | code that hides itself |", "| --- | --- | --- | --- | --- | --- | --- |"];
  const row = (name, texts) => out.push(`| ${name} | ${String(texts.length)} | ${Object.keys(KINDS).map((kind) => String(hits(texts, kind))).join(" | ")} |`);
  const guarddog = rows("guarddog-samples/samples.jsonl");
  const isEncoded = (one) => /base64|obfuscation|unicode|steganography/.test(one.file);
  row("guarddog-samples, risky, of hiding code", guarddog.filter((one) => one.label === "risky" && isEncoded(one)).map((one) => one.content));
  row("guarddog-samples, risky, of other kinds", guarddog.filter((one) => one.label === "risky" && !isEncoded(one)).map((one) => one.content));
  row("guarddog-samples, innocent twins", guarddog.filter((one) => one.label !== "risky").map((one) => one.content));
  const gitleaks = rows("gitleaks-cases/cases.jsonl");
  row("gitleaks-cases, secrets", gitleaks.filter((one) => one.expected === "secret").map((one) => one.text));
  row("gitleaks-cases, look-alikes", gitleaks.filter((one) => one.expected !== "secret").map((one) => one.text));
  const cse = rows("cyberseceval-insecure/snippets.jsonl");
  row("cyberseceval-insecure, CWE-798 (a credential in code)", cse.filter((one) => one.cwe === "CWE-798").map((one) => `${one.code}\n${one.line}`));
  row("cyberseceval-insecure, other weaknesses", cse.filter((one) => one.cwe !== "CWE-798").map((one) => `${one.code}\n${one.line}`));
  row("zizmor-workflows", rows("zizmor-workflows/workflows.jsonl").map((one) => one.content));
  row("swebench-mini-gemini, commands with what they write", rows("swebench-mini-gemini/commands.jsonl").map((one) => one.command));
  const folder = join(CORPORA, "swebench-mini-gemini", "full");
  const outputs = readdirSync(folder).flatMap((file) => JSON.parse(readFileSync(join(folder, file), "utf8")).messages.filter((one) => one.role === "user").map((one) => (typeof one.content === "string" ? one.content : JSON.stringify(one.content))));
  row("swebench-mini-gemini, outputs given to the model", outputs);
  const missed = guarddog.filter((one) => one.label === "risky" && isEncoded(one) && findObfuscation(one.content).length === 0).map((one) => one.file);
  out.push("", `Not found of the first line: ${missed.map((file) => `\`${file}\``).join(", ") || "nothing"}. Long encoded literals that nothing runs are data, as pictures and hashes are. Of the look-alikes of secrets 16 are keys of a public list of examples, which have the form of real ones.`);
  return out;
}

async function byPath() {
  const set = await loadPolicy([]);
  const effect = (path) => checkLine(set, { id: "1", write: path }, { role: null, root: "/workspace", home: "/home/agent", containment: "attested" }).json.effect;
  const workflows = rows("zizmor-workflows/workflows.jsonl").map((one) => `.github/workflows/${one.file.replaceAll(/[^\w.-]/g, "-")}`);
  const protectedPaths = rows("srt-write-deny/cases.jsonl");
  const tally = (paths) => ["deny", "ask", "allow"].map((wanted) => `${wanted} ${String(paths.filter((path) => effect(path) === wanted).length)}`).join(", ");
  return [
    "What is weak in a workflow is not looked for: no workflow may be changed at all. Writing each file of a set at its place:",
    "",
    "| set | files | decisions |",
    "| --- | --- | --- |",
    `| zizmor-workflows, as \`.github/workflows/*\` | ${String(workflows.length)} | ${tally(workflows)} |`,
    ...["deny", "allow"].map((wanted) => `| srt-write-deny, expected ${wanted} | ${String(protectedPaths.filter((one) => one.expected === wanted).length)} | ${tally(protectedPaths.filter((one) => one.expected === wanted).map((one) => one.path))} |`),
  ];
}

function speed() {
  const text = rows("swebench-mini-gemini/commands.jsonl").map((one) => one.command).join("\n").slice(0, 2_000_000);
  const perKind = Object.entries(KINDS).map(([kind, find]) => {
    const took = Array.from({ length: 5 }, () => {
      const start = performance.now();
      find(text);
      return performance.now() - start;
    });
    return `${kind} ${(text.length / 1e6 / (Math.min(...took) / 1000)).toFixed(0)}`;
  });
  return [`Megabytes a second, on ${(text.length / 1e6).toFixed(1)} MB of commands: ${perKind.join(", ")}. An output is judged after it is cut to 32,000 characters.`];
}

function write(text) {
  const page = readFileSync(DOC, "utf8");
  const section = `<!-- content -->\n\n## Content\n\n\`npm run bench -- --content --write\` writes this part.\n\n${text}\n\n<!-- /content -->`;
  const known = /<!-- content -->[\s\S]*<!-- \/content -->/;
  writeFileSync(DOC, known.test(page) ? page.replace(known, () => section) : `${page.trimEnd()}\n\n${section}\n`);
}
