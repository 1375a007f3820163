// Programs of the host (engine discovery, image builds), started with execa. A time limit or an abort ends the whole
// process tree; execa's own time-out waits for grandchildren and is not used. Never runs anything the agent made.

import { execa } from "execa";
import { GuardError, printable } from "../../core/shared/index.js";

export interface HostCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutMs: number;
  /** Most characters kept of each stream. */
  readonly outputLimit?: number;
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface HostResult {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly cancelled: boolean;
}

/**
 * Runs one program of the host in a process group of its own. A missing program is GuardError INTERNAL_BUG with its name;
 * any exit code is a result.
 */
export async function runHostCommand(command: HostCommand): Promise<HostResult> {
  const limit = command.outputLimit ?? 1024 * 1024;
  const child = execa(command.file, [...command.args], {
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    env: { PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin", ...command.environment },
    extendEnv: false,
    ...(command.input === undefined ? { stdin: "ignore" as const } : { input: command.input }),
    reject: false,
    detached: true,
    cleanup: true,
    maxBuffer: limit,
    stripFinalNewline: false,
  });
  let timedOut = false;
  let cancelled = false;
  const killTree = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      child.kill("SIGKILL");
    }
  };
  const timer = setTimeout(() => {
    timedOut = true;
    killTree();
  }, command.timeoutMs);
  const onAbort = (): void => {
    cancelled = true;
    killTree();
  };
  if (command.signal?.aborted === true) onAbort();
  command.signal?.addEventListener("abort", onAbort, { once: true });
  const lines = command.onLine === undefined ? Promise.resolve() : forward(child.iterable({ from: "all" }), command.onLine);
  try {
    const [result] = await Promise.all([child, lines]);
    if (result.failed && result.exitCode === undefined && result.signal === undefined && !timedOut && !cancelled && !result.isMaxBuffer) {
      throw new GuardError("INTERNAL_BUG", `cannot start \`${printable(command.file)}\``, { cause: result.cause, hint: `is \`${printable(command.file)}\` installed?` });
    }
    return {
      exitCode: result.exitCode ?? null,
      signal: result.signal ?? null,
      stdout: typeof result.stdout === "string" ? result.stdout : "",
      stderr: typeof result.stderr === "string" ? result.stderr : "",
      timedOut,
      cancelled,
    };
  } finally {
    clearTimeout(timer);
    command.signal?.removeEventListener("abort", onAbort);
    // A grandchild that outlived the program has no reason to go on.
    killTree();
  }
}

async function forward(lines: AsyncIterable<unknown>, onLine: (line: string) => void): Promise<void> {
  try {
    for await (const line of lines) onLine(String(line));
  } catch {
    // The stream ends with the program; its result says why.
  }
}
