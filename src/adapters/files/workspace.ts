// Workspaces as overlay layers in the state folder. The user's folder is only ever read; what a session did is the upper
// layer, compared with it. Mounting is the sandbox's business.

import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, realpathSync, rmdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GuardError, isSessionId, printable } from "../../core/shared/index.js";
import type { Telemetry } from "../../ports/system.js";
import type { FoundNames, Workspace, WorkspaceProvider } from "../../ports/workspace.js";
import { admitFolder, type Admission } from "./admit-folder.js";
import { openJournal } from "./apply-journal.js";
import { recoverApply } from "./apply-recover.js";
import { openBaseRecord } from "./base-record.js";
import { createBreath } from "./breath.js";
import { layerPaths, type LayerPaths } from "./layers.js";
import { openConcealed } from "./concealed.js";
import { createMasker, findMaskProgram } from "./masker.js";
import { createStamper } from "./folder-stamp.js";
import { openNameKeep } from "./kept-names.js";
import { findListProgram } from "./list-program.js";
import { listNames } from "./name-index.js";
import { searchRelevant } from "./name-lister.js";
import { buildProtection, type Masker } from "./protect.js";
import { createHostOpacity } from "./host-opacity.js";
import { makeDisk, openDisk, releaseDisk, type DiskSupport, type WritableLayer } from "./session-disk.js";
import { findScanProgram, type OpacityReader } from "./opacity.js";
import { findAheadProgram } from "./ahead-program.js";
import { openBelow } from "./open-content.js";
import { rawFromText, type Raw } from "./raw-path.js";
import { readBelow, type Content } from "./read-content.js";
import { removeTree } from "./remove-tree.js";
import { createScanner, type Scan } from "./scan.js";
import { prepareStateFolder } from "./state-folder.js";
import { errorCode } from "./system-error.js";
import { builtDigest } from "../system/package-root.js";
import { parsePath, reading } from "./workspace-path.js";
import { createTarWorkspace, reopenTarWorkspace } from "./tar-workspace.js";

export interface WorkspaceProviderOptions {
  readonly stateDir: string;
  /** The user's home folder; it is never a workspace. */
  readonly home: string;
  readonly telemetry: Telemetry;
  /**
   * How overlay marks are read. Left out: by this installation's rf-scan, which needs root. Null: not at all; then a
   * folder that may have been emptied makes `changes` fail instead of guessing.
   */
  readonly opacity?: OpacityReader | null;
  /** How names are hidden. Left out: by this installation's rf-mask. Null: not at all; secrets are then empty instead of absent. */
  readonly mask?: Masker | null;
  /** Sockets of the engine in use, besides the usual places. */
  readonly engineSockets?: readonly string[];
  /** What disks of sessions are made with. Left out or null: none are made, and what is written is not limited by the kernel. */
  readonly disks?: DiskSupport | null;
  /** Digest of the running code; what it kept of a folder's names is taken from no other. Left out: this installation's. Null keeps nothing. */
  readonly build?: string | null;
  /** Where the tool is that looks through a workspace that was sent; left out: where the runtime carries it. */
  readonly lookProgram?: string;
}

interface Description {
  readonly v: 1;
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
}

