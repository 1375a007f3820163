// What a running session holds. Only the engine sees it.

import type { CallId, Role, SessionId } from "../core/shared/index.js";
import type { PolicySet } from "../core/policy/index.js";
import type { Change } from "../core/reconcile/change.js";
import type { Holdings } from "../core/reconcile/index.js";
import type { RiskProfile, RiskState } from "../core/risk/index.js";
import type { AgentInfo, AuditEvent, EventData, EventDraft } from "../core/session/event.js";
import type { HistoryState } from "../core/session/history.js";
import type { Ledger } from "../ports/ledger.js";
import type { Sandbox } from "../ports/sandbox.js";
import type { SessionDefaults } from "../ports/settings.js";
import type { Workspace } from "../ports/workspace.js";
import type { Deadlines } from "./deadline.js";
import type { EngineDeps, Preimages } from "./deps.js";
import type { PauseState } from "./pause.js";
import type { Processes } from "./processes.js";
import type { Surroundings } from "./surroundings.js";
import type { UserEdits } from "./user-edits.js";
import type { Watch } from "./watch.js";

/** Content before an edit; null when there was no file. */
export interface PreviousContent {
  readonly content: string | null;
}

export interface SessionOptions {
  readonly workspace: string;
  readonly image: string;
  readonly policy: PolicySet;
  readonly profile: string | null;
  readonly risk: RiskProfile;
  readonly role: Role | null;
  readonly source: EventData["session.opened"]["source"];
  readonly startedBy: string;
  readonly agent: AgentInfo;
  readonly defaults: SessionDefaults;
  /** False: nothing is hidden or mounted for policy's sake. For tests of the rest. */
  readonly enforce?: false;
  /** `off`: every call is let through, whatever is decided. For tests of what holds without it; the record says so. */
  readonly gate?: "off";
  /** The session that this one runs again. Its folder is kept already. */
  readonly replayOf?: SessionId;
  /** Told of every event once it is durable, in order. What it throws goes to the operator's log. */
  readonly onEvent?: (event: AuditEvent) => void;
}

export interface LiveSession {
  readonly id: SessionId;
  readonly deps: EngineDeps;
  readonly options: SessionOptions;
  readonly deadlines: Deadlines;
  readonly sandbox: Sandbox;
  readonly workspace: Workspace;
  readonly preimages: Preimages;
  readonly ledger: Ledger;
  readonly watch: Watch;
  /** What holds names for policy's sake; null where nothing does. */
  readonly holdings: Holdings | null;
  /** null where nobody follows what the user does meanwhile. */
  readonly userEdits: UserEdits | null;
  surroundings: Surroundings;
  changes: readonly Change[];
  /** Names in the sandbox's own folders as last seen, with their stamps. */
  scratch: ReadonlyMap<string, string>;
  /** Earlier contents of files the edit tools changed, by path, for undo. */
  readonly edits: Map<string, readonly PreviousContent[]>;
  /** How often a person rejected the very same thing, by its digests. */
  readonly rejections: Map<string, number>;
  /** Whether a person has paused it. */
  readonly pause: PauseState;
  /** Those that outlive their calls. */
  readonly processes: Processes;
  risk: RiskState;
  /** What the record says that rules may ask for. */
  history: HistoryState;
  calls: number;
  /** Forensic copies of killed calls so far. */
  copies: number;
  /** Is the score of the start on record. */
  isScored: boolean;
  /** Sequence number of the next record. */
  nextSeq: number;
  /** Why no call can be taken any more; null while all is well. */
  broken: string | null;
  /** A test of the controls that is due after this call; null for none. */
  attest: Pick<EventData["controls.attested"], "trigger" | "cause"> | null;
  /** Calls there were at the last test. */
  attestedAt: number;
  /** Why policy stopped the session; null while it goes on. */
  stopped: string | null;
  /** Puts a batch on record, scored. Once it has failed the session is broken. */
  append(drafts: readonly EventDraft[]): Promise<readonly AuditEvent[]>;
}

/** Id of the next call of a session. */
export function nextCallId(live: LiveSession): CallId {
  live.calls += 1;
  return `call_${String(live.calls).padStart(4, "0")}`;
}
