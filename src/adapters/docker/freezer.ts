// Freezes one container from outside, guard and all, by the engine's control group: nothing inside can undo it. One step after the other.

import type Docker from "dockerode";
import type { SandboxChannel } from "./channel.js";
import { engineCall } from "./engine-call.js";

const FREEZE_MS = 10_000;

export interface Freezer {
  /** Resolves when nothing of it runs. Rejects where that cannot be had; what became of it is then not known. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  readonly isFrozen: () => boolean;
}

export function createFreezer(container: Docker.Container, channel: Pick<SandboxChannel, "hold">): Freezer {
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
          if (!(await container.inspect()).State.Paused) throw new Error("the engine did not freeze it");
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