export function createWorkspaceProvider(options: WorkspaceProviderOptions): WorkspaceProvider {
  const opacity = options.opacity === undefined ? defaultOpacity(options.telemetry) : options.opacity;
  const mask = options.mask === undefined ? defaultMasker(options.telemetry) : options.mask;
  const tools = { opacity, mask, build: options.build === undefined ? builtDigest() : options.build };
  const disks = options.disks ?? null;
  /** Disks that are just being made, by session: none is taken away before it is there. */
  const makings = new Map<string, Promise<void>>();
  return {
    create: async (sessionId, path, most = {}) => {
      const stateDir = prepareStateFolder(options.stateDir);
      const paths = pathsOf(stateDir, sessionId);
      const admission = admitFolder(path, { stateDir, home: options.home, engineSockets: options.engineSockets ?? [] });
      attempt("make the layers of the session", () => makeLayers(paths, admission));
      const finish = (layer: WritableLayer): WritableLayer => {
        attempt("make the layers of the session", () => makeWritable(layer, admission));
        options.telemetry.debug("workspace layers made", { session: sessionId, path: admission.path, disk: layer.why ?? "its own" });
        return layer;
      };
      const making = makeDisk(paths, stateDir, most, disks);
      if (!(making instanceof Promise)) return openWorkspace(paths, describe(admission), finish(making), { ...tools, stateDir });
      // Begun here and awaited by `ready`: the folder's names are listed meanwhile.
      const made = making.then(finish);
      const over = (): void => void makings.delete(sessionId);
      makings.set(sessionId, made.then(over, over));
      return openWorkspace(paths, describe(admission), made, { ...tools, stateDir });
    },
    createTar: (sessionId, path, most) => createTarWorkspace(options, sessionId, path, most),
    reopen: async (sessionId) => {
      const sent = await reopenTarWorkspace(options, sessionId);
      if (sent !== null) return sent;
      const stateDir = prepareStateFolder(options.stateDir);
      const paths = pathsOf(stateDir, sessionId);
      const description = readDescription(paths, sessionId);
      let real: string;
      try {
        real = realpathSync(paths.lower);
      } catch (error) {
        throw new GuardError("WORKSPACE_NOT_FOUND", `the workspace \`${printable(description.path)}\` of this session is gone`, { cause: error, hint: "put the folder back, or discard the session" });
      }
      if (real !== description.path || !statSync(real).isDirectory()) {
        throw new GuardError("WORKSPACE_REFUSED", `\`${printable(description.path)}\` is no longer the folder this session worked on`, { hint: "put the folder back, or discard the session" });
      }
      const workspace = openWorkspace(paths, description, openDisk(paths, stateDir, disks), { ...tools, stateDir });
      await workspace.ready?.(new AbortController().signal);
      return workspace;
    },
    settleApply: async (sessionId) => {
      try {
        return recoverApply(sessionFolder(pathsOf(prepareStateFolder(options.stateDir), sessionId)));
      } catch (error) {
        if (error instanceof GuardError) throw error;
        throw new GuardError("APPLY_FAILED", `an apply that was cut off cannot be taken back: ${errorCode(error)}`, { cause: error });
      }
    },
    forgetApply: async (sessionId) => openJournal(sessionFolder(pathsOf(prepareStateFolder(options.stateDir), sessionId))).clear(),
    remove: async (sessionId) => {
      const stateDir = prepareStateFolder(options.stateDir);
      const paths = pathsOf(stateDir, sessionId);
      await makings.get(sessionId);
      await opacity?.release?.(join(paths.disk, "upper"));
      await releaseDisk(paths, stateDir, sessionId, disks);
      try {
        removeTree(paths.folder);
        removeIfEmpty(dirname(paths.folder));
      } catch (error) {
        throw new GuardError("STATE_UNUSABLE", `cannot remove the layers of the session: ${errorCode(error)}`, {
          cause: error,
          hint: errorCode(error) === "EBUSY" ? "they are still mounted; end the session's container first" : "remove them as the user who ran the session",
        });
      }
    },
    release: async (sessionId) => {
      const stateDir = prepareStateFolder(options.stateDir);
      await makings.get(sessionId);
      await releaseDisk(pathsOf(stateDir, sessionId), stateDir, sessionId, disks);
    },
  };
}

function attempt(what: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof GuardError) throw error;
    throw new GuardError("STATE_UNUSABLE", `cannot ${what}: ${errorCode(error)}`, { cause: error });
  }
}

/** A session without a record leaves no folder behind. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(errorCode(error))) throw error;
  }
}

function defaultOpacity(telemetry: Telemetry): OpacityReader | null {
  const program = findScanProgram();
  if (program !== null && process.getuid?.() === 0) return createHostOpacity(program);
  telemetry.warn("overlay marks cannot be read; a session that empties a folder cannot be reviewed", { scan: program, root: process.getuid?.() === 0 });
  return null;
}

function defaultMasker(telemetry: Telemetry): Masker | null {
  const program = findMaskProgram();
  if (program !== null) return createMasker(program);
  telemetry.warn("names cannot be hidden; secrets are empty files instead", { mask: program });
  return null;
}

/** What tells a folder from another at the same name, or of another owner; null when it cannot be looked at. */
function identityOf(path: string): string | null {
  try {
    const { dev, ino, uid, gid, mode } = statSync(path);
    return [realpathSync(path), dev, ino, uid, gid, mode].join(":");
  } catch {
    return null;
  }
}

function sessionFolder(paths: LayerPaths): string {
  return dirname(paths.folder);
}

function pathsOf(stateDir: string, sessionId: string): LayerPaths {
  if (!isSessionId(sessionId)) throw new GuardError("SESSION_NOT_FOUND", `\`${printable(sessionId)}\` is no session id`);
  return layerPaths(stateDir, sessionId);
}

function makeLayers(paths: LayerPaths, admission: Admission): void {
  mkdirSync(dirname(paths.folder), { recursive: true, mode: 0o700 });
  if (existsSync(paths.folder)) throw new GuardError("SESSION_BUSY", "the session already has a workspace", { hint: "open it again instead, or start a new session" });
  mkdirSync(paths.folder, { mode: 0o700 });
  symlinkSync(admission.path, paths.lower);
  mkdirSync(paths.protect, { mode: 0o700 });
  own(paths.protect, admission);
  writeFileSync(paths.description, `${JSON.stringify(describe(admission))}\n`, { mode: 0o600, flag: "wx" });
}

