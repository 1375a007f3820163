// Mounts of session disks that are in sight, and whose they are. A mount is found by the kernel's own list, and its owner by the
// lease beside it; one whose owner is dead is undone by whoever looks next.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunProgram } from "../../ports/system.js";
import { layerPaths } from "./layers.js";
import { unmountImage } from "./disk-image.js";

const LEASE_BYTES = 4096;

/** Where the lease of a mount lies. */
function leaseFile(mountPoint: string): string {
  return `${mountPoint}.lease`;
}

/** Says whose a mount is, before it is made. */
export function claimMount(mountPoint: string, lease: string): void {
  writeFileSync(leaseFile(mountPoint), lease, { mode: 0o600 });
}

/** Forgets whose a mount was, after it is gone. */
export function disclaimMount(mountPoint: string): void {
  rmSync(leaseFile(mountPoint), { force: true });
}

/** Is something mounted here, in our own view? */
export function isMounted(mountPoint: string): boolean {
  return mountPoints().includes(mountPoint);
}

/** Is a mount here, and its owner not known to be dead? */
export function isHeld(mountPoint: string, isAlive: (lease: string) => boolean): boolean {
  return isMounted(mountPoint) && hasOwner(mountPoint, isAlive);
}

/**
 * Undoes every mount below the sessions of a state folder whose owner is dead; costs one read of the kernel's list when there is
 * none. Gives what could not be undone, and why.
 */
export async function releaseDeadMounts(stateDir: string, isAlive: (lease: string) => boolean, run: RunProgram): Promise<readonly string[]> {
  const below = join(stateDir, "sessions/");
  const failures: string[] = [];
  for (const at of mountPoints().filter((path) => path.startsWith(below) && !hasOwner(path, isAlive))) {
    try {
      await unmountImage(at, run);
      disclaimMount(at);
    } catch (error) {
      failures.push(`${at}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failures;
}

/** Mount points of one session that are in sight: its own, and those of a review that was killed while it opened. */
export function mountsOf(stateDir: string, sessionId: string): readonly string[] {
  const below = `${layerPaths(stateDir, sessionId).folder}/`;
  return mountPoints().filter((path) => path.startsWith(below));
}

/** Innermost first. Our own paths hold nothing that the kernel would escape. */
function mountPoints(): readonly string[] {
  return readFileSync("/proc/self/mountinfo", "latin1")
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .reverse();
}

/** No lease is nobody alive. */
function hasOwner(mountPoint: string, isAlive: (lease: string) => boolean): boolean {
  try {
    const lease = readFileSync(leaseFile(mountPoint), "utf8");
    return lease.length <= LEASE_BYTES && isAlive(lease);
  } catch {
    return false;
  }
}
