// What the engine is asked for when a sandbox is made. Pure: the shape is tested without an engine.

import type { ContainerCreateOptions } from "dockerode";
import { GuardError, LIMITS, printable } from "../../core/shared/index.js";
import { hiddenPaths, protectMounts } from "./protect-mounts.js";
import type { RecordSetting, SandboxSpec } from "../../ports/sandbox.js";
import { seccompProfile } from "./seccomp-profile.js";

export interface ContainerPlan {
  readonly spec: SandboxSpec;
  readonly imageId: string;
  readonly volume: string;
  /** Folder of this machine with the runtime; null where the image carries it. */
  readonly runtimeDir: string | null;
  /** Folder with the socket of a direct line; left out where there is none. */
  readonly lineFolder?: string | undefined;
  readonly nonceName: string;
  /** The engine, as far as it changes what is asked of it. */
  readonly engine: { readonly cgroupVersion: 1 | 2; readonly userNamespace: boolean; readonly processors: number; readonly seccomp: boolean; readonly arch: string };
  /** Places the image declares as volumes: they become small folders in memory, not disk of the engine's. */
  readonly imageVolumes?: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Id of the session's container whose loopback a process shares; left out for the session's own. */
  readonly beside?: string;
}

/** What of programs is recorded unless the session says otherwise. */
export const RECORD_DEFAULT: RecordSetting = "off";

const MIB = 1024 * 1024;
const HOME = "/home/agent";
/** Tasks of the guard itself, with room for the threads of its Node. */
const GUARD_TASKS = 24;
/** /dev/shm; the engine's own /dev may take four times as much. */
const SHM_BYTES = 16 * MIB;
const DEV_BYTES = 64 * MIB;
const RUN_BYTES = 8 * MIB;
/** Memory kept from the writable folders for the guard and for programs. */
const GUARD_BYTES = 96 * MIB;
/** Bytes of a folder in memory for each file it may hold. */
const BYTES_A_FILE = 4096;
const MOST_VOLUMES = 8;
/** Process 1 of every sandbox. */
export const GUARD_PROGRAM = "/.ringfence/bin/rf-enter";
/**
 * Capabilities the guard needs to start the agent without any. CHOWN only until process 1 has taken /dev from root. SYS_PTRACE: sandboxd alone keeps it, to hear of
 * the agent's programs and to have a shell stand ready.
 */
export const GUARD_CAPABILITIES = ["SETUID", "SETGID", "KILL", "SETPCAP", "CHOWN", "SYS_PTRACE"];

/** Folders of the system a workspace may not be mounted over or in. */
const RESERVED = ["/proc", "/sys", "/dev", "/.ringfence", "/.ringfence-line", "/bin", "/sbin", "/lib", "/lib64", "/usr", "/etc", "/run", "/var/run", "/boot"];

/** Refuses a place where a workspace would hide the system or be hidden by it. Throws USAGE_INVALID. */
export function checkRoot(root: string): void {
  const parts = root.split("/").slice(1);
  const clean = root.startsWith("/") && parts.every((part) => part !== "" && part !== "." && part !== "..") && printable(root, root.length) === root;
  const reserved = RESERVED.some((path) => root === path || root.startsWith(`${path}/`)) || ["/tmp", "/var", "/var/tmp", "/home", HOME].includes(root);
  if (!clean || reserved) throw new GuardError("USAGE_INVALID", `\`${printable(root)}\` cannot hold the workspace inside a sandbox`, { hint: "use a folder such as /workspace" });
}

/** What the calls of a session may add to its workspace. */
export function diskLimits(limits: SandboxSpec["limits"]): { readonly bytes: number; readonly files: number } {
  return { bytes: limits.diskBytes ?? LIMITS.workspaceBytes, files: limits.diskFiles ?? LIMITS.workspaceFiles };
}

