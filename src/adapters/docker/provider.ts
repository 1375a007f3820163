// Opens sandboxes on the Docker engine of this machine. Every step of a start that fails takes back all steps before it.

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type Docker from "dockerode";
import type { ContainerCreateOptions } from "dockerode";
import { PROTOCOL_VERSION, type HelloMessage } from "../../core/channel/index.js";
import { isImageReference } from "../../core/image/index.js";
import { GuardError, printable } from "../../core/shared/index.js";
import type { HideResult, RecordSetting, Sandbox, SandboxProvider, SandboxSpec, WorkspaceMode } from "../../ports/sandbox.js";
import type { Telemetry } from "../../ports/system.js";
import { leaseState } from "../system/lease.js";
import { openSandboxChannel, type SandboxChannel } from "./channel.js";
import { GUARD_CAPABILITIES, GUARD_PROGRAM, RECORD_DEFAULT, checkRoot, containerOptions, type ContainerPlan } from "./container-options.js";
import { connectEngine, type Engine, type EngineInfo } from "./engine.js";
import { engineCall, statusOf } from "./engine-call.js";
import { createFreezer } from "./freezer.js";
import { findHostProcess, isRunning } from "./host-kill.js";
import { labelsOf } from "./labels.js";
import type { BesideOrder, Companion } from "./companion.js";
import { openLine, reapLines, type DirectLine } from "./line.js";
import { hideLive } from "./live-mask.js";
import { placeNonce, type Nonce } from "./nonce.js";
import { overlayOptions } from "./overlay-volume.js";
import { reapOrphans, type ReapReport } from "./reaper.js";
import { making, nothingMade, removal, type Made } from "./made.js";
import { refuseUncontained, type Permitted } from "./refuse.js";
import { runtimeDigest } from "./runtime-folder.js";
import { createSandbox } from "./sandbox.js";
import { seccompProfile } from "./seccomp-profile.js";
import { readSelfTest, type SelfTest } from "./self-test.js";
import { removeStaleImages } from "./stale-images.js";
import { mappedUser, tarControls, tarGrounds, travellingNonce } from "./tar-volume.js";
import { seesOurFiles } from "./visibility.js";

export interface DockerProviderOptions {
  /** Folder of the sandbox runtime, made by set-up. */
  readonly runtimeDir: string;
  /** Private folder for direct lines into sandboxes, at the same path on the engine's side. Left out: everything goes through the engine. */
  readonly lineDir?: string | undefined;
  /** Who owns what is made: see system/lease. */
  readonly lease: string;
  readonly telemetry: Telemetry;
  /** The engine's socket; found when left out. */
  readonly socketPath?: string | undefined;
}

export interface DockerProvider extends SandboxProvider {
  modes(signal: AbortSignal): Promise<readonly WorkspaceMode[]>;
  /** What the engine is. Throws ENGINE_UNAVAILABLE or ENGINE_REMOTE. */
  info(): Promise<EngineInfo>;
  /** Removes what dead orchestrators left. */
  reap(): Promise<ReapReport>;
  /** Removes images of ours that nothing will ask for again, and gives their names. */
  tidyImages(): Promise<readonly string[]>;
  /** The id of an image, or null when the engine has none of that name. */
  imageExists(reference: string): Promise<string | null>;
  /** The engine's client, for the other parts of this adapter. */
  client(): Promise<Docker>;
}

const STEP_MS = 60_000;
const HELLO_MS = 30_000;
/** Without these nothing is contained: a sandbox that fails one of them is refused. */
const NEEDED = ["caps-empty", "no-new-privs", "rootfs-read-only", "no-network", "guard-unreachable", "processes-limited", "workspace-copy"];

