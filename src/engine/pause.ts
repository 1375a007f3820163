// Pausing a session, by hand or by policy: what runs is frozen where it stands, nothing new begins, and time does not count until somebody
// resumes it.

import { printable, type CallId } from "../core/shared/index.js";
import { breakSession, faultOf } from "./break-off.js";
import { within, type StoppedTime } from "./deadline.js";
import type { LiveSession } from "./live.js";
import { freezeProcesses, thawProcesses } from "./processes.js";

export interface PauseState {
  /** Since when, by the clock; null while it goes on. */
  since: number | null;
  /** All the time it was paused before. */
  beforeMs: number;
  /** The call that runs in the sandbox just now; null between them. */
  running: CallId | null;
  /** Settles when it goes on: with the person who said so, or null where nobody did and it only ends. */
  over: Promise<string | null>;
  goOn: (by: string | null) => void;
  /** One order after the other. */
  turn: Promise<unknown>;
  /** Takes no orders of other processes any more. */
  deaf: () => void;
}

export function notPaused(): PauseState {
  return { since: null, beforeMs: 0, running: null, over: Promise.resolve(null), goOn: () => undefined, turn: Promise.resolve(), deaf: () => undefined };
}

/** Time as far as it counts for a call. */
export function stoppedTime({ pause, deps }: Pick<LiveSession, "pause" | "deps">): StoppedTime {
  return { isStopped: () => pause.since !== null, stoppedMs: () => pause.beforeMs + (pause.since === null ? 0 : deps.clock.elapsedMs() - pause.since) };
}

/** Waits while the session is paused; an abort ends the wait. */
export async function whilePaused({ pause }: Pick<LiveSession, "pause">, signal: AbortSignal): Promise<void> {
  while (pause.since !== null && !signal.aborted) {
    let stop = (): void => undefined;
    const aborted = new Promise<null>((resolve) => (stop = () => resolve(null)));
    signal.addEventListener("abort", stop, { once: true });
    await Promise.race([pause.over, aborted]);
    signal.removeEventListener("abort", stop);
  }
}

/** Stops what runs and holds what would begin, on record. False where it is paused already. What cannot be frozen ends with its session. */
export function pauseSession(live: LiveSession, by: string, reason: string | null): Promise<boolean> {
  return inTurn(live, async () => {
    const { pause } = live;
    if (pause.since !== null || live.broken !== null || live.stopped !== null) return false;
    // First of all, so that nothing begins meanwhile.
    pause.since = live.deps.clock.elapsedMs();
    pause.over = new Promise((resolve) => {
      pause.goOn = resolve;
    });
    const call = pause.running;
    if (call !== null) await stopped(live, async () => Promise.all([live.sandbox.pause?.(), freezeProcesses(live)]));
    await live.append([{ call: null, type: "session.paused", data: { by: printable(by, 200), reason: reason === null ? null : printable(reason, 400), call } }]);
    return true;
  });
}

/** What resumes a paused session: a person, or the guard because something has to end. */
type Resumer = "person" | "guard";

/** Lets it go on, on record. False where it is not paused. Only a person's word answers a pause by policy. */
export function resumeSession(live: LiveSession, by: string, resumer: Resumer = "person"): Promise<boolean> {
  return inTurn(live, async () => {
    const { pause } = live;
    if (pause.since === null) return false;
    const pausedMs = Math.round(live.deps.clock.elapsedMs() - pause.since);
    if (live.broken === null && live.stopped === null) {
      await live.append([{ call: null, type: "session.resumed", data: { by: printable(by, 200), pausedMs } }]);
      await stopped(live, async () => {
        await live.sandbox.resume?.();
        if (pause.running !== null) await thawProcesses(live);
      });
    }
    pause.beforeMs += pausedMs;
    pause.since = null;
    pause.goOn(resumer === "person" ? printable(by, 100) : null);
    return true;
  });
}

function inTurn<T>({ pause }: LiveSession, work: () => Promise<T>): Promise<T> {
  const turn = pause.turn.then(work);
  pause.turn = turn.catch(() => undefined);
  return turn;
}

/** A sandbox that can neither be frozen nor thawed is ended: nobody could say what runs in it. */
async function stopped(live: LiveSession, work: () => Promise<unknown>): Promise<void> {
  try {
    await within(work(), live.deadlines.graceMs, "freezing or thawing the sandbox");
  } catch (error) {
    const fault = faultOf(error, "the sandbox could not be frozen or thawed");
    await breakSession(live, fault.message);
    // Nothing is left that could be held.
    live.pause.since = null;
    live.pause.goOn(null);
    throw fault;
  }
}
