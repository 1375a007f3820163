// The evaluator against real bash: lines of the corpora and generated ones are run under strace in a throwaway container, and whatever
// they did to files, programs and the network must be among the effects the evaluator told beforehand.

import { evaluateShell, sessionEnvironment } from "../../../src/core/shell/index.js";
import { leftOut } from "../../support/trace/compare.js";
import { traceImage, traceLines, whyNoTrace, type Order, type Traced } from "../../support/trace/container.js";
import { linesOf, seedFor } from "../../support/trace/lines.js";
import { TRACE_PACKAGES } from "../../support/trace/packages.js";
import { createRandom } from "../random.js";
import type { Suite, Task } from "../suite.js";

export const suite: Suite = {
  name: "shell-differential",
  law: "every file a line really reads, writes or removes, and every program it really starts, is among its effects, or the line is said not to be told",
  unit: "lines run by bash",
  needs: "engine",
  full: 10_000,
  sample: 150,
  run,
};

const PLACE = { root: "/workspace", cwd: "/workspace", home: "/home/agent" };
const WORKERS = 2;
/** Seconds a line may take. */
const SECONDS = 2;
/** From this many lines on the image has more programs than the sandbox. */
const MANY = 1_000;

async function run({ seed, count, report, signal }: Task): Promise<void> {
  const missing = whyNoTrace();
  if (missing !== null) throw new Error(missing);
  const image = traceImage(count >= MANY ? TRACE_PACKAGES : []);
  const environment = sessionEnvironment(PLACE);
  const orders = linesOf(createRandom(seed), count).map(({ id, text }): Order => ({ id, text, cwd: PLACE.cwd, root: false, seconds: SECONDS, environment: Object.fromEntries(environment), seed: seedFor(text) }));
  await traceLines(image, orders, WORKERS, (order, traced) => {
    judge(order, traced, report, environment);
    report.done();
  }, signal);
}

function judge(order: Order, traced: Traced, report: Task["report"], environment: ReadonlyMap<string, string>): void {
  if (!traced.started) {
    report.fail(`${order.id}: ${order.text}`, `it was not run: ${traced.stderr}`);
    return;
  }
  const { effects } = evaluateShell(order.text, { ...PLACE, environment, environmentIsWhole: true });
  report.tally(order.id.startsWith("gen-") ? "generated" : (order.id.split("-")[0] ?? "corpus"));
  if (traced.timedOut) report.tally(`ended after ${SECONDS} s`);
  if (effects.some((effect) => effect.kind === "opaque-text")) report.tally("said not to be told");
  report.tally("events seen", traced.events.length);
  const missed = leftOut({ effects, ...PLACE }, traced.events);
  if (missed.length > 0) report.fail(`${order.id}: ${order.text}`, missed.slice(0, 8).join("\n"));
}
