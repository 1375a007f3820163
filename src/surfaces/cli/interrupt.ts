// Ctrl-C: the first ends the call and closes the session in order, the second ends the sandbox under it and leaves within
// two seconds, the third leaves. What could not be put in order by then the next command does.

import type { Io } from "./io.js";

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Set a moment after a second signal, when what the first one asked for is still not done. */
  readonly hurry: AbortSignal;
  readonly wasInterrupted: () => boolean;
  release(): void;
}

const LEAVE = 130;
/** After the second signal: what the first began gets this long, then its sandbox is ended under it … */
const PATIENCE_MS = 300;
/** … and after this long nothing is waited for. */
const LEAVE_MS = 1_500;

/** Listens to SIGINT, SIGTERM and SIGHUP until released. */
export function onInterrupt(io: Io): Interrupt {
  const first = new AbortController();
  const second = new AbortController();
  let count = 0;
  const timers: NodeJS.Timeout[] = [];
  const leave = (): void => {
    io.note("left at once; the next command, `ringfence sessions` for one, closes what is open");
    process.exit(LEAVE);
  };
  const listener = (): void => {
    count += 1;
    if (count === 1) {
      io.note("stopping; once more to stop at once");
      first.abort(new Error("interrupted"));
    } else if (count === 2) {
      timers.push(setTimeout(() => second.abort(new Error("interrupted twice")), PATIENCE_MS), setTimeout(leave, LEAVE_MS));
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
      for (const timer of timers) clearTimeout(timer);
      for (const name of signals) process.off(name, listener);
    },
  };
}
