// The user's folder as a session sees it, and the truth of what was changed. Contract: test/contract/workspace.contract.ts.

import type { EventData } from "../core/session/event.js";
import type { Change, Entry } from "../core/reconcile/change.js";
import type { EnforcementPlan, IndexedName, PlanFilter } from "../core/policy/enforce.js";
import type { ProtectMount, Sandbox, SandboxMount } from "./sandbox.js";

/** What was made of an enforcement plan. */
export interface Protection {
  readonly mounts: readonly ProtectMount[];
  /** Names that do not exist, or are empty, for the agent. */
  readonly masked: readonly string[];
  /** How many of them are empty instead of absent. */
  readonly boundMasks: number;
  /** Further names of secrets, found by inode. */
  readonly linkedSecrets: readonly string[];
  /** An empty file and an empty folder that may lie over further names later. */
  readonly blanks?: { readonly file: string; readonly folder: string };
  /** Planned, but only reconciliation holds it. */
  readonly unheld: readonly { readonly path: string; readonly why: string }[];
}

/** A name as the session left it, open for reading. Of what is no file only the time is known. */
export interface OpenContent {
  /** When it was last modified, in milliseconds since 1970, as the session left it; null where that is not known. */
  readonly modifiedMs: number | null;
  readonly bytes: number;
  /** Takes less room on disk than it has bytes. */
  readonly hasHoles: boolean;
  /** Fills `buffer` from a position of the file; gives how many bytes there were, 0 at its end. */
  read(buffer: Uint8Array, position: number): number;
  close(): void;
}

