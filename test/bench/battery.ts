// `npm run bench -- --battery`: the attack battery inside Ringfence and inside its neighbours, as one table in docs/benchmarks.md.
// What cannot be had here is a column that says so. Nothing is installed: packages are unpacked in a temporary folder.

import { execFile } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { createDockerProvider } from "../../src/adapters/docker/provider.js";
import { createWorkspaceProvider } from "../../src/adapters/files/workspace.js";
import { currentLease } from "../../src/adapters/system/lease.js";
import { diskSupport } from "../../src/compose-store.js";
import { DEFAULTS } from "../../src/config/defaults.js";
import type { Telemetry } from "../../src/ports/system.js";
import { replaceTable, tableOf, type Column, type Line } from "./battery-table.js";

const IMAGE = "ringfence/kimi-dev:latest";
const RUN_MS = 300_000;
const FETCH_MS = 300_000;
const SRT = "@anthropic-ai/sandbox-runtime@0.0.78";
const CODEX = "@openai/codex";
const checkout = process.cwd();
const battery = join(checkout, "test", "battery", "battery.py");

const folder = mkdtempSync(join(tmpdir(), "ringfence-battery-"));
// Beside the workspace and not under the temporary folder, which sandboxes often replace.
const home = mkdtempSync("/var/tmp/ringfence-battery-home-");
const secret = join(home, "credentials");
/** Sandboxes of a developer's are run as one, not as root. */
const DEVELOPER = 1000;

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Contender {
  readonly name: string;
  readonly how: string;
  readonly run: () => Promise<Ran>;
}

/** What stands in the way of a column; shown in the table. */
class Absent extends Error {}

function run(file: string, args: readonly string[], options: { readonly limitMs?: number; readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      file,
      [...args],
      { cwd: options.cwd ?? folder, env: options.env ?? process.env, timeout: options.limitMs ?? RUN_MS, killSignal: "SIGKILL", maxBuffer: 64 * 1024 * 1024, encoding: "utf8" },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : null, stdout, stderr: error !== null && stderr === "" ? error.message : stderr }),
    );
    child.stdin?.end();
  });
}

/** A workspace of its own for each contender, with the battery in it. */
function workspaceOf(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  copyFileSync(battery, join(path, "battery.py"));
  if (process.getuid?.() === 0) chownSync(path, DEVELOPER, DEVELOPER);
  return path;
}

/** Runs a program as an ordinary user. */
function asDeveloper(file: string, args: readonly string[], options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }): Promise<Ran> {
  const env = { ...options.env, HOME: home, USER: "developer", LOGNAME: "developer" };
  if (process.getuid?.() !== 0) return run(file, args, { ...options, env });
  return run("setpriv", [`--reuid=${DEVELOPER}`, `--regid=${DEVELOPER}`, "--clear-groups", file, ...args], { ...options, env });
}

const ENVIRONMENT = { ...process.env, BATTERY_SECRET: secret };
const dockerRun = (name: string, options: readonly string[]): Promise<Ran> =>
  run("docker", ["run", "--rm", "--label", "dev.ringfence.bench=battery", "-i", ...options, "-v", `${workspaceOf(name)}:/work`, "-w", "/work", "-e", `BATTERY_SECRET=${secret}`, "--entrypoint", "python3", IMAGE, "battery.py"]);

/** Unpacks Debian packages beside us; the folder that holds their programs. */
async function unpacked(packages: readonly string[]): Promise<string> {
  const target = join(folder, "packages");
  if (!existsSync(target)) {
    mkdirSync(target);
    const fetched = await run("apt-get", ["download", ...packages], { cwd: target, limitMs: FETCH_MS });
    if (fetched.code !== 0) throw new Absent(`the packages ${packages.join(", ")} cannot be downloaded`);
    for (const file of readdirSync(target).filter((name) => name.endsWith(".deb"))) await run("dpkg-deb", ["-x", file, "root"], { cwd: target });
  }
  return join(target, "root", "usr");
}

async function outside(): Promise<{ readonly python: string; readonly env: NodeJS.ProcessEnv; readonly bin: string }> {
  const found = await run("sh", ["-c", "PATH=/usr/bin:/usr/local/bin:/bin command -v python3"]);
  if (found.code !== 0) throw new Absent("there is no python3 on this machine");
  const usr = await unpacked(["bubblewrap", "socat", "libwrap0", "ripgrep"]);
  const libraries = readdirSync(join(usr, "lib"), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => join(usr, "lib", entry.name));
  return { python: found.stdout.trim(), bin: join(usr, "bin"), env: { ...ENVIRONMENT, PATH: `${join(usr, "bin")}:${process.env["PATH"] ?? ""}`, LD_LIBRARY_PATH: libraries.join(":") } };
}

/** Installs an npm package into a folder of its own; the path of a program of it. */
async function fromNpm(name: string, program: string): Promise<string> {
  const target = mkdtempSync(join(folder, "npm-"));
  chmodSync(target, 0o755);
  const made = await run("npm", ["install", "--no-audit", "--no-fund", "--prefix", target, name], { limitMs: FETCH_MS });
  const file = join(target, "node_modules", ".bin", program);
  if (made.code !== 0 || !existsSync(file)) throw new Absent(`${name} cannot be had from npm`);
  return file;
}

