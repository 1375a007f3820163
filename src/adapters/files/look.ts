// The client of rf-look, which tells of a workspace that this machine cannot see. The tool runs where the agent ran: what it
// says is parsed as hostile, and anything but a whole and well-formed answer is a fault of the sandbox.

import type { FileKind } from "../../core/reconcile/change.js";
import { isWorkspacePath } from "../../core/reconcile/names.js";
import { GuardError, LIMITS, count, printable, type Digest } from "../../core/shared/index.js";
import type { OutputSink, RunRequest, RunResult } from "../../ports/sandbox.js";
import { pathOfRaw, rawBytes, type Raw } from "./raw-path.js";

/** Runs one program where the workspace is, as its owner. */
export type LookRunner = (request: RunRequest, sink: OutputSink, signal: AbortSignal) => Promise<RunResult>;

/** One name, as it lies there. */
export interface LookedName {
  readonly raw: Raw;
  readonly kind: FileKind;
  readonly mode: number;
  readonly bytes: number;
  /** Differs once the name was touched: the kernel sets the change time, and nobody can set it back. */
  readonly stamp: string;
  readonly modifiedMs: number;
  /** Text of a link; empty for the rest. */
  readonly target: Raw;
}

export interface LookedDigest {
  readonly digest: Digest;
  /** When it was known the file had been at rest long enough that a later change must show in its stamp. */
  readonly settled: boolean;
}

/** Content of one file, part by part in order; what lies between the parts is zero. */
export interface ContentSink {
  part(offset: number, bytes: Uint8Array): void;
  end(size: number): void;
}

export interface Looker {
  /** Every name below the workspace's folder. Throws WORKSPACE_LIMIT past `LIMITS.scanNames`. */
  list(signal: AbortSignal): Promise<readonly LookedName[]>;
  /** SHA-256 of regular files, in order; null for one that cannot be read by its owner. */
  digests(files: readonly LookedName[], signal: AbortSignal): Promise<readonly (LookedDigest | null)[]>;
  /** Hands the content of regular files to `sinks`, in order. Throws when one is gone or cannot be read. */
  contents(files: readonly Raw[], mostBytes: number, sinks: (index: number) => ContentSink, signal: AbortSignal): Promise<void>;
}

/** Where the runtime carries the tool. */
export const LOOK_PROGRAM = "/.ringfence/bin/rf-look";
const LOOK_MS = 110_000;
/** Bytes of a name in a list beside its path and its target. */
const NAME_HEAD = 46;
/** Kernels before 6.13 stamp files with a clock of up to 10 ms a tick; within it a second write can keep the time. */
const SETTLE_MS = 50;
const LINK_BYTES = 4096;
const PART_BYTES = 65_536;
/** Room for heads and ends of answers. */
const ROOM = 1024 * 1024;
/** Most orders given at once. */
const BATCH = 4_000;
const KINDS = new Map<number, FileKind>(Object.entries({ f: "file", d: "directory", l: "symlink", p: "fifo", s: "socket", b: "device" } as const).map(([letter, kind]) => [letter.charCodeAt(0), kind]));
const CODES = ["done", "missing", "refused", "too-much"] as const;
type Code = (typeof CODES)[number];

/** What an answer is made of; the end comes once an order. */
interface Events {
  readonly name?: (name: LookedName) => void;
  readonly digest?: (digest: Digest, knownMs: number) => void;
  readonly part?: (offset: number, bytes: Uint8Array) => void;
  readonly end: (code: Code, size: number) => void;
}

