// The closed union of events. Everything else (state, score, reports, replay) is a pure function of these.

import type { CallId, Digest, JsonObject, Role, SessionId, ThreatId } from "../shared/index.js";
import type { DecisionEffect, MaestroLayer, Obligation, Reason } from "../policy/decision.js";
import type { ReactionKind } from "../policy/reaction.js";
import type { Change, Finding } from "../reconcile/change.js";

/** A protection of this container. `attested`: tested inside it; `configured`: asked for, not tested; `missing`. */
export interface Control {
  readonly id: string;
  readonly state: "attested" | "configured" | "missing";
  readonly detail: string;
}

/** Who acts: as far as known, null where not. */
export interface AgentInfo {
  readonly name: string | null;
  readonly model: string | null;
  readonly endpoint: string | null;
  readonly version: string | null;
  readonly sampling: JsonObject | null;
}

/** One output stream of a call, as recorded: redacted text up to a limit, and the blob that holds the rest. */
export interface OutputRecord {
  readonly bytes: number;
  /** Bytes past the keep limit, counted and dropped. */
  readonly dropped: number;
  /** First part, redacted and printable as UTF-8 with replacement. */
  readonly head: string;
  readonly blob: Digest | null;
}

/** A piece of what a call gave the model: redacted output as it was given, or a file of the workspace that a file tool read for it. */
export interface Reached {
  readonly what: "stdout" | "stderr" | "file";
  /** The file; null for an output. */
  readonly path: string | null;
  /** Of the text as given, or of the whole content of the file. */
  readonly digest: Digest;
  /** Length of the text as given, in UTF-16 units; bytes of the file. */
  readonly length: number;
  /** Characters left out in the middle of an output, and bytes of it dropped before. */
  readonly left: number;
  readonly dropped: number;
}

/** One program that was executed. Texts are printable, with secrets taken out; times are milliseconds. */
export interface RecordedProgram {
  /** Counts from 1 in a call, in the order of starting. */
  readonly number: number;
  /** The program that started it; 0 for the call itself. */
  readonly parent: number;
  /** It took the place of its parent, in the same process; left out where it did not. */
  readonly replaced?: true;
  /** The file that really ran: for a script its interpreter. */
  readonly image: string;
  readonly argv: readonly string[];
  /** Arguments are cut; left out where they are whole. */
  readonly cut?: true;
  readonly cwd: string;
  readonly startedMs: number;
  /** null where its end was not seen. */
  readonly durationMs: number | null;
  /** Code, or name of the signal; `replaced` when another took its place; null where its end was not seen. */
  readonly exit: number | string | null;
  /** A rule that is against it: with `deny` it was ended before its first instruction, with `ask` it ran and nobody was asked. Left out where none is. */
  readonly against?: { readonly rule: string; readonly effect: "deny" | "ask" };
}

/** Where an imported session comes from. */
export interface ImportSource {
  readonly format: string;
  /** Version of the format, as detected; null when nothing tells. */
  readonly version: string | null;
  readonly file: string;
  /** Digest of the file's bytes; null for a session of several files. */
  readonly digest: Digest | null;
  readonly bytes: number;
  /** The source's own id of the session. */
  readonly session: string | null;
  /** What its calls were judged as: in a tested container, or with nothing that holds them. */
  readonly containment: "attested" | "none";
  /** The home folder that its calls were judged with. */
  readonly home: string;
}

/** What a file says of a call besides the call. */
export interface CallClaim {
  /** Where in the file. */
  readonly place: string;
  /** As the file has it; no form is promised. */
  readonly time: string | null;
  readonly thought: string | null;
  /** The folder the call was judged in. */
  readonly cwd: string;
  readonly sidechain: boolean;
}

