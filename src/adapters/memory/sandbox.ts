// The in-memory twin of the sandbox: runs nothing, answers from a script, and fails on order. For tests of the engine.
// Keeps the port's contract wherever no fault was ordered.

import { GuardError, type ErrorCode } from "../../core/shared/index.js";
import type { Control } from "../../core/session/event.js";
import type { FileOp, FileOpResult, OutputSink, ReadResult, RunLimit, RunRequest, RunResult, Sandbox, SandboxEnd, SandboxProvider, SandboxSpec } from "../../ports/sandbox.js";
import type { ProcessRequest } from "../../ports/process.js";
import { createMemoryProcess, type MemoryProcess, type ScriptedProcess } from "./process.js";
import { applyNode, readNode } from "./sandbox-files.js";
import type { MemoryTree } from "./workspace.js";

/** What a scripted program does. Left out: nothing printed, exit code 0, nothing changed. */
export interface ScriptedRun {
  readonly stdout?: string | Uint8Array;
  readonly stderr?: string | Uint8Array;
  readonly exitCode?: number | null;
  readonly signal?: string | null;
  /** Prints back what it gets as input, before the rest. */
  readonly echoes?: boolean;
  /** Prints what stands here, then runs until it is stopped. */
  readonly runsForever?: boolean;
  readonly killed?: number;
  readonly quiescent?: boolean;
  /** Programs that it executes in turn, by their arguments. */
  readonly executes?: readonly (readonly string[])[];
  /** The limit it runs into. */
  readonly limit?: RunLimit;
  /** What the program does to the workspace, links and odd files included. */
  readonly changes?: (tree: MemoryTree, request: RunRequest) => void;
  /** The container dies instead of the program ending. */
  readonly breaks?: string;
}

/** Answers a request; null is a program that does not exist. */
export type SandboxScript = (request: RunRequest) => ScriptedRun | null;

/** A fault of one method: it throws, never answers, or answers what is not so. */
export type SandboxFault<T> =
  | { readonly kind: "throw"; readonly error: Error }
  | { readonly kind: "hang" }
  | { readonly kind: "lie"; readonly result: T };

export interface SandboxFaults {
  readonly open?: SandboxFault<Sandbox>;
  readonly run?: SandboxFault<RunResult>;
  readonly readFile?: SandboxFault<ReadResult>;
  readonly apply?: SandboxFault<readonly FileOpResult[]>;
  readonly close?: SandboxFault<undefined>;
}

export interface MemorySandboxOptions {
  readonly treeOf: (spec: SandboxSpec) => MemoryTree;
  readonly script?: SandboxScript;
  /** Looked up at every call, so that a test can change them between calls. */
  readonly faults?: () => SandboxFaults;
  readonly controls?: readonly Control[];
  /** What outlives its call; null is a program that cannot be opened. Left out: nothing can. */
  readonly pausable?: boolean;
  readonly processes?: (request: ProcessRequest) => ScriptedProcess | null;
  /** What a test of the controls sees while the sandbox runs; left out: nothing can be tested again. */
  readonly attested?: () => readonly Control[] | Promise<readonly Control[]>;
}

export interface MemorySandbox extends Sandbox {
  /** Every request seen, oldest first. */
  readonly requests: readonly RunRequest[];
  /** Every file operation seen, oldest first. */
  readonly operations: readonly FileOp[];
  /** What came as input while commands ran. */
  readonly typed: readonly string[];
  /** How it was paused and resumed. */
  readonly pauses: readonly string[];
  /** Every process opened, oldest first. */
  readonly processes: readonly MemoryProcess[];
  readonly closed: boolean;
  /** The container dies now. */
  readonly breakNow: (detail: string) => void;
}

export interface MemorySandboxProvider extends SandboxProvider {
  /** Every sandbox opened, oldest first. */
  readonly opened: readonly MemorySandbox[];
}

const CONTROL_IDS = ["caps-empty", "no-new-privs", "seccomp", "rootfs-read-only", "no-network", "guard-unreachable", "processes-limited", "memory-limited", "disk-limited", "workspace-copy"];

/** A provider whose sandboxes follow a script. */
export function createMemorySandboxProvider(options: MemorySandboxOptions): MemorySandboxProvider {
  const opened: MemorySandbox[] = [];
  return {
    opened,
    open: async (spec, signal) => {
      const lie = await fault(options.faults?.().open, signal);
      if (lie !== undefined) return lie;
      if (signal.aborted) throw new GuardError("CANCELLED", "opening the sandbox was cancelled");
      const sandbox = createMemorySandbox(spec, options);
      spec.onStarting?.();
      opened.push(sandbox);
      return sandbox;
    },
  };
}

