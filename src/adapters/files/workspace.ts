// Workspaces as overlay layers in the state folder. The user's folder is only ever read; what a session did is the upper
// layer, compared with it. Mounting is the sandbox's business.

import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, realpathSync, rmdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isWorkspacePath } from "../../core/reconcile/names.js";
import { GuardError, isSessionId, printable } from "../../core/shared/index.js";
import type { Telemetry } from "../../ports/system.js";
import type { Workspace, WorkspaceProvider } from "../../ports/workspace.js";
import { admitFolder, type Admission } from "./admit-folder.js";
import { openBaseRecord } from "./base-record.js";
import { createBreath } from "./breath.js";
import { layerPaths, type LayerPaths } from "./layers.js";
import { createMasker, findMaskProgram } from "./masker.js";
import { listNames } from "./name-index.js";
import { buildProtection, type Masker } from "./protect.js";
import { createHostOpacity } from "./host-opacity.js";
import { findScanProgram, type OpacityReader } from "./opacity.js";
import { openBelow } from "./open-content.js";
import { rawFromPath, rawFromText, type Raw } from "./raw-path.js";
import { readBelow, type Content } from "./read-content.js";
import { removeTree } from "./remove-tree.js";
import { createScanner, type Scan } from "./scan.js";
import { prepareStateFolder } from "./state-folder.js";
import { errorCode } from "./system-error.js";

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
  return {
    create: async (sessionId, path) => {
      const stateDir = prepareStateFolder(options.stateDir);
      const paths = pathsOf(stateDir, sessionId);
      const admission = admitFolder(path, { stateDir, home: options.home, engineSockets: options.engineSockets ?? [] });
      try {
        makeLayers(paths, admission);
      } catch (error) {
        if (error instanceof GuardError) throw error;
        throw new GuardError("STATE_UNUSABLE", `cannot make the layers of the session: ${errorCode(error)}`, { cause: error });
      }
      options.telemetry.debug("workspace layers made", { session: sessionId, path: admission.path });
      return openWorkspace(paths, { v: 1, path: admission.path, uid: admission.uid, gid: admission.gid }, opacity, mask);
    },
    reopen: async (sessionId) => {
      const paths = pathsOf(prepareStateFolder(options.stateDir), sessionId);
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
      return openWorkspace(paths, description, opacity, mask);
    },
    remove: async (sessionId) => {
      const paths = pathsOf(prepareStateFolder(options.stateDir), sessionId);
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
  };
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

function pathsOf(stateDir: string, sessionId: string): LayerPaths {
  if (!isSessionId(sessionId)) throw new GuardError("SESSION_NOT_FOUND", `\`${printable(sessionId)}\` is no session id`);
  return layerPaths(stateDir, sessionId);
}

function makeLayers(paths: LayerPaths, admission: Admission): void {
  mkdirSync(dirname(paths.folder), { recursive: true, mode: 0o700 });
  if (existsSync(paths.folder)) throw new GuardError("SESSION_BUSY", "the session already has a workspace", { hint: "open it again instead, or start a new session" });
  mkdirSync(paths.folder, { mode: 0o700 });
  symlinkSync(admission.path, paths.lower);
  for (const folder of [paths.protect, paths.upper, paths.work]) mkdirSync(folder, { mode: 0o700 });
  // The root of a merged view takes owner and mode from its topmost layer.
  for (const folder of [paths.protect, paths.upper]) {
    chmodSync(folder, admission.mode);
    if (process.getuid?.() === 0) chownSync(folder, admission.uid, admission.gid);
  }
  const description: Description = { v: 1, path: admission.path, uid: admission.uid, gid: admission.gid };
  writeFileSync(paths.description, `${JSON.stringify(description)}\n`, { mode: 0o600, flag: "wx" });
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

function openWorkspace(paths: LayerPaths, description: Description, opacity: OpacityReader | null, mask: Masker | null): Workspace {
  const scanner = createScanner({ lower: description.path, protect: paths.protect, upper: paths.upper }, openBaseRecord(paths.record), opacity);
  let queue: Promise<unknown> = Promise.resolve();
  let latest: Scan | null = null;
  const look = (signal: AbortSignal): Promise<Scan> => {
    const next = queue.then(async () => {
      latest = await scanner.scan(signal);
      return latest;
    });
    queue = next.catch(() => undefined);
    return next;
  };
  const current = async (): Promise<Scan> => latest ?? look(new AbortController().signal);

  return {
    path: description.path,
    mount: { kind: "overlay", lower: [paths.protect, paths.lower], upper: paths.upper, work: paths.work },
    uid: description.uid,
    gid: description.gid,
    names: async (signal) => listNames(rawFromText(description.path), createBreath(signal)),
    protect: async (plan, signal) => buildProtection({ paths, folder: description.path, uid: description.uid, gid: description.gid, plan, mask, signal }),
    changes: async (signal) => (await look(signal)).changes,
    readBase: async (path, limitBytes) => readVisibleBase(await current(), parsePath(path), limitBytes),
    readChanged: async (path, limitBytes) => {
      const raw = parsePath(path);
      const scan = await current();
      const found = reading(path, () => readBelow(paths.upper, raw, limitBytes));
      if (found === "whiteout") return null;
      if (found !== "missing") return found;
      return scan.hides(raw) ? null : readVisibleBase(scan, raw, limitBytes);
    },
    openChanged: async (path) => {
      const found = reading(path, () => openBelow(paths.upper, parsePath(path)));
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

function parsePath(path: string): Raw {
  if (!isWorkspacePath(path)) throw new GuardError("USAGE_INVALID", `\`${printable(path)}\` is no path inside a workspace`);
  return rawFromPath(path);
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof GuardError) throw error;
    throw new GuardError("WORKSPACE_UNREADABLE", `cannot read \`${printable(path)}\`: ${errorCode(error)}`, { cause: error });
  }
}
