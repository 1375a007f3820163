// The evaluator against real bash: lines of the corpora and generated ones are run under strace in a throwaway container, and whatever
// they did to files, programs and the network must be among the effects the evaluator told beforehand. What an excuse lets pass (a program
// that reads its settings) is put to the policy by itself: where it would be denied, the line must not have been allowed.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadPolicy } from "../../../src/compose-policy.js";
import { decideEffects, type PolicySet } from "../../../src/core/policy/index.js";
import type { ActionEffect } from "../../../src/core/action/effects.js";
import { evaluateShell, sessionEnvironment } from "../../../src/core/shell/index.js";
import { compare } from "../../support/trace/compare.js";
import { traceImage, traceLines, whyNoTrace, type Order, type Traced } from "../../support/trace/container.js";
import { linesOf, SEED_TEXT, seedFor, seedNames } from "../../support/trace/lines.js";
import { TRACE_PACKAGES } from "../../support/trace/packages.js";
import { createRandom } from "../random.js";
import type { Report, Suite, Task } from "../suite.js";

export const suite: Suite = {
  name: "shell-differential",
  law: "every file a line really reads, writes or removes, and every program it really starts, is among its effects, or the line is said not to be told",
  unit: "lines run by bash",
  needs: "engine",
  full: 10_000,
  sample: 100,
  slices: true,
  run,
};

const PLACE = { root: "/workspace", cwd: "/workspace", home: "/home/agent" };
const CONTEXT = { role: null, ...PLACE, containment: "attested" } as const;
const WORKERS = 2;
/** Seconds a line may take. */
const SECONDS = 2;
/** From this many lines on the image has more programs than the sandbox. */
const MANY = 1_000;

interface Judge {
  readonly report: Report;
  readonly environment: ReadonlyMap<string, string>;
  readonly policy: PolicySet;
}

async function run({ seed, from, count, report, signal }: Task): Promise<void> {
  const missing = whyNoTrace();
  if (missing !== null) throw new Error(missing);
  const state = mkdtempSync(join(tmpdir(), "ringfence-differential-"));
  try {
    const image = traceImage(from !== null || count >= MANY ? TRACE_PACKAGES : []);
    const environment = sessionEnvironment(PLACE);
    const judge: Judge = { report, environment, policy: await loadPolicy([], { RINGFENCE_HOME: state }) };
    const lines = from === null ? linesOf(createRandom(seed), count) : linesOf(createRandom(seed), suite.full).slice(from, from + count);
    const orders = lines.map(({ id, text }): Order => ({ id, text, cwd: PLACE.cwd, root: false, seconds: SECONDS, environment: Object.fromEntries(environment), seed: seedFor(text), quiet: true }));
    await traceLines(image, orders, WORKERS, (order, traced, scene) => {
      judgeLine(order, traced, scene, judge);
      report.done();
    }, signal);
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

/** A line is judged without any file to look at, as `policy check` does, and with the scripts of the project, as a session does. */
function judgeLine(order: Order, traced: Traced, scene: ReadonlyMap<string, string>, judge: Judge): void {
  const { report } = judge;
  if (!traced.started) {
    report.fail(`${order.id}: ${order.text}`, `it was not run: ${traced.stderr}`);
    return;
  }
  report.tally(order.id.startsWith("gen-") ? "generated" : (order.id.split("-")[0] ?? "corpus"));
  report.tally("events seen", traced.events.length);
  if (traced.timedOut) report.tally(`ended after ${SECONDS} s`);
  if (traced.truncated) report.tally("more events than are kept");
  const seen = new Set<string>();
  const texts = new Map([...seedNames(order.text).map((name): [string, string] => [`${PLACE.root}/${name.replace(/^\.\//, "")}`, SEED_TEXT]), ...scene]);
  const readText = (path: string): string | null => {
    const text = texts.get(path) ?? null;
    if (text !== null) seen.add(path);
    return text;
  };
  const wrong = new Set([...wrongIn(order, traced, judge, {}), ...wrongIn(order, traced, judge, { readText, seen })]);
  if (wrong.size > 0) report.fail(`${order.id}: ${order.text}`, [...wrong].slice(0, 8).join("\n"));
}

interface Shown {
  readonly readText?: (path: string) => string | null;
  readonly seen?: ReadonlySet<string>;
}

function wrongIn(order: Order, traced: Traced, { report, environment, policy }: Judge, { readText, seen }: Shown): readonly string[] {
  const { effects } = evaluateShell(order.text, { ...PLACE, environment, environmentIsWhole: true, ...(readText === undefined ? {} : { readText }) });
  if (readText === undefined && effects.some((effect) => effect.kind === "opaque-text")) report.tally("said not to be told");
  const { missed, excused } = compare({ effects, ...PLACE, ...(seen === undefined ? {} : { seen }) }, traced.events);
  if (readText === undefined) report.tally("events excused", excused.length);
  const turned = new Set<string>();
  let allowed: boolean | null = null;
  for (const event of excused) {
    const by = event.by.at(-1) ?? "";
    for (const path of new Set([event.path, event.real ?? event.path])) {
      const effect: ActionEffect = { kind: "file", operation: event.operation, path, certainty: "exact", recursive: false, by, from: "" };
      if ((event.folder === true && event.operation === "read") || decideEffects(policy, [effect], CONTEXT).effect !== "deny") continue;
      allowed ??= decideEffects(policy, effects, CONTEXT).effect === "allow";
      if (allowed) turned.add(`the policy denies that ${by} ${event.operation}s ${path}, and allowed the line`);
    }
  }
  return [...missed, ...turned];
}
