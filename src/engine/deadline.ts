// Deadlines of what the engine waits for. The adapters have their own; these are the last line, so that one that hangs
// breaks the session instead of holding it for ever.

import { GuardError } from "../core/shared/index.js";

/** All in milliseconds. */
export interface Deadlines {
  /** One read or one change of a file by an edit tool. */
  readonly filesMs: number;
  /** Looking at the changes of a call, undoing what is forbidden and reading back. */
  readonly settleMs: number;
  /** Ending a sandbox. */
  readonly closeMs: number;
  /** Starting or stopping the watcher, whose hints are never evidence. */
  readonly watchMs: number;
  /** What a sandbox gets past the time limit of a call, or past an abort, before it counts as hanging. */
  readonly graceMs: number;
}

export const DEADLINES: Deadlines = { filesMs: 180_000, settleMs: 120_000, closeMs: 90_000, watchMs: 5_000, graceMs: 30_000 };

/** What stops the clock of a wait: time in which nothing may run does not count. */
export interface StoppedTime {
  readonly isStopped: () => boolean;
  /** All the time it was stopped so far, in milliseconds. */
  readonly stoppedMs: () => number;
}

/** How often a wait that is over is looked at again while time stands still. */
const LOOK_MS = 500;

/** An abort shortens the wait to `graceMs` from then on. */
export interface Impatience {
  readonly signal: AbortSignal;
  readonly graceMs: number;
  readonly time?: StoppedTime;
}

/**
 * The work's own outcome, or SANDBOX_FAILED after `ms`. What comes later is dropped, a late rejection included.
 * @param what the work in words, for the message
 */
export function within<T>(work: Promise<T>, ms: number, what: string, impatience: Impatience | null = null): Promise<T> {
  return new Promise((resolve, reject) => {
    const time = impatience?.time;
    let counted = time?.stoppedMs() ?? 0;
    const late = (): void => {
      const stopped = time?.stoppedMs() ?? 0;
      const wait = time?.isStopped() === true ? LOOK_MS : stopped - counted;
      if (wait <= 0) return finish(() => reject(new GuardError("SANDBOX_FAILED", `${what} did not end in time`)));
      if (time?.isStopped() !== true) counted = stopped;
      timer = setTimeout(late, wait);
    };
    let timer = setTimeout(late, ms);
    const hurry = (): void => {
      clearTimeout(timer);
      timer = setTimeout(late, Math.min(ms, impatience?.graceMs ?? ms));
    };
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      impatience?.signal.removeEventListener("abort", hurry);
      settle();
    };
    if (impatience?.signal.aborted === true) hurry();
    else impatience?.signal.addEventListener("abort", hurry, { once: true });
    work.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error as Error)),
    );
  });
}
