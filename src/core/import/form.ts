// The common form that trajectories of other tools are read into. What a file says is a claim: nothing of it was witnessed here.

import { count } from "../shared/index.js";
import type { JsonObject } from "../shared/index.js";

/** Formats that can be imported, in the order in which detection asks. */
export const IMPORT_FORMATS = ["swe-agent", "mini-swe-agent", "openhands", "atif", "claude-code", "codex", "gemini-cli", "kimi-wire", "chat"] as const;

export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/** Tells whether a text names a format. */
export function isImportFormat(name: string): name is ImportFormat {
  return (IMPORT_FORMATS as readonly string[]).includes(name);
}

/** What the file says came of a call. */
export interface ImportedResult {
  readonly output: string;
  /** null where the format does not tell. */
  readonly exitCode: number | null;
  /** The source's own flag; null where it has none. */
  readonly failed: boolean | null;
  /** False: the source says that the call was refused or cancelled before it ran. */
  readonly ran: boolean;
  readonly durationMs: number | null;
}

/** One tool call as the source wrote it. Every text is untrusted. */
export interface ImportedCall {
  /** The source's own id of the call, or one made of its place. */
  readonly id: string;
  readonly tool: string;
  readonly arguments: JsonObject;
  /** Where in the source: `step 4`, `line 12`. */
  readonly place: string;
  /** As the source wrote it; no form is promised. */
  readonly time: string | null;
  readonly thought: string | null;
  /** Working directory before the call, where the source tells. */
  readonly cwd: string | null;
  /** Made by an agent that the main one started. */
  readonly sidechain: boolean;
  readonly result: ImportedResult | null;
}

/** What a record of the source was used for. */
export const RECORD_KINDS = ["calls", "results", "messages", "metadata"] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

/** How many records are of each kind that there is: `1 call`, `2 results`, `3 metadata`. */
export function kindTexts(kinds: Readonly<Record<RecordKind, number>>): readonly string[] {
  return RECORD_KINDS.filter((kind) => kinds[kind] > 0).map((kind) => (kind === "metadata" ? `${kinds[kind]} metadata` : count(kinds[kind], kind.slice(0, -1))));
}

/** Something left out: why, how often, and where first. */
export interface Skipped {
  readonly reason: string;
  readonly count: number;
  /** The first few. */
  readonly places: readonly string[];
}

/** The account of an import: `records` is the sum of the kinds and of the skipped. */
export interface ImportTally {
  readonly records: number;
  readonly kinds: Readonly<Record<RecordKind, number>>;
  /** Whole records that were not used. */
  readonly skipped: readonly Skipped[];
  /** Pieces of used records that were not used, or not as they are. */
  readonly parts: readonly Skipped[];
  readonly calls: number;
  /** Calls whose result is not in the source. */
  readonly unanswered: number;
}

/** Who acted, as far as the source tells. */
export interface ImportedAgent {
  readonly name: string | null;
  readonly model: string | null;
  readonly version: string | null;
}

/** One session of another tool. */
export interface Trajectory {
  readonly format: ImportFormat;
  /** Version of the format, as detected; null when nothing tells. */
  readonly version: string | null;
  readonly agent: ImportedAgent;
  /** The source's own id of the session. */
  readonly session: string | null;
  /** Folder the agent worked in, absolute; null when nothing tells. */
  readonly root: string | null;
  readonly calls: readonly ImportedCall[];
  readonly tally: ImportTally;
}
