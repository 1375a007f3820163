// A program that outlives its call, in a container beside the session's. Freezing is the engine's control group of that container: nothing
// inside can undo it, its own guard is frozen with it, and no process of it can have been started meanwhile.

import type Docker from "dockerode";
import { encodeStart } from "../../core/channel/index.js";
import { GuardError, printable } from "../../core/shared/index.js";
import type { ProcessEnd, ProcessRequest, SandboxProcess } from "../../ports/process.js";
import type { HideResult, OutputSink } from "../../ports/sandbox.js";
import type { CallEnd, SandboxChannel } from "./channel.js";
import type { DiskWatch } from "./disk-watch.js";
import { asTyped, createFeed, onTerminal, writeTo } from "./feed.js";
import { createFreezer } from "./freezer.js";
import type { Nonce } from "./nonce.js";
import type { ProgramLogger } from "./program-log.js";
import { signalName } from "./signal-name.js";


/** What a session's own container is asked for again: a container beside it, for a program that outlives its call. */
export interface BesideOrder {
  /** Lies in the workspace; the new container reads it and takes it away. */
  readonly nonce: Nonce;
  readonly signal: AbortSignal;
}

/** A container that stands ready, with its guard. */
export interface Companion {
  readonly channel: SandboxChannel;
  readonly container: Docker.Container;
  readonly hide: (paths: readonly string[]) => Promise<readonly HideResult[]>;
  readonly remove: () => Promise<void>;
}

/** Starts the program in it and freezes it. On a failure the container is removed. */
export async function startProcess(companion: Companion, request: ProcessRequest, sink: OutputSink, disk: DiskWatch, programs: ProgramLogger | null): Promise<SandboxProcess> {
  const { channel, container, remove } = companion;
  const { cwd, environment, terminal, lifeMs, outputBytes } = request;
  const argv = onTerminal(request.argv, terminal);
  const payload = encodeStart({ kind: "program", argv, cwd, environment: Object.entries(environment), hasStdin: true, timeoutMs: lifeMs, outputBytes, ...(programs === null || request.judge === undefined ? {} : { judge: "anew" as const }) });
  const feed = createFeed();
  const state: { closing: Promise<void> | null; isFull: boolean; unwatch: () => void } = { closing: null, isFull: false, unwatch: () => undefined };
  const freezer = createFreezer(container, channel);
  const ending = new AbortController();
  const watchDisk = (): void => {
    state.unwatch = disk.start(() => {
      state.isFull = true;
      ending.abort();
    });
  };
  const close = (): Promise<void> => {
    state.unwatch();
    state.closing ??= (async () => {
      channel.end("closed");
      await remove();
    })();
    return state.closing;
  };
  const freeze = async (): Promise<void> => {
    if (state.closing !== null) return;
    state.unwatch();
    // Where it ended meanwhile there is nothing left to freeze.
    await freezer.freeze().catch(async (cause: unknown) => {
      if (!(await endedBy(call))) throw cause;
    });
  };
  const thaw = async (): Promise<void> => {
    if (!freezer.isFrozen() || state.closing !== null) return;
    await freezer.thaw();
    watchDisk();
  };
  watchDisk();
  const call: Promise<ProcessEnd> = channel.call({ payload, timeoutMs: lifeMs, outputBytes }, { stdin: [], feed, onStdout: sink.stdout, onStderr: sink.stderr, ...(programs === null ? {} : { onPrograms: programs.take }) }, ending.signal).then(
    (end) => ({ ...endOf(end, state.isFull), ...(programs === null ? {} : { programs: programs.log() }) }),
    (error: unknown): ProcessEnd => ({ reason: state.closing === null ? "fault" : "killed", exitCode: null, signal: null, detail: state.closing === null ? printable(error instanceof Error ? error.message : String(error), 300) : null }),
  );
  // Whatever its end was, its container goes with it.
  const ended = call.then(async (end) => {
    await close().catch(() => undefined);
    return end;
  });
  return {
    ended,
    write: (bytes) => writeTo(feed, terminal === null ? bytes : asTyped(bytes)),
    endInput: () => {
      feed.ended = true;
      feed.wake();
    },
    freeze,
    thaw,
    hide: companion.hide,
    close,
  };
}

/** Tells whether it has ended by now. */
function endedBy(call: Promise<ProcessEnd>): Promise<boolean> {
  return Promise.race([call.then(() => true), new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 1_000))]);
}

function endOf({ exit }: CallEnd, isFull: boolean): ProcessEnd {
  const signal = exit.signal === null ? null : signalName(exit.signal);
  const limit = isFull ? "disk" : exit.limit;
  const byLimit = isFull || (exit.limit !== undefined && (signal === "SIGKILL" || signal === "SIGXFSZ"));
  if (byLimit) return { reason: "limit", exitCode: exit.exitCode, signal, detail: `${limit ?? "a"} limit of its sandbox` };
  if (exit.ended === "refused") return { reason: "killed", exitCode: exit.exitCode, signal, detail: "a program of it was refused" };
  const reason = exit.ended === "exit" ? "exit" : exit.ended === "timeout" ? "timeout" : "killed";
  // A program that puts itself into the background ends at once: whoever started it would look for it in vain.
  const left = reason === "exit" && exit.killed > 0 ? `${exit.killed === 1 ? "a process" : `${String(exit.killed)} processes`} that it left behind ${exit.killed === 1 ? "was" : "were"} ended with it` : null;
  return { reason, exitCode: exit.exitCode, signal, detail: limit === undefined ? left : `the ${limit} limit of its sandbox was reached` };
}

/** Refuses what the kernel would, before a container is made for it. */
export function refuseUnstartable(request: ProcessRequest): void {
  const texts = [request.cwd, ...request.argv, ...Object.entries(request.environment).flat()];
  if (request.argv.length === 0 || texts.some((text) => text.includes("\0"))) throw new GuardError("SANDBOX_FAILED", "a process whose words the kernel does not take");
}
