// On what a soak ran: enough to compare two results, nothing that names whose machine it was.

import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";

export interface Machine {
  readonly cpus: number;
  readonly processor: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Version of the engine; null where none answers. */
  readonly engine: string | null;
}

const LIMIT_MS = 10_000;

export function machine(): Machine {
  return {
    cpus: cpus().length,
    processor: cpus()[0]?.model ?? "unknown",
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    engine: output("docker", ["version", "--format", "{{.Server.Version}}"]),
  };
}

/** The commit of a checkout; `+changes` where tracked files differ from it. Results of earlier soaks are no such change. */
export function commitOf(checkout: string): string {
  const git = (...args: readonly string[]): string | null => output("git", ["-C", checkout, ...args]);
  const head = git("rev-parse", "HEAD");
  if (head === null) return "unknown";
  return git("status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)docs/soak") === "" ? head : `${head}+changes`;
}

function output(program: string, args: readonly string[]): string | null {
  try {
    return execFileSync(program, args, { encoding: "utf8", timeout: LIMIT_MS, stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return null;
  }
}
