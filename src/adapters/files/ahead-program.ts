// rf-ahead of this installation: has the kernel read folders from the disk, many at a time, before somebody asks for them.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { packageFile } from "../system/package-root.js";
import { rawBytes, type Raw } from "./raw-path.js";

/** The rf-ahead program of this installation, or null when it was not built. */
export function findAheadProgram(): string | null {
  const program = packageFile("dist", "runtime", "bin", "rf-ahead");
  return existsSync(program) ? program : null;
}

/** Longest that anybody waits for it, in milliseconds: a disk that does not answer holds up no start by this. */
const WAIT_MS = 10_000;

export interface Ahead {
  /** Settles when they were read, the program ended otherwise, or it took too long; never rejects. */
  readonly done: Promise<void>;
  readonly stop: () => void;
}

/**
 * Has the folders below `root` read: what the kernel keeps of each (`look`), or all there are, with the names in them (`list`). Whatever
 * fails, only time is lost.
 */
export function openAhead(program: string, root: Raw, what: { readonly look: Iterable<Raw> } | "list", waitMs: number = WAIT_MS): Ahead {
  const child = spawn(program, [what === "list" ? "list" : "look", rawBytes(root).toString("utf8")], { stdio: ["pipe", "ignore", "ignore"], env: {} });
  const stop = (): void => void child.kill("SIGKILL");
  const done = new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      stop();
      // One that waits for the disk may not end even then.
      resolve();
    }, waitMs);
    const over = (): void => {
      clearTimeout(timer);
      resolve();
    };
    child.once("error", over);
    child.once("close", over);
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(what === "list" ? "\0" : rawBytes([...what.look].map((raw) => `${raw}\0`).join("")));
  return { done, stop };
}