/** A copy-on-write view of the user's folder for one session. The user's folder is only ever read. */
export interface Workspace {
  /** The user's folder, real path on the host. */
  readonly path: string;
  /** Where the layers lie. Known once `ready` is done. */
  readonly mount: SandboxMount;
  /** Ends the making of the layers, which `create` only begins. Absent: there was nothing to wait for. */
  ready?(signal: AbortSignal): Promise<void>;
  /**
   * Lets go of the layers, after the sandbox has ended; nothing can be read afterwards. Idempotent. Throws STATE_UNUSABLE
   * when not all that was written could be kept. Absent: nothing is held.
   */
  close?(): Promise<void>;
  /** Why the kernel does not limit what is written; null when it does. Absent: it does not. Known once `ready` is done. */
  readonly unlimited?: string | null;
  readonly uid: number;
  readonly gid: number;
  /**
   * Everything that differs from the user's folder now, deletions included, sorted by path. Call only while no process of
   * the agent is alive. Throws GuardError when the folder cannot be read or a limit is passed: then nothing is known.
   */
  changes(signal: AbortSignal): Promise<readonly Change[]>;
  /** The user's folder as an archive, for a `tar` mount, without what `protect` hides and with the places it holds. Once. */
  pack?(owner: { readonly uid: number; readonly gid: number }, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * Hands over the sandbox in which a `tar` workspace lies; from then on changes are asked of it. Throws SANDBOX_FAILED when
   * what lies there is not what was packed.
   */
  attach?(sandbox: Pick<Sandbox, "run">, root: string, signal: AbortSignal): Promise<void>;
  /** Content of the user's own file before the session, no link followed; null when there is none. */
  readBase(path: string, limitBytes: number): Promise<{ readonly content: Uint8Array; readonly entry: Entry } | null>;
  /** Is the user's folder still the very one this was made on, with the same owner and mode? Absent: that cannot be told. */
  isSame?(): boolean;
  /** Every name of the user's folder, parents first; `onFolder` hears of each folder before it is listed, the top as "". Absent: nothing can be planned. Throws past a limit. */
  names?(signal: AbortSignal, onFolder?: (path: string) => void): Promise<readonly IndexedName[]>;
  /**
   * The same, of which plain files may be left out that the filter does not name and no link can lead to. Absent: ask for all.
   */
  relevantNames?(filter: PlanFilter, signal: AbortSignal, onFolder?: (path: string) => void): NamesSearch;
  /** From now on these names of the user's folder count as hidden: they are no part of what the session changed, and are never put back. */
  conceal?(paths: readonly string[]): void;
  /** Makes a plan's layer. Once, and before the mount. */
  protect?(plan: EnforcementPlan, signal: AbortSignal): Promise<Protection>;
  /** Content as the session left it, no link followed; null when there is none or it was deleted. */
  readChanged(path: string, limitBytes: number): Promise<{ readonly content: Uint8Array; readonly entry: Entry } | null>;
  /** The same piece by piece, for a name among the changes, however large it is; null when there is none. The caller closes it. */
  openChanged(path: string): Promise<OpenContent | null>;
}

export interface RelevantNames {
  readonly names: readonly IndexedName[];
  /** How many there are in all. */
  readonly total: number;
}

/** Names of the user's folder, as they are looked for. */
export interface NamesSearch {
  /** As they were when all of them were last told; null where that is not known. They hold for nothing until `find` says the same. */
  readonly expected: RelevantNames | null;
  /** Looks for them as they are. Once. Throws past a limit. */
  readonly find: () => Promise<FoundNames>;
}

export interface FoundNames extends RelevantNames {
  /** No folder whose names had to be listed changed since the search began: what was looked at of the folder meanwhile is still so. */
  readonly isStill: boolean;
}

/** What one session may write in its workspace. */
export interface WorkspaceLimits {
  readonly bytes?: number;
  readonly files?: number;
}

/** Makes and finds workspaces in the state folder. */
export interface WorkspaceProvider {
  /**
   * Prepares the layers of a new session. Refuses `/`, the home folder, the state folder and folders that hold an engine socket.
   * @param most what the session may write; left out: as much as `LIMITS` says
   */
  create(sessionId: string, path: string, most?: WorkspaceLimits): Promise<Workspace>;
  /** The same for an engine that does not see this machine's files. Absent: there is no such workspace. */
  createTar?(sessionId: string, path: string, most?: WorkspaceLimits): Promise<Workspace>;
  /** The layers of an ended session, for review. */
  reopen(sessionId: string): Promise<Workspace>;
  /** Removes the layers. */
  remove(sessionId: string): Promise<void>;
  /** Lets go of the layers of a session whose process is dead. Safe to repeat. Throws when they are held by somebody alive. */
  release?(sessionId: string): Promise<void>;
  /**
   * Brings an apply of a dead process to an end: the user's folder is as it was before, or wholly applied. Null when none was
   * under way. Safe to repeat until `forgetApply`.
   */
  settleApply?(sessionId: string): Promise<CutApply | null>;
  /** The end of that apply is on record. */
  forgetApply?(sessionId: string): Promise<void>;
}

/** What became of an apply that was cut off. */
export type CutApply =
  /** All was written; only the record does not say so yet. */
  | { readonly outcome: "finished"; readonly applied: EventData["session.applied"] }
  /** Taken back. `left` are names where something else stands by now; what was there before is then kept in `kept`. */
  | { readonly outcome: "undone"; readonly left: readonly string[]; readonly kept?: string | null; readonly gone?: string };

/** A name that came to be in the user's folder, or in a folder that did. */
export interface NewName extends Pick<IndexedName, "path" | "kind"> {
  /** The hidden file whose bytes these are, under its own name: it was linked or renamed. */
  readonly secret?: string;
}

export interface FolderListener {
  readonly onName: (name: NewName) => void;
  /** Told once, when from now on names may be missed. */
  readonly onLost: (why: string) => void;
}

/** Follows the names of one folder. Names may be told more than once, and of such as are gone again. */
export interface UserFolderWatch {
  /** Watches one more folder, before it is listed. */
  add(path: string): void;
  /** Tells names from now on, first those noticed before. Gives the number of watched folders. @param hidden files of the folder that are secret */
  listen(listener: FolderListener, hidden: readonly string[]): number;
  /** Settles when every name that came to be before was told. */
  settled(): Promise<void>;
  /** True when no name came, went or was moved since the first folder was added, and nothing was missed. Before `listen` only. Absent: that cannot be told. */
  untouched?(): Promise<boolean>;
  stop(): void;
}

export interface UserFolderObserver {
  open(folder: string): UserFolderWatch;
}

/** Hints while a call runs; never evidence. Contract: misses are allowed, inventions are not. */
export interface WorkspaceObserver {
  start(mount: SandboxMount, onHint: (path: string, event: "create" | "modify" | "delete") => void): Promise<{ stop(): Promise<void> }>;
}
