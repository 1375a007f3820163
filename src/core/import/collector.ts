// What a reader of one format hands its findings to: calls, their results, and an account of every record.

import { LIMITS, printable, type JsonObject, type JsonValue } from "../shared/index.js";
import type { ImportFormat, ImportedAgent, ImportedCall, ImportedResult, RecordKind, Skipped, Trajectory } from "./form.js";
import { patchCalls } from "./patch.js";
import { hasUnbounded } from "./read.js";

/** What a file says about itself. The first that is said of each counts. */
export interface About extends Partial<ImportedAgent> {
  readonly format?: string | null;
  readonly session?: string | null;
  readonly root?: string | null;
}

export type CallDraft = Omit<ImportedCall, "result" | "sidechain" | "thought" | "cwd" | "time"> & Partial<Pick<ImportedCall, "sidechain" | "thought" | "cwd" | "time">>;

export interface Collector {
  about(said: About): void;
  /** Accounts for one record; each is accounted for once. */
  record(kind: RecordKind): void;
  /** Accounts for one record that is not used. */
  skip(reason: string, place: string): void;
  /** Names a piece of a record that is not used, or not as it is. */
  part(reason: string, place: string): void;
  call(draft: CallDraft): void;
  /** Gives a call its result; false when there is no such call. Null: the last one without. A second result of a call is added to the first. */
  answer(id: string | null, result: Partial<ImportedResult> & Pick<ImportedResult, "output">): boolean;
  finish(format: ImportFormat): Trajectory;
}

const MAX_REASONS = 64;
const MAX_PLACES = 5;
const TEXT = 200;

/** A reader of one format takes one document, or one line after the other. */
export interface FormatReader {
  take(value: JsonValue, place: string): void;
  finish(): void;
}

/** An empty account. */
export function createCollector(): Collector {
  const said: { -readonly [K in keyof About]: About[K] } = {};
  const kinds = { calls: 0, results: 0, messages: 0, metadata: 0 };
  const skipped = createCounts();
  const parts = createCounts();
  const calls: { -readonly [K in keyof ImportedCall]: ImportedCall[K] }[] = [];
  const byId = new Map<string, number[]>();
  let records = 0;

  const keep = (draft: CallDraft): void => {
    if (calls.length >= LIMITS.importCalls) return parts.add(`call past the limit of ${LIMITS.importCalls}`, draft.place);
    const { thought = null, cwd = null, time = null, sidechain = false } = draft;
    calls.push({ ...draft, arguments: carried(draft), time: time === null ? null : printable(time, 40), thought, cwd: cwd !== null && cwd.startsWith("/") ? cwd : null, sidechain, result: null });
  };
  const carried = (draft: CallDraft): JsonObject => {
    if (!hasUnbounded(draft.arguments)) return draft.arguments;
    parts.add("number that is too large to be kept", draft.place);
    return { unparsed: JSON.stringify(draft.arguments) };
  };
  const withId = (id: string | null): readonly number[] => {
    if (id !== null) return byId.get(id) ?? [];
    const last = calls.findLastIndex((call) => call.result === null);
    return last === -1 ? [] : [last];
  };
  return {
    about: (more) => {
      for (const [key, value] of Object.entries(more) as [keyof About, string | null | undefined][]) {
        if (said[key] === undefined && typeof value === "string" && value !== "") said[key] = key === "root" ? value : printable(value, TEXT);
      }
    },
    record: (kind) => {
      records += 1;
      kinds[kind] += 1;
    },
    skip: (reason, place) => {
      records += 1;
      skipped.add(reason, place);
    },
    part: (reason, place) => parts.add(reason, place),
    call: (draft) => {
      const first = calls.length;
      for (const one of patchCalls(draft)) keep(one);
      byId.set(draft.id, Array.from({ length: calls.length - first }, (_, index) => first + index));
    },
    answer: (id, given) => {
      const found = withId(id);
      for (const index of found) {
        const call = calls[index];
        if (call === undefined) continue;
        const result: ImportedResult = { exitCode: null, failed: null, ran: true, durationMs: null, ...given };
        call.result = call.result === null ? result : { ...result, output: `${call.result.output}${result.output}`, ran: call.result.ran || result.ran };
      }
      return found.length > 0;
    },
    finish: (format) => {
      const { name = null, model = null, version = null, format: formatVersion = null, session = null, root = null } = said;
      return {
        format,
        version: formatVersion,
        agent: { name, model, version },
        session,
        root: root !== null && root.startsWith("/") ? root : null,
        calls,
        tally: { records, kinds: { ...kinds }, skipped: skipped.list(), parts: parts.list(), calls: calls.length, unanswered: calls.filter((call) => call.result === null).length },
      };
    },
  };
}

/** Counts by reason. Reasons may hold text of the file, so there is a limit to them. */
function createCounts(): { add(reason: string, place: string): void; list(): readonly Skipped[] } {
  const counts = new Map<string, { count: number; places: string[] }>();
  return {
    add: (raw, place) => {
      const shown = printable(raw, TEXT);
      const reason = counts.has(shown) || counts.size < MAX_REASONS ? shown : "other reasons";
      const known = counts.get(reason) ?? { count: 0, places: [] };
      known.count += 1;
      if (known.places.length < MAX_PLACES) known.places.push(printable(place, TEXT));
      counts.set(reason, known);
    },
    list: () => [...counts].map(([reason, { count, places }]) => ({ reason, count, places })),
  };
}
