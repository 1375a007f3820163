// Installs, starts and stops an engine on this machine. Touches only an engine that set-up brought or found stopped.

import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { DEFAULT_SOCKET, pingSocket } from "./engine-find.mjs";
import { SetupError } from "./errors.mjs";
import { readJson, readText } from "./hash.mjs";
import { systemPath, which } from "./machine.mjs";
import { delay, identify, isAlive, isSameProcess } from "./processes.mjs";
import { lastLines, must } from "./run.mjs";

const READY_MS = 60_000;
const STOP_MS = 30_000;
const APT_UPDATE_MS = 5 * 60_000;
const APT_INSTALL_MS = 15 * 60_000;
const LOG_KEEP_BYTES = 5 * 1024 * 1024;
const PID_FILES = ["/var/run/docker.pid", "/var/run/docker/containerd/containerd.pid"];
const LOCAL = { host: `unix://${DEFAULT_SOCKET}`, from: "the default socket", explicit: false };

/** @typedef {ReturnType<import("./paths.mjs").setupPaths>} Paths */
/** @typedef {{readonly signal?: AbortSignal, readonly note?: (text: string) => void, readonly log?: string}} Work */

/**
 * Installs Debian packages without recommended ones and without questions. Needs root.
 * @param {readonly string[]} packages @param {Work} work
 */
export async function aptInstall(packages, { signal, note, log }) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", PATH: systemPath(process.env) };
  const common = { env, signal, log, endSignal: /** @type {const} */ ("SIGINT"), onLine: (/** @type {string} */ line) => note?.(line) };
  const retries = ["-o", "Acquire::Retries=3", "-o", "Acquire::http::Timeout=30"];
  await must("reading the package lists", ["apt-get", ...retries, "update"], { ...common, limitMs: APT_UPDATE_MS });
  await must(`installing ${packages.join(", ")}`, ["apt-get", ...retries, "-o", "DPkg::Lock::Timeout=120", "install", "-y", "--no-install-recommends", ...packages], { ...common, limitMs: APT_INSTALL_MS });
}

/**
 * Starts the installed engine and waits until it answers.
 * @param {"systemd" | "dockerd"} how @param {Paths} paths
 * @param {Work & {readonly installed: boolean}} work `installed`: this set-up has just installed it
 * @returns {Promise<string>} its address, as DOCKER_HOST takes it
 */
export async function startEngine(how, paths, work) {
  if ((await pingSocket(LOCAL)).state === "ready") {
    if (work.installed) recordEngine(paths, how === "systemd" ? "systemd" : "package"); // the package's own start script was quicker
    return LOCAL.host;
  }
  if (how === "systemd") {
    await must("starting the engine", ["systemctl", "start", "docker"], { limitMs: READY_MS, signal: work.signal, log: work.log });
    await waitReady(paths, null, work);
    recordEngine(paths, "systemd");
    return LOCAL.host;
  }
  clearStale();
  const pid = spawnDaemon(paths);
  await waitReady(paths, pid, work);
  recordEngine(paths, "setup");
  return LOCAL.host;
}

/** Starts dockerd in a session of its own: it outlives this script and a Ctrl-C in its terminal. @param {Paths} paths */
function spawnDaemon(paths) {
  const program = which("dockerd");
  if (program === null) throw new SetupError("the engine is not installed: there is no `dockerd`", { hint: "run set-up as root" });
  mkdirSync(paths.engineFolder, { recursive: true, mode: 0o700 });
  if (existsSync(paths.engineLog) && statSync(paths.engineLog).size > LOG_KEEP_BYTES) truncateSync(paths.engineLog);
  const log = openSync(paths.engineLog, "a", 0o600);
  const { DOCKER_HOST: _host, DOCKER_CONTEXT: _context, ...env } = process.env;
  const child = spawn(program, [], { detached: true, stdio: ["ignore", log, log], cwd: "/", env: { ...env, PATH: systemPath(process.env) } });
  child.on("error", () => undefined); // waitReady sees that it is not there
  child.unref();
  closeSync(log);
  if (child.pid === undefined) throw new SetupError(`\`${program}\` could not be started`);
  writeFileSync(paths.engineRecord, `${JSON.stringify({ ...identify(child.pid), startedBy: "setup" })}\n`, { mode: 0o600 });
  return child.pid;
}

