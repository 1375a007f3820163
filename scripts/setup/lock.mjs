// One set-up at a time a state folder: a second one waits. A lock whose holder is dead is taken over.

import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { SetupError } from "./errors.mjs";
import { readJson } from "./hash.mjs";
import { delay, identify, isSameProcess } from "./processes.mjs";

const WAIT_MS = 20 * 60_000;
const STEP_MS = 250;

/**
 * Takes the lock and returns how to give it back. Waits up to 20 minutes for a live holder.
 * @param {string} file
 * @param {{readonly onWait?: (pid: number) => void, readonly signal?: AbortSignal, readonly waitMs?: number}} [options]
 * @returns {Promise<() => void>}
 */
export async function takeLock(file, { onWait, signal, waitMs = WAIT_MS } = {}) {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const own = `${file}.${process.pid}`;
  writeFileSync(own, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  const deadline = Date.now() + waitMs;
  let told = false;
  try {
    for (;;) {
      if (tryLink(own, file)) return () => release(file);
      const holder = readJson(file);
      if (holder === null || !isSameProcess(holder)) {
        takeAside(file, own);
        continue;
      }
      if (!told) onWait?.(holder.pid);
      told = true;
      if (signal?.aborted) throw new SetupError("waiting for the other set-up was interrupted", { exit: 130 });
      if (Date.now() > deadline) {
        throw new SetupError(`another set-up (process ${holder.pid}) holds the lock and does not end`, { hint: `end it, or remove ${file} if it is none` });
      }
      await delay(STEP_MS, signal);
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** A hard link is made whole or not at all, so the lock file is never seen half written. @param {string} own @param {string} file */
function tryLink(own, file) {
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw new SetupError(`the state folder cannot be written: ${error instanceof Error ? error.message : String(error)}`, { hint: "set RINGFENCE_HOME to a folder you own on a local disk", exit: 70 });
  }
}

/** Renames a dead lock away: of two that try, one succeeds, and a lock taken meanwhile is put back. @param {string} file @param {string} own */
function takeAside(file, own) {
  const aside = `${own}.dead`;
  try {
    renameSync(file, aside);
  } catch {
    return; // another one was quicker
  }
  const moved = readJson(aside);
  if (moved !== null && isSameProcess(moved)) tryLink(aside, file);
  rmSync(aside, { force: true });
}

/** @param {string} file */
function release(file) {
  if (readJson(file)?.pid === process.pid) rmSync(file, { force: true });
}
