// `npm run bench -- --replay [--check] [--json] [--sessions N]`: how fast sessions are imported, judged again and opened. Real sessions of the corpora,
// imported as often as asked; without corpora a session made of a mix of commands. Runs nothing of them. One thread.

import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { importTrajectories } from "../../dist/lib/compose-import.js";
import { redecideSessions } from "../../dist/lib/compose-redecide.js";
import { openReplay, openStep } from "../../dist/lib/compose-replay.js";

const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));
const CORPORA = process.env["RINGFENCE_CORPORA"] ?? join(CHECKOUT, "..", "shared", "corpora");
const args = process.argv.slice(2);
const SESSIONS = Number(args[args.indexOf("--sessions") + 1] ?? 0) || 500;
const CALLS_OF_LONG = 10_000;
const STEP = 5_000;
const ROUNDS = 5;
const BARS = { redecide: { name: "calls judged again in a second", bar: 5_000, atMost: false }, cold: { name: `step ${STEP} of ${CALLS_OF_LONG} opens from nothing, in ms`, bar: 100, atMost: true } };
const MIX = ["ls -R src | head", "grep -rn foo src --include='*.py'", "sed -n 1,40p src/a.js", "python3 -m pytest -q tests", "git diff src && git status", "cat > /tmp/a.py <<'EOF'\nprint(1)\nEOF\npython3 /tmp/a.py", "find . -name 'a*.js' | xargs grep -l x", "cd src && npm test", "echo a > a.txt", "rm a.py"];

const scratch = mkdtempSync(join(tmpdir(), "ringfence-bench-replay-"));
const env = { ...process.env, RINGFENCE_HOME: join(scratch, "state"), RINGFENCE_LOG_LEVEL: "silent" };
const policy = join(scratch, "strict.policy.yaml");
writeFileSync(policy, "version: 1\nid: strict\ntitle: Strict\nextends: [kimi-dev]\nrules:\n  - id: strict.no-inline-code\n    effect: deny\n    layer: L3\n    threats: [maestro:L7/agent-tool-misuse]\n    message: code goes into files\n    when: [{ code: { sources: [inline] } }]\n    match: [{ command: \"python3 -c 'print(1)'\" }]\n    notMatch: [{ command: \"python3 a.py\" }]\n");

try {
  const result = await measure();
  const bars = Object.entries(BARS).map(([key, { name, bar, atMost }]) => ({ name, value: result[key], bar, held: atMost ? result[key] <= bar : result[key] >= bar }));
  if (args.includes("--json")) process.stdout.write(`${JSON.stringify({ cpus: cpus().length, node: process.version, ...result, bars })}\n`);
  else {
    process.stdout.write(`${cpus().length} processors, Node ${process.version}; ${result.source}\n`);
    process.stdout.write(`  imported      ${result.sessions} sessions, ${result.calls} calls, ${result.importPerSecond.toFixed(0)} calls a second (each session durable on disk)\n`);
    process.stdout.write(`  judged again  ${result.redecide.toFixed(0)} calls a second, record read and verified; ${result.unknown} unknown, ${result.stricter} stricter\n`);
    process.stdout.write(`  opened        ${result.cold.toFixed(1)} ms to step ${STEP} of ${CALLS_OF_LONG} by the signed index; ${result.read.toFixed(0)} ms to read and verify the whole record, ${result.open.toFixed(1)} ms to the step from there\n`);
    for (const { name, value, bar, held } of bars) process.stdout.write(`  ${held ? "held  " : "MISSED"}  ${name}: ${value.toFixed(1)} (bar ${bar})\n`);
  }
  process.exitCode = args.includes("--check") && bars.some(({ held }) => !held) ? 1 : 0;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function measure() {
  const folder = join(CORPORA, "swebench-mini-gemini", "full");
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [made("mix.json", 200)];
  const begun = performance.now();
  let calls = 0;
  let sessions = 0;
  while (sessions < SESSIONS) {
    const done = await importTrajectories({ paths: files.slice(0, SESSIONS - sessions), env });
    sessions += done.length;
    calls += done.reduce((sum, one) => sum + (one.ok ? one.trajectory.tally.calls : 0), 0);
  }
  const importPerSecond = (calls / (performance.now() - begun)) * 1000;
  const rates = [];
  let summary = null;
  for (let round = 0; round < ROUNDS; round += 1) {
    const from = performance.now();
    ({ summary } = await redecideSessions({ sessions: [], all: true, policies: [policy], baseline: [], env }));
    rates.push((summary.calls / (performance.now() - from)) * 1000);
  }
  const [long] = await importTrajectories({ paths: [made("long.json", CALLS_OF_LONG)], env });
  const opened = [];
  const reads = [];
  const cold = [];
  for (let round = 0; round < 5; round += 1) {
    const begun = performance.now();
    const alone = await openStep(long.session.session, STEP, env);
    cold.push(performance.now() - begun);
    const from = performance.now();
    const view = await openReplay(long.session.session, env);
    const read = performance.now();
    const step = view.timeline.steps[STEP - 1];
    const texts = await view.textsOf(step);
    if (JSON.stringify({ step, texts }) !== JSON.stringify({ step: alone?.step, texts: alone?.texts })) throw new Error("the step by the index is not the step of the record");
    opened.push(performance.now() - read);
    reads.push(read - from);
    await view.close();
  }
  return { source: existsSync(folder) ? "sessions of swebench-mini-gemini" : "no corpora: a made session", sessions, calls, importPerSecond, redecide: median(rates), unknown: summary.unknown, stricter: summary.stricter, open: median(opened), read: median(reads), cold: median(cold) };
}

/** A session of so many commands, as chat messages. */
function made(name, count) {
  const path = join(scratch, name);
  const messages = Array.from({ length: count }, (_, index) => [{ role: "assistant", content: "", tool_calls: [{ id: `c${index}`, function: { name: "bash", arguments: JSON.stringify({ command: MIX[index % MIX.length] }) } }] }, { role: "tool", tool_call_id: `c${index}`, content: "output\n" }]).flat();
  writeFileSync(path, JSON.stringify(messages));
  return path;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
