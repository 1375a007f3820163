// When what a call did cannot be told: the sandbox is destroyed, the call is put on record as in doubt, the session is broken.

import { GuardError, printable, type CallId } from "../core/shared/index.js";
import { within } from "./deadline.js";
import type { LiveSession } from "./live.js";
import { endProcesses } from "./processes.js";
import { closedEvent } from "./records.js";

/** Any failure as one of ours, with a printable message. */
export function faultOf(error: unknown, what: string): GuardError {
  if (error instanceof GuardError) return error;
  return new GuardError("SANDBOX_FAILED", `${what}: ${printable(error instanceof Error ? error.message : String(error))}`, { cause: error });
}

/** What every later call of a broken session is answered with; null while all is well. */
export function brokenError({ id, broken }: Pick<LiveSession, "id" | "broken">): GuardError | null {
  return broken === null ? null : new GuardError("SANDBOX_BROKEN", `session ${id} is broken: ${printable(broken)}`);
}

/** Marks a session broken and ends its sandbox. Never rejects. */
export async function breakSession(live: LiveSession, detail: string): Promise<void> {
  live.broken ??= detail;
  await closeSandbox(live);
}

/** Ends the sandbox within its deadline; gives why it could not be ended, or null. Never rejects. */
export async function closeSandbox(live: LiveSession): Promise<string | null> {
  await endProcesses(live);
  try {
    await within(live.sandbox.close(), live.deadlines.closeMs, "closing the sandbox");
    return null;
  } catch (error) {
    const cause = faultOf(error, "closing the sandbox").message;
    live.deps.telemetry.warn("a sandbox could not be closed", { session: live.id, cause });
    return cause;
  }
}

/** Lets go of the workspace within its deadline; gives why what was written may not be whole, or null. Never rejects. */
export async function closeWorkspace(live: LiveSession): Promise<string | null> {
  try {
    await within((async () => live.workspace.close?.())(), live.deadlines.closeMs, "closing the workspace");
    return null;
  } catch (error) {
    const cause = faultOf(error, "closing the workspace").message;
    live.deps.telemetry.warn("a workspace could not be closed", { session: live.id, cause });
    return cause;
  }
}

/** Tells whether a start that failed left something on the engine: the session's mark then stays for the next command. */
export function leftSomething(error: unknown): boolean {
  return error instanceof GuardError && error.context["left"] !== undefined;
}

/** Breaks a call off that had been started; gives the fault to throw. Never rejects. */
export async function breakOff(live: LiveSession, call: CallId, error: unknown): Promise<GuardError> {
  const fault = faultOf(error, "the call could not be brought to an end");
  live.deps.telemetry.error("call broken off", { session: live.id, call, cause: fault.message });
  await breakSession(live, fault.message);
  try {
    await live.append([closedEvent(call, "in-doubt")]);
  } catch (cause) {
    // A start without an end on record is in doubt to everybody who reads it.
    live.deps.telemetry.error("the end of a call is not on record", { session: live.id, call, cause: printable(String(cause)) });
  }
  return fault;
}
