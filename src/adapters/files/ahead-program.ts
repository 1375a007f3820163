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

export interface Ahead {
  /** Settles when they were read, or the program ended otherwise; never rejects. */
  readonly done: Promise<void>;
  readonly stop: () => void;
}

/**
 * Has the folders below `root` read: what the kernel keeps of each (`look`), or all there are, with the names in them (`list`). Whatever
 * fails, only time is lost.
 */
export function openAhead(program: string, root: Raw, what: { readonly look: Iterable<Raw> } | "list"): Ahead {
  const child = spawn(program, [what === "list" ? "list" : "look", rawBytes(root).toString("utf8")], { stdio: ["pipe", "ignore", "ignore"], env: {} });
  const done = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("close", () => resolve());
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(what === "list" ? "\0" : rawBytes([...what.look].map((raw) => `${raw}\0`).join("")));
  return { done, stop: () => void child.kill("SIGKILL") };
}
