// Other guards on the same commands in the same run. Their packages are not ours: they are taken from a folder that the caller names.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { measureOnce } from "./measure-once.mjs";

/** A guard that is a program takes a process a command, so it is asked of fewer. */
const BY_PROCESS = 40;
/** The slower guards are warmed up with fewer. */
const WARM = 1_000;

/**
 * Table lines: one for each guard found.
 * @param {string} folder @param {{ timed: readonly string[], warm: readonly string[] }} commands @param {{ scratch: string, cli: string }} own
 */
export async function peers(folder, commands, { scratch, cli }) {
  const require = createRequire(join(folder, "package.json"));
  const fewer = { timed: commands.timed, warm: commands.warm.slice(0, WARM) };
  const few = { timed: commands.timed.filter((_, index) => index % Math.ceil(commands.timed.length / BY_PROCESS) === 0), warm: commands.warm.slice(0, 2) };
  const rows = [
    ["`cc-safety-net`, defaults, in process", await safetyNet(folder, fewer).catch(() => null)],
    ["`@cedar-policy/cedar-wasm`, pre-parsed, 200 policies, in process", await cedar(require, fewer).catch(() => null)],
    [`\`codex execpolicy check\`, 200 rules, one process a command, ${few.timed.length} commands`, codex(folder, few, scratch)],
    [`\`ringfence policy check\`, one process a command, the same ${few.timed.length}`, byProcess(few, (command) => [process.execPath, cli, "policy", "check", "--command", command], [0, 3, 4])],
  ];
  return ["", "Beside it, on the same commands in the same run (cedar compares the text with `like`, codex the leading words with prefixes: neither reads shell):", "", "| guard | p50 µs | p99 µs |", "| --- | --- | --- |", ...rows.map(([name, figures]) => `| ${name} | ${figures === null ? "not measured | |" : `${figures.p50.toFixed(0)} | ${figures.p99.toFixed(0)} |`}`)];
}

async function safetyNet(folder, commands) {
  const { checkCommand } = await import(pathToFileURL(join(folder, "node_modules", "cc-safety-net", "dist", "api.js")).href);
  return measureOnce(commands, (command) => checkCommand({ command, cwd: folder }));
}

async function cedar(require, commands) {
  const entry = require("@cedar-policy/cedar-wasm/nodejs");
  const policies = ['permit(principal, action, resource);', ...Array.from({ length: 199 }, (_, index) => `forbid(principal, action, resource) when { context.command like "*tool${index} deploy*" };`)].join("\n");
  const parsed = entry.preparsePolicySet("bench", { staticPolicies: policies, templates: {}, templateLinks: [] });
  if (parsed.type !== "success") throw new Error("cedar takes no policies");
  return measureOnce(commands, (command) =>
    entry.statefulIsAuthorized({ principal: { type: "Agent", id: "a" }, action: { type: "Action", id: "run" }, resource: { type: "Box", id: "b" }, context: { command: command.slice(0, 4000) }, preparsedPolicySetId: "bench", validateRequest: false, entities: [] }),
  );
}

function codex(folder, commands, scratch) {
  const rules = join(scratch, "bench.rules");
  writeFileSync(rules, `${Array.from({ length: 200 }, (_, index) => `prefix_rule(pattern=["tool${index}", "deploy"], decision="forbidden")`).join("\n")}\n`);
  return byProcess(commands, (command) => [join(folder, "node_modules", ".bin", "codex"), "execpolicy", "check", "--rules", rules, "--", "bash", "-lc", command], [0]);
}

/** Null when the program is not there or does not answer. */
function byProcess(commands, words, answers) {
  try {
    return measureOnce(commands, (command) => {
      const [program, ...rest] = words(command);
      const { status, error } = spawnSync(program, rest, { stdio: "ignore", timeout: 20_000 });
      if (error !== undefined || !answers.includes(status)) throw error ?? new Error(`it ended with ${status}`);
    });
  } catch {
    return null;
  }
}
