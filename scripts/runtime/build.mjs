// Builds the runtime folder that every sandbox mounts read-only: static programs that run in any image.
// Content-addressed: does nothing when no input has changed. Compiles inside a container, so the host needs no compiler.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const PROJECT = join(HERE, "..", "..");
const NATIVE = join(PROJECT, "src", "sandboxd", "native");
const BUILD_MS = 10 * 60_000;
const ASK_MS = 60_000;
/** Raised when the layout of the folder changes in a way the inputs do not show. */
const LAYOUT = 2;
/** What a sandbox cannot do without. */
const PROGRAMS = ["rf-enter", "sandboxd", "rf-kill", "rf-file", "rf-probe"];

/**
 * @typedef {object} Finished
 * @property {number | null} code
 * @property {string} stdout
 * @property {string} stderr
 *
 * @typedef {{ run(args: readonly string[], options: {readonly limitMs: number, readonly signal?: AbortSignal, readonly onLine?: (line: string) => void}): Promise<Finished> }} DockerClient
 *   runs Docker's command-line client with these arguments
 *
 * @typedef {object} RuntimeInfo
 * @property {string} digest over all inputs; sandboxes of one digest have the same runtime
 * @property {string} sources the same: tells a runtime that is older than the sources
 * @property {string} arch
 */

/**
 * Makes sure `outDir` holds the runtime of these inputs.
 * @param {object} work
 * @param {DockerClient} [work.docker] default: `docker` on PATH
 * @param {string} work.baseImage a Debian-like image with apt, on the engine
 * @param {string} [work.outDir] default: dist/runtime
 * @param {(text: string) => void} [work.onProgress]
 * @param {AbortSignal} [work.signal]
 * @returns {Promise<RuntimeInfo & {readonly changed: boolean}>}
 */
