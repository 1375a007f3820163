// A lease names the process that owns something on the engine, so that what a dead owner left behind can be told apart.
// A process number alone would not do: numbers come round again, and another container counts its own.

import { readFileSync, readlinkSync } from "node:fs";
import { processStart } from "./process-start.js";

/** Whether the owner lives: `unknown` when it belongs to another process-number space of this machine. */
export type LeaseState = "alive" | "dead" | "unknown";

const LEASE = /^v1\.([0-9]{1,10})\.([0-9]{1,20})\.([0-9a-f-]{36})\.([0-9]{1,20})$/;

/** The lease of this process. Throws where /proc is missing: then nothing could be reaped safely. */
export function currentLease(): string {
  return `v1.${process.pid}.${processStart(process.pid) ?? "0"}.${bootId()}.${pidSpace()}`;
}

/** What is known of a lease's owner. A text that is no lease counts as unknown: it is not ours to remove. */
export function leaseState(label: string): LeaseState {
  const match = LEASE.exec(label);
  if (match === null) return "unknown";
  const [, pid = "", started = "", boot = "", space = ""] = match;
  if (boot !== bootId()) return "dead";
  if (space !== pidSpace()) return "unknown";
  return processStart(Number(pid)) === started ? "alive" : "dead";
}

/** True unless the owner is known to be dead. */
export function isLeaseAlive(label: string): boolean {
  return leaseState(label) !== "dead";
}

/** Names this start of the machine. Throws where /proc is missing. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}

/** The inode that names this process-number space. */
function pidSpace(): string {
  return /[0-9]+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
}
