// What a start has made on the engine, and how it is taken away again, also when the start was given up half way.

import type Docker from "dockerode";
import { killFrozen, killHostProcess, type HostProcess } from "./host-kill.js";
import { removeContainer, removeVolume } from "./remove.js";

/** What a start has made so far. */
export interface Made {
  /** Process 1 as this machine sees it. */
  process: HostProcess | null;
  /** Settles when the engine has answered the last request to make something, whether anybody still waited for it or not. Never rejects. */
  making: Promise<unknown>;
}

/** An engine that hangs is not waited for longer than this. */
const ANSWER_MS = 10_000;

export function nothingMade(): Made {
  return { process: null, making: Promise.resolve() };
}

/**
 * A request that makes something. It is never cut off: the engine would go on, and make it after it was looked for to be removed. A
 * container that came so late held its volume until the next command.
 */
export function making<T>(made: Made, request: Promise<T>): Promise<T> {
  made.making = request.catch(() => undefined);
  return request;
}

/** Removes container, then volume. Rejects when the engine does not, and is then owed. */
export function removal(docker: Docker, name: string, made: Readonly<Made>, owed: Set<() => Promise<void>>, hasVolume = true): () => Promise<void> {
  const remove = async (): Promise<void> => {
    // Before anything is asked of an engine that may be gone, or hang.
    if (made.process !== null) {
      killFrozen(made.process);
      killHostProcess(made.process);
    }
    owed.add(remove);
    await settled(made.making);
    await removeContainer(docker, name);
    if (hasVolume) await removeVolume(docker, name);
    owed.delete(remove);
  };
  return remove;
}

function settled(request: Promise<unknown>): Promise<unknown> {
  const timer: { id: NodeJS.Timeout | null } = { id: null };
  const over = new Promise<void>((resolve) => (timer.id = setTimeout(resolve, ANSWER_MS)));
  return Promise.race([request, over]).finally(() => {
    if (timer.id !== null) clearTimeout(timer.id);
  });
}