/** A provider for the engine of this machine. Connects when first used. */
export function createDockerProvider(options: DockerProviderOptions): DockerProvider {
  const cache: { engine: Promise<Engine> | null } = { engine: null };
  const engine = (signal?: AbortSignal): Promise<Engine> => {
    if (cache.engine === null) {
      cache.engine = connectEngine(options.socketPath, signal);
      // What failed once is asked again next time.
      cache.engine.catch(() => {
        cache.engine = null;
      });
    }
    return cache.engine;
  };
  // What an engine that was gone did not remove. It belongs to a living owner, so no reaper takes it.
  const owed = new Set<() => Promise<void>>();
  return {
    open: async (spec, signal) => {
      const found = await engine(signal);
      for (const remove of owed) void remove().catch(() => undefined);
      return openOn(found, options, spec, signal, owed);
    },
    modes: async (signal) => modesOf((await engine(signal)).info),
    info: async () => (await engine()).info,
    reap: async () => {
      if (options.lineDir !== undefined) reapLines(options.lineDir, leaseState);
      return reapOrphans((await engine()).docker, leaseState, Date.now());
    },
    tidyImages: async () => removeStaleImages((await engine()).docker, await runtimeDigest(options.runtimeDir), Date.now()),
    imageId: async (reference, signal) => (await findImage((await engine(signal)).docker, reference, signal))?.id ?? null,
    client: async () => (await engine()).docker,
    imageExists: async (reference) => (await findImage((await engine()).docker, reference))?.id ?? null,
  };
}

interface FoundImage {
  readonly id: string;
  readonly volumes: readonly string[];
}

async function findImage(docker: Docker, reference: string, signal?: AbortSignal): Promise<FoundImage | null> {
  if (!isImageReference(reference)) return null;
  return engineCall({ what: `looking for the image ${printable(reference)}`, limitMs: STEP_MS, signal }, async () => {
    try {
      const { Id, Config } = await docker.getImage(reference).inspect();
      return { id: Id, volumes: Object.keys(Config?.Volumes ?? {}) };
    } catch (cause) {
      if (statusOf(cause) === 404) return null;
      throw cause;
    }
  });
}

async function openOn({ docker, info }: Engine, options: DockerProviderOptions, asked: SandboxSpec, signal: AbortSignal, owed: Set<() => Promise<void>>): Promise<Sandbox> {
  checkEngine(info, asked.workspace.kind, asked.runtime);
  checkRoot(asked.root);
  const mount = asked.workspace;
  const volumeOptions = mount.kind === "overlay" ? overlayOptions(mount) : {};
  const spec = mount.kind === "tar" ? mappedUser(asked, info.rootless || info.userNamespace) : asked;
  if (!existsSync(join(options.runtimeDir, "runtime.json"))) throw new GuardError("RUNTIME_MISSING", `no sandbox runtime in \`${printable(options.runtimeDir)}\``);
  const image = await findImage(docker, spec.image, signal);
  if (image === null) throw new GuardError("IMAGE_MISSING", `the engine has no image \`${printable(spec.image)}\``);
  const imageId = image.id;
  // Named beforehand, so that also what the engine makes after we stopped waiting can be taken back.
  const name = `ringfence-${spec.sessionId.replace(/[^A-Za-z0-9_.-]/g, "-")}-${randomBytes(4).toString("hex")}`;
  const labels = labelsOf(spec.sessionId, options.lease);
  const nonce = mount.kind === "overlay" ? await placeNonce(mount.upper, spec.uid, spec.gid) : travellingNonce();
  const first: Made = nothingMade();
  // A socket of this machine is of no use where its files are not seen.
  const line = options.lineDir === undefined || mount.kind === "tar" ? null : await openLine(options.lineDir, options.lease);
  const removeAll = removal(docker, name, first, owed);
  const remove = async (): Promise<void> => {
    line?.stopListening();
    await removeAll();
    line?.remove();
  };
  const attached: { channel: SandboxChannel | null } = { channel: null };
  const step = stopwatch();
  try {
    await engineCall({ what: "making the workspace volume", limitMs: STEP_MS, signal }, () =>
      making(first, docker.createVolume({ Name: name, Driver: "local", DriverOpts: volumeOptions, Labels: labels, abortSignal: AbortSignal.timeout(STEP_MS) })),
    );
    step("volume");
    const { runtimeDir } = options;
    const grounds = mount.kind === "overlay" ? { spec, imageId, runtimeDir } : await tarGrounds({ docker, runtimeDir, spec, imageId, name, labels, nonce, signal });
    const plan = { ...grounds, volume: name, lineFolder: line?.folder, nonceName: nonce.name, engine: info, imageVolumes: image.volumes, labels };
    const started = await startContainer({ docker, info, plan, name, line, signal, attached, first, step });
    const { channel, hello, found } = started;
    const selfTest = checkHello(hello, spec, nonce, neededControls(info, spec));
    options.telemetry.debug("sandbox open", { session: spec.sessionId, ms: step("hello") });
    const engine = { name: info.name, version: info.version, runtime: spec.runtime ?? info.runtime };
    const hide = async (paths: readonly string[]): Promise<readonly HideResult[]> => {
      await found;
      const running = first.process;
      return running === null || !isRunning(running) || spec.blanks === undefined ? paths.map(() => "failed") : hideLive({ runtimeDir: options.runtimeDir, pid: running.pid, root: spec.root, blanks: spec.blanks }, paths);
    };
    const hidden = new Set<string>();
    const keep = async (paths: readonly string[]): Promise<readonly HideResult[]> => {
      for (const path of paths) hidden.add(path);
      return hide(paths);
    };
    const openBeside = (beside: BesideOrder): Promise<Companion> => openCompanion({ docker, info, options, owed, plan: { ...plan, beside: started.id, volume: name, nonceName: beside.nonce.name }, spec: grounds.spec, hidden: () => [...hidden], ...beside });
    return createSandbox({ spec, hide: keep, imageId, engine, controls: selfTest.controls, channel, remove, openBeside, freezer: createFreezer(docker.getContainer(name), channel) });
  } catch (cause) {
    attached.channel?.end("the start failed");
    const left = await remove().then(() => null, (error: unknown) => error);
    await nonce.remove();
    if (left !== null) throw withLeft(cause, name, left, options.telemetry);
    const isBlind = mount.kind === "overlay" && cause instanceof GuardError && cause.code === "SANDBOX_FAILED" && !(await seesOurFiles({ docker, folder: mount.upper, imageId, name: `${name}-look`, labels }));
    throw isBlind ? engineElsewhere(cause) : cause;
  }
}