/** Applies an ordered fault; undefined when there is none. A hang ends only by the signal, as CANCELLED. */
function fault<T>(ordered: SandboxFault<T> | undefined, signal: AbortSignal | null): Promise<T | undefined> {
  if (ordered === undefined) return Promise.resolve(undefined);
  if (ordered.kind === "throw") return Promise.reject(ordered.error);
  if (ordered.kind === "lie") return Promise.resolve(ordered.result);
  return new Promise((_resolve, reject) => {
    const cancel = (): void => reject(new GuardError("CANCELLED", "a hanging call was cancelled"));
    if (signal?.aborted === true) cancel();
    else signal?.addEventListener("abort", cancel, { once: true });
  });
}

function createMemorySandbox(spec: SandboxSpec, options: MemorySandboxOptions): MemorySandbox {
  const tree = options.treeOf(spec);
  const requests: RunRequest[] = [];
  const operations: FileOp[] = [];
  const processes: MemoryProcess[] = [];
  const pauses: string[] = [];
  const typed: string[] = [];
  const state: { end: SandboxEnd | null; busy: boolean } = { end: null, busy: false };
  const listeners: ((end: SandboxEnd) => void)[] = [];
  const ended = new Promise<SandboxEnd>((resolve) => listeners.push(resolve));
  const finish = (end: SandboxEnd): void => {
    if (state.end !== null) return;
    state.end = end;
    for (const listener of listeners.splice(0)) listener(end);
  };

  /** One call at a time, none after the end, and a death of the container ends the call. */
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    const broken = (): GuardError => failure("SANDBOX_BROKEN", `the sandbox has ended: ${state.end?.reason === "broken" ? state.end.detail : "closed"}`);
    if (state.end !== null) throw broken();
    if (state.busy) throw failure("INTERNAL_BUG", "a second call while one is running");
    state.busy = true;
    try {
      const dead = new Promise<never>((_resolve, reject) => listeners.push(() => reject(broken())));
      return await Promise.race([work(), dead]);
    } finally {
      state.busy = false;
    }
  };

  return {
    imageId: `sha256:${"0".repeat(64)}`,
    engine: { name: "memory", version: "1", runtime: "none" },
    controls: options.controls ?? CONTROL_IDS.map((id) => ({ id, state: "attested", detail: "in memory" })),
    ended,
    requests,
    operations,
    processes,
    pauses,
    typed,
    ...(options.pausable === true ? { pause: async () => void pauses.push("pause"), resume: async () => void pauses.push("resume") } : {}),
    ...(options.processes === undefined
      ? {}
      : {
          openProcess: (request: ProcessRequest, sink: OutputSink) =>
            guarded(async () => {
              const script = options.processes?.(request) ?? null;
              if (script === null) throw failure("SANDBOX_FAILED", "the container could not be started");
              const opened = createMemoryProcess(request, sink, script);
              processes.push(opened);
              return opened;
            }),
        }),
    get closed() {
      return state.end?.reason === "closed";
    },
    ...(options.attested === undefined ? {} : { attest: () => guarded(async () => options.attested?.() ?? []) }),
    breakNow: (detail) => finish({ reason: "broken", detail }),
    run: (request, sink, signal) =>
      guarded(async () => {
        if (!signal.aborted) await request.beforeStart?.();
        requests.push(request);
        const lie = await fault(options.faults?.().run, signal);
        if (lie !== undefined) return lie;
        const scripted = options.script?.(request) ?? null;
        if (scripted?.breaks !== undefined) {
          finish({ reason: "broken", detail: scripted.breaks });
          throw failure("SANDBOX_BROKEN", `the sandbox has ended: ${scripted.breaks}`);
        }
        const detach = request.terminal?.input.attach((bytes) => typed.push(new TextDecoder().decode(bytes)) > 0, (rows, columns) => void typed.push(`size ${rows} ${columns}`));
        return play(scripted, { request, sink, signal, tree }).finally(() => detach?.());
      }),
    readFile: (path, limitBytes, signal) =>
      guarded(async () => {
        const lie = await fault(options.faults?.().readFile, signal);
        if (signal.aborted) throw failure("CANCELLED", "a file operation was cancelled");
        return lie ?? readNode(tree, path, limitBytes);
      }),
    apply: (ops, signal) =>
      guarded(async () => {
        operations.push(...ops);
        const lie = await fault(options.faults?.().apply, signal);
        if (signal.aborted) throw failure("CANCELLED", "a file operation was cancelled");
        return lie ?? ops.map((op) => applyNode(tree, op));
      }),
    close: async () => {
      await fault(options.faults?.().close, null);
      finish({ reason: "closed" });
    },
  };
}

