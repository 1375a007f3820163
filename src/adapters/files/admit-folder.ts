// Which folder may be handed to an agent. Refuses what would give away the machine, the user or our own state. Only looks.

import { accessSync, constants, existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { GuardError, printable } from "../../core/shared/index.js";
import { errorCode } from "./system-error.js";

export interface Admission {
  /** The real path. */
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export interface AdmissionOptions {
  readonly stateDir: string;
  readonly home: string;
  /** More paths of engine sockets, such as the one in use. */
  readonly engineSockets?: readonly string[];
}

/** Folders of the system; refused with all that lies in them. */
const SYSTEM = ["/etc", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/sys", "/dev", "/boot", "/var/lib/docker", "/var/lib/containerd"];
/** Where sources are kept by custom inside a system folder. */
const SOURCES = ["/usr/src", "/usr/local/src"];
/** Refused themselves, while folders in them may be projects. */
const TOO_BROAD = ["/home", "/root", "/var", "/var/lib", "/run", "/var/run"];
const SOCKET_NAME = /^(docker|containerd|podman|buildkitd|crio|cri-dockerd|dockershim|nerdctl)[\w.-]*\.sock$/;
const SOCKETS = [
  "/run/docker.sock",
  "/var/run/docker.sock",
  "/run/containerd/containerd.sock",
  "/run/podman/podman.sock",
  "/run/crio/crio.sock",
  "/run/buildkit/buildkitd.sock",
  "/run/k3s/containerd/containerd.sock",
];
const HOME_SOCKETS = [".docker/run/docker.sock", ".docker/desktop/docker.sock", ".colima/default/docker.sock", ".rd/docker.sock", ".lima/docker/sock/docker.sock", ".orbstack/run/docker.sock"];

/**
 * The folder by its real path, or a one-line refusal: WORKSPACE_NOT_FOUND, WORKSPACE_UNREADABLE or WORKSPACE_REFUSED.
 */
export function admitFolder(path: string, options: AdmissionOptions): Admission {
  const real = resolveFolder(path);
  const stats = statSync(real);
  if (!stats.isDirectory()) throw new GuardError("WORKSPACE_NOT_FOUND", `the workspace \`${printable(path)}\` is not a folder`);
  const why = refusal(real, options);
  if (why !== null) throw new GuardError("WORKSPACE_REFUSED", `the workspace \`${printable(real)}\` is refused: ${why}`);
  const entries = list(path, real);
  const socket = engineSocketIn(real, entries, options);
  if (socket !== null) {
    throw new GuardError("WORKSPACE_REFUSED", `the workspace \`${printable(real)}\` is refused: it holds the engine socket \`${printable(socket)}\``, {
      hint: "choose a project folder without it; whoever reaches that socket owns this machine",
    });
  }
  return { path: real, uid: stats.uid, gid: stats.gid, mode: stats.mode & 0o777 };
}

/** Tells whether `inner` is `outer` or lies in it. Both real paths. */
export function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : `${outer}${sep}`);
}

function resolveFolder(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") throw new GuardError("WORKSPACE_NOT_FOUND", `the workspace \`${printable(path)}\` does not exist`, { cause: error });
    throw new GuardError("WORKSPACE_UNREADABLE", `the workspace \`${printable(path)}\` cannot be reached: ${code}`, { cause: error });
  }
}

function refusal(real: string, options: AdmissionOptions): string | null {
  if (real === "/") return "it is the whole machine";
  const home = realOrSame(options.home);
  if (real === home) return "it is your home folder";
  if (isWithin(home, real)) return "your home folder lies in it";
  const state = realOrSame(options.stateDir);
  if (isWithin(real, state)) return "it lies in the state folder";
  if (isWithin(state, real)) return "it contains the state folder";
  if (TOO_BROAD.some((broad) => realOrSame(broad) === real)) return "it holds more than one project";
  const system = SYSTEM.find((folder) => isWithin(real, realOrSame(folder)));
  if (system !== undefined && !SOURCES.some((folder) => isWithin(real, folder))) return `it belongs to the system folder \`${system}\``;
  return null;
}

function list(path: string, real: string): readonly string[] {
  try {
    accessSync(real, constants.R_OK | constants.X_OK);
    return readdirSync(real);
  } catch (error) {
    throw new GuardError("WORKSPACE_UNREADABLE", `the workspace \`${printable(path)}\` cannot be read: ${errorCode(error)}`, { cause: error });
  }
}

function engineSocketIn(real: string, entries: readonly string[], options: AdmissionOptions): string | null {
  const near = entries.find((name) => SOCKET_NAME.test(name));
  if (near !== undefined) return join(real, near);
  const uid = process.getuid?.() ?? 0;
  const perUser = [`/run/user/${uid}/docker.sock`, `/run/user/${uid}/podman/podman.sock`];
  const known = [...SOCKETS, ...perUser, ...HOME_SOCKETS.map((name) => join(options.home, name)), ...(options.engineSockets ?? [])];
  return known.find((socket) => existsSync(socket) && isWithin(realOrSame(socket), real)) ?? null;
}

function realOrSame(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // Not there yet: compared as written.
    return path;
  }
}