/** @param root where the workspace is mounted there */
export function createLooker(run: LookRunner, root: string, program: string = LOOK_PROGRAM): Looker {
  const ask = async (orders: readonly Uint8Array[], outputBytes: number, events: Events, signal: AbortSignal): Promise<void> => {
    const parser = createParser(events);
    const errors: Uint8Array[] = [];
    const request: RunRequest = { argv: [program, root, String(LIMITS.scanNames)], cwd: "/", environment: {}, stdin: Buffer.concat(orders), timeoutMs: LOOK_MS, outputBytes: outputBytes + ROOM };
    const result = await run(request, { stdout: parser.push, stderr: (bytes) => void errors.push(bytes.slice()) }, signal);
    if (result.ended === "cancelled") throw new GuardError("CANCELLED", "looking through the workspace was cancelled");
    if (parser.fault() !== null) throw parser.fault();
    const isWhole = result.ended === "exit" && result.exitCode === 0 && result.quiescent && result.stdoutDropped === 0 && parser.ends() === orders.length && parser.isEmpty();
    if (!isWhole) throw broken(`it ended with ${result.exitCode ?? result.signal ?? result.ended} after ${parser.ends()} of ${count(orders.length, "answer")} ${printable(Buffer.concat(errors).toString("utf8"), 200)}`);
  };
  return {
    list: async (signal) => {
      const names: LookedName[] = [];
      const end = (code: Code): void => {
        if (code === "too-much") throw new GuardError("WORKSPACE_LIMIT", `the workspace holds more than ${LIMITS.scanNames} names, or folders nested deeper than can be looked at`);
        if (code !== "done") throw new GuardError("WORKSPACE_UNREADABLE", "the workspace cannot be looked through by its owner");
      };
      await ask([order("L", "")], LIMITS.scanNames * (NAME_HEAD + 200) + LIMITS.pathBytes, { name: (name) => void names.push(name), end }, signal);
      return names;
    },
    digests: async (files, signal) => {
      const out: (LookedDigest | null)[] = [];
      for (let at = 0; at < files.length; at += BATCH) {
        const batch = files.slice(at, at + BATCH);
        let last: LookedDigest | null = null;
        const digest = (value: Digest, knownMs: number): void => {
          last = { digest: value, settled: changedMs(batch[out.length - at]?.stamp ?? "") < knownMs - SETTLE_MS };
        };
        const end = (code: Code): void => {
          if (code === "missing") throw moved(batch[out.length - at]?.raw ?? "");
          out.push(code === "done" ? last : null);
          last = null;
        };
        await ask(batch.map(({ raw }) => order("D", raw)), batch.length * 64, { digest, end }, signal);
      }
      return out;
    },
    contents: async (files, mostBytes, sinks, signal) => {
      let index = 0;
      let left = mostBytes;
      const part = (offset: number, bytes: Uint8Array): void => {
        left -= bytes.length;
        if (left < 0) throw new GuardError("WORKSPACE_LIMIT", `the session changed more than ${mostBytes} bytes`);
        sinks(index).part(offset, bytes);
      };
      for (let at = 0; at < files.length; at += BATCH) {
        const batch = files.slice(at, at + BATCH);
        const end = (code: Code, size: number): void => {
          if (code !== "done") throw moved(files[index] ?? "");
          sinks(index).end(size);
          index += 1;
        };
        await ask(batch.map((raw) => order("C", raw)), Math.max(0, left) * 2 + batch.length * 64, { part, end }, signal);
      }
    },
  };
}

function order(letter: string, raw: Raw): Uint8Array {
  const name = rawBytes(raw);
  const head = Buffer.alloc(5);
  head.write(letter, 0, "latin1");
  head.writeUInt32BE(name.length, 1);
  return Buffer.concat([head, name]);
}

function moved(raw: Raw): GuardError {
  return new GuardError("WORKSPACE_UNREADABLE", `\`${printable(pathOfRaw(raw))}\` changed while it was looked at`, { hint: "a process of the session may still be alive; end the session" });
}

function broken(why: string): GuardError {
  return new GuardError("SANDBOX_BROKEN", `what is in the workspace cannot be told: ${why}`);
}

interface Parser {
  readonly push: (chunk: Uint8Array) => void;
  /** The first thing that was wrong; nothing is taken after it. */
  readonly fault: () => GuardError | null;
  readonly ends: () => number;
  /** Nothing is left over. */
  readonly isEmpty: () => boolean;
}

