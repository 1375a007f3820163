// From any text to a decision: never an exception, never past the limits, never longer than a person would not notice, and the laws of
// deciding on what was found. The slow shapes of extremes.ts are tried first, then random texts.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../../../src/adapters/system/hasher.js";
import type { Action } from "../../../src/core/action/action.js";
import { compilePolicy } from "../../../src/core/policy/compile.js";
import { decide } from "../../../src/core/policy/decide.js";
import type { Decision, DecisionContext } from "../../../src/core/policy/index.js";
import { matcherStore, type PolicySet } from "../../../src/core/policy/policy-set.js";
import type { Rule } from "../../../src/core/policy/rule.js";
import { LIMITS } from "../../../src/core/shared/index.js";
import { evaluateShell } from "../../../src/core/shell/index.js";
import { CHECKOUT } from "../checkout.js";
import { extremes } from "../extremes.js";
import { createRandom, type Random } from "../random.js";
import { grown, mutated, quoted, soup } from "../shell-text.js";
import type { Report, Suite, Task } from "../suite.js";

/** Longest time from text to decision, in milliseconds of the processor. */
const MAX_MS = 50;
/**
 * The same in a sample, which runs beside other tests: what others do to the caches doubles times and more. A text whose time grows with the square of its
 * length passes this too, by far.
 */
const MAX_SAMPLE_MS = 4 * MAX_MS;
/** Runs of a text that seemed to take longer; the least counts, since the machine has other work. */
const AGAIN = 6;
/** One in so many slow shapes belongs to a sample. */
const SHARE = 12;
/** Every so many-th text is held against the laws, which takes several decisions. */
const LAWS_EVERY = 50;
const RANK = { allow: 0, ask: 1, deny: 2 } as const;

const ROOT = "/workspace";
const HOME = "/home/agent";
const CONTEXT: DecisionContext = { role: null, root: ROOT, cwd: ROOT, home: HOME, containment: "attested" };

export const suite: Suite = {
  name: "decide",
  law: `no text takes longer than ${MAX_MS} ms to be judged, throws or passes a limit; a deny more allows no more; order is irrelevant; a wrapper never weakens`,
  unit: "texts",
  needs: "nothing",
  full: 1_000_000,
  sample: 1_000,
  run,
};

interface Judge {
  readonly set: PolicySet;
  /** The same rules in other orders. */
  readonly turned: readonly PolicySet[];
  /** The same rules with one more that refuses. */
  readonly stricter: readonly PolicySet[];
}

