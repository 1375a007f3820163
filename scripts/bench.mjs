// `npm run bench`: sets up what is missing, then runs test/bench/main.ts (or main.mjs); with `--battery` test/bench/battery.ts,
// with `--policy` test/bench/policy.mjs, with `--policy-strace` test/bench/policy-strace.ts, with `--content` test/bench/content.mjs,
// with `--danger` test/bench/danger.mjs, with `--risk` test/bench/risk.mjs,
// with `--exec` test/bench/exec.mjs, with `--start` test/bench/start.mjs, with `--replay` test/bench/replay.mjs, with `--store` test/bench/store.mjs, with `--ledger` test/bench/ledger.ts. Arguments go to it.

import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { follow } from "./setup/follow.mjs";
import { ensureSetup } from "./setup/main.mjs";
import { CHECKOUT } from "./setup/paths.mjs";

const HELP = `npm run bench [-- WHICH] [--check] [--json]

  (nothing)        one guarded command, and a start
  --start          starts: ready and not, small and large folders
                   [--part starts,cold,ready,calls,large]
  --exec           what recording programs costs
  --policy         judging, beside other tools; --write: the page's tables
  --policy-strace  refused examples, run for real   [--all] [--write] [--resume FILE]
  --content --danger --battery
  --risk           one event's cost for the score
  --ledger         the record   [--records N]
  --replay --store old sessions, and many

  --check          compares with the bars; ends with 1 where one is missed
  Example: npm run bench -- --risk --check
`;
if (process.argv.some((word) => word === "--help" || word === "-h")) {
  process.stdout.write(HELP);
  process.exit(0);
}

// The policy's figures need no engine: judging runs nothing. It judges with the library as built, so that is brought up to date first:
// an older evaluator beside today's rules has figures of neither.
const judging = ["policy", "content", "danger", "risk", "replay", "ledger", "store"].find((name) => process.argv.includes(`--${name}`));
const isBuilt = judging !== undefined && existsSync(join(CHECKOUT, "node_modules", "esbuild")) && (await follow([process.execPath, join(CHECKOUT, "scripts", "build.mjs")], { env: process.env, cwd: CHECKOUT })) === 0;
if (judging === "ledger" && isBuilt) process.exitCode = await follow([process.execPath, await bundle(join(CHECKOUT, "test", "bench", "ledger.ts")), ...process.argv.slice(2)], { env: process.env, cwd: CHECKOUT });
else if (judging !== undefined && isBuilt) process.exitCode = await follow([process.execPath, join(CHECKOUT, "test", "bench", `${judging}.mjs`), ...process.argv.slice(2)], { env: process.env, cwd: CHECKOUT });
else {
  const ready = await ensureSetup();
  process.exitCode = ready.exit === 0 ? await runBench(ready) : ready.exit;
}

/** @param {{ env: NodeJS.ProcessEnv }} ready */
async function runBench(ready) {
  if (process.argv.includes("--policy-strace")) return follow([process.execPath, await bundle(join(CHECKOUT, "test", "bench", "policy-strace.ts")), ...process.argv.slice(2)], { env: ready.env, cwd: CHECKOUT });
  if (judging === "ledger") return follow([process.execPath, await bundle(join(CHECKOUT, "test", "bench", "ledger.ts")), ...process.argv.slice(2)], { env: ready.env, cwd: CHECKOUT });
  if (process.argv.includes("--battery")) return follow([process.execPath, await bundle(join(CHECKOUT, "test", "bench", "battery.ts")), ...process.argv.slice(2)], { env: ready.env, cwd: CHECKOUT });
  const engine = ["exec", "start"].find((name) => process.argv.includes(`--${name}`));
  const script = join(CHECKOUT, "test", "bench", `${judging ?? engine ?? "main"}.mjs`);
  const source = join(CHECKOUT, "test", "bench", "main.ts");
  const program = existsSync(script) ? script : existsSync(source) ? await bundle(source) : null;
  if (program === null) {
    process.stderr.write("ringfence: there is no benchmark: test/bench/main.ts is missing\n");
    return 70;
  }
  return follow([process.execPath, "--expose-gc", program, ...process.argv.slice(2)], { env: ready.env, cwd: CHECKOUT });
}

/** Node 20 reads no TypeScript. Packages stay outside the bundle, so what is measured is what users run. @param {string} source */
async function bundle(source) {
  const { build } = await import("esbuild");
  const outfile = join(CHECKOUT, "dist", "bench", `${basename(source, ".ts")}.mjs`);
  await build({ entryPoints: [source], outfile, bundle: true, packages: "external", format: "esm", platform: "node", target: "node20", logLevel: "warning" });
  return outfile;
}
