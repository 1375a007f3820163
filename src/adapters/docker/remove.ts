// Removes what a sandbox left on the engine. Safe to repeat: what is gone already is done.

import type Docker from "dockerode";
import { engineCall, statusOf } from "./engine-call.js";

const REMOVE_MS = 30_000;
const POLL_MS = 20;

/** Ends and removes a container; waits until the engine no longer knows it. */
export async function removeContainer(docker: Docker, name: string): Promise<void> {
  await engineCall({ what: "removing the container", limitMs: REMOVE_MS }, async (signal) => {
    while (!signal.aborted) {
      try {
        await docker.getContainer(name).remove({ force: true, v: true });
        return;
      } catch (cause) {
        if (statusOf(cause) === 404) return;
        // 409: it is being removed already, because it ended by itself
        if (statusOf(cause) !== 409) throw cause;
      }
      await pause(POLL_MS);
    }
  });
}

/** Removes a volume; waits while a dying container still holds it. */
export async function removeVolume(docker: Docker, name: string): Promise<void> {
  await engineCall({ what: "removing the volume", limitMs: REMOVE_MS }, async (signal) => {
    while (!signal.aborted) {
      try {
        await docker.getVolume(name).remove();
        return;
      } catch (cause) {
        if (statusOf(cause) === 404) return;
        if (statusOf(cause) !== 409) throw cause;
      }
      await pause(POLL_MS);
    }
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
