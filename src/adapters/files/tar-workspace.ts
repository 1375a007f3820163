// Workspaces for engines that do not see this machine's files: the folder is sent as a tar, its changes are asked of the
// sandbox after each call and kept in the state folder, where they are reviewed like any other's when the sandbox is gone.

import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Change, Entry } from "../../core/reconcile/change.js";
import { isSameContent } from "../../core/reconcile/entries.js";
import { GuardError, isSessionId, LIMITS, printable } from "../../core/shared/index.js";
import type { Telemetry } from "../../ports/system.js";
import type { Workspace, WorkspaceLimits } from "../../ports/workspace.js";
import { admitFolder, type AdmissionOptions } from "./admit-folder.js";
import { createBreath } from "./breath.js";
import { layerPaths } from "./layers.js";
import { createLooker, LOOK_PROGRAM } from "./look.js";
import { listNames } from "./name-index.js";
import { contentOf } from "./open-content.js";
import { pathOfRaw, rawFromPath, rawFromText, type Raw } from "./raw-path.js";
import { readBelow, type Content } from "./read-content.js";
import { prepareStateFolder } from "./state-folder.js";
import { errorCode } from "./system-error.js";
import { parsePath, reading } from "./workspace-path.js";
import { createTarScanner, type TarScanner, type TarState } from "./tar-look.js";
import { packFolder } from "./tar-pack.js";
import { planTarProtection, type TarProtection } from "./tar-protect.js";
import { openContentStore, type ContentStore } from "./tar-store.js";

export interface TarWorkspaceOptions {
  readonly stateDir: string;
  /** The user's home folder; it is never a workspace. */
  readonly home: string;
  readonly telemetry: Telemetry;
  readonly engineSockets?: readonly string[];
  /** Where the tool is that looks; left out: where the runtime carries it. */
  readonly lookProgram?: string;
}

interface Description {
  readonly v: 1;
  readonly kind: "tar";
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
}

interface Paths {
  readonly folder: string;
  readonly description: string;
  /** The last state looked at. */
  readonly state: string;
  readonly contents: string;
}

const NOBODY_HIDES: TarProtection = { protection: { mounts: [], masked: [], boundMasks: 0, linkedSecrets: [], unheld: [] }, hidden: new Set(), placed: [] };
const NO_STATE: TarState = { changes: Object.freeze([]), times: new Map() };

