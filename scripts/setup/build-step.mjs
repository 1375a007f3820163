// The built parts of Ringfence: the library and the command line (scripts/build.mjs), and the sandbox runtime.

import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { SetupError, explainFailure } from "./errors.mjs";
import { hashTree, readText, sha256 } from "./hash.mjs";
import { builderEnv } from "./images.mjs";
import { lastLines, must, run } from "./run.mjs";

const BUILD_MS = 5 * 60_000;

/** @typedef {ReturnType<typeof import("./paths.mjs").setupPaths>} Paths */

/** What the library and the command line are made from; what V8 keeps of the command line fits one version of Node. @param {Paths} paths */
export function buildDigest(paths) {
  const sources = hashTree(paths.checkout, ["src", "bin", "package.json", "package-lock.json", "tsconfig.json", "scripts/build.mjs", "scripts/build"]);
  return sha256(`${sources} ${process.version} ${process.arch}`);
}

/** @param {Paths} paths */
export function buildReady(paths) {
  return existsSync(join(paths.dist, "cli", "main.cjs")) && readText(paths.buildStamp)?.trim() === buildDigest(paths);
}

/** @param {Paths} paths @param {{readonly signal?: AbortSignal, readonly note: (text: string) => void, readonly log: string}} work */
export async function build(paths, { signal, note, log }) {
  note("compiling");
  const digest = buildDigest(paths);
  await must("building Ringfence", [process.execPath, join(paths.checkout, "scripts", "build.mjs"), "--force"], { limitMs: BUILD_MS, cwd: paths.checkout, signal, log });
  writeFileSync(paths.buildStamp, `${digest}\n`);
}

/** What the sandbox runtime is made from: its sources, its builder, the image it is compiled in. @param {Paths} paths @param {string} baseTag @param {string} arch */
export function runtimeDigest(paths, baseTag, arch) {
  const sources = hashTree(paths.checkout, ["src/sandboxd", "scripts/runtime"]);
  return sha256(`${sources} ${baseTag} ${arch}`);
}

/** Without a builder there is nothing to build. @param {Paths} paths @param {string} baseTag @param {string} arch */
export function runtimeReady(paths, baseTag, arch) {
  if (!existsSync(paths.runtimeBuilder)) return true;
  return existsSync(paths.runtime) && readText(paths.runtimeStamp)?.trim() === runtimeDigest(paths, baseTag, arch);
}

/**
 * @param {Paths} paths
 * @param {{readonly baseTag: string, readonly arch: "amd64" | "arm64", readonly env: Record<string, string | undefined>, readonly signal?: AbortSignal, readonly note: (text: string) => void, readonly log: string}} work
 */
export async function buildRuntimeStep(paths, { baseTag, arch, env, signal, note, log }) {
  const digest = runtimeDigest(paths, baseTag, arch);
  rmSync(paths.runtimeStamp, { force: true });
  mkdirSync(paths.dist, { recursive: true });
  const { buildRuntime } = await import(pathToFileURL(paths.runtimeBuilder).href);
  if (typeof buildRuntime !== "function") throw new SetupError("scripts/runtime/build.mjs exports no buildRuntime", { exit: 70 });
  note("compiling");
  const builder = await builderEnv(env);
  const docker = {
    run: (/** @type {readonly string[]} */ words, /** @type {{readonly limitMs: number, readonly signal?: AbortSignal, readonly onLine?: (line: string) => void}} */ limits) => run(["docker", ...words], { ...limits, env: builder, log }),
  };
  try {
    await buildRuntime({ docker, baseImage: baseTag, outDir: paths.runtime, onProgress: note, signal });
  } catch (error) {
    if (signal?.aborted) throw new SetupError("building the sandbox runtime was interrupted", { exit: 130, cause: error });
    const text = error instanceof Error ? error.message : String(error);
    const known = explainFailure(text);
    throw new SetupError(`building the sandbox runtime failed${known === null ? "" : `: ${known.meaning}`}`, { hint: known?.hint ?? "", detail: lastLines(text, 10), cause: error });
  }
  writeFileSync(paths.runtimeStamp, `${digest}\n`);
}