interface StartInput {
  readonly docker: Docker;
  readonly info: EngineInfo;
  readonly plan: ContainerPlan;
  readonly name: string;
  readonly line: DirectLine | null;
  readonly signal: AbortSignal;
  /** Gets the channel as soon as there is one. */
  readonly attached: { channel: SandboxChannel | null };
  readonly first: Made;
  readonly step: (name: string) => void;
}

interface Started {
  readonly id: string;
  readonly channel: SandboxChannel;
  readonly hello: HelloMessage;
  /** Settles when process 1 was looked for. */
  readonly found: Promise<void>;
}

/** Creates, attaches to and starts one container, and hears its greeting. What is left of a failure is for the caller to remove. */
async function startContainer({ docker, info, plan, name, line, signal, attached, first, step }: StartInput): Promise<Started> {
  const wanted = { ...containerOptions(plan), name };
  const permitted = permittedOf(wanted, info, plan.beside, plan.spec.record ?? RECORD_DEFAULT);
  refuseUncontained({ ...wanted }, permitted);
  const container = await engineCall({ what: "creating the container", limitMs: STEP_MS, signal }, () => making(first, docker.createContainer({ ...wanted, abortSignal: AbortSignal.timeout(STEP_MS) })));
  // What the engine made counts, not what it was asked for: images and engines add to it.
  refuseUncontained({ ...(await engineCall({ what: "looking at the container", limitMs: STEP_MS, signal }, () => container.inspect())) }, permitted);
  step("create");
  // No abort signal of the step here: it would cut the stream later, when the step is long over.
  const stream = await engineCall({ what: "attaching to the container", limitMs: STEP_MS, signal }, () => container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true }));
  const channel = openSandboxChannel(stream as unknown as Duplex);
  attached.channel = channel;
  line?.onConnect(channel.useLine);
  step("attach");
  const starting = engineCall({ what: "starting the container", limitMs: STEP_MS, signal }, (abortSignal) => container.start({ abortSignal }));
  // Once the order is on its way.
  setImmediate(() => plan.spec.onStarting?.());
  await starting;
  // Only needed when the engine is gone: nobody waits for it, and without it the engine's word is taken.
  const found = info.local ? container.inspect().then(({ State }) => void (first.process = findHostProcess(State.Pid, container.id)), () => undefined) : Promise.resolve();
  step("start");
  const hello = await engineCall({ what: "the self-test of the sandbox", limitMs: HELLO_MS, signal }, () => channel.hello);
  // Before anything of the agent lives, whether the guard came or not.
  line?.stopListening();
  return { id: container.id, channel, hello, found };
}

