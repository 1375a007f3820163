// The user's folder as it was when a session began: a list of names, and their contents, each kept once however many sessions share it.
// None is read before the sizes of all are summed, and again only where the name's size, times or inode are others than when it was last read.

import { createHash } from "node:crypto";
import { closeSync, existsSync, fstatSync, ftruncateSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, renameSync, rmSync, writeFileSync, writeSync, type BigIntStats, type Stats } from "node:fs";
import { join } from "node:path";
import { GuardError, LIMITS, printable, type Digest } from "../../core/shared/index.js";
import type { BaseKeeper, KeptBase } from "../../ports/base.js";
import { createBreath, type Breath } from "./breath.js";
import { openRegular } from "./open-below.js";
import { pathOfRaw, rawBytes, rawFromPath, rawFromText, type Raw } from "./raw-path.js";
import { errorCode } from "./system-error.js";
import { walkTree } from "./tree-walk.js";

/** A file that changed so shortly before it was read may change again without another time. */
const RACY_NS = 2_000_000_000n;
const CHUNK = 1024 * 1024;

/** One name of a kept folder, `.` the folder itself. `d` digest of a file, `l` target of a link; owner, mode and time (milliseconds) as they were. */
export interface BaseName {
  readonly p: string;
  readonly k: "file" | "directory" | "symlink";
  readonly m: number;
  readonly u: number;
  readonly g: number;
  readonly t: number;
  readonly n?: number;
  readonly d?: Digest;
  readonly l?: string;
}

/** Folder of all that is kept of one workspace. */
export function basesOf(stateDir: string, workspace: string): string {
  return join(stateDir, "bases", createHash("sha256").update(workspace).digest("hex").slice(0, 32));
}

/** Removes what is kept of workspaces that no session on record has any more. */
export function pruneBases(stateDir: string, workspaces: readonly string[]): void {
  const wanted = new Set(workspaces.map((workspace) => basesOf(stateDir, workspace)));
  const folder = join(stateDir, "bases");
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())) if (!wanted.has(join(folder, name.name))) rmSync(join(folder, name.name), { recursive: true, force: true });
}

export function listFile(folder: string, digest: Digest): string {
  return join(folder, `${digest.slice("sha256:".length)}.names`);
}

/** @param mark names the files of this process: sessions that begin at once do not share one */
export function createBaseKeeper(stateDir: string, mark: () => string): BaseKeeper {
  return {
    keep: async (workspace, hidden, signal) => {
      try {
        return await keep(basesOf(stateDir, workspace), mark(), workspace, new Set(hidden.map(rawFromPath)), createBreath(signal));
      } catch (error) {
        const why = error instanceof GuardError ? error.message : `it could not be kept: ${errorCode(error)}`;
        return { digest: null, files: 0, bytes: 0, why: printable(why, 200) };
      }
    },
  };
}

/** A content that is to be read when the sizes of all are known; `at` is its place among the names. */
interface Unread {
  readonly at: number;
  readonly system: Raw;
  readonly stats: Stats;
  readonly stamp: string;
}

async function keep(folder: string, mark: string, workspace: string, hidden: ReadonlySet<Raw>, breath: Breath): Promise<KeptBase> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const places = readPlaces(folder);
  const known = readKnown(folder);
  const writer = createPack(folder, mark, places);
  const names: BaseName[] = [];
  const stamps = new Map<string, string>();
  let bytes = 0;
  let files = 0;
  const root = rawFromText(workspace);
  const own = lstatSync(workspace);
  names.push({ p: ".", k: "directory", m: own.mode & 0o1777, u: own.uid, g: own.gid, t: Math.floor(own.mtimeMs) });
  const unread: Unread[] = [];
  const read = async ({ at, system, stats, stamp }: Unread): Promise<void> => {
    const name = names[at];
    const exact = lstatSync(rawBytes(system), { bigint: true, throwIfNoEntry: false });
    const digest = name === undefined || exact === undefined || stampOf(exact) !== stamp ? null : await writer.add(system, stats, breath);
    if (name === undefined || exact === undefined || digest === null) throw new GuardError("WORKSPACE_LIMIT", `\`${printable(name?.p ?? "", 80)}\` changed while it was read`);
    names[at] = { ...name, d: digest };
    remember(name.p, exact, digest);
  };
  const remember = (path: string, exact: BigIntStats, digest: Digest): void => {
    if (BigInt(Date.now()) * 1_000_000n - (exact.ctimeNs > exact.mtimeNs ? exact.ctimeNs : exact.mtimeNs) > RACY_NS) stamps.set(`${path}\n${stampOf(exact)}`, digest);
  };
  try {
    await walkTree(root, "", breath, async ({ raw, system, stats }) => {
      if (hidden.has(raw)) return "skip";
      if (names.length >= LIMITS.baseNames) throw new GuardError("WORKSPACE_LIMIT", `the folder holds more than ${LIMITS.baseNames} names`);
      const common = { p: pathOfRaw(raw), m: stats.mode & 0o1777, u: stats.uid, g: stats.gid, t: Math.floor(stats.mtimeMs) };
      if (stats.isDirectory()) names.push({ ...common, k: "directory" });
      else if (stats.isSymbolicLink()) names.push({ ...common, k: "symlink", l: pathOfRaw(readlinkSync(rawBytes(system), { encoding: "buffer" }).toString("latin1")) });
      else if (stats.isFile()) {
        bytes += stats.size;
        files += 1;
        if (bytes > LIMITS.baseBytes) throw new GuardError("WORKSPACE_LIMIT", `the folder holds more than ${LIMITS.baseBytes} bytes`);
        const exact = lstatSync(rawBytes(system), { bigint: true, throwIfNoEntry: false });
        if (exact === undefined) return "skip";
        const stamp = stampOf(exact);
        const before = known.get(`${common.p}\n${stamp}`);
        const at = names.push({ ...common, k: "file", n: stats.size }) - 1;
        if (before !== undefined && places.has(before)) {
          names[at] = { ...common, k: "file", n: stats.size, d: before };
          remember(common.p, exact, before);
        } else if (system.startsWith(root)) unread.push({ at, system, stats, stamp });
        // Its path is good for no longer than this.
        else await read({ at, system, stats, stamp });
      }
      return "enter";
    });
    for (const one of unread) await read(one);
    writer.end();
  } catch (error) {
    writer.discard();
    throw error;
  }
  names.sort((a, b) => (a.p < b.p ? -1 : 1));
  const text = names.map((name) => `${JSON.stringify(name)}\n`).join("");
  const digest: Digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
  replaceFile(listFile(folder, digest), mark, text);
  replaceFile(join(folder, "known"), mark, [...stamps].map(([key, value]) => `${value} ${JSON.stringify(key)}\n`).join(""));
  return { digest, files, bytes, why: null };
}

