// What `doctor` looks at: each part of the installation, how it stands, what is lost, and the mend.

import { existsSync, readFileSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { tryDisk } from "./adapters/files/session-disk.js";
import { runHostCommand } from "./adapters/process/run.js";
import { isLeaseAlive } from "./adapters/system/lease.js";
import { packageFile } from "./adapters/system/package-root.js";
import { createOpenSessions } from "./adapters/system/open-sessions.js";
import { resolveStateDir } from "./adapters/system/state-dir.js";
import { diskRow, engineLimits, modeRow } from "./compose-doctor-engine.js";
import { diskSupport, openStore } from "./compose-store.js";
import { DEFAULT_IMAGE } from "./config/defaults.js";
import { ERRORS, GuardError, count, printable } from "./core/shared/index.js";
import type { Recovered } from "./engine/recover.js";

/** How one part stands. `lost`: it works, but this engine cannot hold something; `missing`: nothing can be guarded without it. */
export interface Checkup {
  readonly id: string;
  readonly state: "ok" | "note" | "lost" | "missing";
  readonly detail: string;
  /** What to do; null when there is nothing to do. */
  readonly mend: string | null;
}

const SETUP = "npm run setup";
const LOW_SPACE = 1024 ** 3;
const TOOL_MS = 10_000;
/** Longer than set-up waits for an engine to end. */
const STOP_MS = 60_000;

/** What was closed on record and removed from the engine just before. */
export interface Swept {
  readonly containers: number;
  readonly volumes: number;
  readonly closed: readonly Recovered[];
}

/** Looks at everything; a part that cannot be looked at is reported, never thrown. */
export async function checkUp(env: NodeJS.ProcessEnv, swept: Swept = { containers: 0, volumes: 0, closed: [] }): Promise<readonly Checkup[]> {
  const parts = [node, client, engine, runtime, state, disk];
  const found = await Promise.all(parts.map((part) => part(env, swept).catch((error: unknown) => [failed(part.name, error)])));
  return [...found.flat(), ...swept.closed.map((one): Checkup => ({ id: "abandoned", state: "note", detail: `closed on record: ${closedText(one)}`, mend: null }))];
}

/** A session that a crash left open, and what of it is not known. */
function closedText({ session, inDoubt, processes = [] }: Recovered): string {
  return `${session}${inDoubt.length === 0 ? "" : `, in doubt: ${inDoubt.join(", ")}`}${processes.length === 0 ? "" : `, handed over and ended: ${processes.join(", ")}`}`;
}

function failed(id: string, error: unknown): Checkup {
  const message = error instanceof Error ? error.message : String(error);
  return { id, state: "missing", detail: printable(message, 400), mend: error instanceof GuardError ? error.hint : SETUP };
}

async function node(): Promise<readonly Checkup[]> {
  return [{ id: "node", state: "ok", detail: process.version, mend: null }];
}

/** The command-line client is only needed to build images. */
async function client(): Promise<readonly Checkup[]> {
  const result = await runHostCommand({ file: "docker", args: ["--version"], timeoutMs: TOOL_MS }).catch(() => null);
  if (result === null || result.exitCode !== 0) return [{ id: "docker-client", state: "note", detail: "not found; only set-up needs it", mend: "install the Docker command-line client" }];
  return [{ id: "docker-client", state: "ok", detail: printable(result.stdout.trim()), mend: null }];
}

async function engine(env: NodeJS.ProcessEnv, swept: Swept): Promise<readonly Checkup[]> {
  const { createDockerProvider } = await import("./adapters/docker/provider.js");
  const { currentLease } = await import("./adapters/system/lease.js");
  const { telemetry, stateDir, close } = await openStore(env);
  try {
    const provider = createDockerProvider({ runtimeDir: packageFile("dist", "runtime"), lease: currentLease(), telemetry });
    const info = await provider.info();
    const parts: Checkup[] = [
      { id: "engine", state: "ok", detail: `${info.name} ${info.version}, API ${info.apiVersion}, ${info.endpoint} (${info.from})`, mend: null },
      { id: "container-runtime", state: "ok", detail: `${info.runtime}, kernel ${info.kernel}, cgroup v${info.cgroupVersion}, storage ${info.storageDriver}`, mend: null },
      info.seccomp
        ? { id: "seccomp", state: "ok", detail: "the engine filters system calls by Ringfence's own list", mend: null }
        : { id: "seccomp", state: "lost", detail: "the engine has no seccomp: every system call is open to the agent", mend: "use an engine with seccomp" },
    ];
    parts.push(...engineLimits(info));
    parts.push(modeRow(info));
    const image = await provider.imageExists(DEFAULT_IMAGE);
    parts.push(image === null ? { id: "image", state: "missing", detail: `${DEFAULT_IMAGE} is not built`, mend: SETUP } : { id: "image", state: "ok", detail: `${DEFAULT_IMAGE} ${image.slice(0, 19)}`, mend: null });
    const reaped = await provider.reap();
    const containers = swept.containers + reaped.containers.length;
    const volumes = swept.volumes + reaped.volumes.length;
    if (containers + volumes > 0) parts.push({ id: "orphans", state: "note", detail: `removed what crashed sessions left: ${count(containers, "container")}, ${count(volumes, "volume")}`, mend: null });
    if (reaped.failures.length > 0) parts.push({ id: "orphans", state: "note", detail: `crashed sessions left what could not be removed: ${printable(reaped.failures.slice(0, 5).join("; "), 400)}`, mend: "run `ringfence doctor` again, or remove them by `docker rm` and `docker volume rm`" });
    const images = existsSync(packageFile("dist", "runtime", "runtime.json")) ? await provider.tidyImages() : [];
    if (images.length > 0) parts.push({ id: "old-images", state: "note", detail: `removed images with an older runtime, or of an image that was replaced: ${images.join(", ")}`, mend: null });
    const record = join(stateDir, "engine", "dockerd.json");
    if (existsSync(record)) parts.push({ id: "engine-owner", state: "note", detail: "set-up started this engine; `ringfence doctor --stop-engine` ends it", mend: null });
    return parts;
  } finally {
    await close();
  }
}

async function runtime(): Promise<readonly Checkup[]> {
  const file = packageFile("dist", "runtime", "runtime.json");
  if (!existsSync(file)) return [{ id: "sandbox-runtime", state: "missing", detail: "the runtime that sandboxes carry is not built", mend: SETUP }];
  const about: unknown = JSON.parse(readFileSync(file, "utf8"));
  const field = (name: string): string => (typeof about === "object" && about !== null && name in about ? String((about as Record<string, unknown>)[name]) : "?");
  return [{ id: "sandbox-runtime", state: "ok", detail: `${field("digest").slice(0, 19)}, ${field("arch")}`, mend: null }];
}

async function state(env: NodeJS.ProcessEnv): Promise<readonly Checkup[]> {
  const stateDir = resolveStateDir(env);
  const { bavail, bsize } = statfsSync(stateDir);
  const free = bavail * bsize;
  const space = `${(free / 1024 ** 3).toFixed(1)} GiB free`;
  const abandoned = await createOpenSessions({ stateDir, lease: "", isLeaseAlive }).abandoned();
  return [
    free < LOW_SPACE ? { id: "state", state: "note", detail: `${printable(stateDir)}, only ${space}`, mend: "free space: calls are refused when the record cannot be written" } : { id: "state", state: "ok", detail: `${printable(stateDir)}, ${space}`, mend: null },
    ...(abandoned.length === 0 ? [] : [{ id: "abandoned", state: "note" as const, detail: `left open by a crash: ${count(abandoned.length, "session")}; the next command closes what is open on record`, mend: null }]),
  ];
}

async function disk(env: NodeJS.ProcessEnv): Promise<readonly Checkup[]> {
  const { stateDir, telemetry, close } = await openStore(env);
  try {
    return [diskRow(await tryDisk(stateDir, diskSupport(env, telemetry)))];
  } finally {
    await close();
  }
}

export type StoppedEngine = "stopped" | "not-ours" | "not-running";

/** Ends an engine that set-up started, and no other, by set-up's own script: what is built loads no module by its path. */
export async function stopOwnEngine(env: NodeJS.ProcessEnv): Promise<StoppedEngine> {
  const environment = Object.fromEntries(["HOME", "XDG_STATE_HOME", "RINGFENCE_HOME"].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  const { exitCode, stdout, stderr } = await runHostCommand({ file: process.execPath, args: [packageFile("scripts", "engine.mjs")], environment, timeoutMs: STOP_MS });
  const said = stdout.trim();
  if (exitCode === 0 && isStopped(said)) return said;
  throw new GuardError(exitCode === ERRORS.ENGINE_UNAVAILABLE.exit ? "ENGINE_UNAVAILABLE" : "INTERNAL_BUG", `the engine was not stopped: ${printable(stderr.trim() || "no answer", 400)}`);
}

function isStopped(word: string): word is StoppedEngine {
  return word === "stopped" || word === "not-ours" || word === "not-running";
}
