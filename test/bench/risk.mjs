// `npm run bench -- --risk [--check] [--json]`: what one event costs the live score, at 1,000 and at 10,000 events of one session. Two
// sessions: `hostile`, in which nearly every event is new evidence, over as many rules as a session keeps apart; `usual`, in which one
// call in eight is refused. Update is the new state and the reactions that are due; record is the `risk.updated` of a moved score besides.

import { initialRisk, KIMI_DEV, reduceRisk, replayRisk, riskEvent, dueReactions, RISK_MODEL } from "../../dist/lib/core/risk/index.js";

const BAR_US = 50;
const SIZES = [1_000, 10_000];
const ROUNDS = 5;
const args = new Set(process.argv.slice(2));
const DIGEST = `sha256:${"0".repeat(64)}`;
const CONTROLS = ["caps-empty", "no-new-privs", "seccomp", "rootfs-read-only", "no-network", "guard-unreachable", "processes-limited", "memory-limited", "workspace-copy", "secrets-masked", "record-kept"].map((id) => ({ id, state: "attested", detail: "" }));
const FACTORS = ["autonomy", "tools", "language", "context", "non_determinism", "opacity", "persistence", "identity", "multi_agent", "self_mod"];
const REACTIONS = [["medium", 20], ["medium", 35], ["medium", 50], ["high", 1_000_000]].map(([severity, count], index) => ({ id: `bench.r${index}`, kind: "ask", layer: null, threats: [], message: "m", at: { file: "", line: 1, column: 1 }, when: [{ on: "findings", rules: [], threats: [], severity, outcome: "blocked", count }, { on: "score", from: "10.0" }] }));
const HAPPENED = new Set(REACTIONS.slice(0, 3).map(({ id }) => id));

/** A small generator, so that every run meets the same events. */
function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function denied(seq, rule, severity, factors) {
  const reasons = [{ rule, effect: "deny", layer: "L7", threats: ["asi-2026:ASI02"], message: "m", allowed: null, subject: "s", at: null, risk: { severity, cvss: null, factors } }];
  return { call: `call_${seq}`, type: "decision.made", seq, data: { action: { kind: "command", summary: "s", cwd: null, effects: 1 }, actionDigest: DIGEST, effect: "deny", reasons, obligations: [], guidance: null, policyDigest: DIGEST } };
}

function reconciled(seq, rule, severity, reverted) {
  const finding = { rule, layer: "L7", threats: [], message: "m", path: "p", operation: "create", reverted, risk: { severity, cvss: null, factors: { tools: 0.1, persistence: 0.2 } } };
  return { call: `call_${seq}`, type: "reconciliation.done", seq, data: { changes: [], findings: [finding], hints: 0 } };
}

function quiet(seq) {
  const stream = { bytes: 0, dropped: 0, head: "", blob: null };
  return { call: `call_${seq}`, type: "execution.finished", seq, data: { exitCode: 0, signal: null, ended: "exit", detail: null, durationMs: 1, stdout: stream, stderr: stream, killed: 0, quiescent: true } };
}

const SESSIONS = {
  hostile: (count) => {
    const next = random(7);
    return Array.from({ length: count }, (_, index) => {
      const rule = `L${1 + next(7)}.rule-${next(300)}`;
      const severity = ["low", "medium", "high", "critical"][next(4)];
      const factors = { [FACTORS[next(10)]]: 0.1 + next(8) / 10, [FACTORS[next(10)]]: 0.05 + next(8) / 20 };
      return next(4) === 0 ? reconciled(index + 1, rule, severity, next(5) > 0) : denied(index + 1, rule, severity, factors);
    });
  },
  usual: (count) => {
    const next = random(11);
    return Array.from({ length: count }, (_, index) => (next(8) === 0 ? denied(index + 1, `L3.rule-${next(20)}`, "medium", { tools: 0.3 }) : quiet(index + 1)));
  },
};

/** Times of each event in microseconds: of the update, and of the record besides. */
function play(events) {
  const update = new Float64Array(events.length);
  const record = new Float64Array(events.length);
  let state = initialRisk(KIMI_DEV, { controls: CONTROLS });
  let moved = 0;
  for (const [index, event] of events.entries()) {
    const start = performance.now();
    const next = reduceRisk(state, event);
    if (next !== state) dueReactions(REACTIONS, next, HAPPENED);
    const done = performance.now();
    if (riskEvent(state, next, event.seq) !== null) moved += 1;
    record[index] = (performance.now() - done) * 1000;
    update[index] = (done - start) * 1000;
    state = next;
  }
  return { update, record, moved, state };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const at = (values, share) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];

function measure(name) {
  play(SESSIONS[name](SIZES[0])); // warm
  return SIZES.map((size) => {
    const events = SESSIONS[name](size);
    const rounds = Array.from({ length: ROUNDS }, () => play(events));
    const best = rounds.reduce((a, b) => (mean(a.update) <= mean(b.update) ? a : b));
    const last = best.update.subarray(size - size / 10);
    const opened = { v: 1, seq: 0, time: "", session: "ses_bench", call: null, type: "session.opened", data: { policy: { profile: "kimi-dev" }, controls: CONTROLS } };
    const replayed = replayRisk([opened, ...events], KIMI_DEV);
    if (replayed.headline.score.raw.units !== best.state.headline.score.raw.units) throw new Error("replay gives another score");
    return { session: name, events: size, meanUs: mean(best.update), p50Us: at(best.update, 0.5), p99Us: at(best.update, 0.99), lastTenthUs: mean(last), recordMeanUs: mean(best.record), moved: best.moved, findings: best.state.findings.size };
  });
}

const rows = Object.keys(SESSIONS).flatMap(measure);
const bars = rows.filter(({ events }) => events === SIZES.at(-1)).flatMap((row) => [
  { name: `${row.session}: mean of an update at ${row.events} events, µs`, value: row.meanUs, bar: BAR_US },
  { name: `${row.session}: mean of the last tenth, µs`, value: row.lastTenthUs, bar: BAR_US },
]);
const failed = bars.some(({ value, bar }) => value > bar);
if (args.has("--json")) process.stdout.write(`${JSON.stringify({ model: RISK_MODEL, node: process.version, rows, bars: bars.map((row) => ({ ...row, held: row.value <= row.bar })) })}\n`);
else {
  process.stdout.write(`${RISK_MODEL}, Node ${process.version}, best of ${ROUNDS}; microseconds an event\n\n`);
  process.stdout.write("session   events   mean    p50    p99   last tenth   record besides   moved   findings\n");
  for (const row of rows) process.stdout.write(`${row.session.padEnd(8)}  ${String(row.events).padStart(6)}  ${[row.meanUs, row.p50Us, row.p99Us].map((value) => value.toFixed(1).padStart(5)).join("  ")}  ${row.lastTenthUs.toFixed(1).padStart(11)}  ${row.recordMeanUs.toFixed(1).padStart(15)}  ${String(row.moved).padStart(6)}  ${String(row.findings).padStart(9)}\n`);
  for (const { name, value, bar } of bars) process.stdout.write(`${value <= bar ? "held  " : "MISSED"} ${name}: ${value.toFixed(1)} (at most ${bar})\n`);
}
process.exitCode = args.has("--check") && failed ? 1 : 0;