function failure(code: ErrorCode, message: string): GuardError {
  return new GuardError(code, message);
}

interface Performance {
  readonly request: RunRequest;
  readonly sink: OutputSink;
  readonly signal: AbortSignal;
  readonly tree: MemoryTree;
}

/** Everything a script executes up to what is refused, as a sandbox that records tells it. */
function executed(scripted: ScriptedRun, { argv, cwd, judge }: RunRequest): Pick<RunResult, "programs"> & { readonly refused: boolean } {
  if (scripted.executes === undefined) return { refused: false };
  const end = { atMs: 1, exitCode: 0, signal: null, replaced: false };
  const programs = [argv, ...scripted.executes].map((words, index) => ({ number: index + 1, parent: index === 0 ? 0 : 1, replaced: false, atMs: 0, image: `/usr/bin/${words[0] ?? ""}`, cwd, argv: words, cut: false, end }));
  const bad = programs.findIndex((program) => program.number > 1 && judge?.allows(program) === false);
  return { refused: bad >= 0, programs: { record: "exec", programs: bad < 0 ? programs : programs.slice(0, bad + 1), writes: [], dropped: { programs: 0, writes: 0 } } };
}

async function play(scripted: ScriptedRun | null, { request, sink, signal, tree }: Performance): Promise<RunResult> {
  if (signal.aborted) return result(NO_OUTPUT, NO_OUTPUT, { ended: "cancelled", exitCode: null });
  if (scripted === null) {
    const name = request.argv[0] ?? "";
    const why = name.includes("/") ? "No such file or directory" : "command not found";
    return result(NO_OUTPUT, deliver(bytesOf(`${name}: ${why}\n`), request.outputBytes, sink.stderr), { exitCode: 127 });
  }
  const input = scripted.echoes === true && request.stdin !== null ? request.stdin : new Uint8Array(0);
  const out = deliver(joined(input, bytesOf(scripted.stdout ?? "")), request.outputBytes, sink.stdout);
  const err = deliver(bytesOf(scripted.stderr ?? ""), request.outputBytes, sink.stderr);
  scripted.changes?.(tree, request);
  const { killed = 0, quiescent = true } = scripted;
  const { refused, ...told } = executed(scripted, request);
  if (refused) return result(out, err, { exitCode: null, signal: "SIGKILL", ended: "refused", killed, quiescent, ...told });
  const limit = scripted.limit === undefined ? {} : { limit: scripted.limit };
  if (scripted.runsForever === true) {
    const ended = await stopped(request.timeoutMs, signal);
    return result(out, err, { exitCode: null, signal: "SIGKILL", ended, durationMs: ended === "timeout" ? request.timeoutMs : 1, killed: Math.max(1, killed), quiescent });
  }
  return result(out, err, { exitCode: scripted.exitCode === undefined ? (scripted.signal == null ? 0 : null) : scripted.exitCode, signal: scripted.signal ?? null, killed, quiescent, ...limit, ...told });
}

interface Delivered {
  readonly bytes: number;
  readonly dropped: number;
}

const NO_OUTPUT: Delivered = { bytes: 0, dropped: 0 };

function result(out: Delivered, err: Delivered, rest: Partial<RunResult>): RunResult {
  return {
    exitCode: 0,
    signal: null,
    ended: "exit",
    durationMs: 1,
    stdoutBytes: out.bytes,
    stderrBytes: err.bytes,
    stdoutDropped: out.dropped,
    stderrDropped: err.dropped,
    killed: 0,
    quiescent: true,
    ...rest,
  };
}

function deliver(bytes: Uint8Array, limit: number, to: (chunk: Uint8Array) => void): Delivered {
  const kept = bytes.subarray(0, limit);
  if (kept.length > 0) to(kept);
  return { bytes: bytes.length, dropped: bytes.length - kept.length };
}

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? new TextEncoder().encode(text) : text;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** Waits for the deadline or the abort, whichever comes first. */
function stopped(timeoutMs: number, signal: AbortSignal): Promise<"timeout" | "cancelled"> {
  return new Promise((resolve) => {
    const cancel = (): void => {
      clearTimeout(timer);
      resolve("cancelled");
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", cancel);
      resolve("timeout");
    }, timeoutMs);
    signal.addEventListener("abort", cancel, { once: true });
  });
}