interface CompanionInput extends BesideOrder {
  readonly docker: Docker;
  readonly info: EngineInfo;
  readonly options: DockerProviderOptions;
  readonly owed: Set<() => Promise<void>>;
  readonly plan: ContainerPlan;
  readonly spec: SandboxSpec;
  /** Names that were hidden since the session began. */
  readonly hidden: () => readonly string[];
}

/** Opens one on the volume, the protection and the loopback of the session's own. It is tested like that one, or refused. */
async function openCompanion({ docker, info, options, owed, plan, spec, hidden, nonce, signal }: CompanionInput): Promise<Companion> {
  const name = `${plan.volume}-${randomBytes(4).toString("hex")}`;
  const line = options.lineDir === undefined || plan.runtimeDir === null ? null : await openLine(options.lineDir, options.lease);
  const first: Made = nothingMade();
  const removeAll = removal(docker, name, first, owed, false);
  const remove = async (): Promise<void> => {
    line?.stopListening();
    await removeAll();
    line?.remove();
  };
  const attached: { channel: SandboxChannel | null } = { channel: null };
  try {
    const { channel, hello, found } = await startContainer({ docker, info, plan: { ...plan, lineFolder: line?.folder }, name, line, signal, attached, first, step: () => undefined });
    checkHello(hello, spec, nonce, neededControls(info, spec));
    await found;
    const hide = async (paths: readonly string[]): Promise<readonly HideResult[]> => {
      const running = first.process;
      return running === null || !isRunning(running) || spec.blanks === undefined ? paths.map(() => "failed") : hideLive({ runtimeDir: options.runtimeDir, pid: running.pid, root: spec.root, blanks: spec.blanks }, paths);
    };
    if (hidden().length > 0 && (await hide(hidden())).includes("failed")) throw new GuardError("SANDBOX_FAILED", "what the user added meanwhile cannot be hidden from the process");
    return { channel, hide, remove, container: docker.getContainer(name) };
  } catch (cause) {
    attached.channel?.end("the start failed");
    await remove().catch((error: unknown) => options.telemetry.warn("a container could not be removed from the engine", { name, cause: printable(String(error)) }));
    throw cause;
  }
}

/** The failure of a start, with the name of what is still on the engine: whoever opened it keeps the session's mark. */
function withLeft(cause: unknown, name: string, left: unknown, telemetry: Telemetry): unknown {
  telemetry.warn("a sandbox could not be removed from the engine", { name, cause: printable(String(left)) });
  if (!(cause instanceof GuardError)) return cause;
  return new GuardError(cause.code, cause.message, { cause, hint: cause.hint, context: { ...cause.context, left: name } });
}

/** Times the steps of a start, in milliseconds, for operators. */
function stopwatch(): (name: string) => Readonly<Record<string, number>> {
  const steps: Record<string, number> = {};
  const clock = { last: performance.now() };
  return (name) => {
    const now = performance.now();
    steps[name] = Math.round(now - clock.last);
    clock.last = now;
    return steps;
  };
}

