// Can a session get a disk of its own here? Asked of the machine before anything is made; what cannot be told beforehand the
// making itself tells. Only looks.

import { accessSync, constants, existsSync, readFileSync, readlinkSync, statfsSync } from "node:fs";
import { delimiter, join } from "node:path";

const PROGRAMS = ["mkfs.ext4", "mount", "umount", "sync", "e2fsck"] as const;
/** Where they lie, besides the user's own PATH. */
const SYSTEM_PATH = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/** CAP_SYS_ADMIN, without which nothing is mounted. */
const SYS_ADMIN = 1n << 21n;

export interface AbilityInput {
  readonly env: NodeJS.ProcessEnv;
  /** Real path of the state folder. */
  readonly stateDir: string;
}

/** Bytes that stay free on the disk of the state folder for everything else. */
export const FLOOR_BYTES = 512 * 1024 * 1024;
/** A disk smaller than this is not worth having. */
const LEAST_BYTES = 256 * 1024 * 1024;

/** Why a session cannot have a disk of its own, in words; null when nothing is known to stand in the way. */
export function whyNoDisk({ env, stateDir }: AbilityInput): string | null {
  if (env["RINGFENCE_DISK"] === "watch") return "switched off by RINGFENCE_DISK";
  if (env["RINGFENCE_IN_CONTAINER"] === "1") return "Ringfence runs in a container, and the engine would not see what is mounted there";
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "mounting needs root";
  if ((effectiveCapabilities() & SYS_ADMIN) === 0n || !isInitialUserSpace()) return "this root may not mount";
  if (!isMountSpaceOfProcess1()) return "Ringfence runs in a mount namespace of its own, which the engine need not see";
  if (!existsSync("/dev/loop-control")) return "the machine has no loop devices";
  const lacking = PROGRAMS.filter((name) => findProgram(name, env) === null);
  if (lacking.length > 0) return `not installed: ${lacking.join(", ")}`;
  return freeBytes(stateDir) < FLOOR_BYTES + LEAST_BYTES ? "the disk of the state folder is nearly full" : null;
}

/** Room for a disk beside what must stay free, at most `wanted` bytes. */
export function roomFor(stateDir: string, wanted: number): number {
  return Math.min(wanted, Math.max(LEAST_BYTES, freeBytes(stateDir) - FLOOR_BYTES));
}

/** Full path of a program of the host; null when there is none. */
export function findProgram(name: string, env: NodeJS.ProcessEnv): string | null {
  for (const folder of [...(env["PATH"] ?? "").split(delimiter), ...SYSTEM_PATH]) {
    if (!folder.startsWith("/")) continue;
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // not there
    }
  }
  return null;
}

/** Bytes free on the disk that holds a folder. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Whether the engine's own process would see a mount; null when it cannot be told which process it is. */
export function engineSees(mountPoint: string): boolean | null {
  for (const file of ["/run/docker.pid", "/var/run/docker.pid"]) {
    try {
      const pid = Number.parseInt(readFileSync(file, "latin1"), 10);
      if (!/^(?:dockerd|podman)\n$/.test(readFileSync(`/proc/${pid}/comm`, "latin1"))) continue;
      return readFileSync(`/proc/${pid}/mountinfo`, "latin1").split("\n").some((line) => line.split(" ")[4] === mountPoint);
    } catch {
      // no such engine, or it ended
    }
  }
  return null;
}

function effectiveCapabilities(): bigint {
  const set = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
  return set === undefined ? 0n : BigInt(`0x${set}`);
}

/** Root of a user namespace of its own cannot mount a file system from a file. */
function isInitialUserSpace(): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "latin1"));
}

function isMountSpaceOfProcess1(): boolean {
  try {
    return readlinkSync("/proc/1/ns/mnt") === readlinkSync("/proc/self/ns/mnt");
  } catch {
    // Process 1 is hidden from us: the engine's process tells.
    return true;
  }
}
