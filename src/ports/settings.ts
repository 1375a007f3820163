// Settings of one session, as values.

import type { RecordSetting, SandboxLimits, WorkspaceMode } from "./sandbox.js";

export interface SessionDefaults {
  /** Where the workspace is mounted inside. */
  readonly root: string;
  /** The agent's home inside. */
  readonly home: string;
  /** Longest time of one call. */
  readonly timeoutMs: number;
  /** Longest wait for a person; then the call is rejected. */
  readonly approvalTimeoutMs: number;
  /**
   * How long a session that policy paused waits for a person elsewhere to resume it, where nobody can be asked here; then it is stopped.
   * Left out: not at all.
   */
  readonly pauseWaitMs?: number;
  /** Most bytes kept of each output stream of a call. */
  readonly outputBytes: number;
  readonly sandbox: SandboxLimits;
  /** A process that no call names for this long is ended; left out: the usual time. */
  readonly processLeaseMs?: number;
  /** The engine's name of the program that runs containers; left out: the engine's own. */
  readonly runtime?: string;
  /** How the user's folder comes to the engine; left out: in the best way the engine allows. */
  readonly workspaceMode?: WorkspaceMode;
  /** What is recorded of the programs that calls run; left out: nothing. */
  readonly record?: RecordSetting;
}
