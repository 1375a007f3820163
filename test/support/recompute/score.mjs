// The live score of a recorded session, by a program of its own: nothing here is imported from the sources. It was written from docs/risk.md
// and docs/events.md, computes with one fixed scale of integers, and takes CVSS from another library than the product does.
// Usage: node score.mjs EVENTS.jsonl   (as `ringfence show ID --json` prints them) — one line an event: {"seq","exact","peak","driver","factorSum"}

import { readFileSync } from "node:fs";
import { calculateBaseScoreV4 } from "cvss4";
import { parse } from "yaml";

const PLACES = 20;
const UNIT = 10n ** BigInt(PLACES);

/** Decimal text to units of 10^-20. */
function units(text) {
  const [whole, fraction = ""] = String(text).split(".");
  return BigInt(whole) * UNIT + BigInt(fraction.padEnd(PLACES, "0").slice(0, PLACES));
}
const times = (a, b) => (a * b) / UNIT;
function text(value) {
  const digits = value.toString().padStart(PLACES + 1, "0");
  return `${digits.slice(0, -PLACES)}.${digits.slice(-PLACES)}`.replace(/\.?0+$/, "");
}
/** One decimal, halves up. */
const shown = (value) => text(((value * 10n + UNIT / 2n) / UNIT) * (UNIT / 10n)).replace(/^(\d+)$/, "$1.0");

