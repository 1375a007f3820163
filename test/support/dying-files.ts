// A process that is killed, as its files see it: from a given change on, nothing is changed any more. In the same process, so that a
// test can try every single moment. What the code under test does in its clean-up after that is in vain, as it is for the dead.

import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/** Every function of node:fs that changes something and that the code under test uses or may come to use. */
const CHANGES = [
  "appendFileSync", "chmodSync", "chownSync", "copyFileSync", "cpSync", "fchmodSync", "fchownSync", "fdatasyncSync", "fsyncSync", "ftruncateSync", "futimesSync", "lchownSync", "linkSync", "lutimesSync", "mkdirSync", "mkdtempSync", "openSync", "renameSync",
  "rmSync", "rmdirSync", "symlinkSync", "truncateSync", "unlinkSync", "utimesSync", "writeFileSync", "writeSync", "writevSync",
] as const;

export interface Life {
  /** Changes that were made or begun, by the function that makes them. */
  readonly changes: readonly string[];
  /** False when the work came to its end before. */
  readonly died: boolean;
}

/**
 * Runs work that dies at its change number `at` (from 0): of a write the first half is still made, of anything else nothing. Errors of
 * the work after its death are swallowed; those before it, and those of a work that lives, are thrown.
 */
export async function dieAt(at: number, work: () => unknown): Promise<Life> {
  const files = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const real = new Map(CHANGES.map((name) => [name, files[name]] as const));
  const changes: string[] = [];
  const state = { died: false };
  const dead = (): Error => Object.assign(new Error("the process is dead"), { code: "EDEAD" });
  for (const [name, call] of real) {
    if (call === undefined) throw new Error(`node:fs has no ${name}`);
    files[name] = (...args) => {
      if (name === "openSync" && !makesFile(args[1])) return call(...args);
      if (state.died) throw dead();
      changes.push(name);
      if (changes.length <= at) return call(...args);
      state.died = true;
      if (name === "writeFileSync" || name === "appendFileSync") call(args[0], half(args[1]), ...args.slice(2));
      if (name === "writeSync") call(args[0], args[1], args[2] ?? 0, Math.floor(Number(args[3] ?? (args[1] as Uint8Array).length) / 2), ...args.slice(4));
      throw dead();
    };
  }
  syncBuiltinESMExports();
  try {
    await work();
  } catch (error) {
    if (!state.died) throw error;
  } finally {
    for (const [name, call] of real) if (call !== undefined) files[name] = call;
    syncBuiltinESMExports();
  }
  return { changes, died: state.died };
}

function makesFile(flags: unknown): boolean {
  return typeof flags === "number" ? (flags & fs.constants.O_CREAT) !== 0 : typeof flags === "string" && /[wa]/u.test(flags);
}

function half(content: unknown): unknown {
  return typeof content === "string" || content instanceof Uint8Array ? content.slice(0, Math.floor(content.length / 2)) : content;
}