export interface EventData {
  "session.opened": {
    readonly product: string;
    readonly agent: AgentInfo;
    readonly startedBy: string;
    readonly source: "exec" | "run" | "library" | "shell" | "demo" | "import" | "replay";
    readonly workspace: { readonly path: string; readonly root: string };
    readonly role: Role | null;
    readonly policy: { readonly digest: Digest; readonly sources: readonly string[]; readonly profile: string | null };
    /** `content`: digest over the layers. `packages`: how many, and the list of them, one a line. Each left out where the image does not tell. */
    readonly image: { readonly reference: string; readonly id: string; readonly content?: Digest; readonly packages?: { readonly count: number; readonly blob: Digest } };
    readonly engine: { readonly name: string; readonly version: string; readonly runtime: string };
    readonly controls: readonly Control[];
    /** How long the sandbox had stood ready before the session took it, in milliseconds; left out for one made for it. */
    readonly readyMs?: number;
    /** What the score starts from, where that is not the built-in profile of Kimi-Dev: the whole of it, so that the record alone gives the score. */
    readonly riskProfile?: JsonObject;
    /** Read from a file of another tool: nothing of the session was witnessed. Left out for every other. */
    readonly imported?: ImportSource;
    /** The user's folder as it was then, kept so that the session can be run again: `digest` names it, null where it was not kept and `why`. Left out where nobody was to keep it. */
    readonly base?: { readonly digest: Digest | null; readonly files: number; readonly bytes: number; readonly why: string | null };
    /** The session that this one runs again; left out for every other. */
    readonly replayOf?: SessionId;
  };
  "call.received": {
    readonly label: string;
    /** The person who gave it from another process; left out for the agent's own. */
    readonly by?: string;
    readonly role: Role | null;
    readonly tool: string;
    /** With secrets taken out; empty when past a limit, or when they are in the blob store. */
    readonly arguments: JsonObject;
    /** Where arguments too long for the record are kept, redacted, as JSON. */
    readonly argumentsBlob?: Digest;
    readonly argumentsDigest: Digest;
    /** What a file that was imported claims about the call; left out for every other. */
    readonly claimed?: CallClaim;
  };
  "decision.made": {
    readonly action: { readonly kind: string; readonly summary: string; readonly cwd: string | null; readonly effects: number };
    readonly actionDigest: Digest;
    readonly effect: DecisionEffect;
    readonly reasons: readonly Reason[];
    readonly obligations: readonly Obligation[];
    readonly guidance: string | null;
    readonly policyDigest: Digest;
    /** What rules in shadow mode would have refused; left out when there is nothing. */
    readonly shadow?: readonly Reason[];
    /** What an allowed call's text, or that of the code it runs, says that rules are against or watch for; left out when there is nothing. */
    readonly noted?: readonly Reason[];
    /** Steps of the policy's sequences and counts that the action is; left out when there are none. */
    readonly marks?: readonly string[];
  };
  "approval.requested": { readonly actionDigest: Digest; readonly policyDigest: Digest; readonly summary: string; readonly rules: readonly string[]; /** Files it would run, whose content the approval is bound to; left out when there are none. */ readonly files?: readonly { readonly path: string; readonly digest: Digest | null }[] };
  "approval.resolved": {
    readonly actionDigest: Digest;
    readonly outcome: "approved" | "rejected" | "expired" | "unavailable";
    readonly by: string;
    readonly detail: string | null;
  };
  "execution.started": { readonly kind: string; readonly cwd: string | null; readonly environment: readonly string[]; readonly timeoutMs: number };
  "execution.finished": {
    readonly exitCode: number | null;
    readonly signal: string | null;
    readonly ended: "exit" | "timeout" | "cancelled" | "limit" | "fault" | "refused";
    /** Which limit, or which fault of ours; null otherwise. */
    readonly detail: string | null;
    readonly durationMs: number;
    readonly stdout: OutputRecord;
    readonly stderr: OutputRecord;
    /** Processes left at the end of the call that were killed. */
    readonly killed: number;
    /** Proof that no process of the call is left. */
    readonly quiescent: boolean;
  };
  /** What really ran in a call, by the kernel's account: each program, and with `full` each file it opened for writing. Left out where nothing was recorded. */
  "programs.recorded": {
    readonly record: "exec" | "full";
    readonly programs: readonly RecordedProgram[];
    readonly writes: readonly { readonly program: number; readonly path: string }[];
    /** What was seen and is not in this record. */
    readonly dropped: { readonly programs: number; readonly writes: number };
  };
  /** What a file that was imported claims came of a call. `ran` is false where it says that the call was refused or cancelled. */
  "execution.imported": {
    readonly ran: boolean;
    readonly exitCode: number | null;
    readonly failed: boolean | null;
    readonly durationMs: number | null;
    readonly output: OutputRecord;
  };
  /** What a call really changed. Where one record would be too long there are several, one after the other; `hints` is in the first. */
  "reconciliation.done": { readonly changes: readonly Change[]; readonly findings: readonly Finding[]; readonly hints: number };
  "risk.updated": {
    readonly formula: string;
    readonly score: string;
    readonly band: string;
    readonly peak: string;
    readonly cause: number;
    readonly reasons: readonly string[];
    readonly detail: JsonObject;
  };
  /** Controls of this container, tested again while the session runs. What was seen to hold once and does no longer is the news. */
  "controls.attested": { readonly controls: readonly Control[]; /** What it was tested for. */ readonly trigger: "schedule" | "finding"; /** The event it follows; null for none. */ readonly cause: number | null };
  /** A reaction of policy. `effect` is what it makes of calls that would be allowed: `deny` where none follows. */
  "session.tightened": {
    readonly reason: string;
    readonly effect: DecisionEffect;
    /** The reaction's id in the policy. */
    readonly reaction?: string;
    readonly action?: ReactionKind;
    readonly layer?: MaestroLayer | null;
    readonly threats?: readonly ThreatId[];
    /** The event that made it due. */
    readonly cause?: number;
  };
  /** Nothing of the session runs until it is resumed. `call`: the one that was stopped where it stood; null: none ran. */
  "session.paused": { /** A person, or `policy`. */ readonly by: string; readonly reason: string | null; readonly call: CallId | null };
  "session.resumed": { readonly by: string; readonly pausedMs: number };
  /** A forensic copy of the workspace layer, made when a session was stopped, or of what a call that was killed at its deadline had changed. */
  "session.copied": {
    /** Folder in the state folder, relative to it. */
    readonly place: string;
    /** Digest of its manifest, which names every changed path, what was kept of it and what was not. */
    readonly digest: Digest;
    readonly files: number;
    readonly bytes: number;
    /** Changed files that were not kept. */
    readonly left: number;
  };
  /** A person typed a line for the program of a call that runs. It was sent only when `effect` is allow. */
  "input.typed": { readonly text: string; readonly effect: DecisionEffect; readonly rules: readonly string[] };
  /** A program was handed over that outlives its call; it is frozen between calls. */
  "process.opened": {
    readonly name: string;
    readonly summary: string;
    readonly terminal: { readonly rows: number; readonly columns: number } | null;
    /** It is ended when no call names it for this long. */
    readonly leaseMs: number;
  };
  /** Nothing of it is left. `closed`: by a call; `session`: with the session; `recovered`: found after a crash, and ended then. */
  "process.closed": {
    readonly name: string;
    readonly reason: "exit" | "closed" | "killed" | "lease" | "timeout" | "limit" | "fault" | "session" | "recovered";
    readonly exitCode: number | null;
    readonly signal: string | null;
    readonly detail: string | null;
  };
  "session.closed": { readonly reason: "finished" | "cancelled" | "broken" | "recovered" | "stopped"; readonly detail: string | null; readonly calls: number };
  "session.applied": {
    readonly paths: readonly string[];
    /** Files of which only some hunks were taken over, with their numbers; left out when there are none. */
    readonly hunks?: readonly { readonly path: string; readonly numbers: readonly number[] }[];
  };
  /** A person took changes back: those stand that stood when call `to` ended, or none where it is null. `paths` is how many names that moved. */
  "session.undone": { readonly to: CallId | null; readonly paths: number };
  "session.discarded": { readonly reason: string };
  /** The account of an import: `records` is the sum of `kinds` and of the counts of `skipped`; `parts` are pieces of used records. */
  "import.finished": {
    readonly records: number;
    readonly kinds: Readonly<Record<"calls" | "results" | "messages" | "metadata", number>>;
    readonly skipped: readonly { readonly reason: string; readonly count: number; readonly places: readonly string[] }[];
    readonly parts: readonly { readonly reason: string; readonly count: number; readonly places: readonly string[] }[];
    readonly calls: number;
    readonly unanswered: number;
  };
  "call.closed": {
    readonly outcome: "completed" | "denied" | "rejected" | "failed" | "cancelled" | "reverted" | "in-doubt" | "imported";
    readonly exitCode: number | null;
    readonly observationDigest: Digest | null;
    /** What reached the model, piece by piece; left out where nothing ran. */
    readonly reached?: readonly Reached[];
  };
}

export type EventType = keyof EventData;

/** An event before the ledger gives it its place. */
export type EventDraft = { readonly [T in EventType]: { readonly call: CallId | null; readonly type: T; readonly data: EventData[T] } }[EventType];

/** An event on record. `seq` counts from 0 in a session. */
export type AuditEvent = EventDraft & {
  readonly v: 1;
  readonly seq: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string;
  readonly session: SessionId;
};
