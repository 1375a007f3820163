// Other guards on the same commands in the same run. Their packages are not ours: they are taken from a folder that the caller names.

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Table lines: one for each guard found. @param {string} folder @param {readonly string[]} commands @param {number} rounds */
export async function peers(folder, commands, rounds) {
  const require = createRequire(join(folder, "package.json"));
  const rows = [["`cc-safety-net`, defaults, in process", await safetyNet(folder, commands, rounds).catch(() => null)]];
  rows.push(["`@cedar-policy/cedar-wasm`, pre-parsed, 200 policies", await cedar(require, commands, rounds).catch(() => null)]);
  return ["", "Beside it, on the same commands (cedar compares a program's name and the text with `like`; it reads no shell):", "", "| guard | p50 µs | p99 µs |", "| --- | --- | --- |", ...rows.map(([name, figures]) => `| ${name} | ${figures === null ? "not measured" : `${figures.p50.toFixed(0)} | ${figures.p99.toFixed(0)}`} |${figures === null ? " |" : ""}`)];
}

async function safetyNet(folder, commands, rounds) {
  const { checkCommand } = await import(pathToFileURL(join(folder, "node_modules", "cc-safety-net", "dist", "api.js")).href);
  return times(commands, rounds, (command) => checkCommand({ command, cwd: folder }));
}

async function cedar(require, commands, rounds) {
  const entry = require("@cedar-policy/cedar-wasm/nodejs");
  const policies = ['permit(principal, action, resource);', ...Array.from({ length: 199 }, (_, index) => `forbid(principal, action, resource) when { context.command like "*tool${index} deploy*" };`)].join("\n");
  const parsed = entry.preparsePolicySet("bench", { staticPolicies: policies, templates: {}, templateLinks: [] });
  if (parsed.type !== "success") throw new Error("cedar takes no policies");
  return times(commands, rounds, (command) =>
    entry.statefulIsAuthorized({ principal: { type: "Agent", id: "a" }, action: { type: "Action", id: "run" }, resource: { type: "Box", id: "b" }, context: { command: command.slice(0, 4000) }, preparsedPolicySetId: "bench", validateRequest: false, entities: [] }),
  );
}

function times(commands, rounds, judge) {
  const samples = [];
  for (let round = 0; round <= rounds; round += 1) {
    for (const command of commands) {
      const begun = process.hrtime.bigint();
      judge(command);
      if (round > 0) samples.push(Number(process.hrtime.bigint() - begun) / 1000);
    }
  }
  samples.sort((a, b) => a - b);
  return { p50: samples[Math.floor(samples.length / 2)], p99: samples[Math.floor(samples.length * 0.99)] };
}
