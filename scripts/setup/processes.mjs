// Whether a process that was recorded earlier is still the same one: pid alone is reused, pid with start time is not.

import { readText } from "./hash.mjs";

/**
 * The start time of a process in clock ticks since boot, from /proc; null when it is gone, a zombie or not Linux.
 * @param {number} pid
 */
export function processStart(pid) {
  const stat = readText(`/proc/${pid}/stat`);
  return stat === null ? null : parseStart(stat);
}

/**
 * Reads the start time out of a /proc/PID/stat line. The program's name may hold spaces and brackets.
 * @param {string} stat
 */
export function parseStart(stat) {
  const rest = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (rest[0] === "Z" || rest[0] === "X") return null;
  const start = Number(rest[19]);
  return Number.isSafeInteger(start) ? start : null;
}

/** The identity of this boot; a recorded pid of an earlier boot means nothing. */
export function bootId() {
  return readText("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

/**
 * @param {{readonly pid: number, readonly start: number | null, readonly boot: string}} recorded
 */
export function isSameProcess(recorded) {
  if (!Number.isSafeInteger(recorded.pid) || recorded.pid <= 1) return false;
  if (recorded.start === null) return isAlive(recorded.pid);
  return recorded.boot === bootId() && processStart(recorded.pid) === recorded.start;
}

/** @param {number} pid */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** @param {number} pid */
export function identify(pid) {
  return { pid, start: processStart(pid), boot: bootId() };
}

/** @param {number} ms @param {AbortSignal} [signal] */
export function delay(ms, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      // Else a signal that lives long gathers one for every wait.
      signal?.removeEventListener("abort", end);
      resolve(undefined);
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end, { once: true });
    if (signal?.aborted) end();
  });
}
