// Freezes one container from outside, guard and all, by the engine's control group: nothing inside can undo it. One step after the other.

import type Docker from "dockerode";
import type { SandboxChannel } from "./channel.js";
import { engineCall } from "./engine-call.js";

const FREEZE_MS = 10_000;
/**
 * How often, and how long apart in milliseconds, the engine is asked whether it is so. It hears of each change from its runtime a moment later: where
 * one follows the other, news of the thaw before may come after the order to freeze, and stand until the news of the freezing.
 */
const PATIENCE = { looks: 100, everyMs: 20 } as const;

export interface Freezer {
  /** Resolves when nothing of it runs. Rejects where that cannot be had; what became of it is then not known. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  readonly isFrozen: () => boolean;
}

export function createFreezer(container: Docker.Container, channel: Pick<SandboxChannel, "hold">, patience: { readonly looks: number; readonly everyMs: number } = PATIENCE): Freezer {
  const state: { frozen: boolean; turn: Promise<void> } = { frozen: false, turn: Promise.resolve() };
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = state.turn.then(work);
    state.turn = turn.catch(() => undefined);
    return turn;
  };
  return {
    isFrozen: () => state.frozen,
    freeze: () =>
      inTurn(async () => {
        if (state.frozen) return;
        channel.hold(true);
        await engineCall({ what: "freezing a container", limitMs: FREEZE_MS }, async () => {
          await container.pause();
          // The engine's answer is not the proof: what it says of the container afterwards is.
          for (let look = 1; !(await container.inspect()).State.Paused; look += 1) {
            if (look >= patience.looks) throw new Error("the engine did not freeze it");
            await new Promise((resolve) => setTimeout(resolve, patience.everyMs));
          }
        });
        state.frozen = true;
      }),
    thaw: () =>
      inTurn(async () => {
        if (!state.frozen) return;
        await engineCall({ what: "thawing a container", limitMs: FREEZE_MS }, () => container.unpause());
        state.frozen = false;
        channel.hold(false);
      }),
  };
}
