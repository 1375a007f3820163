// The in-memory twin of a process that outlives its call: answers what it is written, and says nothing while it is frozen.

import { GuardError } from "../../core/shared/index.js";
import type { ProcessEnd, ProcessRequest, SandboxProcess } from "../../ports/process.js";
import type { OutputSink } from "../../ports/sandbox.js";

/** What one does. */
export interface ScriptedProcess {
  /** Printed when it starts. */
  readonly greets?: string;
  /** Bytes that it prints behind that. */
  readonly floods?: number;
  /** Its answer to what it is written; null ends it with code 0. */
  readonly answers?: (text: string) => string | null;
  /** Cannot be frozen. */
  readonly slips?: boolean;
  /** Cannot be ended either. */
  readonly stays?: boolean;
}

/** What was asked of it, for tests. */
export interface MemoryProcess extends SandboxProcess {
  readonly request: ProcessRequest;
  readonly journal: string[];
  readonly isFrozen: () => boolean;
}

const PIECE = new Uint8Array(64 * 1024).fill(0x78);

function flood(bytes: number, sink: OutputSink): void {
  for (let left = bytes; left > 0; left -= PIECE.byteLength) sink.stdout(PIECE.subarray(0, Math.min(left, PIECE.byteLength)));
}

export function createMemoryProcess(request: ProcessRequest, sink: OutputSink, script: ScriptedProcess): MemoryProcess {
  const journal: string[] = [];
  const state: { frozen: boolean; end: ProcessEnd | null } = { frozen: false, end: null };
  const listeners: ((end: ProcessEnd) => void)[] = [];
  const ended = new Promise<ProcessEnd>((resolve) => listeners.push(resolve));
  const finish = (end: ProcessEnd): void => {
    if (state.end !== null) return;
    state.end = end;
    for (const listener of listeners) listener(end);
  };
  const say = (text: string): void => sink.stdout(new TextEncoder().encode(text));
  if (script.greets !== undefined) setImmediate(() => say(script.greets ?? ""));
  if (script.floods !== undefined) setImmediate(() => flood(script.floods ?? 0, sink));
  return {
    request,
    journal,
    isFrozen: () => state.frozen,
    ended,
    write: (bytes) => {
      if (state.end !== null) return false;
      const text = new TextDecoder().decode(bytes);
      journal.push(`write ${text}${state.frozen ? " while frozen" : ""}`);
      const answer = script.answers?.(text);
      setImmediate(() => (answer === null ? finish({ reason: "exit", exitCode: 0, signal: null, detail: null }) : say(answer ?? "")));
      return true;
    },
    endInput: () => void journal.push("end of input"),
    freeze: async () => {
      if (script.slips === true) throw new GuardError("SANDBOX_FAILED", "it cannot be frozen");
      if (!state.frozen) journal.push("freeze");
      state.frozen = true;
    },
    thaw: async () => {
      if (state.frozen) journal.push("thaw");
      state.frozen = false;
    },
    hide: async (paths) => paths.map(() => "hidden" as const),
    close: async () => {
      if (script.stays === true) throw new GuardError("SANDBOX_FAILED", "it cannot be ended");
      journal.push("close");
      finish({ reason: "killed", exitCode: null, signal: null, detail: null });
    },
  };
}