/** Everything of one container: no network, no rights, nothing writable but the workspace and small memory folders. */
export function containerOptions(plan: ContainerPlan): ContainerCreateOptions {
  const { spec } = plan;
  const record = spec.record ?? RECORD_DEFAULT;
  return {
    Image: plan.imageId,
    User: "0:0",
    // A shared network brings its name along.
    ...(plan.beside === undefined ? { Hostname: "sandbox" } : {}),
    WorkingDir: "/",
    Env: [],
    Entrypoint: [GUARD_PROGRAM],
    Cmd: [String(spec.uid), String(spec.gid), spec.root, plan.nonceName, String(Math.ceil(diskLimits(spec.limits).bytes / MIB)), record],
    Labels: { ...plan.labels },
    Healthcheck: { Test: ["NONE"] },
    Tty: false,
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      AutoRemove: true,
      NetworkMode: plan.beside === undefined ? "none" : `container:${plan.beside}`,
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      CapAdd: [...GUARD_CAPABILITIES],
      // An engine without filters refuses one; it is told apart by the self-test and by `doctor`.
      SecurityOpt: ["no-new-privileges", ...(plan.engine.seccomp ? [`seccomp=${JSON.stringify(seccompProfile(plan.engine.arch, record))}`] : [])],
      Privileged: false,
      Init: false,
      IpcMode: "private",
      ...(plan.engine.cgroupVersion === 2 ? { CgroupnsMode: "private" as const } : {}),
      // An engine that maps users would show the workspace's files as nobody's; what was sent to it belongs to its own.
      ...(plan.engine.userNamespace && spec.workspace.kind === "overlay" ? { UsernsMode: "host" } : {}),
      Memory: spec.limits.memoryBytes,
      MemorySwap: spec.limits.memoryBytes,
      PidsLimit: spec.limits.processes + GUARD_TASKS,
      // Engines refuse more than there are.
      NanoCpus: Math.round(Math.min(spec.limits.cpus, plan.engine.processors) * 1e9),
      ...(spec.runtime === undefined ? {} : { Runtime: spec.runtime }),
      ShmSize: SHM_BYTES,
      LogConfig: { Type: "none", Config: {} },
      Tmpfs: { ...declaredVolumes(plan), ...tmpfs(spec) },
      Mounts: [
        ...(plan.runtimeDir === null ? [] : [{ Type: "bind" as const, Source: plan.runtimeDir, Target: "/.ringfence", ReadOnly: true, BindOptions: { Propagation: "rprivate" as const } }]),
        ...(plan.lineFolder === undefined ? [] : [{ Type: "bind" as const, Source: plan.lineFolder, Target: "/.ringfence-line", ReadOnly: true, BindOptions: { Propagation: "rprivate" as const } }]),
        // Without NoCopy the engine fills an empty volume with what the image has at that place.
        { Type: "volume", Source: plan.volume, Target: spec.root, ReadOnly: false, VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: "local", Options: {} } } },
        ...protectMounts(spec),
      ],
      ...hiddenPaths(spec),
    },
  };
}

function declaredVolumes({ spec, imageVolumes = [] }: ContainerPlan): Record<string, string> {
  const places = imageVolumes.filter((path) => path !== spec.root);
  if (places.length > MOST_VOLUMES) throw new GuardError("SANDBOX_FAILED", `the image declares ${places.length} volumes, more than ${MOST_VOLUMES}`);
  return Object.fromEntries(places.map((path) => [path, `rw,exec,nosuid,nodev,mode=1777,size=${RUN_BYTES},nr_inodes=${RUN_BYTES / BYTES_A_FILE}`]));
}

/**
 * The writable folders beside the workspace. Their pages count as the container's memory: all of them full must leave room,
 * or the kernel would end the guard. Their files are limited too, for each takes memory of the kernel.
 */
function tmpfs({ uid, gid, limits }: SandboxSpec): Record<string, string> {
  const room = limits.memoryBytes - DEV_BYTES - SHM_BYTES - RUN_BYTES - GUARD_BYTES;
  // /tmp and the home are whole ones, /var/tmp is a quarter.
  const whole = Math.max(MIB, Math.min(limits.tmpBytes, Math.floor(limits.memoryBytes / 4), Math.floor(room / 2.25)));
  const owner = `uid=${uid},gid=${gid}`;
  const sized = (bytes: number): string => `size=${bytes},nr_inodes=${Math.max(1024, Math.floor(bytes / BYTES_A_FILE))}`;
  return {
    "/tmp": `rw,exec,nosuid,nodev,mode=1777,${sized(whole)}`,
    "/var/tmp": `rw,exec,nosuid,nodev,mode=1777,${sized(Math.floor(whole / 4))}`,
    "/run": `rw,noexec,nosuid,nodev,mode=0755,${sized(RUN_BYTES)},${owner}`,
    "/dev/shm": `rw,noexec,nosuid,nodev,mode=1777,${sized(SHM_BYTES)}`,
    [HOME]: `rw,exec,nosuid,nodev,mode=0700,${sized(whole)},${owner}`,
  };
}
