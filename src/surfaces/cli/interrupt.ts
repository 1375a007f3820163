// Ctrl-C: the first ends the call and closes the session in order, the second closes at once, the third leaves.

import type { Io } from "./io.js";

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Set when a second signal asks to hurry. */
  readonly hurry: AbortSignal;
  readonly wasInterrupted: () => boolean;
  release(): void;
}

const LEAVE = 130;

/** Listens to SIGINT, SIGTERM and SIGHUP until released. */
export function onInterrupt(io: Io): Interrupt {
  const first = new AbortController();
  const second = new AbortController();
  let count = 0;
  const listener = (): void => {
    count += 1;
    if (count === 1) {
      io.note("stopping; once more to stop at once");
      first.abort(new Error("interrupted"));
    } else if (count === 2) {
      second.abort(new Error("interrupted twice"));
    } else {
      process.exit(LEAVE);
    }
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of signals) process.on(name, listener);
  return {
    signal: first.signal,
    hurry: second.signal,
    wasInterrupted: () => count > 0,
    release: () => {
      for (const name of signals) process.off(name, listener);
    },
  };
}
