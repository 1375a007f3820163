// The orchestrator's end of the channel into one sandbox: one call at a time, output under credit, a deadline on everything.
// What arrives is hostile until parsed; one malformed byte ends the channel and with it the sandbox.

import type { Duplex } from "node:stream";
import {
  DATA_PAYLOAD_BYTES,
  FRAME,
  STREAM_WINDOW_BYTES,
  createCreditReturn,
  createCreditWindow,
  createFrameParser,
  decodeMessage,
  encodeFrame,
  encodeMessage,
  type CreditWindow,
  type ExitMessage,
  type HelloMessage,
  type Message,
} from "../../core/channel/index.js";
import { GuardError, assertNever, printable } from "../../core/shared/index.js";
import { createDockerDemux } from "./docker-stream.js";
import { startHeartbeat, type Heartbeat } from "./heartbeat.js";

/** After the deadline of a call, or an order to kill, how long sandboxd may take to answer before the sandbox is given up. */
const ANSWER_MS = 15_000;
/** As long as never, for the guard. */
const MOST_MS = 0xffff_ffff;
/** How long the guard may take to hear that time stands still. */
const HEAR_MS = 1_000;
/** Credit is given back in pieces of this size. */
const RETURN_BYTES = 256 * 1024;
/** Diagnostics of the guard kept for a message. */
const DIAGNOSTIC_CHARS = 2_000;
/** Most bytes of a list of names. */
const SCRATCH_BYTES = 17 * 1024 * 1024;

/** One call, ready to be sent. */
export interface CallOrder {
  /** From `encodeStart`. */
  readonly payload: Uint8Array;
  readonly timeoutMs: number;
  readonly outputBytes: number;
  /**
   * For an order that is held: called when it was sent. The program runs once this resolves, and its time with it; when it rejects the call
   * is ended, and nothing of it ran.
   */
  readonly beforeStart?: () => Promise<unknown>;
}

/** Input that comes while the call runs. */
export interface InputFeed {
  /** Waiting pieces, none empty; taken from the front as they are sent. */
  readonly pieces: Uint8Array[];
  ended: boolean;
  /** Tells the channel that there is more, or that it ended; set by the channel. */
  wake: () => void;
}

export interface CallIo {
  readonly stdin: readonly Uint8Array[];
  /** In place of `stdin`. */
  readonly feed?: InputFeed;
  readonly onStdout: (bytes: Uint8Array) => void;
  readonly onStderr: (bytes: Uint8Array) => void;
  /** Records of programs; false when they are malformed. Left out: there are none. */
  readonly onPrograms?: (bytes: Uint8Array, answer: (payload: Uint8Array) => void) => boolean;
}

export interface SandboxChannel {
  /** Resolves with the self-test of the sandbox; rejects SANDBOX_FAILED when it ends before. */
  readonly hello: Promise<HelloMessage>;
  /** Settles once, with the reason. Never rejects. */
  readonly ended: Promise<string>;
  /** Runs one call. Rejects SANDBOX_BROKEN when the channel ends first. Aborting asks for the call's end and waits for it. */
  readonly call: (order: CallOrder, io: CallIo, signal: AbortSignal) => Promise<CallEnd>;
  /** Takes a direct connection of the sandbox in place of the attached stream, which then only carries diagnostics and its end. Before the greeting only. */
  readonly useLine: (socket: Duplex) => void;
  /** The container is frozen, or no longer: silence means nothing meanwhile. */
  readonly hold: (isFrozen: boolean) => void;
  /**
   * Stops the time of the running call, here and in the guard, until the returned function is called. Resolves when the guard has heard
   * of it; false where it did not within a second. Call before the container is frozen, and the function after it is thawed.
   */
  readonly stopTime: () => Promise<{ readonly isHeard: boolean; readonly goOn: () => void }>;
  /** Ends the channel. */
  readonly end: (reason: string) => void;
}

/** The end of a call, with the list of names where it is a new one. */
export interface CallEnd {
  readonly exit: ExitMessage;
  readonly scratch: Uint8Array;
}

interface ActiveCall {
  readonly stream: number;
  readonly io: CallIo;
  /** Bytes of each output that may still come. */
  readonly room: Record<"stdout" | "stderr", number>;
  readonly window: CreditWindow;
  readonly owed: Readonly<Record<"stdout" | "stderr", (bytes: number) => number>>;
  readonly resolve: (end: CallEnd) => void;
  readonly reject: (error: GuardError) => void;
  readonly scratch: Uint8Array[];
  scratchBytes: number;
  /** Input not yet sent: which piece, and from where in it. */
  piece: number;
  offset: number;
  inputEnded: boolean;
  fault: GuardError | null;
  /** Stops its time; the returned function lets it go on. */
  readonly stopTime: () => () => void;
}

interface State {
  over: string | null;
  call: ActiveCall | null;
  streams: number;
  diagnostics: string;
  line: Duplex | null;
  greeted: boolean;
  /** Only where there is no direct line. */
  heartbeat: Heartbeat | null;
  /** Somebody waits for the guard to have heard all that was sent before. */
  answered: (() => void) | null;
}

