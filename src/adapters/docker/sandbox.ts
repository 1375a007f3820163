// One sandbox on a Docker engine: calls over its channel, files through the runtime's tool, everything removed at the end.

import { randomBytes } from "node:crypto";
import { DATA_PAYLOAD_BYTES, START_PAYLOAD_BYTES, encodeStart, type ExitMessage, type StartOrder } from "../../core/channel/index.js";
import type { Control } from "../../core/session/event.js";
import { GuardError, printable } from "../../core/shared/index.js";
import type { ProcessRequest, SandboxProcess } from "../../ports/process.js";
import type { FileOp, FileOpResult, OutputSink, ReadResult, RunRequest, RunResult, Sandbox, SandboxEnd, SandboxSpec, ScratchName } from "../../ports/sandbox.js";
import type { CallEnd, CallOrder, SandboxChannel } from "./channel.js";
import { diskLimits } from "./container-options.js";
import { createDiskWatch } from "./disk-watch.js";
import { refuseUnstartable, startProcess, type BesideOrder, type Companion } from "./companion.js";
import { asSize, asTyped, createFeed, onTerminal, writeTo } from "./feed.js";
import type { Freezer } from "./freezer.js";
import { signalName } from "./signal-name.js";
import { readProbeAgain } from "./self-test.js";
import { travellingNonce } from "./tar-volume.js";
import { createProgramLog } from "./program-log.js";
import { answerText, changeOrder, parseAnswers, parseList, readOrder, type FileAnswer } from "./file-batch.js";

/** Longest time of one batch of file operations. */
const FILES_MS = 120_000;
/** Most bytes of orders in one batch; more are sent one after the other. */
const BATCH_BYTES = 64 * 1024 * 1024;
/** The program of the runtime that tries what the agent must not be able to do; the longest time it may take, and most of what it says. */
const PROBE = "/.ringfence/bin/rf-probe";
const PROBE_MS = 30_000;
const PROBE_BYTES = 64 * 1024;
/** Most of the file tool's own words in an answer. */
const REASON_BYTES = 1024;

export interface SandboxParts {
  readonly spec: SandboxSpec;
  readonly imageId: string;
  readonly engine: Sandbox["engine"];
  /** What was tested inside this very container. */
  readonly controls: readonly Control[];
  readonly channel: SandboxChannel;
  readonly hide: NonNullable<Sandbox["hide"]>;
  /** Opens a container beside this one, for a program that outlives its call. */
  readonly openBeside: (order: BesideOrder) => Promise<Companion>;
  readonly freezer: Freezer;
  /** Removes what was made on the engine; rejects where something may be left. */
  readonly remove: () => Promise<void>;
}

