// `npm run soak`: runs the suites one after the other and writes what was seen. Started by scripts/soak.mjs, bundled.

import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { CHECKOUT } from "./checkout.js";
import { commitOf, machine } from "./machine.js";
import { HELP, readOptions, type Options } from "./options.js";
import { duration, progressOf } from "./progress.js";
import { tryOut, type Suite, type Tried } from "./suite.js";

const HERE = dirname(fileURLToPath(import.meta.url));
const INTERRUPTED = 130;

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const known = await suitesIn(HERE);
  let options: Options;
  try {
    options = readOptions(words, known);
  } catch (error) {
    process.stderr.write(`ringfence: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  if (options.help) process.stdout.write(HELP);
  if (options.help || options.list) {
    for (const { name, law, full, sample, unit } of known) process.stdout.write(`  ${name.padEnd(18)} ${law}\n${" ".repeat(21)}${full.toLocaleString("en")} ${unit}, in npm test ${sample.toLocaleString("en")}\n`);
    return 0;
  }
  const controller = new AbortController();
  let signals = 0;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      signals += 1;
      if (signals > 1) process.exit(INTERRUPTED);
      process.stderr.write("\nstopping; what the suite made is removed\n");
      controller.abort(new Error("interrupted"));
    });
  }
  let failed = 0;
  for (const suite of options.suites) {
    const held = await soak(suite, options, controller.signal);
    if (controller.signal.aborted) return INTERRUPTED;
    if (!held) failed += 1;
  }
  process.stdout.write(`${options.suites.length - failed} of ${options.suites.length} suites held\n`);
  return failed === 0 ? 0 : 1;
}

async function suitesIn(folder: string): Promise<readonly Suite[]> {
  const files = readdirSync(folder).filter((name) => /^suite-.*\.mjs$/u.test(name)).sort();
  return Promise.all(files.map(async (name) => ((await import(pathToFileURL(join(folder, name)).href)) as { readonly suite: Suite }).suite));
}

/** Gives whether the law held. */
async function soak(suite: Suite, { seed, count, from, out }: Options, signal: AbortSignal): Promise<boolean> {
  const cases = Math.min(count ?? suite.full, from === null ? Number.POSITIVE_INFINITY : Math.max(0, suite.full - from));
  const started = new Date().toISOString();
  const commit = commitOf(CHECKOUT);
  const begun = performance.now();
  const progress = progressOf(suite.name, cases, process.stderr);
  const tried = await tryOut(suite, { seed, from, count: cases, signal }, (done, failed) => progress.update(done, failed));
  progress.end();
  if (signal.aborted) return false;
  const seconds = (performance.now() - begun) / 1000;
  process.stdout.write(`${tried.failed === 0 ? "held  " : "FAILED"}  ${suite.name}: ${tried.cases.toLocaleString("en")} ${suite.unit}, ${tried.failed} failed, ${duration(seconds)}\n`);
  for (const failure of tried.failures.slice(0, 5)) process.stdout.write(`        ${failure.case}\n          ${failure.seen.replaceAll("\n", "\n          ")}\n`);
  const folder = out ?? (cases >= suite.full ? join(CHECKOUT, "docs", "soak") : null);
  if (folder !== null) write(folder, suite.name, { v: 1, suite: suite.name, law: suite.law, unit: suite.unit, commit, started, durationSeconds: Math.round(seconds * 10) / 10, seed, ...(from === null ? {} : { from }), count: cases, full: cases >= suite.full, ...resultOf(tried), machine: machine() });
  return tried.failed === 0;
}

function resultOf({ cases, failed, failures, tallies, figures }: Tried): object {
  return { cases, failed, failures, tallies: Object.fromEntries(Object.entries(tallies).sort(([a], [b]) => (a < b ? -1 : 1))), figures };
}

/** Whole or not at all. */
function write(folder: string, name: string, result: object): void {
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `.${name}.json.${process.pid}`);
  writeFileSync(draft, `${JSON.stringify(result, null, 2)}\n`);
  renameSync(draft, join(folder, `${name}.json`));
}
