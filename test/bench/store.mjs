// `npm run bench -- --store [--check] [--json] [--sessions N]`: how long many sessions take to be indexed, searched and listed. The
// records are made by the writer's own functions, without its syncs; everything that is measured reads and verifies them as they are.

import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createSigner } from "../../dist/lib/adapters/system/signer.js";
import { sha256 } from "../../dist/lib/adapters/system/hasher.js";
import { openStore } from "../../dist/lib/compose-store.js";
import { searchSessions } from "../../dist/lib/compose-sessions.js";
import { createMerkleTree, digestBytes, genesis, sealRecord, signCheckpoint } from "../../dist/lib/core/ledger/index.js";

const args = process.argv.slice(2);
const SESSIONS = Number(args[args.indexOf("--sessions") + 1] ?? 0) || 10_000;
const CALLS = 8;
const BARS = [
  { key: "search", name: `a search over ${SESSIONS} sessions with nothing new, in ms`, bar: 2_000 },
  { key: "list", name: `all of ${SESSIONS} sessions listed, in ms`, bar: 2_000 },
];
const COMMANDS = ["ls -R src | head", "grep -rn foo src", "sed -n 1,40p src/a.js", "python3 -m pytest -q tests", "git diff src && git status", "npm test --silent", "cat README.md", "rm -rf build"];
const digest = `sha256:${"a".repeat(64)}`;

const scratch = mkdtempSync(join(tmpdir(), "ringfence-bench-sessions-"));
const state = join(scratch, "state");
const env = { ...process.env, RINGFENCE_HOME: state, RINGFENCE_LOG_LEVEL: "silent" };
const sizes = { bytes: 0, records: 0 };

function makeSession(signer, number) {
  const session = `ses_${number.toString(36).padStart(6, "0")}${randomBytes(3).toString("hex")}`;
  const folder = join(state, "sessions", session);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const tree = createMerkleTree(sha256);
  const place = { seq: 0, prev: genesis(sha256, session) };
  let text = "";
  const add = (call, type, data) => {
    const time = new Date(Date.UTC(2026, 0, 1) + number * 60_000 + place.seq).toISOString();
    const record = sealRecord({ call, type, data }, { ...place, session, time }, sha256);
    text += record.line;
    tree.append(digestBytes(record.hash));
    place.seq += 1;
    place.prev = record.hash;
  };
  add(null, "session.opened", { product: "bench", agent: { name: `agent-${number % 7}`, model: null, endpoint: null, version: null, sampling: null }, startedBy: "bench", source: "library", workspace: { path: `/work/project-${number % 100}`, root: "/workspace" }, role: null, policy: { digest, sources: ["builtin:kimi-dev"], profile: "kimi-dev" }, image: { reference: "i", id: digest }, engine: { name: "e", version: "1", runtime: "runc" }, controls: [] });
  for (let at = 1; at <= CALLS; at += 1) {
    const call = `call_${String(at).padStart(4, "0")}`;
    const command = `${COMMANDS[(number + at) % COMMANDS.length]} # ${number}-${at}`;
    const denied = (number + at) % 29 === 0;
    add(call, "call.received", { label: String(at), role: null, tool: "bash", arguments: { command }, argumentsDigest: digest });
    add(call, "decision.made", { action: { kind: "command", summary: command, cwd: "/workspace", effects: 1 }, actionDigest: digest, effect: denied ? "deny" : "allow", reasons: denied ? [{ rule: "L3.delete-outside", effect: "deny", layer: "L3", threats: ["maestro:L7/agent-tool-misuse"], message: "m", allowed: null, subject: "delete /etc/passwd", at: null, risk: null }] : [], obligations: [], guidance: null, policyDigest: digest });
    if (!denied) add(call, "reconciliation.done", { changes: [{ path: `src/file-${number % 50}-${at}.js`, operation: "create", before: null, after: { kind: "file", mode: 420, bytes: 10, digest, target: null } }], findings: [], hints: 0 });
    add(call, "call.closed", { outcome: denied ? "denied" : "completed", exitCode: denied ? null : 0, observationDigest: null });
  }
  add(null, "session.closed", { reason: "finished", detail: null, calls: CALLS });
  writeFileSync(join(folder, "ledger.jsonl"), text, { mode: 0o600 });
  writeFileSync(join(state, "heads", `${session}.checkpoint`), signCheckpoint({ session, size: tree.size(), root: tree.root() }, signer, sha256), { mode: 0o600 });
  sizes.bytes += text.length;
  sizes.records += place.seq;
}

async function timed(work) {
  const begun = performance.now();
  const value = await work();
  return [performance.now() - begun, value];
}

try {
  mkdirSync(join(state, "heads"), { recursive: true, mode: 0o700 });
  const signer = createSigner(state);
  for (let number = 0; number < SESSIONS; number += 1) makeSession(signer, number);
  const ask = (query) => searchSessions({ query, limit: 20, rebuild: false, env });
  const [build, first] = await timed(() => ask({ command: "pytest" }));
  const [search] = await timed(() => ask({ rule: "L3.delete-outside", words: ["git"] }));
  const [word, words] = await timed(() => ask({ words: [`# ${SESSIONS >> 1}-3`] }));
  makeSession(signer, SESSIONS + 1);
  const [one, added] = await timed(() => ask({ command: `# ${SESSIONS + 1}-3` }));
  const stored = await openStore(env);
  const [list] = await timed(() => stored.store.list());
  await stored.close();
  const result = { sessions: SESSIONS, records: sizes.records, mebibytes: Math.round(sizes.bytes / 1024 / 1024), build, search, word, one, list, database: Math.round(statSync(join(state, "index", "sessions.db")).size / 1024 / 1024), resident: Math.round(process.memoryUsage().rss / 1024 / 1024) };
  if (first.found.length !== 20 || words.found.length !== 1 || added.index.read !== 1 || added.found.length !== 1) throw new Error("what was found is not what there is");
  const bars = BARS.map(({ key, name, bar }) => ({ name, value: result[key], bar, held: result[key] <= bar }));
  if (args.includes("--json")) process.stdout.write(`${JSON.stringify({ cpus: cpus().length, node: process.version, ...result, bars })}\n`);
  else {
    process.stdout.write(`${cpus().length} processors, Node ${process.version}; ${result.sessions} sessions, ${result.records} records, ${result.mebibytes} MiB\n`);
    process.stdout.write(`  indexed       ${(build / 1000).toFixed(1)} s from nothing, every record read and verified; ${result.database} MiB of index\n`);
    process.stdout.write(`  searched      ${search.toFixed(0)} ms by rule and word, ${word.toFixed(0)} ms by a word of one session, what is shown read from its record\n`);
    process.stdout.write(`  one new       ${one.toFixed(0)} ms\n  listed        ${list.toFixed(0)} ms\n  memory        ${result.resident} MiB\n`);
    for (const { name, value, bar, held } of bars) process.stdout.write(`  ${held ? "held  " : "MISSED"}  ${name}: ${value.toFixed(1)} (bar ${bar})\n`);
  }
  process.exitCode = args.includes("--check") && bars.some(({ held }) => !held) ? 1 : 0;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