/** Puts the parts of a started sandbox together. */
export function createSandbox(parts: SandboxParts): Sandbox {
  const { channel, spec } = parts;
  // What is sent lies on the engine's disk, which nobody here can look at while a call runs.
  const disk = spec.workspace.kind === "tar" ? { start: () => () => undefined } : createDiskWatch(spec.workspace, diskLimits(spec.limits));
  const state: { closing: Promise<void> | null; scratch: readonly ScratchName[] | null; judgedAs: string | null } = { closing: null, scratch: [], judgedAs: null };
  // Where following turned out to be impossible nothing is asked about either: the control says so.
  const records = parts.controls.some(({ id, state: held }) => id === "programs-recorded" && held === "attested");
  const record = records ? (spec.record ?? "off") : "off";
  const ended: Promise<SandboxEnd> = channel.ended.then((detail) => (state.closing === null ? { reason: "broken", detail } : { reason: "closed" }));

  const files = async (orders: readonly (readonly Uint8Array[])[], outputBytes: number, signal: AbortSignal, root: string = spec.root): Promise<readonly FileAnswer[]> => {
    const out: Uint8Array[] = [];
    const errors: Uint8Array[] = [];
    const payload = encodeStart({ kind: "files", argv: [], cwd: root, environment: [], hasStdin: true, timeoutMs: FILES_MS, outputBytes });
    const io = { stdin: orders.flat(), onStdout: (bytes: Uint8Array) => out.push(bytes.slice()), onStderr: (bytes: Uint8Array) => errors.push(bytes.slice()) };
    const exit = noteScratch(await channel.call({ payload, timeoutMs: FILES_MS, outputBytes }, io, signal));
    if (exit.ended === "cancelled") throw new GuardError("CANCELLED", "a file operation was cancelled");
    try {
      if (exit.exitCode === 0 && exit.quiescent) return parseAnswers(Buffer.concat(out), orders.length);
      throw new GuardError("SANDBOX_BROKEN", `the file tool failed (${exit.ended}, code ${exit.exitCode}): ${printable(Buffer.concat(errors).toString("utf8"))}`);
    } catch (cause) {
      // What the files are now cannot be told: nothing more may run here.
      channel.end(cause instanceof Error ? cause.message : String(cause));
      throw cause;
    }
  };

  /** Keeps what the guard said of the names in the folders in memory. */
  function noteScratch({ exit, scratch }: CallEnd): ExitMessage {
    if (exit.scratch === "none") state.scratch = [];
    else if (exit.scratch === "new") state.scratch = parseList(scratch);
    else if (exit.scratch === "unknown") state.scratch = null;
    return exit;
  }

  const time: { goOn: () => void } = { goOn: () => undefined };
  const processes = new Set<SandboxProcess>();
  const write = async (ops: readonly FileOp[], signal: AbortSignal): Promise<void> => {
    const [answer] = await files(ops.map(changeOrder), REASON_BYTES, signal);
    if (answer?.code !== "done") throw new GuardError("SANDBOX_FAILED", "the workspace cannot be written, so a container beside it cannot be tested");
  };
  /** The proof that both stand on the same workspace: a file that this one writes is read, and taken away, by the other. */
  const openProcess = async (request: ProcessRequest, sink: OutputSink, signal: AbortSignal): Promise<SandboxProcess> => {
    refuseUnstartable(request);
    const nonce = travellingNonce();
    await write([{ op: "write", path: nonce.name, content: Buffer.from(nonce.content, "latin1"), mode: 0o600 }], signal);
    let companion: Companion;
    try {
      companion = await parts.openBeside({ nonce, signal });
    } finally {
      await write([{ op: "remove", path: nonce.name }], new AbortController().signal);
    }
    const opened = await startProcess(companion, request, sink, disk, record === "off" ? null : createProgramLog(record, request.judge));
    processes.add(opened);
    void opened.ended.then(() => processes.delete(opened));
    if (state.closing !== null) await opened.close();
    return opened;
  };
  const hide: NonNullable<Sandbox["hide"]> = async (paths) => {
    const all = await Promise.all([parts.hide(paths), ...[...processes].map((one) => one.hide(paths))]);
    return paths.map((_path, index) => (all.some((results) => results[index] === "failed") ? "failed" : (all[0]?.[index] ?? "failed")));
  };
  // One that has no session any more serves nobody.
  void channel.ended.then(() => Promise.allSettled([...processes].map((one) => one.close())));

  return {
    imageId: parts.imageId,
    engine: parts.engine,
    openProcess,
    pause: async () => {
      const { isHeard, goOn } = await channel.stopTime();
      time.goOn = goOn;
      if (!isHeard) throw new GuardError("SANDBOX_FAILED", "the guard does not answer, so its time cannot be stopped");
      await parts.freezer.freeze();
    },
    resume: async () => {
      await parts.freezer.thaw();
      time.goOn();
      time.goOn = () => undefined;
    },
    hide,
    controls: parts.controls,
    ended,
    run: async (request, sink, signal) => {
      const refusal = unstartable(request);
      if (refusal !== null) return refuseLikeKernel(request, refusal, sink);
      const judge = records ? request.judge : undefined;
      // Where programs are followed the kernel holds this one before its first instruction, and making it ready takes no time of its own.
      const isHeld = request.beforeStart !== undefined && record !== "off";
      const order = callOrder(request, { isHeld, ...(judge === undefined ? {} : { judge: judge.key === state.judgedAs ? "known" : "anew" }) });
      if (order.payload.length > START_PAYLOAD_BYTES) return refuseLikeKernel(request, "Argument list too long", sink);
      const begun: { promise: Promise<void> | null } = { promise: null };
      const begin = (): Promise<void> => (begun.promise ??= request.beforeStart?.() ?? Promise.resolve());
      if (!isHeld && !signal.aborted) await begin();
      if (signal.aborted) return nothingRan();
      const stdin = request.stdin === null ? [] : pieces(request.stdin);
      // One signal of our own: a composed one would be held by the caller's, which may live as long as the session.
      const ending = new AbortController();
      const end = (): void => ending.abort();
      const found: { full: boolean } = { full: false };
      const feed = request.terminal === undefined ? null : createFeed();
      let detach = (): void => undefined;
      signal.addEventListener("abort", end, { once: true });
      const stop = disk.start(() => {
        found.full = true;
        end();
      }, request.addedBytes);
      try {
        state.judgedAs = judge?.key ?? state.judgedAs;
        const programs = createProgramLog(record, judge);
        const call = channel.call(isHeld ? { ...order, beforeStart: begin } : order, { stdin, ...(feed === null ? {} : { feed }), onStdout: sink.stdout, onStderr: sink.stderr, onPrograms: programs.take }, ending.signal);
        detach = feed === null ? detach : (request.terminal?.input.attach((bytes) => writeTo(feed, asTyped(bytes)), (rows, columns) => void writeTo(feed, asSize(rows, columns))) ?? detach);
        const exit = noteScratch(await call);
        // It may have been ended before it began.
        await begin();
        const result: RunResult = record === "off" ? runResult(exit) : { ...runResult(exit), programs: programs.log() };
        return found.full && exit.ended === "cancelled" && !signal.aborted ? { ...result, limit: "disk" } : result;
      } finally {
        detach();
        stop();
        signal.removeEventListener("abort", end);
      }
    },
    attest: async (signal) => {
      const out: Uint8Array[] = [];
      // The name is one that nobody has: the probe takes away what it is given.
      const argv = [PROBE, spec.root, `.ringfence-${randomBytes(16).toString("hex")}`, "1"];
      const payload = encodeStart({ kind: "program", argv, cwd: "/", environment: [], hasStdin: false, timeoutMs: PROBE_MS, outputBytes: PROBE_BYTES });
      noteScratch(await channel.call({ payload, timeoutMs: PROBE_MS, outputBytes: PROBE_BYTES }, { stdin: [], onStdout: (bytes: Uint8Array) => out.push(bytes.slice()), onStderr: () => undefined, onPrograms: createProgramLog(record, undefined).take }, signal));
      return readProbeAgain(Buffer.concat(out).toString("latin1"), { uid: spec.uid, gid: spec.gid, root: spec.root, hasDisk: false });
    },
    readFile: async (path, limitBytes, signal) => {
      if (signal.aborted) throw new GuardError("CANCELLED", "a file operation was cancelled");
      const [answer] = await files([readOrder(path, limitBytes)], limitBytes + REASON_BYTES, signal);
      if (answer === undefined) throw new GuardError("SANDBOX_BROKEN", "the file tool did not answer");
      if (answer.code === "done") return { ok: true, content: new Uint8Array(answer.bytes), mode: answer.mode };
      return { ok: false, reason: answer.code, detail: answerText(answer) } satisfies ReadResult;
    },
    apply: async (ops, signal) => {
      const results: FileOpResult[] = [];
      for (const batch of batches(ops)) {
        if (signal.aborted) throw new GuardError("CANCELLED", "a file operation was cancelled");
        const answers = await files(batch.map(changeOrder), batch.length * REASON_BYTES, signal);
        results.push(...answers.map((answer) => (answer.code === "done" ? null : answerText(answer))));
      }
      return results;
    },
    listScratch: async (signal) => {
      if (signal.aborted) throw new GuardError("CANCELLED", "looking at the sandbox's own folders was cancelled");
      if (state.scratch === null) throw new GuardError("SANDBOX_FAILED", "the sandbox's own folders hold more than is looked at");
      return state.scratch;
    },
    removeScratch: async (paths, signal) => {
      const orders = paths.map((path) => changeOrder({ op: "remove", path: path.slice(1) }));
      const answers = await files(orders, orders.length * REASON_BYTES, signal, "/");
      return answers.map((answer) => (answer.code === "done" ? null : answerText(answer)));
    },
    close: () => {
      state.closing ??= (async () => {
        channel.end("closed");
        const left = (await Promise.allSettled([...processes].map((one) => one.close()))).find((result) => result.status === "rejected");
        await parts.remove();
        if (left !== undefined) throw left.reason;
      })();
      return state.closing;
    },
  };
}

