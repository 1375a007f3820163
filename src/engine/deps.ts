// What the engine needs from the world, as ports and handed-in functions. The engine imports no adapter.

import type { Digest, Hasher, JsonValue } from "../core/shared/index.js";
import type { Change } from "../core/reconcile/change.js";
import type { Approver } from "../ports/approver.js";
import type { BaseKeeper } from "../ports/base.js";
import type { SessionControl } from "../ports/control.js";
import type { Forensics } from "../ports/forensics.js";
import type { ImageCatalogue } from "../ports/images.js";
import type { LedgerStore } from "../ports/ledger.js";
import type { SandboxProvider } from "../ports/sandbox.js";
import type { Clock, IdSource, Telemetry } from "../ports/system.js";
import type { UserFolderObserver, Workspace, WorkspaceObserver, WorkspaceProvider } from "../ports/workspace.js";
import type { Deadlines } from "./deadline.js";

/** Takes secrets out of what is recorded or sent to the model. */
export interface Redactor {
  text(text: string): string;
  json(value: JsonValue): JsonValue;
}

/** Content that files had after earlier calls, so that a forbidden change can be undone to just before its call. */
export interface Preimages {
  /** Gives back those past a limit, which are not kept. */
  remember(workspace: Workspace, changes: readonly Change[]): Promise<readonly Change[]>;
  load(digest: Digest): Promise<Uint8Array | null>;
}

/** Tells other processes that a session is open, so that one that crashed is found. */
export interface OpenSessions {
  mark(sessionId: string): Promise<void>;
  clear(sessionId: string): Promise<void>;
  /** Sessions whose process is gone and that were not closed. */
  abandoned(): Promise<readonly string[]>;
}

export interface EngineDeps {
  readonly store: LedgerStore;
  readonly sandboxes: SandboxProvider;
  readonly workspaces: WorkspaceProvider;
  /** Tells what an image holds. Left out: sessions record its name and id alone. */
  readonly images?: ImageCatalogue;
  readonly observer: WorkspaceObserver | null;
  /** Tells what the user does to the folder meanwhile. Left out: nobody looks, and the record does not say that somebody does. */
  readonly userFolder?: UserFolderObserver;
  readonly preimages: (sessionId: string) => Preimages;
  readonly openSessions: OpenSessions;
  /** Left out: the folder is not kept as it was, and a session cannot be run again but on a folder that is named. */
  readonly bases?: BaseKeeper;
  /** Hands on what people order. Left out: nobody can from another process. */
  readonly control?: Pick<SessionControl, "listen" | "answer">;
  /** Left out: a stopped session leaves no copy, only its layer. */
  readonly forensics?: Forensics;
  readonly approver: Approver;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly telemetry: Telemetry;
  readonly hasher: Hasher;
  /** Digest under a key that never leaves the state folder: binds to unredacted values without telling them. */
  readonly keyedDigest: (text: string) => Digest;
  readonly redactor: Redactor;
  /** Name and version recorded with each session. */
  readonly product: string;
  /** Others than the usual ones; left out by all but tests. */
  readonly deadlines?: Deadlines;
}
