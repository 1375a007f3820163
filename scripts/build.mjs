// `npm run build`: the library by tsc into dist/lib, the command line into dist/cli.
// Does nothing when the sources are as they were; `--force` builds all the same. Needs node_modules.

import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { buildCli } from "./build/cli.mjs";
import { buildDigest, buildReady } from "./setup/build-step.mjs";
import { CHECKOUT, setupPaths } from "./setup/paths.mjs";

const TSC_MS = 4 * 60_000;

/** Compiles the library; a type error fails the build after the command line is there. @param {string} digest @returns {boolean} */
function compileLibrary(digest) {
  const out = join(CHECKOUT, "dist", "lib");
  const info = join(CHECKOUT, "dist", "lib.tsbuildinfo");
  const own = join(out, "digest");
  if (!existsSync(out)) rmSync(info, { force: true });
  rmSync(own, { force: true });
  const tsc = join(CHECKOUT, "node_modules", "typescript", "bin", "tsc");
  const result = spawnSync(process.execPath, [tsc, "-p", join(CHECKOUT, "tsconfig.json"), "--incremental", "--tsBuildInfoFile", info], { stdio: "inherit", cwd: CHECKOUT, timeout: TSC_MS });
  if (existsSync(out)) prune(out);
  if (result.status === 0) writeFileSync(own, `${digest}\n`);
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
  const bundled = await buildCli(digest);
  if (bundled && compileLibrary(digest)) writeFileSync(paths.buildStamp, `${digest}\n`);
  else process.exitCode = 1;
  if (existsSync(paths.launcher)) chmodSync(paths.launcher, 0o755);
}