function stampOf({ size, mtimeNs, ctimeNs, ino, dev }: BigIntStats): string {
  return [size, mtimeNs, ctimeNs, ino, dev].join(" ");
}

/** Where a content lies. */
export interface Place {
  readonly pack: string;
  readonly offset: number;
  readonly length: number;
}

/** Every content kept of a workspace. A line that is none is left out: what it names is then kept again. */
export function readPlaces(folder: string): Map<Digest, Place> {
  const places = new Map<Digest, Place>();
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(".index")) continue;
    const pack = join(folder, `${name.slice(0, -".index".length)}.pack`);
    for (const line of readFileSync(join(folder, name), "latin1").split("\n")) {
      const match = /^(sha256:[0-9a-f]{64}) (\d{1,15}) (\d{1,15})$/.exec(line);
      if (match !== null) places.set(match[1] as Digest, { pack, offset: Number(match[2]), length: Number(match[3]) });
    }
  }
  return places;
}

/** Digests by path and stamp, from the last look. Only ever saves reading: contents are checked against their digest when they are used. */
function readKnown(folder: string): ReadonlyMap<string, Digest> {
  const known = new Map<string, Digest>();
  let text = "";
  try {
    text = readFileSync(join(folder, "known"), "utf8");
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  for (const line of text.split("\n")) {
    const match = /^(sha256:[0-9a-f]{64}) (".*")$/.exec(line);
    if (match !== null) known.set(JSON.parse(match[2] ?? '""') as string, match[1] as Digest);
  }
  return known;
}

/** Contents that are not kept yet go one after the other into a file of this session's own; the index makes them count. */
function createPack(folder: string, mark: string, places: Map<Digest, Place>) {
  const pack = join(folder, `${mark}.pack`);
  const buffer = Buffer.allocUnsafe(CHUNK);
  let fd: number | null = null;
  let offset = 0;
  let lines = "";
  const add = async (system: Raw, stats: Parameters<typeof openRegular>[1], breath: Breath): Promise<Digest | null> => {
    const from = openRegular(system, stats);
    if (from === null) return null;
    try {
      fd ??= openSync(pack, "wx+", 0o600);
      const hash = createHash("sha256");
      let length = 0;
      for (;;) {
        const count = readSync(from, buffer, 0, CHUNK, length);
        if (count === 0) break;
        hash.update(buffer.subarray(0, count));
        for (let done = 0; done < count; ) done += writeSync(fd, buffer, done, count - done, offset + length + done);
        length += count;
        if (length > LIMITS.baseBytes) throw new GuardError("WORKSPACE_LIMIT", `the folder holds more than ${LIMITS.baseBytes} bytes`);
        if (breath.due()) await breath.pause();
      }
      if (length !== fstatSync(from).size) return null;
      const digest: Digest = `sha256:${hash.digest("hex")}`;
      if (places.has(digest)) return digest;
      places.set(digest, { pack, offset, length });
      lines += `${digest} ${offset} ${length}\n`;
      offset += length;
      return digest;
    } finally {
      closeSync(from);
    }
  };
  const discard = (): void => {
    if (fd !== null) closeSync(fd);
    fd = null;
    rmSync(pack, { force: true });
  };
  return {
    add,
    discard,
    end: () => {
      if (lines === "") return discard();
      if (fd !== null) {
        // A content that was kept already was written over: its end may stand past the last one.
        ftruncateSync(fd, offset);
        closeSync(fd);
      }
      fd = null;
      writeFileSync(join(folder, `${mark}.index`), lines, { mode: 0o600, flag: "wx" });
    },
  };
}

function replaceFile(path: string, mark: string, text: string): void {
  const fresh = `${path}.${mark}`;
  writeFileSync(fresh, text, { mode: 0o600 });
  renameSync(fresh, path);
}
