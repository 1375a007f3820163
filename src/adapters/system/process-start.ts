// When a process began, as what tells it from a later one with its number. The same for every reader: the kernel adds the reader's own
// clock offset, where it lives in another time namespace, and a living process would seem to be another.

import { readFileSync } from "node:fs";

/** Clock ticks a second in what the kernel tells programs; the same on every architecture that Node runs on. */
const TICKS = 100n;
const NANOSECONDS = 1_000_000_000n;

/** In clock ticks since boot; null when there is no such process, or only its remains, or no /proc. */
export function processStart(pid: number): string | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The program's name may hold spaces and brackets: the fields are counted after the last one. Field 22 is the twentieth of them.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const start = fields[19];
  if (start === undefined || fields[0] === "Z") return null;
  const offset = bootOffset();
  return offset === 0n ? start : String(BigInt(start) - offset);
}

/** The reader's own offset of the boot clock, in ticks. */
function bootOffset(): bigint {
  // Absent before Linux 5.6, and without time namespaces.
  const [, seconds = "0", nanoseconds = "0"] = /^boottime +(-?[0-9]+) +([0-9]+)$/mu.exec(read("/proc/self/timens_offsets") ?? "") ?? [];
  return BigInt(seconds) * TICKS + (BigInt(nanoseconds) * TICKS) / NANOSECONDS;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}