function callOrder({ argv, cwd, environment, stdin, terminal, timeoutMs, outputBytes }: RunRequest, judged: Pick<StartOrder, "judge" | "isHeld">): CallOrder {
  const order: StartOrder = { ...judged, kind: "program", argv: onTerminal(argv, terminal ?? null), cwd, environment: Object.entries(environment), hasStdin: stdin !== null || terminal !== undefined, timeoutMs, outputBytes };
  return { payload: encodeStart(order), timeoutMs, outputBytes };
}

/** An empty input is still an input that ends: one empty piece. */
function pieces(bytes: Uint8Array): readonly Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let at = 0; at < bytes.length || list.length === 0; at += DATA_PAYLOAD_BYTES) list.push(bytes.subarray(at, at + DATA_PAYLOAD_BYTES));
  return list;
}

/** Why the kernel would refuse to start this, seen before it is sent: null when it would not. */
function unstartable(request: RunRequest): string | null {
  const texts = [request.cwd, ...request.argv, ...Object.entries(request.environment).flat()];
  if (request.argv.length === 0) return "no program was named";
  return texts.some((text) => text.includes("\0")) ? "Invalid argument" : null;
}

function refuseLikeKernel(request: RunRequest, why: string, sink: OutputSink): RunResult {
  const line = Buffer.from(`${printable(request.argv[0] ?? "")}: ${why}\n`);
  sink.stderr(line);
  return { ...nothingRan(), exitCode: 126, ended: "exit", stderrBytes: line.length };
}

function nothingRan(): RunResult {
  return { exitCode: null, signal: null, ended: "cancelled", durationMs: 0, stdoutBytes: 0, stderrBytes: 0, stdoutDropped: 0, stderrDropped: 0, killed: 0, quiescent: true };
}

function runResult(exit: ExitMessage): RunResult {
  const { exitCode, ended, durationMs, stdoutBytes, stderrBytes, stdoutDropped, stderrDropped, killed, quiescent } = exit;
  const limit = exit.limit === undefined ? {} : { limit: exit.limit };
  return { exitCode, signal: exit.signal === null ? null : signalName(exit.signal), ended, durationMs, stdoutBytes, stderrBytes, stdoutDropped, stderrDropped, killed, quiescent, ...limit };
}

/** Splits operations so that no batch holds more than the limit. */
function batches(ops: readonly FileOp[]): readonly (readonly FileOp[])[] {
  const list: FileOp[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const op of ops) {
    const bytes = op.op === "write" ? op.content.length : 0;
    const last = list.at(-1);
    if (last === undefined || size + bytes > BATCH_BYTES || last.length >= 1000) {
      list.push([op]);
      size = bytes;
    } else {
      last.push(op);
      size += bytes;
    }
  }
  return list;
}