/** @param {Paths} paths @param {number | null} pid @param {Work} work */
async function waitReady(paths, pid, { signal, note }) {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const answer = await pingSocket(LOCAL);
    if (answer.state === "ready") return;
    if (signal?.aborted) throw new SetupError("waiting for the engine was interrupted", { exit: 130 });
    const ended = pid !== null && !isSameProcess(identify(pid));
    if (ended || Date.now() > deadline) {
      const tail = pid === null ? "" : lastLines(readText(paths.engineLog) ?? "", 8);
      const message = ended ? "the engine ended right after its start" : `the engine did not answer within ${READY_MS / 1000} s (${answer.detail})`;
      throw new SetupError(message, { hint: engineHint(tail, pid === null ? "see `journalctl -u docker`" : `the whole log is ${paths.engineLog}`), detail: tail });
    }
    note?.("waiting for its answer");
    await delay(100, signal);
  }
}

/**
 * What the end of the engine's log means.
 * @param {string} log @param {string} otherwise
 */
export function engineHint(log, otherwise) {
  if (/iptables|nf_tables|nat chain|ip6tables/i.test(log)) {
    return `this machine gives the engine no working iptables: try \`update-alternatives --set iptables /usr/sbin/iptables-legacy\`, or put {"iptables": false} in /etc/docker/daemon.json; ${otherwise}`;
  }
  if (/cgroup/i.test(log)) return `the control groups are not mounted as the engine needs them (inside a container: run it privileged); ${otherwise}`;
  if (/operation not permitted|permission denied/i.test(log)) return `the engine may not do what it needs (inside a container: run it privileged); ${otherwise}`;
  if (/no space left/i.test(log)) return `the disk is full; ${otherwise}`;
  if (/pid file found|is still running/i.test(log)) return `another engine holds the pid file; ${otherwise}`;
  return otherwise;
}

/** Removes pid files and a socket whose engine is dead, as after a power cut; a live one's stay. */
function clearStale() {
  const pids = PID_FILES.map((file) => Number.parseInt(readText(file) ?? "", 10));
  const dead = (/** @type {number} */ pid) => !Number.isSafeInteger(pid) || pid <= 1 || !isAlive(pid) || !isEngine(pid);
  PID_FILES.forEach((file, index) => {
    if (existsSync(file) && dead(pids[index] ?? 0)) rmSync(file, { force: true });
  });
  if (dead(pids[0] ?? 0)) rmSync(DEFAULT_SOCKET, { force: true });
}

/** A reused pid is some other program. @param {number} pid */
function isEngine(pid) {
  try {
    return /dockerd|containerd/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
  } catch {
    return false;
  }
}

/** @param {Paths} paths @param {"setup" | "package" | "systemd"} startedBy */
function recordEngine(paths, startedBy) {
  const pid = Number.parseInt(readText(PID_FILES[0] ?? "") ?? "", 10);
  if (!Number.isSafeInteger(pid) || pid <= 1) return;
  mkdirSync(paths.engineFolder, { recursive: true, mode: 0o700 });
  writeFileSync(paths.engineRecord, `${JSON.stringify({ ...identify(pid), startedBy })}\n`, { mode: 0o600 });
}

/**
 * Ends the engine that set-up started, and no other: the recorded process must be the same one, by start time and boot.
 * Containers that still run end with it.
 * @param {Paths} paths
 * @returns {Promise<"stopped" | "not-ours" | "not-running">}
 */
export async function stopEngine(paths) {
  const recorded = readJson(paths.engineRecord);
  if (recorded === null) return (await pingSocket(LOCAL)).state === "ready" ? "not-ours" : "not-running";
  if (!isSameProcess(recorded) || recorded.start === null || !isEngine(recorded.pid)) {
    rmSync(paths.engineRecord, { force: true });
    return (await pingSocket(LOCAL)).state === "ready" ? "not-ours" : "not-running";
  }
  if (recorded.startedBy === "systemd") await must("stopping the engine", ["systemctl", "stop", "docker.service", "docker.socket"], { limitMs: STOP_MS });
  else process.kill(recorded.pid, "SIGTERM");
  const deadline = Date.now() + STOP_MS;
  while (isSameProcess(recorded)) {
    if (Date.now() > deadline) throw new SetupError(`the engine (process ${recorded.pid}) does not end`, { hint: "containers may be stuck; see its log" });
    await delay(100);
  }
  rmSync(paths.engineRecord, { force: true });
  return "stopped";
}
