// Signs of life over a line that goes through an engine: an engine, a proxy or a network in between may fall silent without a word, and the
// engine's shim keeps the container's input open when both ends of it are dead. A direct line needs none: the kernel closes it.

/** One sign a second; the guard ends itself after 15 silent ones under a call (RF_SILENCE_CALL in sandboxd/native/heartbeat.h). */
const BEAT_MS = 1_000;
/** Beats without one byte from the guard until it counts as gone. More than its own: a container short of memory may be slow to answer. */
const SILENT_BEATS = 60;

export interface Heartbeat {
  /** Something came from the guard. */
  readonly heard: () => void;
  /** No beat is sent or counted while the guard is frozen: it counts none itself. */
  readonly hold: (isFrozen: boolean) => void;
  readonly stop: () => void;
}

/**
 * Sends a sign each second and counts those after which nothing came. Counted by beats, at most one each time the event loop comes to it:
 * neither a machine that slept nor a program that was busy brings the end nearer. Keeps no process alive.
 * @param lost called once, when the guard counts as gone
 */
export function startHeartbeat(ping: () => void, lost: (reason: string) => void): Heartbeat {
  let silent = 0;
  let held = false;
  const timer = setInterval(() => {
    if (held) return;
    silent += 1;
    if (silent <= SILENT_BEATS) return ping();
    clearInterval(timer);
    lost(`nothing was heard of it for ${SILENT_BEATS} seconds`);
  }, BEAT_MS);
  timer.unref();
  return { heard: () => void (silent = 0), hold: (isFrozen) => ((held = isFrozen), (silent = 0), undefined), stop: () => clearInterval(timer) };
}