/** Our own mounts and nothing else: those of the plan, which says of each where it comes from. */
function permittedOf(asked: ContainerCreateOptions, info: EngineInfo, beside: string | undefined, record: RecordSetting): Permitted {
  const mounts = (asked.HostConfig?.Mounts ?? []).map(({ Type, Source, Target, ReadOnly, BindOptions }) => [Target, { kind: Type === "volume" ? "volume" : "bind", source: Source, writable: ReadOnly !== true, propagation: BindOptions?.Propagation ?? "" }] as const);
  return { capabilities: GUARD_CAPABILITIES, mounts: new Map(mounts), seccomp: info.seccomp ? JSON.stringify(seccompProfile(info.arch, record)) : null, cgroupVersion: info.cgroupVersion, runtime: asked.HostConfig?.Runtime ?? null, places: Object.keys(asked.HostConfig?.Tmpfs ?? {}), entrypoint: GUARD_PROGRAM, ...(beside === undefined ? {} : { beside }) };
}

/** An engine of this machine may see its files: a nonce tells. One that is reached elsewhere, or maps users, never does. */
function modesOf(info: EngineInfo): readonly WorkspaceMode[] {
  return info.rootless || !info.local ? ["tar"] : ["overlay", "tar"];
}

/** What cannot work is refused before anything is made. */
function checkEngine(info: EngineInfo, mode: WorkspaceMode, runtime: string | undefined): void {
  if (runtime !== undefined && !info.runtimes.includes(runtime)) {
    throw new GuardError("ENGINE_UNSUPPORTED", `the engine has no container runtime \`${printable(runtime)}\``, { hint: `it has ${info.runtimes.map((name) => printable(name)).join(", ") || "none"}` });
  }
  if (info.os !== "linux") throw new GuardError("ENGINE_UNSUPPORTED", `the engine runs ${info.os} containers; sandboxes need linux`);
  if (info.rootless && mode === "overlay") throw new GuardError("ENGINE_UNSUPPORTED", "a rootless engine shows the workspace's files as another user's", { hint: "use the system's engine: `docker context use default`" });
}

/** Where the engine has a filter, ours must hold. Programs such as gVisor answer system calls themselves: there the probe only tells. */
function neededControls(info: EngineInfo, spec: SandboxSpec): readonly string[] {
  return info.seccomp && (spec.runtime ?? info.runtime) === "runc" ? [...NEEDED, "seccomp"] : NEEDED;
}

/** The engine mounted our folder, and what was asked for holds inside; else the sandbox is refused. */
function checkHello(hello: HelloMessage, spec: SandboxSpec, nonce: Nonce, needed: readonly string[]): SelfTest {
  if (hello.version !== PROTOCOL_VERSION) {
    throw new GuardError("RUNTIME_MISSING", `the sandbox runtime speaks protocol ${hello.version}, not ${PROTOCOL_VERSION}`);
  }
  const tested = readSelfTest(hello, { uid: spec.uid, gid: spec.gid, root: spec.root, hasDisk: spec.workspace.kind === "overlay" && spec.workspace.disk !== undefined, record: spec.record ?? RECORD_DEFAULT });
  const selfTest = spec.workspace.kind === "overlay" ? tested : { ...tested, controls: tarControls(tested.controls, tested.nonce === nonce.content) };
  const { controls, nonceProblem } = selfTest;
  const unseen = selfTest.nonce === null && nonceProblem !== "No such file or directory";
  if (unseen) throw new GuardError("SANDBOX_FAILED", `the workspace cannot be read by its owner (${printable(nonceProblem ?? "unknown")})`);
  if (selfTest.nonce !== nonce.content) throw engineElsewhere(null);
  if (nonce.stays()) throw new GuardError("SANDBOX_FAILED", `the workspace cannot be written by its owner (${printable(nonceProblem ?? "unknown")})`);
  const failed = needed.flatMap((id) => controls.filter((control) => control.id === id && control.state !== "attested"));
  const absent = needed.filter((id) => !controls.some((control) => control.id === id));
  if (failed.length + absent.length > 0) {
    const what = [...failed.map((control) => `${control.id} (${printable(control.detail)})`), ...absent].join(", ");
    throw new GuardError("SANDBOX_FAILED", `the sandbox does not hold on this engine: ${what}`);
  }
  return selfTest;
}

function engineElsewhere(cause: unknown): GuardError {
  return new GuardError("ENGINE_REMOTE", "the engine does not see this machine's files: the workspace is not what was mounted", { cause, hint: "leave `--workspace-mode` to `auto`, and the folder is sent to it" });
}
