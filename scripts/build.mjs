// `npm run build`: the library by tsc into dist/lib, the command line as one bundle with lazy chunks into dist/cli.
// Does nothing when the sources are as they were; `--force` builds all the same. Needs node_modules.

import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { buildDigest, buildReady } from "./setup/build-step.mjs";
import { CHECKOUT, setupPaths } from "./setup/paths.mjs";

const TSC_MS = 4 * 60_000;

/** CommonJS packages inside an ES module bundle ask for these. */
const BANNER = [
  'import { createRequire as __ringfenceRequire } from "node:module";',
  'import { fileURLToPath as __ringfencePath } from "node:url";',
  'import { dirname as __ringfenceDirname } from "node:path";',
  "const require = __ringfenceRequire(import.meta.url);",
  "const __filename = __ringfencePath(import.meta.url);",
  "const __dirname = __ringfenceDirname(__filename);",
].join("\n");

/** Native parts that dockerode's SSH support can do without; it asks for them inside try/catch. */
const OPTIONAL_NATIVE = ["cpu-features", "*.node"];

/**
 * Bundles the command line. A module that is imported lazily becomes a chunk of its own, so that `policy check` never
 * reads the engine's client. The old bundle stays until the new one is whole.
 * @returns {Promise<boolean>} false after errors, which esbuild has told
 */
async function bundleCli() {
  const entry = join(CHECKOUT, "src", "surfaces", "cli", "main.ts");
  const { build } = await import("esbuild");
  const target = join(CHECKOUT, "dist", "cli");
  const fresh = `${target}.${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  const result = await build({
    entryPoints: { ringfence: entry },
    outdir: fresh,
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    charset: "utf8",
    legalComments: "eof",
    logLevel: "warning",
    external: OPTIONAL_NATIVE,
    banner: { js: BANNER },
  }).catch(() => null);
  if (result === null) {
    rmSync(fresh, { recursive: true, force: true });
    return false;
  }
  const old = `${target}.old.${process.pid}`;
  if (existsSync(target)) renameSync(target, old);
  renameSync(fresh, target);
  rmSync(old, { recursive: true, force: true });
  return true;
}

/** Compiles the library; a type error fails the build after the command line is there. @returns {boolean} */
function compileLibrary() {
  const out = join(CHECKOUT, "dist", "lib");
  const info = join(CHECKOUT, "dist", "lib.tsbuildinfo");
  if (!existsSync(out)) rmSync(info, { force: true });
  const tsc = join(CHECKOUT, "node_modules", "typescript", "bin", "tsc");
  const result = spawnSync(process.execPath, [tsc, "-p", join(CHECKOUT, "tsconfig.json"), "--incremental", "--tsBuildInfoFile", info], { stdio: "inherit", cwd: CHECKOUT, timeout: TSC_MS });
  if (existsSync(out)) prune(out);
  return result.status === 0;
}

/** Removes outputs whose source is gone. @param {string} folder */
function prune(folder, root = folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      prune(path, root);
      if (readdirSync(path).length === 0) rmSync(path, { recursive: true });
      continue;
    }
    const source = join(CHECKOUT, "src", relative(root, path).replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts"));
    if (!existsSync(source)) rmSync(path);
  }
}

const paths = setupPaths();
const force = process.argv.includes("--force");
if (process.argv.includes("--help")) {
  process.stdout.write("npm run build [-- --force]: compiles src into dist/lib and dist/cli; nothing when the sources are unchanged\n");
} else if (!existsSync(join(paths.modules, "esbuild"))) {
  process.stderr.write("ringfence: node_modules is missing; run `npm run setup`\n");
  process.exitCode = 75;
} else if (force || !buildReady(paths)) {
  const digest = buildDigest(paths);
  mkdirSync(paths.dist, { recursive: true });
  rmSync(paths.buildStamp, { force: true });
  const bundled = await bundleCli();
  if (bundled && compileLibrary()) writeFileSync(paths.buildStamp, `${digest}\n`);
  else process.exitCode = 1;
  if (existsSync(paths.launcher)) chmodSync(paths.launcher, 0o755);
}
