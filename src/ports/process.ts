// A program that outlives the call that started it, in a sandbox of its own beside the session's: the same workspace, the same protection,
// the same loopback, nothing else shared. Contract: test/docker/process.test.ts and the in-memory twin.

import type { ProgramLog, RunRequest } from "./sandbox.js";

/** What is started. No shell is added. */
export interface ProcessRequest {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** A terminal of this size, on which both outputs arrive as one; null is three pipes. */
  readonly terminal: { readonly rows: number; readonly columns: number } | null;
  /** Longest life, in milliseconds, whether frozen or not. */
  readonly lifeMs: number;
  /** Most bytes delivered of each stream in its whole life; the rest is dropped. */
  readonly outputBytes: number;
  /** As of a call's programs: see RunRequest. */
  readonly judge?: RunRequest["judge"];
}

/** How it ended. `limit`: a limit of its sandbox; `killed`: by us; `fault`: its sandbox was lost. */
export interface ProcessEnd {
  readonly reason: "exit" | "killed" | "timeout" | "limit" | "fault";
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Printable; null when there is nothing to add. */
  readonly detail: string | null;
  /** What really ran in its life; left out where nothing is recorded. */
  readonly programs?: ProgramLog;
}

/** One such program with all that it started. It runs when it is handed over, until it is frozen. */
export interface SandboxProcess {
  /** Settles once, when nothing of it is left. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** Hands on input; false, and nothing is taken, when more waits than is kept. */
  write(bytes: Uint8Array): boolean;
  endInput(): void;
  /**
   * Stops every process of it, from outside: no signal, timer or new process of its own sets it going again. Resolves when nothing
   * of it runs. Throws SANDBOX_FAILED where that cannot be had; then it must be closed.
   */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Hides names of the workspace as `Sandbox.hide` does. */
  hide(paths: readonly string[]): Promise<readonly ("hidden" | "absent" | "failed")[]>;
  /** Ends all of it, also when it is frozen. Idempotent; rejects where something may be left. */
  close(): Promise<void>;
}