/** A new one. Refuses the same folders as any workspace. */
export async function createTarWorkspace(options: TarWorkspaceOptions, sessionId: string, path: string, most: WorkspaceLimits = {}): Promise<Workspace> {
  const stateDir = prepareStateFolder(options.stateDir);
  const paths = pathsOf(stateDir, sessionId);
  const admission: AdmissionOptions = { stateDir, home: options.home, engineSockets: options.engineSockets ?? [] };
  const { path: real, uid, gid } = admitFolder(path, admission);
  const description: Description = { v: 1, kind: "tar", path: real, uid, gid };
  try {
    mkdirSync(dirname(paths.folder), { recursive: true, mode: 0o700 });
    if (existsSync(paths.folder)) throw new GuardError("SESSION_BUSY", "the session already has a workspace", { hint: "open it again instead, or start a new session" });
    mkdirSync(paths.folder, { mode: 0o700 });
    writeFileSync(paths.description, `${JSON.stringify(description)}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (error instanceof GuardError) throw error;
    throw new GuardError("STATE_UNUSABLE", `cannot make the session's folder: ${errorCode(error)}`, { cause: error });
  }
  return openTar(options, paths, description, most);
}

/** One of an ended session; null when the session's workspace is of another kind. */
export async function reopenTarWorkspace(options: TarWorkspaceOptions, sessionId: string): Promise<Workspace | null> {
  const paths = pathsOf(prepareStateFolder(options.stateDir), sessionId);
  const description = readDescription(paths);
  if (description === null) return null;
  const stats = statSync(description.path, { throwIfNoEntry: false });
  if (stats?.isDirectory() !== true) throw new GuardError("WORKSPACE_NOT_FOUND", `the workspace \`${printable(description.path)}\` of this session is gone`, { hint: "put the folder back, or discard the session" });
  return openTar(options, paths, description, null);
}

function pathsOf(stateDir: string, sessionId: string): Paths {
  if (!isSessionId(sessionId)) throw new GuardError("SESSION_NOT_FOUND", `\`${printable(sessionId)}\` is no session id`);
  const { folder, description } = layerPaths(stateDir, sessionId);
  return { folder, description, state: join(folder, "changes.json"), contents: join(folder, "contents") };
}

/** @param most what the session may add; null for one that has ended */
function openTar(options: TarWorkspaceOptions, paths: Paths, description: Description, most: WorkspaceLimits | null): Workspace {
  const store = openContentStore(paths.contents);
  const sent = new Map<Raw, Entry>();
  const lower = rawFromText(description.path);
  let guarded = NOBODY_HIDES;
  let state = most === null ? readState(paths) : NO_STATE;
  let index = indexOf(state);
  let scanner: TarScanner | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  const look = async (signal: AbortSignal): Promise<TarState> => {
    if (signal.aborted) throw new GuardError("CANCELLED", "looking through the workspace was cancelled");
    if (scanner === null) return state;
    const seen = await scanner.look(signal);
    if (seen === state) return state;
    writeState(paths, seen);
    state = seen;
    index = indexOf(seen);
    // Last: until the new state is written the old one may be asked for.
    store.retain(new Set(seen.changes.flatMap(({ after }) => (after?.kind === "file" && after.digest !== null ? [after.digest] : []))));
    return state;
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  };

  return {
    path: description.path,
    mount: { kind: "tar" },
    unlimited: "it lies on the engine's disk",
    uid: description.uid,
    gid: description.gid,
    names: async (signal, onFolder) => listNames(lower, createBreath(signal), onFolder),
    protect: async (plan, signal) => {
      guarded = await planTarProtection(lower, plan, signal);
      return guarded.protection;
    },
    pack: (owner, signal) => {
      let leftOut = 0;
      const mode = statSync(description.path).mode & 0o777;
      const onLeftOut = (raw: Raw, why: string): void => {
        leftOut += 1;
        if (leftOut <= 20) options.telemetry.warn("not sent to the engine", { path: printable(pathOfRaw(raw)), why });
      };
      return packFolder({ lower, mode, hidden: guarded.hidden, placed: guarded.placed, owner, breath: createBreath(signal), onSent: (raw, entry) => void sent.set(raw, entry), onLeftOut });
    },
    attach: (sandbox, root, signal) =>
      inTurn(async () => {
        const looker = createLooker((request, sink, abort) => sandbox.run(request, sink, abort), root, options.lookProgram ?? LOOK_PROGRAM);
        const limits = { bytes: most?.bytes ?? LIMITS.workspaceBytes, files: most?.files ?? LIMITS.workspaceFiles };
        const made = createTarScanner({ looker, sent, placed: guarded.placed, store, most: limits });
        await made.begin(signal);
        scanner = made;
      }),
    changes: async (signal) => (await inTurn(() => look(signal))).changes,
    readBase: async (path, limitBytes) => inTurn(async () => readUsers(path, limitBytes)),
    readChanged: async (path, limitBytes) => inTurn(async () => readLeft(path, limitBytes)),
    openChanged: async (path) => inTurn(async () => openLeft(path)),
  };

  /** The user's own content, as long as it is what was sent. */
  function readUsers(path: string, limitBytes: number): Content | null {
    const raw = parsePath(path);
    const change = index.get(path);
    const before = change === undefined ? (sent.get(raw) ?? null) : change.before;
    if (before === null) return null;
    const found = reading(path, () => readBelow(description.path, raw, limitBytes));
    return found !== "missing" && found !== "whiteout" && isSameContent(before, found.entry) ? found : null;
  }

  function readLeft(path: string, limitBytes: number): Content | null {
    const change = index.get(path);
    if (change === undefined) return readUsers(path, limitBytes);
    parsePath(path);
    const { after } = change;
    if (after === null) return null;
    if (after.kind === "symlink") return { content: Buffer.from(rawFromPath(after.target ?? ""), "latin1"), entry: after };
    if (after.kind !== "file") return { content: new Uint8Array(0), entry: after };
    if (after.bytes > limitBytes) throw new GuardError("WORKSPACE_LIMIT", `\`${printable(path)}\` is larger than ${limitBytes} bytes`);
    return { content: wholeOf(store, after, path), entry: after };
  }

  function openLeft(path: string): Awaited<ReturnType<Workspace["openChanged"]>> {
    parsePath(path);
    const after = index.get(path)?.after ?? null;
    if (after === null) return null;
    const modifiedMs = state.times.get(path) ?? null;
    if (after.kind !== "file") return { modifiedMs, bytes: 0, hasHoles: false, read: () => 0, close: () => undefined };
    if (after.digest === null) throw unkept(path);
    return { ...contentOf(store.open(after.digest)), modifiedMs };
  }
}

function indexOf({ changes }: TarState): ReadonlyMap<string, Change> {
  return new Map(changes.map((change) => [change.path, change]));
}

function wholeOf(store: ContentStore, entry: Entry, path: string): Uint8Array {
  if (entry.digest === null) throw unkept(path);
  const opened = contentOf(store.open(entry.digest));
  try {
    const content = Buffer.alloc(opened.bytes);
    for (let filled = 0; filled < content.length; ) {
      const got = opened.read(content.subarray(filled), filled);
      if (got === 0) throw unkept(path);
      filled += got;
    }
    return content;
  } finally {
    opened.close();
  }
}

function unkept(path: string): GuardError {
  return new GuardError("WORKSPACE_UNREADABLE", `the content of \`${printable(path)}\` was not kept: it is larger than ${LIMITS.digestBytes} bytes, or its owner cannot read it`);
}

function readDescription(paths: Paths): Description | null {
  try {
    const found = JSON.parse(readFileSync(paths.description, "utf8")) as Partial<Description>;
    return found.v === 1 && found.kind === "tar" && typeof found.path === "string" ? (found as Description) : null;
  } catch {
    // Not there, or not ours: whoever opens the other kind says so.
    return null;
  }
}

function readState(paths: Paths): TarState {
  try {
    const found = JSON.parse(readFileSync(paths.state, "utf8")) as { readonly changes: readonly Change[]; readonly times: readonly (readonly [string, number])[] };
    return { changes: Object.freeze(found.changes), times: new Map(found.times) };
  } catch (error) {
    if (errorCode(error) === "ENOENT") return NO_STATE;
    throw new GuardError("STATE_UNUSABLE", "what the session changed cannot be read", { cause: error });
  }
}

/** Whole or not at all: a crash leaves the state before. */
function writeState(paths: Paths, { changes, times }: TarState): void {
  try {
    writeFileSync(`${paths.state}.new`, JSON.stringify({ changes, times: [...times] }), { mode: 0o600 });
    renameSync(`${paths.state}.new`, paths.state);
  } catch (error) {
    throw new GuardError("STATE_UNUSABLE", `what the session changed cannot be kept: ${errorCode(error)}`, { cause: error });
  }
}
