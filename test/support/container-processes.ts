// Who runs in a container, as the kernel of this machine lists them. `docker top` would do, but for that it starts `ps`, which not every
// machine with an engine has.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface ContainerProcess {
  /** As this machine numbers it. */
  readonly pid: number;
  /** In whose name it acts. */
  readonly uid: number;
  readonly nice: number;
  /** The kernel's letter: `t` for one that a tracer holds. */
  readonly state: string;
  readonly args: readonly string[];
}

/** Everybody in the container's space of process numbers, by number. @param container its id or name */
export function processesOf(container: string): readonly ContainerProcess[] {
  const first = execFileSync("docker", ["inspect", "--format", "{{.State.Pid}}", container], { encoding: "utf8", timeout: 30_000 }).trim();
  const space = readlinkSync(`/proc/${first}/ns/pid`);
  const numbers = readdirSync("/proc").filter((name) => /^\d+$/u.test(name)).map(Number);
  return numbers.sort((a, b) => a - b).flatMap((pid) => processOf(pid, space) ?? []);
}

/** null for one of another space, and for one that ended meanwhile. */
function processOf(pid: number, space: string): ContainerProcess | null {
  try {
    if (readlinkSync(`/proc/${pid}/ns/pid`) !== space) return null;
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state = "", ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [, uid] = /^Uid:\t\d+\t(\d+)/mu.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
    const args = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").slice(0, -1);
    return { pid, uid: Number(uid), nice: Number(fields[15]), state, args };
  } catch {
    return null;
  }
}