// docs/risk.md, section by section.
const KEYS = ["autonomy", "tools", "language", "context", "non_determinism", "opacity", "persistence", "identity", "multi_agent", "self_mod"];
const PUBLISHED = { "Autonomy of Action": "autonomy", "Goal-Driven Planning": "language", "Self-Modification": "self_mod", "Dynamic Tool Use": "tools", "Persistent Memory": "persistence", "Contextual Awareness": "context", "Dynamic Identity": "identity", "Multi-Agent Interactions": "multi_agent", "Non-Determinism": "non_determinism", "Opacity & Reflexivity": "opacity" };
const WALLS = ["caps-empty", "no-new-privs", "seccomp", "guard-unreachable"];
const LADDER = [
  ["MVC", "L", "VC", ["secrets-masked"]],
  ["MVI", "L", "VI", ["workspace-copy", "rootfs-read-only"]],
  ["MVA", "L", "VA", ["workspace-copy", "processes-limited", "memory-limited", "disk-limited"]],
  ["MSC", "N", "SC", ["no-network", ...WALLS]],
  ["MSI", "N", "SI", ["no-network", "rootfs-read-only", "workspace-copy", ...WALLS]],
  ["MSA", "N", "SA", ["no-network", "processes-limited", "memory-limited", "disk-limited", ...WALLS]],
];
const SEVERITIES = ["info", "low", "medium", "high", "critical"];
const ROWS = {
  info: [null, "0.01"],
  low: ["CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:N/VC:N/VI:L/VA:L/SC:N/SI:N/SA:N", "0.03"],
  medium: ["CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:L/VA:L/SC:N/SI:N/SA:N", "0.08"],
  high: ["CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "0.15"],
  critical: ["CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "0.25"],
};
const OUTCOMES = ["asked", "approved", "contained", "rejected", "blocked", "undone", "succeeded"];
const PARTS = { asked: ["0.25"], approved: ["0.25"], contained: ["0.5"], rejected: ["0.5"], blocked: ["1"], undone: ["1", "0.5"], succeeded: ["1", "1"] };
const SHARES = ["1", "0.25", "0.0625", "0.015625"];
const BY_LAYER = { L1: ["language", "context"], L2: ["persistence", "context"], L3: ["autonomy", "non_determinism"], L4: ["tools", "autonomy"], L5: ["opacity"], L6: ["identity", "tools"], L7: ["autonomy", "tools"], X: ["tools", "identity"] };
const RUN = {
  "run.default-deny": ["L3", "info", null, { tools: 0.01, autonomy: 0.01 }],
  "run.rule-without-risk": [null, "info", null, { tools: 0.01, autonomy: 0.01 }],
  "run.timeout": ["L4", "info", null, { non_determinism: 0.02 }],
  "run.limit": ["L4", "low", "CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:N/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N", { non_determinism: 0.05, autonomy: 0.03 }],
  "run.left-processes": ["L4", "info", null, { autonomy: 0.02 }],
  "run.reported-refusal": ["L4", "info", null, { tools: 0.01, autonomy: 0.01 }],
  "run.not-quiescent": ["L4", "high", null, { autonomy: 0.15, tools: 0.15 }],
  "run.in-doubt": ["L5", "low", "CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N", { opacity: 0.1 }],
};
const MOST_FINDINGS = 256;
const MOST_QUESTIONS = 256;

const KIMI_DEV = parse(readFileSync(new URL("../../../policies/profiles/kimi-dev.profile.yaml", import.meta.url), "utf8"));

const METRICS = "AV AC AT PR UI VC VI VA SC SI SA E CR IR AR MAV MAC MAT MPR MUI MVC MVI MVA MSC MSI MSA S AU R V RE U".split(" ");
const scored = new Map();
function cvss(vector) {
  if (!scored.has(vector)) scored.set(vector, units(calculateBaseScoreV4(vector)));
  return scored.get(vector);
}

/** A vector with the metrics that the attested controls earn; none is made worse. */
function contained(vector, lost) {
  const given = new Map(vector.slice("CVSS:4.0/".length).split("/").map((part) => part.split(":")));
  for (const [index, [metric, value, base]] of LADDER.entries()) {
    if (lost[index]) continue;
    const modified = given.get(metric) ?? "X";
    if ("NLHS".indexOf(value) < "NLHS".indexOf(modified === "X" ? given.get(base) : modified)) given.set(metric, value);
  }
  return `CVSS:4.0/${METRICS.filter((key) => given.has(key)).map((key) => `${key}:${given.get(key)}`).join("/")}`;
}
const lesser = (a, b) => (a < b ? a : b);
const greater = (a, b) => (a > b ? a : b);

class Session {
  constructor(opened) {
    const profile = opened?.riskProfile ?? KIMI_DEV;
    this.vector = profile.cvss.vector;
    this.formula = profile.formula;
    this.thm = units(profile.thm);
    this.mf = units(profile.mf);
    this.base = Object.fromEntries(profile.factors.map(({ name, value }) => [PUBLISHED[name] ?? name, units(value)]));
    this.controls = new Map();
    for (const { id, state } of opened?.controls ?? []) {
      const worst = ["attested", "configured", "missing"];
      const known = this.controls.get(id);
      if (known === undefined || worst.indexOf(state) > worst.indexOf(known)) this.controls.set(id, state);
    }
    this.findings = new Map();
    this.questions = new Map();
    this.discarded = false;
    this.stand();
    this.score();
    this.peak = this.exact;
  }

  stand() {
    this.lost = LADDER.map(([, , , needs]) => needs.some((id) => this.controls.get(id) !== "attested"));
    this.posture = lesser(cvss(this.vector), cvss(contained(this.vector, this.lost)));
    this.traced = (this.controls.get("record-kept") ?? "attested") === "attested";
  }

  factorSum() {
    let sum = 0n;
    for (const key of KEYS) {
      let left = 10n ** 12n;
      for (let group = 0; group < 16; group += 1) {
        let product = 10n ** 12n;
        for (const [rule, finding] of [...this.findings].sort(([a], [b]) => (a < b ? -1 : 1))) {
          if ([...rule].reduce((code, letter) => code + letter.charCodeAt(0), 0) % 16 === group && finding.weights.has(key)) product = (product * remaining(finding, key)) / 10n ** 12n;
        }
        left = (left * product) / 10n ** 12n;
      }
      const start = this.base[key];
      const raised = start + times(UNIT - start, UNIT - left * 10n ** 8n);
      const step = 10n ** 14n;
      const level = left === 10n ** 12n ? start : ((raised + step - 1n) / step) * step;
      sum += key === "opacity" && !this.traced ? greater(level, UNIT) : level;
    }
    return sum;
  }

  aivss(base, thm, sum) {
    const uplift = times(times(10n * UNIT - base, sum) / 10n, thm);
    if (this.formula === "0.8") return times(base + uplift, this.mf);
    if (this.formula === "0.5") return times((base + sum) / 2n, thm);
    return base + times(uplift, this.mf);
  }

  score() {
    const sum = this.factorSum();
    this.sum = sum;
    this.exact = this.aivss(this.posture, this.thm, sum);
    this.driver = "posture";
    for (const [rule, finding] of [...this.findings].sort(([a], [b]) => (a < b ? -1 : 1))) {
      let outcome = OUTCOMES.findLast((one) => finding.counts[one] > 0) ?? "asked";
      if (this.discarded && outcome === "succeeded" && !(rule in RUN)) outcome = "undone";
      if (finding.cvss === null || outcome === "asked" || outcome === "approved") continue;
      const open = outcome === "succeeded";
      const exact = this.aivss(open ? finding.cvss.open : finding.cvss.contained, open ? UNIT : greater(units("0.97"), this.thm), sum);
      if (exact > this.exact) Object.assign(this, { exact, driver: rule });
    }
    this.peak = greater(this.peak ?? 0n, this.exact);
  }

  take(event) {
    const { type, data } = event;
    if (type === "decision.made") {
      const adverse = data.reasons.filter(({ effect }) => effect !== "allow");
      if (data.effect === "deny") this.evidence(adverse.length === 0 ? [run("run.default-deny", "blocked")] : adverse.map((reason) => ofReason(reason, "blocked")));
      if (data.effect === "allow") this.evidence((data.noted ?? []).filter(({ risk }) => risk !== null).map((reason) => ofReason(reason, "contained")));
      if (data.effect !== "ask") return;
      const counted = this.evidence(adverse.filter(({ risk }) => risk !== null).map((reason) => ofReason(reason, "asked")));
      const routine = furthest(data.reasons.filter(({ effect, risk }) => effect === "ask" && risk === null).map((reason) => ofReason(reason, "asked")));
      if (event.call === null || counted.length + routine.length === 0) return;
      this.questions.set(event.call, { counted, routine });
      if (this.questions.size > MOST_QUESTIONS) this.questions.delete(this.questions.keys().next().value);
    } else if (type === "reconciliation.done") {
      this.evidence(data.findings.map((finding) => {
        const { rule, layer, risk, reverted, about, held } = finding;
        if (about !== "attempt") return signal(rule, layer, risk ?? { severity: "medium", cvss: null, factors: {} }, reverted ? "undone" : "succeeded");
        return held?.told.includes("text") === true ? ofReason(finding, "blocked") : run("run.reported-refusal", "blocked");
      }));
    } else if (type === "execution.finished") {
      const seen = [];
      if (data.ended === "timeout") seen.push(run("run.timeout", "blocked"));
      if (data.ended === "limit") seen.push(run("run.limit", "blocked"));
      if (data.ended === "fault") seen.push(run("run.in-doubt", "blocked"));
      if (data.killed > 0 && data.ended === "exit") seen.push(run("run.left-processes", "blocked"));
      if (!data.quiescent) seen.push(run("run.not-quiescent", "succeeded"));
      this.evidence(seen);
    } else if (type === "call.closed" && data.outcome === "in-doubt") {
      this.evidence([run("run.in-doubt", "blocked")]);
    } else if (type === "approval.resolved" && event.call !== null) {
      const question = this.questions.get(event.call);
      this.questions.delete(event.call);
      if (question === undefined || (data.outcome !== "approved" && data.outcome !== "rejected")) return;
      for (const rule of question.counted) {
        const finding = this.findings.get(rule);
        if (finding === undefined) continue;
        finding.counts.asked = Math.max(finding.counts.asked - 1, 0);
        finding.counts[data.outcome] += 1;
      }
      if (data.outcome === "rejected") this.evidence(question.routine.map((one) => ({ ...one, outcome: "rejected" })));
      this.score();
    } else if (type === "session.discarded") {
      this.discarded = true;
      this.score();
    } else if (type === "controls.attested") {
      for (const { id, state } of data.controls) if (state !== "attested" && this.controls.get(id) === "attested") this.controls.set(id, state);
      this.stand();
      for (const finding of this.findings.values()) {
        if (finding.cvss !== null) finding.cvss.contained = greater(finding.cvss.contained, lesser(finding.cvss.open, cvss(contained(finding.cvss.vector, this.lost))));
      }
      this.score();
    }
  }

  /** Adds signals, one a rule with its furthest outcome; gives the findings they went to. */
  evidence(signals) {
    const names = furthest(signals).map((one) => {
      const rule = this.findings.has(one.rule) || this.findings.size < MOST_FINDINGS ? one.rule : "run.other-rules";
      this.add(rule, one);
      return rule;
    });
    if (names.length > 0) this.score();
    return names;
  }

  add(rule, { layer, risk, outcome }) {
    const finding = this.findings.get(rule) ?? { severity: risk.severity, layer, weights: new Map(), counts: Object.fromEntries(OUTCOMES.map((one) => [one, 0])), cvss: null };
    this.findings.set(rule, finding);
    finding.counts[outcome] += 1;
    const fallback = units(ROWS[risk.severity][1]);
    const named = Object.entries(risk.factors).filter(([key]) => KEYS.includes(key));
    for (const [key, weight] of named.length > 0 ? named : BY_LAYER[layer ?? "L7"].map((one) => [one, null])) {
      const value = weight !== null && weight > 0 && weight <= 1 ? units(weight) : fallback;
      finding.weights.set(key, greater(finding.weights.get(key) ?? 0n, value));
    }
    const vector = risk.cvss ?? ROWS[risk.severity][0];
    if (vector === null) return;
    const open = cvss(vector);
    const inside = lesser(open, cvss(contained(vector, this.lost)));
    const known = finding.cvss;
    if (known === null) finding.cvss = { vector, open, contained: inside };
    else finding.cvss = { ...(open > known.open || (open === known.open && vector < known.vector) ? { vector, open } : { vector: known.vector, open: known.open }), contained: greater(known.contained, inside) };
  }
}

function remaining({ weights, counts }, key) {
  const counted = OUTCOMES.toReversed().flatMap((outcome) => Array(counts[outcome] > 4 ? 4 : counts[outcome]).fill(outcome)).slice(0, 4);
  let left = 10n ** 12n;
  for (const [index, outcome] of counted.entries()) {
    for (const part of PARTS[outcome]) left = (left * (UNIT - times(times(weights.get(key), units(SHARES[index])), units(part)))) / UNIT;
  }
  return left;
}

function signal(rule, layer, risk, outcome) {
  return { rule, layer, risk, outcome };
}
function run(rule, outcome) {
  const [layer, severity, vector, factors] = RUN[rule];
  return signal(rule, layer, { severity, cvss: vector, factors }, outcome);
}
function ofReason({ rule, layer, risk }, outcome) {
  if (risk === null && rule === "default-deny") return run("run.default-deny", outcome);
  return signal(rule, layer, risk ?? run("run.rule-without-risk", outcome).risk, outcome);
}
function furthest(signals) {
  const kept = new Map();
  for (const one of signals) if (!kept.has(one.rule) || OUTCOMES.indexOf(one.outcome) > OUTCOMES.indexOf(kept.get(one.rule).outcome)) kept.set(one.rule, one);
  return [...kept.values()].sort((a, b) => (a.rule < b.rule ? -1 : 1));
}

let session = null;
for (const line of readFileSync(process.argv[2], "utf8").split("\n")) {
  if (line === "") continue;
  const event = JSON.parse(line);
  if (session === null) session = new Session(event.type === "session.opened" ? event.data : null);
  session.take(event);
  process.stdout.write(`${JSON.stringify({ seq: event.seq, exact: text(session.exact), score: shown(session.exact), peak: shown(session.peak), driver: session.driver, factorSum: text(session.sum) })}\n`);
}
