// `npm run bench`: sets up what is missing, then runs one of the benchmarks in test/bench, or with `--all` those that the docs' bars are
// of, one after the other. Arguments go to it.

import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { follow } from "./setup/follow.mjs";
import { ensureSetup } from "./setup/main.mjs";
import { CHECKOUT } from "./setup/paths.mjs";

const HELP = `npm run bench [-- WHICH] [--check] [--json]

  (nothing)        one guarded command, and a start
  --start          starts: ready and not, small and large folders
                   [--part starts,cold,ready,calls,large]
  --exec           what recording programs costs   [--calls-only]
  --policy         judging, beside other tools; --write: the page's tables
  --policy-strace  refused examples, run for real   [--all] [--write] [--resume FILE]
  --content --danger --battery
  --risk           one event's cost for the score
  --ledger         the record   [--records N]
  --replay --store old sessions, and many
  --all            each of them that has bars, one after the other

  --check          compares with the bars; ends with 1 where one is missed
  Examples: npm run bench -- --risk --check
            npm run bench -- --all --check
`;

/** Those that need an engine of containers; the others judge, and run nothing. */
const ENGINE = { main: "main.mjs", start: "start.mjs", exec: "exec.mjs", "policy-strace": "policy-strace.ts", battery: "battery.ts" };
const ALONE = { policy: "policy.mjs", content: "content.mjs", danger: "danger.mjs", risk: "risk.mjs", replay: "replay.mjs", ledger: "ledger.ts", store: "store.mjs" };
const PARTS = new Map(Object.entries({ ...ENGINE, ...ALONE }));
/** With bars that `--check` compares. */
const BARRED = ["main", "start", "exec", "policy", "risk", "ledger", "replay", "store"];
const MISSED = 1;
const USAGE = 64;

const words = process.argv.slice(2);
const named = [...PARTS.keys()].filter((name) => name !== "main" && words.includes(`--${name}`));
if (words.some((word) => word === "--help" || word === "-h")) process.stdout.write(HELP);
else if (named.length > 1) {
  process.stderr.write(`ringfence: one benchmark at a time, not ${named.map((name) => `--${name}`).join(" and ")}; --all runs those that have bars\n`);
  process.exitCode = USAGE;
} else if (named.length === 0 && words.includes("--all")) process.exitCode = await runAll(words.filter((word) => word !== "--all"));
else process.exitCode = await runOne(named[0] ?? "main", words);

/** Each in turn, whatever the others ended with; a signal ends all. @param {readonly string[]} args @returns {Promise<number>} */
async function runAll(args) {
  /** @type {string[]} */
  const missed = [];
  for (const [index, name] of BARRED.entries()) {
    process.stderr.write(`\n${index + 1} of ${BARRED.length}: ${name}\n`);
    const code = await runOne(name, name === "main" ? args : [`--${name}`, ...args]);
    if (code > 128) return code;
    if (code !== 0) missed.push(`${name} (${code === MISSED ? "a bar was missed" : `ended with ${code}`})`);
  }
  process.stderr.write(missed.length === 0 ? `\nall ${BARRED.length} done\n` : `\nnot in order: ${missed.join(", ")}\n`);
  return missed.length === 0 ? 0 : MISSED;
}

/**
 * Judging needs no engine. It judges with the library as built, so that is brought up to date first: an older evaluator beside today's rules
 * has figures of neither.
 * @param {string} name @param {readonly string[]} args @returns {Promise<number>}
 */
async function runOne(name, args) {
  const isAlone = name in ALONE;
  if (isAlone && existsSync(join(CHECKOUT, "node_modules", "esbuild")) && (await follow([process.execPath, join(CHECKOUT, "scripts", "build.mjs")], { cwd: CHECKOUT })) === 0) return run(name, args, process.env);
  const ready = await ensureSetup();
  return ready.exit === 0 ? run(name, args, ready.env) : ready.exit;
}

/** @param {string} name @param {readonly string[]} args @param {NodeJS.ProcessEnv} env @returns {Promise<number>} */
async function run(name, args, env) {
  const source = join(CHECKOUT, "test", "bench", PARTS.get(name) ?? "");
  const program = source.endsWith(".ts") ? await bundle(source) : source;
  return follow([process.execPath, "--expose-gc", program, ...args], { env, cwd: CHECKOUT });
}

/** Node 20 reads no TypeScript. Packages stay outside the bundle, so what is measured is what users run. @param {string} source */
async function bundle(source) {
  const { build } = await import("esbuild");
  const outfile = join(CHECKOUT, "dist", "bench", `${basename(source, ".ts")}.mjs`);
  await build({ entryPoints: [source], outfile, bundle: true, packages: "external", format: "esm", platform: "node", target: "node20", logLevel: "warning" });
  return outfile;
}
