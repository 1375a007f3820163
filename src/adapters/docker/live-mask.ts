// Lays an empty file or folder over names of a running sandbox, from outside: for a secret that came to be in the user's folder
// after it was mounted. Works where the container's processes are seen from here and we are root.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { encodeName, isWorkspacePath } from "../../core/reconcile/names.js";
import type { HideResult } from "../../ports/sandbox.js";

const LIMIT_MS = 10_000;
/** Most names of one order; rf-hide takes as many. */
const A_BATCH = 256;

export interface LiveMaskInput {
  readonly runtimeDir: string;
  /** A process of the container, as this machine numbers it. */
  readonly pid: number;
  readonly root: string;
  readonly blanks: { readonly file: string; readonly folder: string };
}

/** Hides names, in order. Never rejects: what cannot be done is `failed`. */
export async function hideLive(input: LiveMaskInput, paths: readonly string[]): Promise<readonly HideResult[]> {
  const results: HideResult[] = [];
  for (let at = 0; at < paths.length; at += A_BATCH) results.push(...(await hideBatch(input, paths.slice(at, at + A_BATCH))));
  return results;
}

function hideBatch({ runtimeDir, pid, root, blanks }: LiveMaskInput, paths: readonly string[]): Promise<readonly HideResult[]> {
  const failed = paths.map((): HideResult => "failed");
  const program = join(runtimeDir, "bin", "rf-hide");
  if (!existsSync(program) || !paths.every(isWorkspacePath)) return Promise.resolve(failed);
  return new Promise((resolve) => {
    const child = spawn(program, [String(pid), root, blanks.file, blanks.folder], { stdio: ["pipe", "pipe", "ignore"], env: {} });
    const answers: Buffer[] = [];
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    const end = (code: number | null): void => {
      clearTimeout(timer);
      const bytes = Buffer.concat(answers);
      resolve(code === 0 && bytes.length === paths.length ? [...bytes].map(resultOf) : failed);
    };
    child.stdout.on("data", (chunk: Buffer) => answers.push(chunk));
    child.stdin.on("error", () => undefined);
    child.once("error", () => end(null));
    child.once("close", end);
    child.stdin.end(Buffer.concat(paths.flatMap((path) => [Buffer.from(encodeName(path)), Buffer.from([0])])));
  });
}

function resultOf(byte: number): HideResult {
  if (byte === 0x79) return "hidden";
  return byte === 0x61 ? "absent" : "failed";
}
