// A disposable place where one session's calls run. Contract: test/contract/sandbox.contract.ts.

import type { Control } from "../core/session/event.js";
import type { ProcessRequest, SandboxProcess } from "./process.js";

/** What a sandbox starts from. All paths on the host are absolute. */
export interface SandboxSpec {
  readonly sessionId: string;
  readonly image: string;
  /** Heard when all is made and the sandbox only has to start: who has work for this machine's disk does it then. A provider may leave it unheard. */
  readonly onStarting?: () => void;
  /** Prepared by a Workspace; how the user's folder becomes visible inside. */
  readonly workspace: SandboxMount;
  /** Where the workspace is mounted inside. */
  readonly root: string;
  /** Owner of the workspace: the agent's processes run as this user. */
  readonly uid: number;
  readonly gid: number;
  readonly limits: SandboxLimits;
  /** The engine's name of the program that runs containers, such as `runc`, `runsc` or `kata`. Left out: the engine's own. */
  readonly runtime?: string;
  /** What is recorded of the programs a call runs; left out: nothing. */
  readonly record?: RecordSetting;
  /** Names of the workspace that the engine mounts over; every source was checked by the workspace that made them. */
  readonly protect?: readonly ProtectMount[];
  /** An empty file and an empty folder of ours, on the host, to lie over what must not be read. */
  readonly blanks?: { readonly file: string; readonly folder: string };
  /** What a `tar` workspace holds at the start, as an archive whose names belong to `owner`. */
  readonly fill?: (owner: { readonly uid: number; readonly gid: number }, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /** Absolute paths of the image that must not be readable, where it has them. */
  readonly hidden?: readonly string[];
}

/**
 * What is recorded of a call: nothing; every program that was executed; also every file that was opened for writing. Told by the
 * kernel, never by text.
 */
export type RecordSetting = "off" | "exec" | "full";

/** A program that stands before its first instruction. Texts are in the form of core/reconcile/names. */
export interface StartedProgram {
  /** Counts from 1 in a call. */
  readonly number: number;
  /** The program that started it; 0 for the call itself. */
  readonly parent: number;
  /** It took the place of its parent, in the same process. */
  readonly replaced: boolean;
  /** Milliseconds since the call began. */
  readonly atMs: number;
  /** The file that really runs: behind every link, the interpreter of a script, `/memfd:…` for one in memory. */
  readonly image: string;
  readonly cwd: string;
  readonly argv: readonly string[];
  /** There are more arguments than stand here. */
  readonly cut: boolean;
}

/** How a program ended; null where that is not known, `replaced` when another took its place in the process. */
export type ProgramEnd = { readonly atMs: number; readonly exitCode: number | null; readonly signal: string | null; readonly replaced: boolean };

/** What really ran in a call. */
export interface ProgramLog {
  readonly record: RecordSetting;
  /** In the order they were started; arguments are cut to what is kept of them. */
  readonly programs: readonly (StartedProgram & { readonly end: ProgramEnd | null })[];
  /** Regular files that were opened for writing, once a program and file. Empty unless `record` is `full`. */
  readonly writes: readonly { readonly program: number; readonly path: string }[];
  /** What was seen and not kept. */
  readonly dropped: { readonly programs: number; readonly writes: number };
}

/**
 * One read-only mount over a name of the workspace: `read-only` shows the user's own, `mask` an empty file or folder in the
 * place of a secret, `placeholder` what keeps a name from being made.
 */
export interface ProtectMount {
  /** Relative to the root. */
  readonly path: string;
  /** Absolute: on the host, or, where the workspace is sent, from its own folder on the engine. */
  readonly source: string;
  /** `ancestor` is a folder above one of the others, mounted on itself and writable: it cannot be renamed away. */
  readonly kind: "read-only" | "mask" | "placeholder" | "ancestor";
}

/** One name in the sandbox's own writable folders. */
export interface ScratchName {
  /** Absolute, inside, in the text form of core/reconcile/names. */
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "other";
  /** Differs once the name was touched; the agent cannot choose it. */
  readonly stamp: string;
}

/** A copy-on-write view: `lower` is never written, `upper` receives what is changed. */
export interface OverlayMount {
  readonly kind: "overlay";
  readonly lower: readonly string[];
  readonly upper: string;
  readonly work: string;
  /** The disk of the session's own that holds `upper`; left out where it lies on the disk of the state folder. */
  readonly disk?: SessionDisk;
}

/** A copy of its own on the engine, sent as a tar: for an engine that does not see this machine's files. */
export interface TarMount {
  readonly kind: "tar";
}

export type SandboxMount = OverlayMount | TarMount;

/** How the user's folder comes to the engine. */
export type WorkspaceMode = SandboxMount["kind"];

/** A file system of a session's own, in a file that grows: the kernel limits its bytes and its files. */
export interface SessionDisk {
  /** The file, on the host. */
  readonly image: string;
  /** Most bytes and files that fit. */
  readonly bytes: number;
  readonly files: number;
}

export interface SandboxLimits {
  readonly memoryBytes: number;
  readonly processes: number;
  readonly cpus: number;
  /** Size of the private /tmp, in bytes. */
  readonly tmpBytes: number;
  /** Most bytes the calls may add to the workspace, and of any one file. Left out: the adapter's own. */
  readonly diskBytes?: number;
  /** Most files the calls may add to the workspace. Left out: the adapter's own. */
  readonly diskFiles?: number;
}

/** A limit that a call ran into. */
export type RunLimit = "memory" | "processes" | "disk";

/** One command to run as the agent. No shell is added. */
export interface RunRequest {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** null is /dev/null. */
  readonly stdin: Uint8Array | null;
  /** A terminal of this size in place of pipes, and input that comes while it runs. Left out: there is none. */
  readonly terminal?: { readonly rows: number; readonly columns: number; readonly input: RunInput };
  readonly timeoutMs: number;
  /** Most bytes delivered of each stream; the rest is counted and dropped. */
  readonly outputBytes: number;
  /** Most bytes this call may add to the workspace; past it the call is ended as by the `disk` limit, as soon as the sandbox can tell. */
  readonly addedBytes?: number;
  /**
   * Called once, at the latest when nothing else is left to do before the program runs. No instruction of it runs before this resolves; when it
   * rejects none ever does, and `run` rejects with the same. Not called where nothing is started at all. Left out: nothing is waited for.
   */
  readonly beforeStart?: () => Promise<void>;
  /**
   * Asked about each program but the first, before its first instruction, where programs are recorded. Must not throw; false ends the
   * program and the call. Answers may be kept for the very same program, arguments and folder as long as `key` stays the same.
   */
  readonly judge?: { readonly key: string; readonly allows: (program: StartedProgram) => boolean };
}

/** Input that comes while a command runs. */
export interface RunInput {
  /**
   * Called when it starts, with what takes bytes (false, and nothing is taken, when more waits than is kept) and what gives its terminal
   * another size; gives what is called at its end.
   */
  attach(write: (bytes: Uint8Array) => boolean, resize: (rows: number, columns: number) => void): () => void;
}

/** Where output goes while it arrives. Called in order; must not throw. */
export interface OutputSink {
  readonly stdout: (chunk: Uint8Array) => void;
  readonly stderr: (chunk: Uint8Array) => void;
}

export interface RunResult {
  /** null when ended by a signal. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** `refused`: a program of it was, by `judge`. */
  readonly ended: "exit" | "timeout" | "cancelled" | "refused";
  readonly durationMs: number;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  readonly stdoutDropped: number;
  readonly stderrDropped: number;
  /** Processes left over that were killed. */
  readonly killed: number;
  /** Proof that no process of the agent is left. */
  readonly quiescent: boolean;
  /** The limit that was run into, as the kernel counted it; left out when none was. The program need not have ended by it. */
  readonly limit?: RunLimit;
  /** What really ran; left out where nothing is recorded. */
  readonly programs?: ProgramLog;
}

/** An undoing or an edit, done through the mount by the agent's user, no link followed in any component. Paths are relative to the root. */
export type FileOp =
  | { readonly op: "write"; readonly path: string; readonly content: Uint8Array; readonly mode: number }
  | { readonly op: "mkdir"; readonly path: string; readonly mode: number }
  | { readonly op: "symlink"; readonly path: string; readonly target: string }
  | { readonly op: "chmod"; readonly path: string; readonly mode: number }
  | { readonly op: "remove"; readonly path: string };

/** Result of one FileOp, in order: null is done, else the reason, printable. */
export type FileOpResult = string | null;

export type ReadResult =
  | { readonly ok: true; readonly content: Uint8Array; readonly mode: number }
  | { readonly ok: false; readonly reason: "missing" | "link" | "not-a-file" | "too-large" | "refused"; readonly detail: string };

/** `absent`: there is no such name inside now; there may be later. */
export type HideResult = "hidden" | "absent" | "failed";

/** How a sandbox ended. */
export type SandboxEnd = { readonly reason: "closed" } | { readonly reason: "broken"; readonly detail: string };

/**
 * One running sandbox. Calls are made one at a time. Every method throws GuardError SANDBOX_BROKEN once the sandbox
 * has ended; a fault of the sandbox is never reported as a command's result.
 */
export interface Sandbox {
  readonly imageId: string;
  readonly engine: { readonly name: string; readonly version: string; readonly runtime: string };
  /** What was tested inside this very container after it started. */
  readonly controls: readonly Control[];
  /** Settles once, when the sandbox has ended for whatever reason. Never rejects. */
  readonly ended: Promise<SandboxEnd>;
  /** A missing or unexecutable program is an ordinary result with exit code 127 or 126. Aborting kills every process of the call. */
  run(request: RunRequest, sink: OutputSink, signal: AbortSignal): Promise<RunResult>;
  readFile(path: string, limitBytes: number, signal: AbortSignal): Promise<ReadResult>;
  apply(ops: readonly FileOp[], signal: AbortSignal): Promise<readonly FileOpResult[]>;
  /**
   * Hides names of the workspace that came to be below it after it was mounted. Never rejects. Absent: nothing can be hidden
   * while the sandbox runs.
   */
  hide?(paths: readonly string[]): Promise<readonly HideResult[]>;
  /**
   * Every name in the sandbox's own writable folders (home, /tmp …), no link followed. Call only while no process of the agent
   * is alive. Throws SANDBOX_FAILED when there are more than can be looked at. Absent: the sandbox has none.
   */
  listScratch?(signal: AbortSignal): Promise<readonly ScratchName[]>;
  /** Removes names that `listScratch` gave, folders with all in them. */
  removeScratch?(paths: readonly string[], signal: AbortSignal): Promise<readonly FileOpResult[]>;
  /**
   * Tests again, as the agent, what can be tested while the sandbox runs. Call only while no process of the agent is alive. A control that
   * cannot be told to hold is `missing`. Absent: nothing can be tested again.
   */
  attest?(signal: AbortSignal): Promise<readonly Control[]>;
  /**
   * Starts a program that outlives the call; everything of it ends with this sandbox at the latest. Call only while no process of
   * the agent runs. A program that cannot be started ends at once with 126 or 127. Absent: this sandbox has no such processes.
   */
  openProcess?(request: ProcessRequest, sink: OutputSink, signal: AbortSignal): Promise<SandboxProcess>;
  /**
   * Stops the running call where it stands, time included, from outside: nothing inside can undo it. Where none runs, nothing does. Throws
   * SANDBOX_FAILED where that cannot be had. Absent: a call cannot be stopped.
   */
  pause?(): Promise<void>;
  resume?(): Promise<void>;
  /** Idempotent. Removes the container and everything made for it on the engine. */
  close(): Promise<void>;
}

/** Opens sandboxes on one engine. */
export interface SandboxProvider {
  /** Ways this engine can be given a workspace, the best first. Absent: `overlay` alone. */
  modes?(signal: AbortSignal): Promise<readonly WorkspaceMode[]>;
  open(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox>;
  /** The id of the image that a name stands for now; null when there is none. Absent: it cannot be told. */
  imageId?(reference: string, signal: AbortSignal): Promise<string | null>;
}
