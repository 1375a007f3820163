// What a session stands on, made before anybody asks for it: workspace, sandbox and what policy forbids, tested inside. Nothing of it is
// on record yet. Whatever fails on the way, nothing is left behind.

import { printable, type SessionId } from "../core/shared/index.js";
import { leftSomething } from "./break-off.js";
import { DEADLINES, within } from "./deadline.js";
import type { EngineDeps } from "./deps.js";
import { openGrounds, workspaceModes, type Grounds } from "./grounds.js";
import type { SessionOptions } from "./live.js";

export interface Prepared {
  readonly id: SessionId;
  readonly grounds: Grounds;
  /** Takes every step back, the last first; each is to be awaited. More may be added. */
  readonly undo: (() => Promise<void>)[];
}

/**
 * Marks the session and makes its grounds.
 * @param isAhead nobody asked for it yet: of the folder nothing is kept, for it may be another when somebody does
 */
export async function prepareSession(deps: EngineDeps, options: SessionOptions, signal: AbortSignal, isAhead = false): Promise<Prepared> {
  const id: SessionId = `ses_${deps.ids.next()}`;
  const undo: (() => Promise<void>)[] = [];
  try {
    // The mark comes first: whatever is there after a crash is found by it.
    await deps.openSessions.mark(id);
    undo.push(() => deps.openSessions.clear(id));
    const modes = await workspaceModes(deps, options, signal);
    const grounds = await openGrounds({ deps, options, id, path: options.workspace, role: options.role, modes, undo, userFolder: deps.userFolder, keepBase: !isAhead && options.replayOf === undefined }, signal);
    return { id, grounds, undo };
  } catch (error) {
    await takeDown(deps, id, undo, leftSomething(error));
    throw error;
  }
}

/** Takes back the steps of a start. Where one fails the mark, which is the last, stays: the next command tries again. Never rejects. */
export async function takeDown(deps: EngineDeps, id: SessionId, undo: readonly (() => Promise<void>)[], isLeft: boolean): Promise<void> {
  // Its layers may still be mounted: all of it is left to the next command.
  if (isLeft) return;
  const { closeMs } = deps.deadlines ?? DEADLINES;
  const steps = [...undo].reverse();
  let failed = false;
  for (const [index, step] of steps.entries()) {
    if (failed && index === steps.length - 1) return;
    try {
      await within((async () => step())(), closeMs, "cleaning up");
    } catch (cause) {
      failed = true;
      deps.telemetry.warn("clean-up of a failed start", { session: id, cause: printable(String(cause)) });
    }
  }
}
