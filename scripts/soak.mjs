// `npm run soak`: sets up what is missing, bundles test/soak (Node 20 reads no TypeScript) and runs it. Arguments go to it.

import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { follow } from "./setup/follow.mjs";
import { ensureSetup } from "./setup/main.mjs";
import { CHECKOUT } from "./setup/paths.mjs";

const words = process.argv.slice(2);
const onlyTells = words.some((word) => word === "--help" || word === "--list") && existsSync(join(CHECKOUT, "node_modules", "esbuild"));
const ready = onlyTells ? { exit: 0, env: process.env } : await ensureSetup();
process.exitCode = ready.exit === 0 ? await run(ready.env) : ready.exit;

/** @param {NodeJS.ProcessEnv} env */
async function run(env) {
  const folder = await bundle();
  return follow([process.execPath, "--enable-source-maps", join(folder, "main.mjs"), ...words], { env: { ...env, RINGFENCE_REQUIRE_ENGINE: "1" }, cwd: CHECKOUT });
}

/** Every suite is an entry of its own, so that a new file needs no list. Packages stay outside, so that what runs is what users run. */
async function bundle() {
  const { build } = await import("esbuild");
  const source = join(CHECKOUT, "test", "soak");
  const suites = readdirSync(join(source, "suites")).filter((name) => name.endsWith(".ts"));
  const outdir = join(CHECKOUT, "dist", "soak");
  rmSync(outdir, { recursive: true, force: true });
  await build({
    entryPoints: [{ in: join(source, "main.ts"), out: "main" }, ...suites.map((name) => ({ in: join(source, "suites", name), out: `suite-${name.slice(0, -3)}` }))],
    outdir,
    outExtension: { ".js": ".mjs" },
    // All in one folder: a file that asks where it lies finds itself two folders deep, as in test/NAME/.
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    sourcemap: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "warning",
  });
  return outdir;
}
