// What a sandbox says of a finished command, looked at before anything is built on it.

import { GuardError, printable } from "../core/shared/index.js";
import type { RunResult } from "../ports/sandbox.js";

const ENDINGS: ReadonlySet<unknown> = new Set(["exit", "timeout", "cancelled", "refused"]);
const KINDS: ReadonlySet<unknown> = new Set(["memory", "processes", "disk", undefined]);
const SIGNAL_CHARS = 20;

/** The same result; throws SANDBOX_BROKEN for one that no command can have, or that leaves processes of the call alive. */
export function soundResult(result: RunResult): RunResult {
  const { durationMs, stdoutBytes, stderrBytes, stdoutDropped, stderrDropped, killed, exitCode, signal, ended } = result;
  const counts = [durationMs, stdoutBytes, stderrBytes, stdoutDropped, stderrDropped, killed];
  const isSound =
    counts.every((count) => Number.isFinite(count) && count >= 0) &&
    ENDINGS.has(ended) &&
    KINDS.has(result.limit) &&
    (exitCode === null || Number.isSafeInteger(exitCode)) &&
    (signal === null || (typeof signal === "string" && printable(signal, SIGNAL_CHARS) === signal));
  if (!isSound) throw new GuardError("SANDBOX_BROKEN", "the sandbox told of an end that no command can have");
  if (result.quiescent !== true) throw new GuardError("SANDBOX_BROKEN", "processes of the call could not be ended");
  return result;
}