/** Speaks over an attached container stream, which must be attached before the container starts. */
export function openSandboxChannel(stream: Duplex): SandboxChannel {
  const hello = deferred<HelloMessage>();
  const ended = deferred<string>();
  const state: State = { over: null, call: null, streams: 0, diagnostics: "", line: null, greeted: false, heartbeat: null, answered: null };
  // Nobody may be waiting for the greeting when the channel ends.
  hello.promise.catch(() => undefined);

  const end = (reason: string): void => {
    if (state.over !== null) return;
    const detail = state.diagnostics === "" ? reason : `${reason}; the guard said: ${printable(state.diagnostics.trim(), DIAGNOSTIC_CHARS)}`;
    state.over = detail;
    state.heartbeat?.stop();
    stream.destroy();
    state.line?.destroy();
    const error = new GuardError("SANDBOX_BROKEN", `the sandbox ended: ${detail}`);
    hello.reject(new GuardError("SANDBOX_FAILED", `the sandbox ended while starting: ${detail}`));
    state.call?.reject(error);
    state.call = null;
    ended.resolve(detail);
  };

  const write = (bytes: Uint8Array): void => void (state.line ?? stream).write(bytes);

  const send = (number: number, message: Message): void => {
    if (state.over !== null) return;
    const { type, payload } = encodeMessage(message);
    write(encodeFrame(type, number, payload));
  };

  /** Sends what has come of input that comes bit by bit. */
  const pushFeed = (call: ActiveCall, feed: InputFeed): void => {
    for (let piece = feed.pieces[0]; piece !== undefined; piece = feed.pieces[0]) {
      const size = call.window.take(Math.min(DATA_PAYLOAD_BYTES, piece.length));
      if (size === 0) return;
      send(call.stream, { type: "stdin", bytes: piece.subarray(0, size) });
      if (size < piece.length) feed.pieces[0] = piece.subarray(size);
      else feed.pieces.shift();
    }
    if (!feed.ended || call.inputEnded) return;
    call.inputEnded = true;
    send(call.stream, { type: "stdinEnd" });
  };

  const pushInput = (call: ActiveCall): void => {
    if (call.io.feed !== undefined) return pushFeed(call, call.io.feed);
    while (!call.inputEnded) {
      const piece = call.io.stdin[call.piece];
      if (piece === undefined) {
        call.inputEnded = true;
        if (call.io.stdin.length > 0) send(call.stream, { type: "stdinEnd" });
        return;
      }
      const size = call.window.take(Math.min(DATA_PAYLOAD_BYTES, piece.length - call.offset));
      if (size > 0) send(call.stream, { type: "stdin", bytes: piece.subarray(call.offset, call.offset + size) });
      call.offset += size;
      if (call.offset >= piece.length) {
        call.piece += 1;
        call.offset = 0;
      } else if (size === 0) return;
    }
  };

  const deliver = (call: ActiveCall, of: "stdout" | "stderr", bytes: Uint8Array): void => {
    call.room[of] -= bytes.length;
    if (call.room[of] < 0) return end(`more ${of} than was asked for`);
    try {
      if (of === "stdout") call.io.onStdout(bytes);
      else call.io.onStderr(bytes);
    } catch (cause) {
      // a sink that throws is a bug of ours: end the call, then say so
      call.fault ??= new GuardError("INTERNAL_BUG", "an output sink threw", { cause });
      send(call.stream, { type: "kill" });
    }
    const give = call.owed[of](bytes.length);
    if (give > 0) send(call.stream, { type: "credit", of, bytes: give });
  };

  const take = (number: number, message: Message): void => {
    const call = state.call;
    if (message.type === "hello") {
      state.greeted = true;
      if (state.line === null) state.heartbeat ??= startHeartbeat(() => send(0, { type: "ping" }), end);
      return hello.resolve(message);
    }
    if (message.type === "pong" && state.answered !== null) return state.answered();
    if (message.type === "pong" && state.heartbeat !== null) return;
    if (message.type === "error") return end(printable(message.message, DIAGNOSTIC_CHARS));
    if (call === null || number !== call.stream) return end("a message of no call");
    switch (message.type) {
      case "stdout":
      case "stderr":
        return deliver(call, message.type, message.bytes);
      case "credit":
        call.window.give(message.bytes);
        return pushInput(call);
      case "scratch":
        call.scratchBytes += message.bytes.length;
        if (call.scratchBytes > SCRATCH_BYTES) return end("a longer list of names than is made");
        call.scratch.push(message.bytes.slice());
        return;
      case "programs":
        if (call.io.onPrograms?.(message.bytes, (bytes) => send(number, { type: "verdict", bytes })) === true) return;
        return end("malformed records of programs");
      case "exit":
        state.call = null;
        return call.fault === null ? call.resolve({ exit: message, scratch: Buffer.concat(call.scratch) }) : call.reject(call.fault);
      case "stdin":
      case "stdinEnd":
      case "kill":
      case "bye":
      case "ping":
      case "pong":
      case "verdict":
      case "left":
      case "go":
        return end(`unexpected message ${message.type}`);
      default:
        return assertNever(message);
    }
  };

  const receiver = (): ((bytes: Uint8Array) => void) => {
    const parser = createFrameParser();
    return (bytes) => {
      state.heartbeat?.heard();
      const { frames, error } = parser.push(bytes);
      for (const frame of frames) {
        if (state.over !== null) return;
        const message = decodeMessage(frame);
        if (message === null) return end("a malformed message");
        take(frame.stream, message);
      }
      if (error !== null) end(error);
    };
  };

  /** What ends one of the streams ends the channel: both lead to the same container. */
  const watch = (one: Duplex, name: string): void => {
    one.on("end", () => end("its container stopped"));
    one.on("close", () => end("its container stopped"));
    one.on("error", (error: Error) => end(`the connection to ${name} failed (${printable(error.message)})`));
  };

  const useLine = (socket: Duplex): void => {
    if (state.over !== null || state.greeted || state.line !== null) return void socket.destroy();
    state.line = socket;
    socket.on("data", receiver());
    watch(socket, "the sandbox");
  };

  const attached = receiver();
  const demux = createDockerDemux({
    onStdout: (bytes) => (state.line === null ? attached(bytes) : end("words beside the direct line")),
    onStderr: (bytes) => {
      state.diagnostics = `${state.diagnostics}${Buffer.from(bytes).toString("latin1")}`.slice(-DIAGNOSTIC_CHARS);
    },
    onFault: end,
  });
  stream.on("data", (chunk: Buffer) => demux.push(chunk));
  watch(stream, "the engine");

  const call = (order: CallOrder, io: CallIo, signal: AbortSignal): Promise<CallEnd> =>
    new Promise((resolve, reject) => {
      if (state.over !== null) return reject(new GuardError("SANDBOX_BROKEN", `the sandbox has ended: ${state.over}`));
      if (state.call !== null) return reject(new GuardError("INTERNAL_BUG", "a second call while one is running"));
      state.streams += 1;
      const number = state.streams;
      const timers: NodeJS.Timeout[] = [];
      const { beforeStart } = order;
      const deadline: { at: number; timer: NodeJS.Timeout | undefined; isStopped: boolean } = { at: performance.now() + order.timeoutMs, timer: undefined, isStopped: false };
      const setDeadline = (ms: number): void => {
        clearTimeout(deadline.timer);
        deadline.at = performance.now() + ms;
        deadline.timer = setTimeout(() => end("no answer after the deadline of a call"), ms + ANSWER_MS);
      };
      if (beforeStart === undefined) setDeadline(order.timeoutMs);
      const onAbort = (): void => {
        send(number, { type: "kill" });
        timers.push(setTimeout(() => end("no answer to an order to kill"), ANSWER_MS));
      };
      const done = (): void => {
        clearTimeout(deadline.timer);
        for (const timer of timers) clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
      };
      const active: ActiveCall = {
        stream: number,
        io,
        room: { stdout: order.outputBytes, stderr: order.outputBytes },
        window: createCreditWindow(STREAM_WINDOW_BYTES),
        owed: { stdout: createCreditReturn(RETURN_BYTES), stderr: createCreditReturn(RETURN_BYTES) },
        resolve: (end) => {
          done();
          resolve(end);
        },
        reject: (error) => {
          done();
          reject(error);
        },
        scratch: [],
        scratchBytes: 0,
        piece: 0,
        offset: 0,
        inputEnded: false,
        fault: null,
        stopTime: () => {
          const left = Math.max(1, Math.ceil(deadline.at - performance.now()));
          clearTimeout(deadline.timer);
          deadline.isStopped = true;
          send(number, { type: "left", ms: MOST_MS });
          return () => {
            if (state.call !== active) return;
            deadline.isStopped = false;
            send(number, { type: "left", ms: left });
            setDeadline(left);
          };
        },
      };
      state.call = active;
      if (io.feed !== undefined) io.feed.wake = () => (state.call === active ? pushInput(active) : undefined);
      write(encodeFrame(FRAME.start, number, order.payload));
      const go = (): void => {
        if (state.call !== active || signal.aborted) return;
        if (!deadline.isStopped) setDeadline(order.timeoutMs);
        send(number, { type: "go" });
      };
      if (beforeStart !== undefined) void beforeStart().then(go, () => (state.call === active ? onAbort() : undefined));
      pushInput(active);
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    });

  const stopTime = (): Promise<{ readonly isHeard: boolean; readonly goOn: () => void }> =>
    new Promise((resolve) => {
      const goOn = state.call?.stopTime() ?? (() => undefined);
      const tell = (isHeard: boolean): void => {
        clearTimeout(timer);
        state.answered = null;
        resolve({ isHeard, goOn });
      };
      const timer = setTimeout(() => tell(false), HEAR_MS);
      state.answered = () => tell(true);
      send(0, { type: "ping" });
    });

  return { hello: hello.promise, ended: ended.promise, call, useLine, hold: (isFrozen) => state.heartbeat?.hold(isFrozen), stopTime, end };
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
