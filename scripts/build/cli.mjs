// Builds the command line into dist/cli: CommonJS files, split where the sources import lazily, so that a command reads only what it
// needs, each with what V8 compiles of it (scripts/build/warm.mjs). bin/load.cjs runs them.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CHECKOUT } from "../setup/paths.mjs";

const WARM_MS = 60_000;

/** Native parts that dockerode's SSH support can do without; it asks for them inside try/catch. The database finds its WebAssembly beside itself. */
const OUTSIDE = ["cpu-features", "*.node", "node-sqlite3-wasm"];

/** What every file is a function of; bin/load.cjs calls it. */
const PARAMETERS = ["exports", "require", "module", "__filename", "__dirname", "__moduleUrl"];

/** For those who start `dist/cli/ringfence.mjs` itself. */
const STARTER = 'import { createRequire } from "node:module";\nimport { fileURLToPath } from "node:url";\n\nawait createRequire(import.meta.url)("../../bin/load.cjs").loadCli(fileURLToPath(new URL(".", import.meta.url)).replace(/\\/$/, "")).main(process.argv);\n';

/**
 * commander asks for `node:child_process` to start programs for subcommands, which no command here does. Reading it takes as long as
 * judging ten thousand commands, so it is read when it is used.
 * @type {import("esbuild").Plugin}
 */
const LAZY_BUILTINS = {
  name: "lazy-builtins",
  setup(build) {
    build.onResolve({ filter: /^(node:)?child_process$/ }, ({ importer }) => (/[\\/]node_modules[\\/]commander[\\/]/.test(importer) ? { path: "child_process", namespace: "lazy" } : undefined));
    build.onLoad({ filter: /.*/, namespace: "lazy" }, () => ({ contents: 'exports.spawn = (...words) => require("node:child_process").spawn(...words);' }));
  },
};

/**
 * The old files stay until the new ones are whole.
 * @param {string} digest of what they are made from; the command line knows itself by it
 * @returns {Promise<boolean>} false after errors, which esbuild has told
 */
export async function buildCli(digest) {
  const target = join(CHECKOUT, "dist", "cli");
  const fresh = `${target}.${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  try {
    await bundle(fresh);
  } catch (error) {
    if (!(error instanceof Error && "errors" in error)) throw error;
    rmSync(fresh, { recursive: true, force: true });
    return false;
  }
  writeFileSync(join(fresh, "ringfence.mjs"), STARTER);
  writeFileSync(join(fresh, "digest"), `${digest}\n`);
  const old = `${target}.old.${process.pid}`;
  if (existsSync(target)) renameSync(target, old);
  renameSync(fresh, target);
  rmSync(old, { recursive: true, force: true });
  // Without it every start compiles anew: slower, not wrong.
  const warm = spawnSync(process.execPath, [join(CHECKOUT, "scripts", "build", "warm.mjs"), target], { stdio: ["ignore", "ignore", "inherit"], cwd: CHECKOUT, timeout: WARM_MS });
  if (warm.status !== 0) process.stderr.write("ringfence: the command line is built, but starts slowly: its compiled code could not be kept\n");
  return true;
}

/** @param {string} folder */
async function bundle(folder) {
  const { build, transform } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: { main: join(CHECKOUT, "src", "surfaces", "cli", "main.ts") },
    outdir: folder,
    outExtension: { ".js": ".cjs" },
    chunkNames: "chunks/[name]-[hash]",
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    legalComments: "eof",
    logLevel: "warning",
    external: OUTSIDE,
    define: { "import.meta.url": "__moduleUrl" },
    plugins: [LAZY_BUILTINS],
  });
  // esbuild splits ES modules only; what V8 compiled can be kept of plain scripts only.
  for (const { path, text } of outputFiles) {
    const { code } = await transform(text, { loader: "js", format: "cjs", platform: "node", target: "node20", supported: { "dynamic-import": false }, legalComments: "eof", logLevel: "error" });
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `(function (${PARAMETERS.join(", ")}) {${code}\n})`);
  }
}
