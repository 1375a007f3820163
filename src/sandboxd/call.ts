// One call from start to proof: streams under credit, its own deadline, every process ended and counted at the end.
// A fault of ours is never told as the command's result: it ends the container instead.

import { STREAM_WINDOW_BYTES, type ExitMessage, type Message, type StartMessage, type StreamName } from "../core/channel/index.js";
import type { Killer } from "./killer.js";
import type { SpawnExit, Spawner } from "./spawner.js";
import type { LimitWatch } from "./limit-watch.js";
import type { Tasks } from "./tasks.js";

/** After an order to kill, how long until it is given again: a process that was just being started may have been missed. */
const KILL_AGAIN_MS = 20;
/** How long the dead may take to vanish from the kernel's count. */
const SETTLE_MS = 3_000;
/** How long a killed process may take to be reported before this sandbox gives up on itself. */
const KILL_LIMIT_MS = 10_000;

export interface CallDeps {
  readonly spawner: Spawner;
  readonly killer: Killer;
  readonly tasks: Tasks;
  readonly limits: LimitWatch;
  readonly send: (stream: number, message: Message) => void;
  readonly sendFirst: (stream: number, message: Message) => void;
  /** Ends sandboxd, and with it the container. */
  readonly fail: (reason: string) => void;
}

export interface RunningCall {
  readonly stream: number;
  readonly input: (bytes: Uint8Array) => void;
  readonly endInput: () => void;
  readonly credit: (of: StreamName, bytes: number) => void;
  /** Ends every process of the call; the exit message then says `cancelled`. */
  readonly cancel: () => void;
}

/** Output of one stream: delivered up to the limit, the rest counted and its credit given back at once. */
interface Outlet {
  bytes: number;
  dropped: number;
}

/** Starts a call; `onDone` is called once the exit message was sent and the next call may begin. */
export function startCall(stream: number, order: StartMessage, deps: CallDeps, onDone: () => void): RunningCall {
  const { spawner, killer, tasks } = deps;
  const startedAt = performance.now();
  deps.limits.mark();
  const outlets: Readonly<Record<"stdout" | "stderr", Outlet>> = { stdout: { bytes: 0, dropped: 0 }, stderr: { bytes: 0, dropped: 0 } };
  let ended: ExitMessage["ended"] = "exit";
  let killed = 0;
  let exited = false;

  const onOutput = (of: "stdout" | "stderr", bytes: Uint8Array): void => {
    const outlet = outlets[of];
    const room = Math.max(0, order.outputBytes - (outlet.bytes - outlet.dropped));
    const kept = bytes.subarray(0, room);
    outlet.bytes += bytes.length;
    outlet.dropped += bytes.length - kept.length;
    if (kept.length > 0) deps.send(stream, { type: of, bytes: kept });
    if (kept.length < bytes.length) spawner.credit(of, bytes.length - kept.length);
  };

  const killTree = async (why: "timeout" | "cancelled"): Promise<void> => {
    if (exited || ended !== "exit") return;
    ended = why;
    killed = tasks.strangers();
    const giveUpAt = performance.now() + KILL_LIMIT_MS;
    while (!exited) {
      await killer.killAll();
      await pause(KILL_AGAIN_MS);
      if (!exited && performance.now() > giveUpAt) return deps.fail("a killed process was not reported as ended");
    }
  };

  const finish = async (exit: SpawnExit): Promise<void> => {
    exited = true;
    clearTimeout(timer);
    if (exit.kind === "fault") return deps.fail("a process of the agent could not be started");
    const durationMs = performance.now() - startedAt;
    if (ended !== "exit") await killer.idle();
    const rest = tasks.quiet() ? 0 : await endRest(killer, tasks);
    const limit = deps.limits.reached(exit.kind === "signal" ? exit.signal : null);
    deps.send(stream, {
      type: "exit",
      exitCode: exit.kind === "code" ? exit.code : null,
      signal: exit.kind === "signal" ? exit.signal : null,
      ended,
      stdoutBytes: outlets.stdout.bytes,
      stderrBytes: outlets.stderr.bytes,
      stdoutDropped: outlets.stdout.dropped,
      stderrDropped: outlets.stderr.dropped,
      killed: killed + (rest ?? 0),
      quiescent: rest !== null,
      durationMs,
      ...(limit === null ? {} : { limit }),
    });
    onDone();
  };

  const timer = setTimeout(() => void killTree("timeout"), order.timeoutMs);
  spawner.start(
    stream,
    { argv: order.argv, cwd: order.cwd, environment: order.environment, hasStdin: order.hasStdin, windowBytes: STREAM_WINDOW_BYTES },
    {
      onOutput,
      onInputTaken: (bytes) => deps.sendFirst(stream, { type: "credit", of: "stdin", bytes }),
      onExit: (exit) => void finish(exit).catch((error: unknown) => deps.fail(String(error))),
    },
  );
  return {
    stream,
    input: (bytes) => spawner.write(bytes),
    endInput: () => spawner.endInput(),
    credit: (of, bytes) => spawner.credit(of, bytes),
    cancel: () => void killTree("cancelled"),
  };
}

/** Ends what a call left behind. The number of processes found, or null when it cannot be proved that none is left. */
async function endRest(killer: Killer, tasks: Tasks): Promise<number | null> {
  const found = tasks.strangers();
  const giveUpAt = performance.now() + SETTLE_MS;
  while (performance.now() < giveUpAt) {
    await killer.killAll();
    for (let look = 0; look < 20; look += 1) {
      if (tasks.quiet()) return found;
      await pause(1);
    }
  }
  return null;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
