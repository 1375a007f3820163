// rf-mask of this installation as a function. Works on layers of ours only, on the host.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { packageFile } from "../system/package-root.js";
import type { Masker } from "./protect.js";
import { rawBytes } from "./raw-path.js";

const LIMIT_MS = 30_000;

/** The rf-mask program of this installation, or null when it was not built. */
export function findMaskProgram(): string | null {
  const program = packageFile("dist", "runtime", "bin", "rf-mask");
  return existsSync(program) ? program : null;
}

/** Marks names through a program. A program that fails has marked nothing that counts. */
export function createMasker(program: string): Masker {
  return (folder, names) =>
    new Promise((resolve) => {
      const child = spawn(program, [folder], { stdio: ["pipe", "pipe", "ignore"], env: {} });
      const answers: Buffer[] = [];
      const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
      const end = (code: number | null): void => {
        clearTimeout(timer);
        const bytes = Buffer.concat(answers);
        resolve(code === 0 && bytes.length === names.length ? [...bytes].map((byte) => byte === 0x79) : names.map(() => false));
      };
      child.stdout.on("data", (chunk: Buffer) => answers.push(chunk));
      child.stdin.on("error", () => undefined);
      child.once("error", () => end(null));
      child.once("close", end);
      child.stdin.end(rawBytes(names.map((name) => `${name}\0`).join("")));
    });
}