async function run({ seed, count, report, signal }: Task): Promise<void> {
  const judge = judgeOf(createRandom(seed).fork("rules"));
  const lines = realLines();
  report.figure("lines that texts are made from", lines.length);
  const random = createRandom(seed).fork("texts");
  // Less than the full count takes a share of the slow shapes, another with each seed.
  const fixed = extremes().filter((_, n) => count >= suite.full || n % SHARE === seed % SHARE);
  const most = count >= suite.full ? MAX_MS : MAX_SAMPLE_MS;
  const slowest = { ms: 0, text: "" };
  for (let n = 0; n < 300; n += 1) judgeText(judge.set, grown(random.fork(`warm ${n}`)));
  for (let n = 0; n < count; n += 1) {
    if (signal.aborted) return;
    // A turn of the loop now and then, so that Ctrl-C is heard.
    if (n % 512 === 0) await new Promise((resolve) => setImmediate(resolve));
    const extreme = fixed[n];
    const [kind, text] = extreme === undefined ? randomText(random, lines) : (["extreme", extreme[1]] as const);
    report.tally(kind);
    try {
      const { ms, decision } = timed(judge.set, text);
      report.tally(decision.effect);
      if (ms > slowest.ms) Object.assign(slowest, { ms, text: extreme?.[0] ?? text.slice(0, 120) });
      if (ms > most) report.fail(extreme?.[0] ?? text, `took ${ms.toFixed(0)} ms of the processor, at least`);
      if (n % LAWS_EVERY === 0 && text.length < 20_000) holdLaws(judge, text, decision, random, report);
    } catch (error) {
      report.fail(extreme?.[0] ?? text, error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    report.done();
  }
  report.figure("slowest, ms", Math.round(slowest.ms * 10) / 10);
  report.figure("slowest, text", JSON.stringify(slowest.text));
}

function randomText(random: Random, lines: readonly [string, ...string[]]): readonly [string, string] {
  switch (random.int(0, 9)) {
    case 0:
    case 1:
      return ["soup", soup(random)];
    case 2:
    case 3:
    case 4:
      return ["grown", grown(random)];
    default:
      return ["changed", mutated(random, lines)];
  }
}

function judgeText(set: PolicySet, text: string): Decision {
  const evaluation = evaluateShell(text, { cwd: ROOT, root: ROOT, home: HOME, environment: new Map(), ...(set.models === undefined ? {} : { programs: set.models }) });
  if (evaluation.effects.length > LIMITS.effects) throw new Error(`${evaluation.effects.length} effects`);
  if (evaluation.opaque !== evaluation.effects.some((effect) => effect.kind === "opaque-text")) throw new Error("opaque, and not said");
  const action: Action = { kind: "command", form: { shell: text }, cwd: ROOT, timeoutMs: null, effects: evaluation.effects };
  const decision = decide(set, action, CONTEXT);
  if (decision.errors.length > 0) throw new Error(`a rule failed: ${decision.errors[0]?.message ?? ""}`);
  if (evaluation.opaque && decision.effect !== "deny") throw new Error(`opaque, and ${decision.effect}`);
  return decision;
}

/** Judges a text; where it seemed to take long, again, by what the processor did for it: a thread that waits for its turn uses nothing. */
function timed(set: PolicySet, text: string): { readonly ms: number; readonly decision: Decision } {
  const begun = performance.now();
  const decision = judgeText(set, text);
  let ms = performance.now() - begun;
  for (let run = 1; run < AGAIN && ms > MAX_MS; run += 1) {
    const before = process.cpuUsage();
    const again = performance.now();
    judgeText(set, text);
    const used = process.cpuUsage(before);
    // What collects garbage beside it is not waited for.
    ms = Math.min(ms, performance.now() - again, (used.user + used.system) / 1000);
  }
  return { ms, decision };
}

function holdLaws(judge: Judge, text: string, decision: Decision, random: Random, report: Report): void {
  report.tally("held against the laws");
  const answer = JSON.stringify(decision);
  for (const set of judge.turned) if (JSON.stringify({ ...judgeText(set, text), policyDigest: decision.policyDigest }) !== answer) report.fail(text, "another order of rules, another decision");
  for (const set of judge.stricter) {
    const { effect } = judgeText(set, text);
    if (RANK[effect] < RANK[decision.effect]) report.fail(text, `${decision.effect}, and ${effect} with a rule more that refuses`);
  }
  for (const wrap of WRAPPERS) {
    const wrapped = wrap(text, random);
    const { effect } = judgeText(judge.set, wrapped);
    if (RANK[effect] < RANK[decision.effect]) report.fail(wrapped, `${effect}, and ${decision.effect} without the wrapper: ${text}`);
  }
}

type Wrap = (text: string, random: Random) => string;

/** They hand the text on as one word, so that what cannot be parsed is wrapped too; behind `--`, since bash takes `-x` and `+x` for options. */
const WRAPPERS: readonly Wrap[] = [
  (text) => `bash -c -- ${quoted(text)}`,
  (text) => `eval -- ${quoted(text)}`,
  (text, random) => `${random.pick(["env A=b", "nice", "timeout 5", "sudo", "nohup", "setsid", "command", "exec"])} bash -c -- ${quoted(text)}`,
  (text, random) => `${random.pick(["true;", "true &&", "false ||", "! "])} bash -c -- ${quoted(text)}`,
];

/** The built-in rules, turned, and with refusals that chance makes. */
function judgeOf(random: Random): Judge {
  const folder = join(CHECKOUT, "policies");
  const texts = readdirSync(folder).filter((name) => name.endsWith(".policy.yaml")).map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
  const compiled = compilePolicy(texts, { hash: sha256, examples: "skip" });
  if (!compiled.ok) throw new Error("the built-in policies do not compile");
  const set = compiled.value;
  const withRules = (rules: readonly Rule[]): PolicySet => ({ ...set, rules, compiledFor: matcherStore(rules) });
  const cut = random.int(1, set.rules.length - 1);
  const turned = [[...set.rules].reverse(), [...set.rules.slice(cut), ...set.rules.slice(0, cut)]].map(withRules);
  const stricter = Array.from({ length: 4 }, (_, n) => withRules([...set.rules, refusal(random, n)]));
  return { set, turned, stricter };
}

function refusal(random: Random, n: number): Rule {
  const file = { on: "file" as const, operations: [random.pick(["read", "write", "create", "delete"] as const)], except: [], outside: false, whole: false, recursive: null, by: [], notBy: [] };
  const exec = { on: "exec" as const, args: [], flags: [], withoutFlags: [], unlessAlone: [], known: false };
  const when = random.int(0, 1) === 0 ? { ...file, paths: [random.pick(["**/*.py", "./src/**", "~/**", "/etc/**", "**/a*"])] } : { ...exec, programs: [random.pick(["cat", "git", "r*", "echo"])] };
  return { id: `soak.refusal-${n}`, pack: "soak", effect: random.pick(["deny", "ask"]), layer: "L3", threats: [], message: "refused", allowed: null, guidance: null, risk: null, roles: [], notRoles: [], containment: "any", timeoutMs: null, when: [when], at: { file: "soak", line: 1, column: 1 } };
}

const CORPORA = process.env["RINGFENCE_CORPORA"] ?? join(CHECKOUT, "..", "shared", "corpora");
const SETS = ["swebench-mini-gemini/commands.jsonl", "nl2bash/commands.jsonl", "dcg-corpus/cases.jsonl", "cc-safety-net/cases.jsonl"];

/** Commands of the corpora where they are, and always the examples of the built-in rules. */
function realLines(): readonly [string, ...string[]] {
  const folder = join(CHECKOUT, "policies");
  const examples = readdirSync(folder).filter((name) => name.endsWith(".policy.yaml")).flatMap((name) => [...readFileSync(join(folder, name), "utf8").matchAll(/command: (?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^"'\n}]+))/gu)].map(([, double, single, plain]) => double ?? single ?? plain ?? ""));
  const corpora = SETS.map((name) => join(CORPORA, name)).filter((file) => existsSync(file)).flatMap((file) =>
    readFileSync(file, "utf8").split("\n").filter((line) => line !== "").map((line) => String((JSON.parse(line) as { readonly command?: unknown }).command ?? "")),
  );
  return ["ls", ...examples, ...corpora].filter((line) => line !== "") as [string, ...string[]];
}