async function bubblewrap(): Promise<Ran> {
  const { python, env, bin } = await outside();
  const work = workspaceOf("bubblewrap");
  return asDeveloper(join(bin, "bwrap"), ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--bind", work, work, "--chdir", work, "--unshare-all", "--new-session", "--die-with-parent", python, "battery.py"], { cwd: work, env });
}

async function sandboxRuntime(): Promise<Ran> {
  const { python, env } = await outside();
  const work = workspaceOf("srt");
  const settings = join(work, "..", "srt-settings.json");
  writeFileSync(settings, JSON.stringify({ network: { allowedDomains: [], deniedDomains: [] }, filesystem: { denyRead: [], allowWrite: [work], denyWrite: [] } }));
  return asDeveloper(await fromNpm(SRT, "srt"), ["--settings", settings, python, "battery.py"], { cwd: work, env });
}

async function codex(): Promise<Ran> {
  const { python, env } = await outside();
  const work = workspaceOf("codex");
  const program = await fromNpm(CODEX, "codex");
  const settings = join(home, ".codex");
  mkdirSync(settings);
  if (process.getuid?.() === 0) chownSync(settings, DEVELOPER, DEVELOPER);
  const options = { cwd: work, env: { ...env, CODEX_HOME: settings } };
  // The form of the command changed between releases; its workspace-write mode is what an agent gets.
  const forms = [
    ["sandbox", "-c", 'sandbox_mode="workspace-write"', "--", python, "battery.py"],
    ["sandbox", "linux", "--full-auto", python, "battery.py"],
    ["sandbox", "linux", "--", python, "battery.py"],
  ];
  let last: Ran = { code: null, stdout: "", stderr: "" };
  for (const form of forms) {
    last = await asDeveloper(program, form, options);
    if (last.stdout.includes('"outcome"')) return last;
  }
  return last;
}

async function ringfence(): Promise<Ran> {
  const log: Telemetry = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => log };
  const provider = createDockerProvider({ runtimeDir: join(checkout, "dist", "runtime"), lease: currentLease(), telemetry: log });
  const folder = workspaceOf("ringfence");
  const stateDir = join(folder, "..", "ringfence-state");
  const workspaces = createWorkspaceProvider({ stateDir, home, telemetry: log, disks: diskSupport(process.env, log) });
  const signal = new AbortController().signal;
  const sessionId = `ses_battery${process.pid}`;
  const workspace = await workspaces.create(sessionId, folder);
  await workspace.ready?.(signal);
  const { memoryBytes, processes, cpus, tmpBytes } = DEFAULTS.sandbox;
  const sandbox = await provider.open({ sessionId, image: IMAGE, workspace: workspace.mount, root: "/workspace", uid: workspace.uid, gid: workspace.gid, limits: { memoryBytes, processes, cpus, tmpBytes } }, signal);
  try {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const environment = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/home/agent", BATTERY_SECRET: secret };
    const request = { argv: ["python3", "battery.py"], cwd: "/workspace", environment, stdin: null, timeoutMs: RUN_MS, outputBytes: 1024 * 1024 };
    const { exitCode } = await sandbox.run(request, { stdout: (bytes) => out.push(Buffer.from(bytes)), stderr: (bytes) => err.push(Buffer.from(bytes)) }, signal);
    return { code: exitCode, stdout: Buffer.concat(out).toString("utf8"), stderr: Buffer.concat(err).toString("utf8") };
  } finally {
    await sandbox.close();
    await workspace.close?.();
    await workspaces.remove(sessionId);
  }
}

const CONTENDERS: readonly Contender[] = [
  { name: "nothing held", how: "`docker run --security-opt seccomp=unconfined`: shows what the kernel here lacks; not in the table", run: () => dockerRun("unfiltered", ["--security-opt", "seccomp=unconfined"]) },
  { name: "docker run", how: "`docker run`, all defaults, user 0 of the image", run: () => dockerRun("plain", []) },
  { name: "bubblewrap", how: "`bwrap --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp --bind WORK WORK --unshare-all --new-session`", run: bubblewrap },
  { name: "sandbox-runtime", how: `\`${SRT}\`, its defaults, writing allowed in the workspace`, run: sandboxRuntime },
  { name: "codex", how: `\`${CODEX}\`, \`codex sandbox\` in workspace-write mode`, run: codex },
  { name: "Ringfence", how: "one session, its defaults", run: ringfence },
];

async function columnOf({ name, how, run: go }: Contender): Promise<Column> {
  try {
    const { stdout, stderr, code } = await go();
    const lines = stdout.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Line] : []));
    if (lines.length > 0) return { name, how, lines, absent: null };
    return { name, how, lines: [], absent: `did not run here (exit ${code}): ${stderr.trim().split("\n").slice(-4).join(" ").slice(0, 400) ?? ""}` };
  } catch (error) {
    return { name, how, lines: [], absent: error instanceof Error ? error.message : String(error) };
  }
}

try {
  chmodSync(folder, 0o755);
  writeFileSync(secret, "not a real one\n");
  if (process.getuid?.() === 0) for (const path of [home, secret]) chownSync(path, DEVELOPER, DEVELOPER);
  const columns: Column[] = [];
  // One after the other: they share the machine, and a flood in one must not be counted against another.
  for (const contender of CONTENDERS) {
    const column = await columnOf(contender);
    process.stderr.write(`${contender.name}: ${column.absent ?? `${column.lines.filter(({ outcome }) => outcome === "held").length} of ${column.lines.length} held`}\n`);
    columns.push(column);
  }
  const docker = await run("docker", ["version", "--format", "{{.Server.Version}}"]);
  const table = tableOf(columns, `Kernel ${release()}, engine ${docker.stdout.trim()}, ${process.arch}, neighbours without an engine as an ordinary user.`);
  process.stdout.write(`${table}\n`);
  if (!process.argv.includes("--no-write")) {
    const page = join(checkout, "docs", "benchmarks.md");
    writeFileSync(page, replaceTable(readFileSync(page, "utf8"), table));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
}
