// A disk of a session's own: an ext4 file system in a sparse file, mounted through a loop device. The kernel limits its bytes
// and its files; what is not written takes no room. Every step through programs of the host, each with a time limit.

import { closeSync, constants, mkdirSync, openSync, readdirSync, readFileSync, readSync, realpathSync, rmdirSync, statfsSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { GuardError, printable } from "../../core/shared/index.js";
import type { RunProgram } from "../../ports/system.js";
import { FLOOR_BYTES, freeBytes } from "./disk-ability.js";

const MIB = 1024 * 1024;
const PROGRAM_MS = 60_000;
/** Bytes of one inode in the file system's tables, and of a block. */
const INODE = 256;
const BLOCK = 4096;
/** Inodes that the file system and the overlay take for themselves. */
const OWN_INODES = 32;
/** Less than this to give back is left where it is. */
const WORTH_TRIMMING = 64 * MIB;
/** Offset of the state in an ext4 superblock; 1 means whole. */
const STATE_AT = 1024 + 0x3a;
const BLOCK_DEVICES = "/sys/block";

export interface DiskSize {
  readonly bytes: number;
  readonly files: number;
}

/** What fits a disk: a file takes a block, so there are never more files than blocks. */
export function diskSize(bytes: number, files: number): DiskSize {
  return { bytes, files: Math.max(64, Math.min(files, Math.floor(bytes / BLOCK))) };
}

/** Makes the file and the file system in it. Rejects with the program's own words. */
export async function makeImage(image: string, { bytes, files }: DiskSize, run: RunProgram): Promise<void> {
  writeFileSync(image, "", { mode: 0o600, flag: "wx" });
  const inodes = files + OWN_INODES;
  // Tables for the inodes, bitmaps and descriptors come on top of what the session may write.
  truncateSync(image, Math.ceil((bytes * 1.001 + inodes * INODE + 2 * MIB) / BLOCK) * BLOCK);
  await must(run, "mkfs.ext4", ["-q", "-F", "-b", String(BLOCK), "-I", String(INODE), "-N", String(inodes), "-m", "0", "-e", "remount-ro", "-O", "^has_journal,^resize_inode", "-E", "lazy_itable_init=1,nodiscard", image]);
}

/** Mounts for a session. Without barriers: nothing in there outlives a loss of power anyway, and an agent's `fsync` costs nothing. */
export async function mountImage(image: string, at: string, run: RunProgram): Promise<void> {
  mkdirSync(at, { recursive: true, mode: 0o700 });
  await must(run, "mount", ["-t", "ext4", "-o", "loop,nosuid,nodev,noatime,noinit_itable,nobarrier", image, at]);
}

/**
 * Mounts for reading and takes the mount out of sight again: it lives as long as the descriptor that is returned, so that
 * whatever ends this process ends it too. A disk that was not let go of in order is checked first, unless it is still alive: a
 * container that started meanwhile holds a copy of every mount until it has taken its own root, and such a disk is shared.
 */
export async function openImage(image: string, at: string, run: RunProgram): Promise<number> {
  const isAlive = isAttached(image);
  if (!isAlive && !isWhole(image)) await checkImage(image, run);
  mkdirSync(at, { mode: 0o700 });
  try {
    await mountForReading(image, at, isAlive, run);
    try {
      return openSync(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    } finally {
      await must(run, "umount", ["-l", at]);
    }
  } finally {
    rmdirSync(at);
  }
}

/** A file system that is alive somewhere can only be mounted as it is there; this mount of it is then made read-only. */
async function mountForReading(image: string, at: string, isAlive: boolean, run: RunProgram): Promise<void> {
  const options = "nosuid,nodev,noexec";
  if (!isAlive) return must(run, "mount", ["-t", "ext4", "-o", `loop,ro,${options}`, image, at]);
  await must(run, "mount", ["-t", "ext4", "-o", `loop,${options}`, image, at]);
  try {
    await must(run, "mount", ["-o", `remount,bind,ro,${options}`, at]);
  } catch (error) {
    await must(run, "umount", [at]);
    throw error;
  }
}

/** Has the kernel a loop device over this file. */
function isAttached(image: string): boolean {
  const wanted = realpathSync(image);
  return readdirSync(BLOCK_DEVICES).some((name) => {
    if (!/^loop[0-9]+$/u.test(name)) return false;
    try {
      return readFileSync(`${BLOCK_DEVICES}/${name}/loop/backing_file`, "utf8").trimEnd() === wanted;
    } catch {
      return false; // no file behind it
    }
  });
}

/** Unmounts; the loop device goes with the last user of the file system. */
export async function unmountImage(at: string, run: RunProgram): Promise<void> {
  await must(run, "umount", [at]);
}

/** Gives back to the disk behind what was written and deleted again, where that is worth the time. */
export async function trimImage(image: string, at: string, run: RunProgram): Promise<void> {
  const { blocks, bfree, bsize } = statfsSync(at);
  if (statSync(image).blocks * 512 - (blocks - bfree) * bsize < WORTH_TRIMMING) return;
  // Without the program, or on a disk that cannot, the file stays as large as it was.
  await run("fstrim", [at], PROGRAM_MS).catch(() => undefined);
}

/** Writes out what is still in memory. Throws STATE_UNUSABLE when something could not be written, now or since it was mounted. */
export async function syncImage(at: string, run: RunProgram): Promise<void> {
  const { exitCode, stderr } = await run("sync", ["-f", at], PROGRAM_MS);
  if (exitCode === 0 && !isReadOnly(at)) return;
  throw new GuardError("STATE_UNUSABLE", `the disk behind the session is full or failed, and part of what was written is lost: ${lastLine(stderr)}`, { hint: "free disk space; nothing of this session can be trusted to be whole" });
}

/**
 * Could what the session has written find no room on the disk behind its own? Blocks are given out when they are written back,
 * so what is in memory still needs room; beside it a floor must stay.
 */
export function isTight(image: string, at: string): boolean {
  return freeBytes(image) - unwritten(image, at) < FLOOR_BYTES;
}

/** Bytes in use in there that the file behind has no room for yet. */
export function unwritten(image: string, at: string): number {
  const { blocks, bfree, bsize } = statfsSync(at);
  return Math.max(0, (blocks - bfree) * bsize - statSync(image).blocks * 512);
}

async function checkImage(image: string, run: RunProgram): Promise<void> {
  const { exitCode, stdout, stderr } = await run("e2fsck", ["-p", image], 10 * PROGRAM_MS);
  // 1: something was mended.
  if (exitCode === 0 || exitCode === 1) return;
  throw new GuardError("STATE_UNUSABLE", `the disk of the session is damaged: ${lastLine(stderr === "" ? stdout : stderr)}`, { hint: `\`e2fsck ${printable(image)}\` may mend it; or discard the session` });
}

/** Tells whether the file system was unmounted in order and had no error. */
function isWhole(image: string): boolean {
  const fd = openSync(image, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const state = Buffer.alloc(2);
    return readSync(fd, state, 0, 2, STATE_AT) === 2 && state.readUInt16LE(0) === 1;
  } finally {
    closeSync(fd);
  }
}

/** After an error of its own the file system takes no more writes. */
function isReadOnly(at: string): boolean {
  try {
    const probe = `${at}/.ringfence-probe`;
    mkdirSync(probe);
    rmdirSync(probe);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOSPC";
  }
}

async function must(run: RunProgram, file: string, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await run(file, args, PROGRAM_MS);
  if (exitCode !== 0) throw new Error(`${file} ended with ${exitCode ?? "a signal"}: ${lastLine(stderr)}`);
}

function lastLine(text: string): string {
  // `mount` ends its reason with where else to look.
  const lines = text.trim().split("\n").filter((line) => !line.includes("dmesg(1)"));
  return printable(lines.at(-1) ?? "", 200) || "no reason given";
}

