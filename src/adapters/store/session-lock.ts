// One writer a session: a lock file that says which process holds it. A lock whose process is gone is taken over, by exactly one.

import { createHash, randomBytes } from "node:crypto";
import { linkSync, readdirSync, readFileSync, readlinkSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { GuardError } from "../../core/shared/index.js";
import { processStart } from "../system/process-start.js";
import { systemCode } from "./files.js";

/** Longest chain of takers that died while taking over. */
const MAX_CHAIN = 16;
const MAX_ROUNDS = 16;

interface Holder {
  readonly pid: number;
  /** Start of the process in clock ticks since boot; null where the system does not tell. */
  readonly start: string | null;
  readonly boot: string | null;
  /** Namespace that `pid` is counted in. */
  readonly space: string | null;
  readonly nonce: string;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // gone, or a system without /proc
  }
}

function pidSpace(): string | null {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return null; // no such thing on this system
  }
}

function self(): Holder {
  const boot = readText("/proc/sys/kernel/random/boot_id")?.trim() ?? null;
  return { pid: process.pid, start: processStart(process.pid), boot, space: pidSpace(), nonce: randomBytes(9).toString("hex") };
}

function parseHolder(text: string): Holder | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("pid" in value) || !Number.isSafeInteger(value.pid)) return null;
    return value as Holder;
  } catch {
    return null; // not written by us
  }
}

/** Only what is surely gone is dead: another boot, no such process or only its remains, or another process with its number. */
function isDead(text: string, me: Holder): boolean {
  const holder = parseHolder(text);
  if (holder === null) return false;
  if (holder.boot !== null && me.boot !== null && holder.boot !== me.boot) return true;
  if (holder.space !== me.space) return false;
  let isOurs = true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (systemCode(error) === "ESRCH") return true;
    isOurs = false;
  }
  const start = processStart(holder.pid);
  // One of somebody else may be one that we cannot look at.
  if (start === null && (!isOurs || me.start === null)) return false;
  return holder.start !== null && start !== holder.start;
}

/** Links `from` to `to`; false when that name is taken. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

/** A lock held by this process. */
export interface SessionLock {
  /** Idempotent. */
  readonly release: () => void;
}

/** Tells whether some living process holds the lock. */
export function isLocked(path: string): boolean {
  const text = readText(path);
  return text !== null && !isDead(text, self());
}

/**
 * Takes the lock, from a dead holder too.
 * @throws GuardError SESSION_BUSY when a living process holds it, or one that cannot be told to be dead
 */
export function takeLock(path: string): SessionLock {
  const me = self();
  const own = `${path}.${me.pid}.${me.nonce}`;
  writeFileSync(own, JSON.stringify(me), { flag: "wx", mode: 0o600 });
  try {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      if (tryLink(own, path) || takeOver(path, own, me)) {
        let held = true;
        return {
          release: () => {
            if (held) removeQuietly(path);
            held = false;
          },
        };
      }
    }
    throw busy(path, null);
  } finally {
    removeQuietly(own);
  }
}

function busy(path: string, holder: Holder | null): GuardError {
  const who = holder === null ? "another process" : `process ${holder.pid}`;
  return new GuardError("SESSION_BUSY", `${who} works on this session (lock \`${basename(dirname(path))}/lock\`)`);
}

/**
 * Replaces the lock of a dead holder. The right to do so is a name made from that very lock's content, so that of several
 * takers one wins; where the winner died too, from its content, and so on. False: look again.
 */
function takeOver(path: string, own: string, me: Holder): boolean {
  const stale = readText(path);
  if (stale === null) return false;
  if (!isDead(stale, me)) throw busy(path, parseHolder(stale));
  let key = stale;
  for (let depth = 0; depth < MAX_CHAIN; depth++) {
    const right = `${path}.take-${createHash("sha256").update(key).digest("hex").slice(0, 32)}`;
    if (tryLink(own, right)) {
      // INVARIANT: only the owner of the right may replace this stale lock, so between this look and the rename it stays.
      const unchanged = readText(path) === stale;
      if (unchanged) renameSync(own, path);
      if (unchanged) removeRights(path);
      else removeQuietly(right);
      return unchanged;
    }
    const taker = readText(right);
    if (taker === null) return false;
    if (!isDead(taker, me)) throw busy(path, parseHolder(taker));
    key = taker;
  }
  throw busy(path, parseHolder(stale));
}

function removeRights(path: string): void {
  const prefix = `${basename(path)}.take-`;
  for (const name of readdirSync(dirname(path))) {
    if (name.startsWith(prefix)) removeQuietly(join(dirname(path), name));
  }
}
