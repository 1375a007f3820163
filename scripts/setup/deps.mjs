// The packages of the checkout: `npm ci` when node_modules is missing or is not what the lockfile says.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readJson, readText, sha256 } from "./hash.mjs";
import { must } from "./run.mjs";

const INSTALL_MS = 10 * 60_000;

/**
 * Whether node_modules fits the lockfile. Fast by a stamp; where the user ran npm by hand, by npm's own record.
 * @param {ReturnType<typeof import("./paths.mjs").setupPaths>} paths
 * @returns {boolean}
 */
export function modulesReady(paths) {
  const lock = readText(paths.lockfile);
  if (lock === null) return true; // an installed package has no lockfile, and its modules are npm's work
  const digest = sha256(lock);
  if (readText(paths.modulesStamp)?.trim() === digest) return true;
  if (!lockMatches(JSON.parse(lock), readJson(join(paths.modules, ".package-lock.json")))) return false;
  writeFileSync(paths.modulesStamp, `${digest}\n`);
  return true;
}

/**
 * Whether what npm recorded as installed is the lockfile's content. Optional packages may be absent (other platforms);
 * nothing else may be, and nothing may be there in addition.
 * @param {any} lock @param {any} installed node_modules/.package-lock.json
 */
export function lockMatches(lock, installed) {
  if (installed === null || typeof installed?.packages !== "object") return false;
  const wanted = Object.entries(lock?.packages ?? {}).filter(([name]) => name !== "");
  const found = installed.packages;
  for (const [name, entry] of wanted) {
    const have = found[name];
    if (have === undefined) {
      if (!(entry.optional || entry.devOptional || entry.peer)) return false;
    } else if (have.version !== entry.version || (entry.integrity !== undefined && have.integrity !== undefined && have.integrity !== entry.integrity)) {
      return false;
    }
  }
  return Object.keys(found).every((name) => Object.hasOwn(lock.packages, name));
}

/**
 * @param {ReturnType<typeof import("./paths.mjs").setupPaths>} paths
 * @param {{readonly signal?: AbortSignal, readonly note: (text: string) => void, readonly log: string}} work
 */
export async function installModules(paths, { signal, note, log }) {
  note("npm ci");
  const env = { ...process.env, NODE_ENV: undefined, npm_config_production: undefined, npm_config_omit: undefined };
  await must("installing the npm packages", ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], { limitMs: INSTALL_MS, cwd: paths.checkout, env, signal, log });
  writeFileSync(paths.modulesStamp, `${sha256(readText(paths.lockfile) ?? "")}\n`);
}
