// Long synchronous file work, cut into slices: the event loop (the sandbox's channel, signals) gets its turn between.

import { GuardError } from "../../core/shared/index.js";

const SLICE_MS = 12;

/** Call `due()` often; when it is true, await `pause()`. Throws CANCELLED once the signal is aborted. */
export interface Breath {
  due(): boolean;
  pause(): Promise<void>;
}

export function createBreath(signal: AbortSignal): Breath {
  let sliceEnd = performance.now() + SLICE_MS;
  const check = (): void => {
    if (signal.aborted) throw new GuardError("CANCELLED", "looking through the workspace was cancelled");
  };
  check();
  return {
    due: () => performance.now() >= sliceEnd,
    pause: async () => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      check();
      sliceEnd = performance.now() + SLICE_MS;
    },
  };
}
