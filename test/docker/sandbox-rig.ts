// A sandbox on the engine of this machine, for tests: layers in a folder of its own, everything removed afterwards.

import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDockerProvider, type DockerProvider } from "../../src/adapters/docker/provider.js";
import { currentLease } from "../../src/adapters/system/lease.js";
import type { JsonObject } from "../../src/core/shared/index.js";
import type { Sandbox, SandboxLimits, SandboxSpec } from "../../src/ports/sandbox.js";
import type { Telemetry } from "../../src/ports/system.js";
// @ts-expect-error plain JavaScript, without types
import { currentSources } from "../../scripts/runtime/build.mjs";
import { bash, collect, type Ran, type SandboxRig } from "../contract/sandbox.contract.js";

const never = new AbortController().signal;
/** The runtime folder under test. */
export const RUNTIME = process.env["RINGFENCE_TEST_RUNTIME"] ?? fileURLToPath(new URL("../../dist/runtime", import.meta.url));
const IMAGE = process.env["RINGFENCE_TEST_IMAGE"] ?? "ringfence/kimi-dev";
const LIMITS: SandboxLimits = { memoryBytes: 512 * 1024 * 1024, processes: 200, cpus: 2, tmpBytes: 64 * 1024 * 1024 };

/** Why these tests cannot run here; null when they can. Where an engine is required its absence is a failure. */
export async function whyNoEngine(): Promise<string | null> {
  if (process.getuid?.() !== 0) return "layers that belong to several users need root";
  const reason = await lookForEngine();
  if (reason !== null && [process.env["RINGFENCE_REQUIRE_ENGINE"], process.env["REQUIRE_DOCKER"]].includes("1")) throw new Error(`an engine is required, but ${reason}`);
  return reason;
}

async function lookForEngine(): Promise<string | null> {
  if (!existsSync(join(RUNTIME, "runtime.json"))) return `there is no sandbox runtime in ${RUNTIME}: run set-up`;
  const built: unknown = JSON.parse(readFileSync(join(RUNTIME, "runtime.json"), "utf8"));
  const sources = typeof built === "object" && built !== null && "sources" in built ? built.sources : null;
  // Testing an old runtime would say nothing about the sources beside these tests.
  if (sources !== currentSources()) throw new Error(`the sandbox runtime in ${RUNTIME} is older than its sources: run set-up`);
  try {
    return (await provider().imageExists(IMAGE)) === null ? `the engine has no image ${IMAGE}` : null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export interface TelemetryLog extends Telemetry {
  readonly lines: string[];
}

function telemetry(): TelemetryLog {
  const lines: string[] = [];
  const take = (message: string, fields?: JsonObject): void => void lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  const log: TelemetryLog = { lines, debug: () => undefined, info: take, warn: take, error: take, child: () => log };
  return log;
}

export function provider(options: { readonly runtimeDir?: string; readonly lineDir?: string; readonly lease?: string; readonly socketPath?: string; readonly log?: Telemetry } = {}): DockerProvider {
  const { runtimeDir = RUNTIME, lineDir, lease = currentLease(), socketPath, log = telemetry() } = options;
  return createDockerProvider({ runtimeDir, lineDir, lease, telemetry: log, socketPath });
}

export interface DockerRig extends SandboxRig {
  readonly provider: DockerProvider;
  /** Folder of the layers. */
  readonly folder: string;
  readonly log: TelemetryLog;
}

export interface RigOptions {
  readonly uid?: number;
  readonly limits?: Partial<SandboxLimits>;
  readonly lease?: string;
  /** False: no direct line, everything goes through the engine. */
  readonly direct?: boolean;
  /** Left out: the engine of this machine. */
  readonly socketPath?: string;
  readonly change?: Partial<SandboxSpec>;
}

const counter = { next: 0 };

/** Layers of a new session whose user folder holds one file, and a provider. */
export async function dockerRig(options: RigOptions = {}): Promise<DockerRig> {
  const uid = options.uid ?? 1000;
  const folder = mkdtempSync(join(tmpdir(), "ringfence sandbox ü-"));
  for (const name of ["lower", "upper", "work"]) {
    mkdirSync(join(folder, name));
    chownSync(join(folder, name), uid, uid);
  }
  writeFileSync(join(folder, "lower", "original.txt"), "the user's own\n");
  chownSync(join(folder, "lower", "original.txt"), uid, uid);
  counter.next += 1;
  const spec: SandboxSpec = {
    sessionId: `ses_test${process.pid}x${counter.next}`,
    image: IMAGE,
    workspace: { kind: "overlay", lower: [join(folder, "lower")], upper: join(folder, "upper"), work: join(folder, "work") },
    root: "/workspace",
    uid,
    gid: uid,
    limits: { ...LIMITS, ...options.limits },
    ...options.change,
  };
  const opened: Sandbox[] = [];
  const log = telemetry();
  const real = provider({ log, ...(options.direct === false ? {} : { lineDir: join(folder, "line") }), ...(options.lease === undefined ? {} : { lease: options.lease }), ...(options.socketPath === undefined ? {} : { socketPath: options.socketPath }) });
  return {
    folder,
    log,
    spec,
    provider: {
      ...real,
      open: async (wanted, signal) => {
        const sandbox = await real.open(wanted, signal);
        opened.push(sandbox);
        return sandbox;
      },
    },
    plant: async (sandbox, what, path) => {
      const program = what === "folder" ? `mkdir '${path}'` : what === "link" ? `ln -s /etc '${path}'` : `mkfifo '${path}'`;
      const made = await collect(sandbox, bash(spec, program));
      if (made.exitCode !== 0) throw new Error(made.stderr);
    },
    clean: async () => {
      for (const sandbox of opened) await sandbox.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface StartedRig {
  readonly rig: DockerRig;
  readonly sandbox: Sandbox;
  readonly run: (program: string, rest?: Parameters<typeof bash>[2], signal?: AbortSignal) => Promise<Ran>;
}

/** A rig with its sandbox open. The caller cleans the rig. */
export async function startedRig(options: RigOptions = {}): Promise<StartedRig> {
  const rig = await dockerRig(options);
  const sandbox = await rig.provider.open(rig.spec, never);
  return { rig, sandbox, run: (program, rest, signal) => collect(sandbox, bash(rig.spec, program, rest), signal) };
}

/** Docker's client, for looking at the engine from outside. */
export function docker(...args: readonly string[]): string {
  return execFileSync("docker", args, { encoding: "utf8", timeout: 30_000 }).trim();
}

/** Names of what the engine holds for a session. */
export function leftOn(sessionId: string): readonly string[] {
  const filter = ["--filter", `label=dev.ringfence.session=${sessionId}`];
  return [...docker("ps", "-aq", ...filter).split("\n"), ...docker("volume", "ls", "-q", ...filter).split("\n")].filter((line) => line !== "");
}

/** The container of a session, as the engine knows it. */
export function containerOf(sessionId: string): string {
  return docker("ps", "-q", "--no-trunc", "--filter", `label=dev.ringfence.session=${sessionId}`);
}