function makeWritable(layer: WritableLayer, admission: Admission): void {
  for (const folder of [layer.upper, layer.work]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  own(layer.upper, admission);
}

/** The root of a merged view takes owner and mode from its topmost layer. */
function own(folder: string, { mode, uid, gid }: Admission): void {
  chmodSync(folder, mode);
  if (process.getuid?.() === 0) chownSync(folder, uid, gid);
}

function describe({ path, uid, gid }: Admission): Description {
  return { v: 1, path, uid, gid };
}

function readDescription(paths: LayerPaths, sessionId: string): Description {
  try {
    const found = JSON.parse(readFileSync(paths.description, "utf8")) as Description;
    if (found.v === 1 && typeof found.path === "string") return found;
    throw new GuardError("STATE_UNUSABLE", `the workspace of \`${printable(sessionId)}\` was written by another version`);
  } catch (error) {
    if (error instanceof GuardError) throw error;
    if (errorCode(error) === "ENOENT") throw new GuardError("SESSION_NOT_FOUND", `there is no workspace of \`${printable(sessionId)}\``, { cause: error });
    throw new GuardError("STATE_UNUSABLE", `the workspace of \`${printable(sessionId)}\` cannot be read: ${errorCode(error)}`, { cause: error });
  }
}

interface WorkspaceTools {
  readonly opacity: OpacityReader | null;
  readonly mask: Masker | null;
  readonly build: string | null;
  /** Real path. */
  readonly stateDir: string;
}

function openWorkspace(paths: LayerPaths, description: Description, making: WritableLayer | Promise<WritableLayer>, { opacity, mask, build, stateDir }: WorkspaceTools): Workspace {
  const concealed = openConcealed(paths.concealed);
  const withScanner = (layer: WritableLayer) => ({ layer, scanner: createScanner({ lower: description.path, protect: paths.protect, upper: layer.upper }, openBaseRecord(paths.record), opacity, concealed.names) });
  let made: ReturnType<typeof withScanner> | null = making instanceof Promise ? null : withScanner(making);
  if (making instanceof Promise) making.catch(() => undefined);
  let queue: Promise<unknown> = Promise.resolve();
  let latest: Scan | null = null;
  const settled = async () => {
    if (made !== null) return made;
    const layer = await making;
    return (made ??= withScanner(layer));
  };
  const layerNow = (): WritableLayer => {
    if (made === null) throw new GuardError("INTERNAL_BUG", "the layers of the workspace are not made yet");
    return made.layer;
  };
  const look = (signal: AbortSignal): Promise<Scan> => {
    const next = queue.then(async () => {
      const { layer, scanner } = await settled();
      await layer.check();
      latest = await scanner.scan(signal);
      return latest;
    });
    queue = next.catch(() => undefined);
    return next;
  };
  const current = async (): Promise<Scan> => latest ?? look(new AbortController().signal);
  const folder = identityOf(paths.lower);

  return {
    path: description.path,
    get mount() {
      const { upper, work, disk } = layerNow();
      return { kind: "overlay", lower: [paths.protect, paths.lower], upper, work, ...(disk === null ? {} : { disk }) } as const;
    },
    get unlimited() {
      return layerNow().why;
    },
    uid: description.uid,
    gid: description.gid,
    ready: async () => {
      await settled();
    },
    close: async () => {
      const { layer } = await settled();
      await opacity?.release?.(layer.upper);
      await layer.close();
    },
    isSame: () => folder !== null && identityOf(paths.lower) === folder,
    names: async (signal, onFolder) => listNames(rawFromText(description.path), createBreath(signal), onFolder),
    relevantNames: (filter, signal, onFolder = () => undefined) => {
      const root = rawFromText(description.path);
      const program = findListProgram();
      const kept = build === null ? null : { keep: openNameKeep(stateDir, { root, build, key: filter.key }), stamp: createStamper(root) };
      const search = program === null ? null : searchRelevant({ program, ahead: findAheadProgram(), root, filter, signal, onFolder, kept });
      const find = async (): Promise<FoundNames> => {
        const listed = (await search?.find()) ?? null;
        if (listed !== null) return listed;
        const names = await listNames(root, createBreath(signal), onFolder);
        return { names, total: names.length, isStill: false };
      };
      return { expected: search?.expected ?? null, find };
    },
    conceal: (hidden) => {
      concealed.add(hidden);
      latest = null;
    },
    protect: async (plan, signal) => buildProtection({ paths, folder: description.path, uid: description.uid, gid: description.gid, plan, mask, signal }),
    changes: async (signal) => (await look(signal)).changes,
    readBase: async (path, limitBytes) => readVisibleBase(await current(), parsePath(path), limitBytes),
    readChanged: async (path, limitBytes) => {
      const raw = parsePath(path);
      const scan = await current();
      const found = reading(path, () => readBelow(layerNow().upper, raw, limitBytes));
      if (found === "whiteout") return null;
      if (found !== "missing") return found;
      return scan.hides(raw) ? null : readVisibleBase(scan, raw, limitBytes);
    },
    openChanged: async (path) => {
      const found = reading(path, () => openBelow(layerNow().upper, parsePath(path)));
      return found === "whiteout" || found === "missing" ? null : found;
    },
  };

  function readVisibleBase(scan: Scan, raw: Raw, limitBytes: number): Content | null {
    const parts = raw.split("/");
    if (parts.some((_, index) => scan.hidden.has(parts.slice(0, index + 1).join("/")))) return null;
    const found = reading(raw, () => readBelow(description.path, raw, limitBytes));
    return found === "missing" || found === "whiteout" ? null : found;
  }
}
