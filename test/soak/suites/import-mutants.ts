// Sessions of other tools changed at random: whatever a file holds, importing it is an account that adds up, and each of its calls is
// judged. Nothing throws, a call that cannot be understood is not allowed, and a part of them goes on record and becomes a page.

import { sha256 } from "../../../src/adapters/system/hasher.js";
import { createCollector, createReader, documentFormat, IMPORT_FORMATS, linesFormat, parseImported, type ImportFormat, type Trajectory } from "../../../src/core/import/index.js";
import { createMemoryLedgerStore } from "../../../src/adapters/memory/ledger.js";
import { redactJson, redactText } from "../../../src/core/ledger/index.js";
import { compilePolicy, type PolicySet } from "../../../src/core/policy/index.js";
import { judgeAgain, redecide, sessionPage, timelineOf } from "../../../src/core/replay/index.js";
import { KIMI_DEV } from "../../../src/core/risk/index.js";
import { importSession } from "../../../src/engine/import-session.js";
import type { JsonValue } from "../../../src/core/shared/index.js";
import { HOSTILE } from "../../support/hostile.js";
import { BASES } from "../../support/import-bases.js";
import { createRandom, type Random } from "../random.js";
import type { Suite } from "../suite.js";

const LEAVES: readonly [JsonValue, ...JsonValue[]] = [null, true, 0, -1, 1e308, "", " ", "\n", "/", "..", "~", "a".repeat(5_000), [], {}, [[]], [null], "{", '{"command":"rm -rf /"}', '{"a":1,"a":2}', '{"n":1e999}', "*** Begin Patch\n*** Add File: ../../x\n+a\n*** End Patch", "```bash\n```", "```bash\nrm\n```\n```bash\nls\n```", "constructor", "hasOwnProperty", "toString"];
const KEYS = ["__proto__", "constructor", "type", "content", "tool_calls", "trajectory", "messages", "steps", "history", "action", "observation", "kind", "role", "payload", "arguments", "command", "path"] as const;

/** Allows everything that can be understood, so that what is not understood stands out. */
const RULES = `version: 1
id: open
title: Open
rules:
  - id: open.all
    effect: allow
    layer: L3
    threats: [maestro:L7/agent-tool-misuse]
    message: everything
    when: [{ exec: { any: true } }, { file: { operations: [read, change], paths: ["**", "/**"] } }, { code: { sources: [file, inline, stdin, project, program] } }]
    match: [{ command: ls }]
    notMatch: []
`;

function openPolicy(): PolicySet {
  const compiled = compilePolicy([{ name: "open.policy.yaml", text: RULES }], { hash: sha256, examples: "skip" });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
  return compiled.value;
}

/** The value with something of it changed. */
function mutated(value: JsonValue, random: Random, depth: number): JsonValue {
  if (depth > 12 || random.next() < 0.08) return random.next() < 0.4 ? random.pick(HOSTILE as readonly [string, ...string[]]) : random.pick(LEAVES);
  if (Array.isArray(value)) {
    const items = value as readonly JsonValue[];
    if (items.length === 0) return value;
    const at = random.int(0, items.length - 1);
    const chance = random.next();
    if (chance < 0.1) return items.filter((_, index) => index !== at);
    if (chance < 0.2) return [...items, items[at] ?? null];
    return items.map((item, index) => (index === at ? mutated(item, random, depth + 1) : item));
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    const at = random.int(0, Math.max(0, entries.length - 1));
    const chance = random.next();
    if (chance < 0.1) return Object.fromEntries(entries.filter((_, index) => index !== at));
    if (chance < 0.2) return Object.fromEntries([...entries, [random.pick(KEYS), random.pick(LEAVES)]]);
    return Object.fromEntries(entries.map(([key, item], index) => [key, index === at ? mutated(item, random, depth + 1) : item]));
  }
  return random.next() < 0.5 ? random.pick(LEAVES) : value;
}

/** The text with some of it cut, doubled or overwritten. */
function garbled(text: string, random: Random): string {
  const at = random.int(0, text.length);
  const to = Math.min(text.length, at + random.int(0, 20));
  return random.pick([() => text.slice(0, at) + text.slice(to), () => text.slice(0, to) + text.slice(at), () => text.slice(0, at) + String.fromCharCode(random.int(0, 0xffff)) + text.slice(at + 1)])();
}

/** What is wrong with a trajectory; null when it is as it must be. */
function wrongWith({ tally, calls, root }: Trajectory): string | null {
  const used = Object.values(tally.kinds).reduce((sum, count) => sum + count, 0) + tally.skipped.reduce((sum, one) => sum + one.count, 0);
  if (used !== tally.records) return `${tally.records} records, ${used} accounted for`;
  if (calls.length !== tally.calls || calls.filter((call) => call.result === null).length !== tally.unanswered) return "calls are miscounted";
  if (root !== null && !root.startsWith("/")) return `root ${root}`;
  return calls.some((call) => call.cwd !== null && !call.cwd.startsWith("/")) ? "a folder that is not absolute" : null;
}