export async function buildRuntime({ docker = { run: runDocker }, baseImage, outDir = join(PROJECT, "dist", "runtime"), onProgress = () => undefined, signal }) {
  const digest = currentSources();
  const present = readInfo(outDir);
  if (present?.digest === digest) return { ...present, changed: false };
  mkdirSync(dirname(outDir), { recursive: true });
  const making = mkdtempSync(join(dirname(outDir), ".runtime-"));
  try {
    onProgress("compiling the sandbox runtime");
    await compile({ docker, baseImage, into: making, onProgress, signal });
    openForAll(making);
    onProgress("starting it as a sandbox would");
    await tryOut({ docker, baseImage, folder: making, signal });
    const info = { digest, sources: digest, arch: process.arch };
    writeFileSync(join(making, "runtime.json"), `${JSON.stringify(info)}\n`, { mode: 0o644 });
    // A running sandbox keeps the old folder through its mount; the new one takes the name in one step.
    const old = `${making}.old`;
    if (existsSync(outDir)) renameSync(outDir, old);
    renameSync(making, outDir);
    rmSync(old, { recursive: true, force: true });
    return { ...info, changed: true };
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

/** What a runtime folder says about itself; null when there is none. @param {string} outDir @returns {RuntimeInfo | null} */
export function readInfo(outDir) {
  try {
    const info = JSON.parse(readFileSync(join(outDir, "runtime.json"), "utf8"));
    return PROGRAMS.every((name) => existsSync(join(outDir, "bin", name))) && typeof info.digest === "string" ? info : null;
  } catch {
    // absent or cut short: built anew
    return null;
  }
}

/** The digest that a runtime made of today's sources would carry. */
export function currentSources() {
  const hash = createHash("sha256").update(`layout ${LAYOUT} ${process.arch}\n`);
  for (const name of readdirSync(NATIVE).filter((entry) => /\.[ch]$/.test(entry)).sort()) hash.update(`\n${name}\n`).update(readFileSync(join(NATIVE, name)));
  for (const name of ["Dockerfile", "compile.sh"]) hash.update(readFileSync(join(HERE, name)));
  return `sha256:${hash.digest("hex")}`;
}

/** @param {{docker: DockerClient, baseImage: string, into: string, onProgress: (text: string) => void, signal?: AbortSignal}} work */
async function compile({ docker, baseImage, into, onProgress, signal }) {
  const context = mkdtempSync(join(tmpdir(), "ringfence-runtime-"));
  const tag = `ringfence/runtime-build:${process.pid}-${Date.now()}`;
  let container = "";
  const must = async (/** @type {string} */ what, /** @type {readonly string[]} */ args, limitMs = ASK_MS) => {
    const result = await docker.run(args, { limitMs, signal, onLine: (line) => onProgress(line) });
    if (result.code === 0) return result.stdout.trim();
    throw new Error(`${what} failed: ${`${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-8).join("\n")}`);
  };
  try {
    cpSync(NATIVE, join(context, "native"), { recursive: true });
    for (const name of ["Dockerfile", "compile.sh"]) copyFileSync(join(HERE, name), join(context, name));
    await must("compiling the runtime", ["build", "--force-rm", "--network", "host", "--build-arg", `BASE=${baseImage}`, "--label", "dev.ringfence.setup=runtime", "-t", tag, context], BUILD_MS);
    container = await must("opening the compiled runtime", ["create", "--label", "dev.ringfence.setup=runtime", tag, "true"]);
    await must("copying the compiled runtime", ["cp", `${container}:/out/bin`, into]);
  } finally {
    if (container !== "") await docker.run(["rm", "-f", container], { limitMs: ASK_MS });
    await docker.run(["rmi", tag], { limitMs: ASK_MS });
    rmSync(context, { recursive: true, force: true });
  }
}

/**
 * Starts the file tool without orders and without a network: it must end well. The folder is copied in, not mounted, so that this
 * also holds where the engine does not see our files.
 * @param {{docker: DockerClient, baseImage: string, folder: string, signal?: AbortSignal}} work
 */
async function tryOut({ docker, baseImage, folder, signal }) {
  const made = await docker.run(["create", "--network", "none", "--label", "dev.ringfence.setup=runtime", "--entrypoint", "/.ringfence/bin/rf-file", baseImage, "/"], { limitMs: ASK_MS, signal });
  const container = made.stdout.trim();
  try {
    const copied = made.code === 0 ? await docker.run(["cp", folder, `${container}:/.ringfence`], { limitMs: ASK_MS, signal }) : made;
    const ran = copied.code === 0 ? await docker.run(["start", "-a", container], { limitMs: ASK_MS, signal }) : copied;
    if (ran.code !== 0) throw new Error(`the compiled runtime does not start: ${`${ran.stdout}\n${ran.stderr}`.trim()}`);
  } finally {
    if (container !== "") await docker.run(["rm", "-f", container], { limitMs: ASK_MS });
  }
}

/** The folder is read inside by users that do not exist outside: everybody may read it, nobody else may write it. @param {string} folder */
function openForAll(folder) {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) openForAll(path);
    else chmodSync(path, (statSync(path).mode & 0o111) === 0 ? 0o644 : 0o755);
  }
}

/** @type {DockerClient["run"]} */
function runDocker(args, { limitMs, signal, onLine }) {
  return new Promise((resolve) => {
    const child = spawn("docker", args, { stdio: ["ignore", "pipe", "pipe"], signal, timeout: limitMs, killSignal: "SIGKILL" });
    const kept = { stdout: "", stderr: "" };
    const take = (/** @type {"stdout" | "stderr"} */ name) => (/** @type {string} */ text) => {
      kept[name] = (kept[name] + text).slice(-65_536);
      for (const line of text.split(/[\r\n]+/)) if (line.trim() !== "") onLine?.(line.trim());
    };
    child.stdout.setEncoding("utf8").on("data", take("stdout"));
    child.stderr.setEncoding("utf8").on("data", take("stderr"));
    child.on("error", (error) => resolve({ code: null, stdout: kept.stdout, stderr: `${kept.stderr}${error.message}` }));
    child.on("close", (code) => resolve({ code, ...kept }));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const baseImage = process.argv[2];
  if (baseImage === undefined) {
    process.stderr.write("usage: node scripts/runtime/build.mjs BASE_IMAGE [OUT_DIR]\n");
    process.exit(2);
  }
  const info = await buildRuntime({ baseImage, outDir: process.argv[3], onProgress: (text) => process.stderr.write(`${text}\n`) });
  process.stdout.write(`${JSON.stringify(info)}\n`);
}
