// rf-list of this installation, asked for folders one after the other: what it tells is handed on as it comes.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { GuardError, printable } from "../../core/shared/index.js";
import { packageFile } from "../system/package-root.js";
import { pathOfRaw, rawBytes, type Raw } from "./raw-path.js";

/** Folders that are asked for in one write. */
const BATCH = 16;

/** The rf-list program of this installation, or null when it was not built. */
export function findListProgram(): string | null {
  const program = packageFile("dist", "runtime", "bin", "rf-list");
  return existsSync(program) ? program : null;
}

export interface FolderLister<T> {
  /** Asks for a folder; `of` comes back with each of its entries. */
  ask(raw: Raw, of: T): void;
  /** Everything that was asked for was told. */
  isDone(): boolean;
  /** Waits until more was told; false when the program failed. Rejects with what an entry's taker threw, with WORKSPACE_UNREADABLE and with CANCELLED. */
  more(): Promise<boolean>;
  stop(): void;
}

/**
 * @param take gets a letter and a name; of a link what it says too, behind a NUL byte
 * @param signal ends it; whoever waits gets CANCELLED
 */
export function openFolderLister<T>(program: string, root: Raw, signal: AbortSignal, take: (of: T, entry: string) => void): FolderLister<T> {
  const child = spawn(program, [rawBytes(root).toString("utf8")], { stdio: ["pipe", "pipe", "ignore"], env: {} });
  const asked: { readonly raw: Raw; readonly of: T }[] = [];
  const state: { done: number; rest: string; unsent: string[]; isOver: boolean; error: Error | null; wake: (() => void) | null } = { done: 0, rest: "", unsent: [], isOver: false, error: null, wake: null };
  const wake = (): void => {
    state.wake?.();
    state.wake = null;
  };
  const send = (): void => {
    if (state.unsent.length > 0) child.stdin.write(rawBytes(state.unsent.join("")));
    state.unsent = [];
  };
  const end = (status: string): void => {
    const folder = asked[state.done];
    if (status !== "k" && status !== "m") throw new GuardError("WORKSPACE_UNREADABLE", `cannot list \`${printable(pathOfRaw(folder?.raw ?? ""))}\`: error ${status.slice(1)}`);
    state.done += 1;
  };
  const onEntry = (entry: string): void => {
    const folder = asked[state.done];
    if (folder === undefined) throw new Error("rf-list told what nobody asked");
    take(folder.of, entry);
  };
  const over = (): void => {
    state.isOver = true;
    wake();
  };
  child.stdout.on("data", (chunk: Buffer) => {
    if (state.error !== null) return;
    try {
      state.rest = records(state.rest + chunk.toString("latin1"), onEntry, end);
    } catch (error) {
      state.error = error instanceof Error ? error : new Error(String(error));
    }
    wake();
  });
  const cancel = (): void => {
    state.error ??= new GuardError("CANCELLED", "looking through the workspace was cancelled");
    wake();
  };
  signal.addEventListener("abort", cancel, { once: true });
  child.stdin.on("error", () => undefined);
  child.once("error", over);
  child.once("close", over);
  return {
    ask: (raw, of) => {
      asked.push({ raw, of });
      state.unsent.push(`${raw}\0`);
      if (state.unsent.length >= BATCH) send();
    },
    isDone: () => state.done >= asked.length && state.error === null,
    more: async () => {
      send();
      const before = state.done;
      if (state.done < asked.length && state.error === null && !state.isOver) await new Promise<void>((resolve) => (state.wake = resolve));
      if (state.error !== null) throw state.error;
      return !state.isOver || state.done > before;
    },
    stop: () => {
      state.wake = null;
      signal.removeEventListener("abort", cancel);
      child.kill("SIGKILL");
    },
  };
}

/** Hands on every whole record; gives what is left over. */
function records(text: string, entry: (text: string) => void, end: (status: string) => void): string {
  let at = 0;
  for (;;) {
    const first = text.indexOf("\0", at);
    const letter = text.charAt(at);
    const stop = first >= 0 && letter === "l" ? text.indexOf("\0", first + 1) : first;
    if (stop < 0) return text.slice(at);
    if (letter === ".") end(text.slice(at + 1, stop));
    else entry(text.slice(at, stop));
    at = stop + 1;
  }
}