export const suite: Suite = {
  name: "import-mutants",
  law: "whatever a file holds, its import adds up, nothing throws, and no call that is not understood is allowed",
  unit: "changed sessions",
  needs: "nothing",
  full: 100_000,
  sample: 400,
  run: async ({ seed, count, report, signal }) => {
    const policy = openPolicy();
    for (let number = 0; number < count && !signal.aborted; number += 1) {
      const random = createRandom(seed + number);
      try {
        const tried = tryOne(random, policy, report.tally);
        const problem = tried.problem ?? (random.next() < 0.1 ? await recordedWrong(tried.trajectory, policy, report.tally) : null);
        if (problem !== null) report.fail(`case ${number}, seed ${seed}`, problem);
      } catch (error) {
        report.fail(`case ${number}, seed ${seed}`, error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
      report.done();
      if (number % 200 === 199) await new Promise((resolve) => setImmediate(resolve));
    }
    if (Object.hasOwn(Object.prototype, "polluted")) report.fail("all", "the prototype of every object was changed");
  },
};

function tryOne(random: Random, policy: PolicySet, tally: (name: string) => void): { readonly problem: string | null; readonly trajectory: Trajectory } {
  const base = random.pick(BASES);
  let values = base.values.map((value) => value);
  for (let change = random.int(1, 4); change > 0; change -= 1) values = values.map((value, index) => (index === change % values.length ? mutated(value, random, 0) : value));
  const read = values.flatMap((value): readonly JsonValue[] => {
    const text = JSON.stringify(value);
    const parsed = parseImported(random.next() < 0.3 ? garbled(text, random) : text);
    if (!parsed.ok) tally("texts refused");
    return parsed.ok ? [parsed.value] : [];
  });
  const detected = read.length === 1 && read[0] !== undefined ? documentFormat(read[0]) : linesFormat(read);
  const format: ImportFormat = random.next() < 0.7 ? base.format : random.pick(IMPORT_FORMATS);
  tally(detected === null ? "format not told" : `told as ${detected}`);
  const collector = createCollector();
  const reader = createReader(format, collector);
  for (const [index, value] of read.entries()) reader.take(value, `line ${index + 1}`);
  reader.finish();
  const trajectory = collector.finish(format);
  return { trajectory, problem: wrongWith(trajectory) ?? judgedWrong(trajectory, policy, tally) };
}

const keyed = (text: string): string => sha256(`key ${text}`).slice("sha256:".length);
/** What a page may have between `<` and a name. */
const FOREIGN = /<(?!\/?(?:html|head|meta|title|style|body|header|span|div|button|input|kbd|main|p|strong|h2|svg|rect|a|dl|dt|dd|section|table|thead|tbody|tr|th|td|code|ol|li|ul|details|summary|pre|footer|script)\b|!doctype html>)/u;

/** Puts it on record, reads the record back, judges it again and makes a page of it. */
async function recordedWrong(trajectory: Trajectory, policy: PolicySet, tally: (name: string) => void): Promise<string | null> {
  let ticks = 0;
  const store = createMemoryLedgerStore({ clock: { now: () => new Date(1_700_000_000_000 + (ticks += 1)).toISOString(), elapsedMs: () => ticks }, hasher: sha256 });
  const deps = { store, ids: { next: () => "mutant01" }, hasher: sha256, keyedDigest: (text: string) => sha256(text), redactor: { text: (text: string) => redactText(text, keyed), json: (value: JsonValue) => redactJson(value, keyed) }, product: "test" };
  const { session } = await importSession(deps, { trajectory, policy, profile: null, risk: KIMI_DEV, file: { path: "/tmp/mutant.json", digest: null, bytes: 1 }, root: null, role: null, containment: "attested", startedBy: "test" });
  const events = await store.read(session);
  const options = { policy, baseline: null, home: "/root", containmentOf: () => "attested", argumentsOf: () => null } as const;
  if (redecide(events, options).some(({ before, after }) => before !== after)) return "judged again it says otherwise";
  const timeline = timelineOf(events);
  if (timeline?.steps.length !== trajectory.calls.length) return "the record has other calls";
  const page = sessionPage(timeline, { hash: sha256, product: "test", textsOf: ({ call }) => ({ arguments: null, output: call.claimed?.result?.output.head ?? "", cut: 0 }) }).replace(/<(style|script)>[\s\S]*?<\/\1>/gu, "");
  tally("recorded and shown");
  return FOREIGN.exec(page)?.[0] === undefined ? null : `a tag of theirs: ${page.slice(page.search(FOREIGN), page.search(FOREIGN) + 100)}`;
}

/** Judges every call: an opaque action is denied, whatever is allowed. */
function judgedWrong(trajectory: Trajectory, policy: PolicySet, tally: (name: string) => void): string | null {
  const world = { policy, root: trajectory.root ?? "/workspace", home: "/root", containment: "attested", format: trajectory.format } as const;
  for (const call of trajectory.calls) {
    const judged = judgeAgain({ id: call.id, role: null, tool: call.tool, arguments: call.arguments }, { cwd: call.cwd ?? world.root, carried: new Map() }, world, undefined);
    tally(judged === null ? "thoughts" : judged.decision.effect);
    if (judged?.action.kind === "opaque" && judged.decision.effect === "allow") return `an opaque call is allowed: ${call.tool} ${JSON.stringify(call.arguments).slice(0, 300)}`;
    if (Object.hasOwn(call.arguments, "unparsed") && judged !== null && judged.decision.effect === "allow" && judged.action.kind !== "submit") return `arguments that were not read are allowed: ${call.tool} ${JSON.stringify(call.arguments).slice(0, 300)}`;
  }
  return null;
}
