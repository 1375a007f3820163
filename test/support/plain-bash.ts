// bash on this machine, for tests: the same variables, mask and time zone whoever starts them, and no start-up file of theirs.

import { execFileSync } from "node:child_process";

const MAX_BYTES = 64 * 1024 * 1024;

/** Runs a script to its end and gives what it printed; fails with it. @param more variables besides */
export function plainBash(cwd: string, script: string, more: Readonly<Record<string, string>> = {}): string {
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", LANG: "C.UTF-8", TZ: "UTC", ...more };
  return execFileSync("bash", ["--noprofile", "--norc", "-euc", `umask 022\n${script}`], { cwd, env, encoding: "utf8", maxBuffer: MAX_BYTES, stdio: ["ignore", "pipe", "pipe"] });
}
