// The connection to the engine, made when first needed, and what the engine is and can do.

import Docker from "dockerode";
import { GuardError, printable } from "../../core/shared/index.js";
import { engineAddresses, type EngineAddress } from "./discover.js";
import { engineCall } from "./engine-call.js";
import { remoteOptions, remoteText } from "./remote-address.js";

/** What an engine said about itself. */
export interface EngineInfo {
  /** Its socket on this machine; empty for one that is reached over a network. */
  readonly socketPath: string;
  /** Where it is, for people. */
  readonly endpoint: string;
  readonly from: string;
  /** It is behind a socket of this machine: it may see this machine's files. */
  readonly local: boolean;
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly os: string;
  readonly arch: string;
  readonly kernel: string;
  /** The container runtime used, such as `runc`. */
  readonly runtime: string;
  /** All it can use, by name. */
  readonly runtimes: readonly string[];
  /** Versions of its parts, as it tells them: `runc`, `containerd`. Empty for one it does not tell. */
  readonly parts: Readonly<Record<"runc" | "containerd", string>>;
  readonly cgroupVersion: 1 | 2;
  readonly rootless: boolean;
  /** Container root is another user outside. */
  readonly userNamespace: boolean;
  readonly seccomp: boolean;
  readonly storageDriver: string;
  readonly processors: number;
  /** What its kernel cannot limit for a container, in words. */
  readonly cannotLimit?: readonly string[];
}

export interface Engine {
  readonly docker: Docker;
  readonly info: EngineInfo;
}

const ASK_MS = 10_000;
/** What engines say of their kernel's limits, and of what. */
const LIMITABLE = [["MemoryLimit", "memory"], ["SwapLimit", "swap"], ["PidsLimit", "processes"], ["CpuCfsQuota", "processor time"]] as const;

/** Connects to the first engine that answers. Throws ENGINE_UNAVAILABLE with every place tried, or ENGINE_REMOTE. */
export async function connectEngine(socketPath: string | undefined, signal?: AbortSignal): Promise<Engine> {
  const addresses: readonly EngineAddress[] = socketPath === undefined ? engineAddresses() : [{ socketPath, from: "the settings" }];
  const reasons: string[] = [];
  for (const address of addresses) {
    // Said in full: what is left out the client takes from DOCKER_HOST.
    const docker = new Docker(address.remote === undefined ? ({ socketPath: address.socketPath, host: undefined, protocol: "http" } as unknown as Docker.DockerOptions) : remoteOptions(address.remote));
    try {
      return { docker, info: await describe(docker, address, signal) };
    } catch (cause) {
      if (!(cause instanceof GuardError) || cause.code !== "ENGINE_UNAVAILABLE") throw cause;
      reasons.push(`${endpointOf(address)} (${address.from}): ${cause.message}`);
    }
  }
  const [only] = addresses;
  // Set-up would start another one, and it would still not be asked.
  const named = addresses.length === 1 && only !== undefined && (only.from === "DOCKER_HOST" || only.from.startsWith("the context")) ? { hint: `start that engine, or ${only.from === "DOCKER_HOST" ? "unset DOCKER_HOST" : "run `docker context use default`"}` } : {};
  throw new GuardError("ENGINE_UNAVAILABLE", `no container engine answers; tried ${reasons.join("; ")}`, named);
}

function endpointOf({ socketPath, remote }: EngineAddress): string {
  return remote === undefined ? printable(socketPath) : remoteText(remote);
}

async function describe(docker: Docker, address: EngineAddress, signal: AbortSignal | undefined): Promise<EngineInfo> {
  const call = { what: "asking the engine what it is", limitMs: ASK_MS, signal, code: "ENGINE_UNAVAILABLE" } as const;
  const version = await engineCall(call, () => docker.version());
  const info: unknown = await engineCall(call, () => docker.info());
  const field = (name: string): unknown => (typeof info === "object" && info !== null ? (info as Record<string, unknown>)[name] : undefined);
  const options = field("SecurityOptions");
  const security = Array.isArray(options) ? options.filter((option): option is string => typeof option === "string") : [];
  const has = (name: string): boolean => security.some((option) => option.includes(`name=${name}`));
  return {
    socketPath: address.socketPath,
    endpoint: endpointOf(address),
    from: address.from,
    local: address.remote === undefined,
    name: text(field("OperatingSystem")) === "Docker Desktop" ? "Docker Desktop" : "Docker Engine",
    version: text(version.Version),
    apiVersion: text(version.ApiVersion),
    os: text(version.Os),
    arch: text(version.Arch),
    kernel: text(version.KernelVersion),
    runtime: text(field("DefaultRuntime")),
    runtimes: names(field("Runtimes")),
    parts: { runc: partVersion(version, "runc"), containerd: partVersion(version, "containerd") },
    cgroupVersion: field("CgroupVersion") === "2" ? 2 : 1,
    rootless: has("rootless"),
    userNamespace: has("userns"),
    seccomp: has("seccomp"),
    storageDriver: text(field("Driver")),
    cannotLimit: LIMITABLE.filter(([name]) => field(name) === false).map(([, what]) => what),
    processors: typeof field("NCPU") === "number" ? Number(field("NCPU")) : 1,
  };
}

function names(value: unknown): readonly string[] {
  return typeof value === "object" && value !== null ? Object.keys(value).sort() : [];
}

/** The version of one part out of the engine's list of its components. */
function partVersion(version: object, name: string): string {
  const components = "Components" in version && Array.isArray(version.Components) ? version.Components : [];
  const part: unknown = components.find((item: unknown) => typeof item === "object" && item !== null && "Name" in item && item.Name === name);
  return typeof part === "object" && part !== null && "Version" in part && typeof part.Version === "string" ? printable(part.Version) : "";
}

function text(value: unknown): string {
  return typeof value === "string" ? printable(value) : "unknown";
}