function createParser(events: Events): Parser {
  const state: { rest: Buffer; fault: GuardError | null; ends: number } = { rest: Buffer.alloc(0), fault: null, ends: 0 };
  const push = (chunk: Uint8Array): void => {
    if (state.fault !== null) return;
    state.rest = state.rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([state.rest, chunk]);
    let at = 0;
    try {
      for (let size = take(state.rest, at, events); size > 0; size = take(state.rest, at, events)) {
        if (state.rest[at] === 0x45) state.ends += 1;
        at += size;
      }
    } catch (error) {
      state.fault = error instanceof GuardError ? error : broken(String(error));
    }
    state.rest = Buffer.from(state.rest.subarray(at));
  };
  return { push, fault: () => state.fault, ends: () => state.ends, isEmpty: () => state.rest.length === 0 };
}

/** Takes one whole piece of an answer; gives its length, 0 when it is not all there yet. */
function take(bytes: Buffer, at: number, events: Events): number {
  const there = bytes.length - at;
  if (there === 0) return 0;
  switch (bytes[at]) {
    case 0x4e: {
      if (there < NAME_HEAD) return 0;
      const length = bytes.readUInt32BE(at + 38);
      const linked = bytes.readUInt32BE(at + 42);
      if (length === 0 || length > LIMITS.pathBytes || linked > LINK_BYTES || events.name === undefined) throw broken("a malformed name");
      if (there < NAME_HEAD + length + linked) return 0;
      events.name(nameAt(bytes, at, length, linked));
      return NAME_HEAD + length + linked;
    }
    case 0x44:
      if (there < 49) return 0;
      if (events.digest === undefined) throw broken("an unasked digest");
      events.digest(`sha256:${bytes.toString("hex", at + 9, at + 41)}`, whole(bytes.readBigUInt64BE(at + 41)));
      return 49;
    case 0x50: {
      if (there < 13) return 0;
      const length = bytes.readUInt32BE(at + 9);
      if (length === 0 || length > PART_BYTES || events.part === undefined) throw broken("a malformed part");
      if (there < 13 + length) return 0;
      events.part(whole(bytes.readBigUInt64BE(at + 1)), bytes.subarray(at + 13, at + 13 + length));
      return 13 + length;
    }
    case 0x45: {
      if (there < 10) return 0;
      const code = CODES[bytes[at + 1] ?? 255];
      if (code === undefined) throw broken("a malformed end");
      events.end(code, whole(bytes.readBigUInt64BE(at + 2)));
      return 10;
    }
    default:
      throw broken("a malformed answer");
  }
}

function nameAt(bytes: Buffer, at: number, length: number, linked: number): LookedName {
  const kind = KINDS.get(bytes[at + 1] ?? 0);
  const raw = bytes.toString("latin1", at + NAME_HEAD, at + NAME_HEAD + length);
  if (kind === undefined || !isWorkspacePath(pathOfRaw(raw))) throw broken("a malformed name");
  return {
    raw,
    kind,
    mode: bytes.readUInt32BE(at + 2) & 0o7777,
    bytes: kind === "file" ? whole(bytes.readBigUInt64BE(at + 6)) : 0,
    stamp: bytes.toString("latin1", at + 1, at + 30),
    modifiedMs: Number(bytes.readBigInt64BE(at + 30) / 1000n) / 1000,
    target: bytes.toString("latin1", at + NAME_HEAD + length, at + NAME_HEAD + length + linked),
  };
}

/** The change time that ends a stamp. */
function changedMs(stamp: string): number {
  if (stamp.length < 8) throw broken("a digest of no file");
  return Number(rawBytes(stamp).readBigUInt64BE(stamp.length - 8) / 1_000_000n);
}

/** A size or a place; the kernel has none past what fits. */
function whole(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw broken("a number out of range");
  return Number(value);
}
