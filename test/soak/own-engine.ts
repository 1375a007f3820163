// An engine of the test's own, which it may kill and stop: another dockerd and containerd with their own folders and sockets, in a
// network of their own without a bridge, and the sandbox image of this machine's engine loaded into it. The shared engine is only asked for
// the image. containerd is a service of its own, as distributions have it.

import { execFileSync, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../e2e/rig.js";

const UP_MS = 60_000;
const DOWN_MS = 30_000;
const LOAD_MS = 180_000;

export interface OwnEngine {
  /** For `DOCKER_HOST`. */
  readonly host: string;
  docker(...args: readonly string[]): string;
  /** Starts dockerd again after it was ended. */
  start(): Promise<void>;
  /** Ends dockerd; SIGKILL leaves its containers and its containerd to themselves. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** dockerd stands still, or goes on: it answers nothing and says nothing, and its sockets stay open. */
  halt(signal: "SIGSTOP" | "SIGCONT"): void;
  /** Kills its containerd and starts it again, as a service manager does. */
  restartContainerd(): Promise<void>;
  /** Ends everything of it, and removes its folders. */
  remove(): Promise<void>;
}

/** Why there can be none here; null when there can. */
export function whyNoOwnEngine(): string | null {
  if (process.getuid?.() !== 0) return "a second engine needs root";
  try {
    for (const program of ["dockerd", "containerd", "unshare"]) execFileSync(program, ["--version"], { stdio: "ignore" });
    return null;
  } catch {
    return "there is no dockerd, containerd or unshare to start a second engine with";
  }
}

/** Starts an engine with these images. @param options more words for dockerd, for instance `--live-restore` */
export async function openOwnEngine(images: readonly string[], options: readonly string[] = []): Promise<OwnEngine> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "ringfence-engine-")));
  for (const name of ["data", "exec"]) mkdirSync(join(folder, name), { mode: 0o700 });
  const host = `unix://${join(folder, "engine.sock")}`;
  const pidFile = join(folder, "pid");
  const docker = (...args: readonly string[]): string => execFileSync("docker", ["--host", host, ...args], { encoding: "utf8", timeout: 60_000, stdio: ["ignore", "pipe", "ignore"] }).trim();
  const pids = (): readonly number[] => processesNaming(folder);
  const dockerdPid = (): number => Number(existsSync(pidFile) ? readFileSync(pidFile, "latin1") : Number.NaN);

  const launch = (program: string, words: readonly string[]): void => {
    const log = openSync(join(folder, "log"), "a");
    spawn(program, words, { stdio: ["ignore", log, log], detached: true }).unref();
    closeSync(log);
  };
  const socket = join(folder, "containerd.sock");
  const startContainerd = async (): Promise<void> => {
    rmSync(socket, { force: true });
    launch("containerd", ["--address", socket, "--root", join(folder, "data", "containerd"), "--state", join(folder, "exec", "containerd"), "--log-level", "warn"]);
    await eventually("the second containerd is there", () => existsSync(socket), UP_MS);
  };
  const start = async (): Promise<void> => {
    if (!pids().some((pid) => nameOf(pid) === "containerd")) await startContainerd();
    // In a network of its own: an engine told to have no bridge removes the one it finds, which is the shared engine's.
    launch("unshare", ["--net", "dockerd", "--data-root", join(folder, "data"), "--exec-root", join(folder, "exec"), "--containerd", socket, "--host", host, "--pidfile", pidFile, "--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false", "--log-level", "warn", ...options]);
    await eventually("the second engine answers", () => answers(docker), UP_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${readFileSync(join(folder, "log"), "utf8").slice(-3_000)}`);
    });
  };
  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    const pid = dockerdPid();
    process.kill(pid, signal);
    await eventually("the second engine is gone", () => !isAlive(pid), DOWN_MS);
    rmSync(pidFile, { force: true });
  };
  const engine: OwnEngine = {
    host,
    docker,
    start,
    end,
    halt: (signal) => void process.kill(dockerdPid(), signal),
    restartContainerd: async () => {
      const pid = pids().find((one) => nameOf(one) === "containerd");
      if (pid === undefined) throw new Error("the second engine has no containerd");
      process.kill(pid, "SIGKILL");
      await eventually("its containerd is gone", () => !isAlive(pid), DOWN_MS);
      await startContainerd();
    },
    remove: async () => {
      if (isAlive(dockerdPid())) await end("SIGTERM").catch(() => undefined);
      for (const pid of pids()) if (isAlive(pid)) process.kill(pid, "SIGKILL");
      await eventually("nothing of the second engine runs", () => pids().length === 0, DOWN_MS);
      for (const mount of mountsBelow(folder)) execFileSync("umount", ["--lazy", mount], { stdio: "ignore" });
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await start();
    for (const image of images) execFileSync("sh", ["-c", 'docker save "$0" | docker --host "$1" load', image, host], { stdio: "ignore", timeout: LOAD_MS });
    return engine;
  } catch (error) {
    await engine.remove();
    throw error;
  }
}

function answers(docker: OwnEngine["docker"]): boolean {
  try {
    docker("version");
    return true;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid)) return false;
  try {
    return !/^\d+ \(.*\) Z/su.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

function nameOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`).split("/").at(-1) ?? "";
  } catch {
    return "";
  }
}

/** dockerd, containerd and shims: their command lines name the folder. */
function processesNaming(folder: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/u.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        return /^(?:dockerd|containerd)/u.test(nameOf(pid)) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(folder) && isAlive(pid);
      } catch {
        return false;
      }
    });
}

/** Deepest first. */
function mountsBelow(folder: string): readonly string[] {
  const points = readFileSync("/proc/mounts", "utf8").split("\n").map((line) => line.split(" ")[1] ?? "");
  return points.filter((point) => point.startsWith(`${folder}/`)).sort((a, b) => b.length - a.length);
}
