// The neighbours that start a sandbox for each command: how long `bash -c true` takes in them. Packages are unpacked and installed in
// a temporary folder; what cannot be had here is said, never guessed.

import { execFile } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FETCH_MS = 180_000;
const RUN_MS = 30_000;
/** Sandboxes of a developer's are run as one, not as root. */
const DEVELOPER = 1000;
const SRT = "@anthropic-ai/sandbox-runtime@0.0.78";
const CODEX = "@openai/codex";

/** @typedef {{ readonly name: string, readonly run: () => Promise<number> }} Neighbour `run` gives the milliseconds of one command */
/** @typedef {{ readonly name: string, readonly why: string }} Absent */

/** @param {string} file @param {readonly string[]} args @param {{ cwd: string, env: NodeJS.ProcessEnv, limitMs?: number }} how */
function run(file, args, { cwd, env, limitMs = RUN_MS }) {
  return new Promise((resolve) => {
    const child = execFile(file, [...args], { cwd, env, timeout: limitMs, killSignal: "SIGKILL", maxBuffer: 16 * 1024 * 1024, encoding: "utf8" }, (error, stdout, stderr) =>
      resolve({ ok: error === null, stdout, stderr: stderr === "" && error !== null ? error.message : stderr }),
    );
    child.stdin?.end();
  });
}

/** Opens them in a folder of their own. @returns {Promise<{ present: readonly Neighbour[], absent: readonly Absent[], close: () => void }>} */
export async function openNeighbours() {
  const folder = mkdtempSync(join(tmpdir(), "ringfence-neighbours-"));
  // Beside the temporary folder, which sandboxes often replace.
  const home = mkdtempSync("/var/tmp/ringfence-neighbours-home-");
  const isRoot = process.getuid?.() === 0;
  for (const path of [folder, home]) chmodSync(path, 0o755);
  const env = { ...process.env, HOME: home, USER: "developer", LOGNAME: "developer" };
  const work = join(home, "work");
  mkdirSync(work);
  if (isRoot) for (const path of [home, work]) chownSync(path, DEVELOPER, DEVELOPER);
  const close = () => {
    for (const path of [folder, home]) rmSync(path, { recursive: true, force: true });
  };
  const asDeveloper = (file, args, how) => (isRoot ? run("setpriv", [`--reuid=${DEVELOPER}`, `--regid=${DEVELOPER}`, "--clear-groups", file, ...args], how) : run(file, args, how));
  const present = [];
  const absent = [];
  const tools = await unpack(folder, env);
  for (const [name, make] of [
    ["srt", () => srt({ folder, work, asDeveloper, env: { ...env, ...tools } })],
    ["codex sandbox", () => codex({ folder, home, work, isRoot, asDeveloper, env: { ...env, ...tools } })],
  ]) {
    const made = await make();
    if ("why" in made) absent.push({ name, why: made.why });
    else present.push({ name, run: made.run });
  }
  return { present, absent, close };
}

/** Programs that the neighbours call, from Debian packages where they are not installed. */
async function unpack(folder, env) {
  const target = join(folder, "packages");
  mkdirSync(target);
  await run("apt-get", ["download", "bubblewrap", "socat", "libwrap0", "ripgrep"], { cwd: target, env, limitMs: FETCH_MS });
  for (const file of readdirSync(target).filter((name) => name.endsWith(".deb"))) await run("dpkg-deb", ["-x", file, "root"], { cwd: target, env });
  const usr = join(target, "root", "usr");
  if (!existsSync(usr)) return {};
  const libraries = readdirSync(join(usr, "lib"), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => join(usr, "lib", entry.name));
  return { PATH: `${join(usr, "bin")}:${env["PATH"] ?? ""}`, LD_LIBRARY_PATH: libraries.join(":") };
}

async function install(folder, name, program, env) {
  const target = mkdtempSync(join(folder, "npm-"));
  chmodSync(target, 0o755);
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefix", target, name], { cwd: folder, env: { ...process.env, PATH: env.PATH }, limitMs: FETCH_MS });
  const file = join(target, "node_modules", ".bin", program);
  return existsSync(file) ? file : null;
}

async function srt({ folder, work, asDeveloper, env }) {
  const program = await install(folder, SRT, "srt", env);
  if (program === null) return { why: `${SRT} cannot be had from npm` };
  const settings = join(folder, "srt-settings.json");
  writeFileSync(settings, JSON.stringify({ network: { allowedDomains: [], deniedDomains: [] }, filesystem: { denyRead: [], allowWrite: [work], denyWrite: [] } }));
  return trying([["--settings", settings, "bash", "-c", "true"]], (args) => asDeveloper(program, args, { cwd: work, env }), ["--settings", settings, "bash", "-c", "echo inside"]);
}

async function codex({ folder, home, work, isRoot, asDeveloper, env }) {
  const program = await install(folder, CODEX, "codex", env);
  if (program === null) return { why: `${CODEX} cannot be had from npm` };
  const settings = join(home, ".codex");
  mkdirSync(settings);
  if (isRoot) chownSync(settings, DEVELOPER, DEVELOPER);
  const how = { cwd: work, env: { ...env, CODEX_HOME: settings } };
  // The form of the command changed between releases; its workspace-write mode is what an agent gets.
  const forms = [["sandbox", "-c", 'sandbox_mode="workspace-write"', "--"], ["sandbox", "linux", "--full-auto"], ["sandbox", "linux", "--"]];
  for (const form of forms) {
    const made = await trying([[...form, "bash", "-c", "true"]], (args) => asDeveloper(program, args, how), [...form, "bash", "-c", "echo inside"]);
    if ("run" in made || form === forms.at(-1)) return made;
  }
  return { why: "no form of its command is known" };
}

/** A neighbour counts only when it really ran a command. */
async function trying([args], start, proof) {
  const proved = await start(proof);
  if (!proved.ok || !proved.stdout.includes("inside")) return { why: `did not run here: ${proved.stderr.trim().split("\n").slice(-2).join(" ").slice(0, 200)}` };
  return {
    run: async () => {
      const begun = performance.now();
      const { ok, stderr } = await start(args);
      if (!ok) throw new Error(`a neighbour failed: ${stderr}`);
      return performance.now() - begun;
    },
  };
}
