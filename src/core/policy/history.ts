// What a session did so far, as far as rules ask for it: plain data, folded from the record (core/session/history). The same
// record gives the same history, and the same history the same decision.

import type { ThreatId } from "../shared/index.js";
import type { Reacted } from "./reaction.js";
import type { Spent } from "./rule.js";

/** When something happened: in how many calls, and in which call last. Calls count from 1. */
export interface Happened {
  readonly calls: number;
  readonly last: number;
}

/** One refused call: the rules that refused it and what they answer. */
export interface Refusal {
  readonly rules: readonly string[];
  readonly threats: readonly ThreatId[];
}

/** What happened before a call. */
export interface SessionHistory {
  readonly spent: Spent;
  /** What calls that ran did, by the keys of the rules' steps (see match-history). */
  readonly did: ReadonlyMap<string, Happened>;
  /** Rules of findings. */
  readonly found: ReadonlyMap<string, Happened>;
  /** Rules that refused. */
  readonly refused: ReadonlyMap<string, Happened>;
  /** The calls refused since the last one that ran, oldest first. */
  readonly row: readonly Refusal[];
  /** Names in the workspace that were seen to change, absolute, with the call that changed them last. */
  readonly changed: ReadonlyMap<string, number>;
  /** More happened than is kept: whatever is asked for may have happened. */
  readonly full: boolean;
  /** Reactions that happened, in order. */
  readonly reacted: readonly Reacted[];
  /** A pause nobody has ended; null for none. */
  readonly paused: Reacted | null;
}

/** Nothing happened yet. */
export const NO_HISTORY: SessionHistory = {
  spent: { calls: 0, seconds: 0, bytesWritten: 0, filesChanged: 0, deletions: 0 },
  did: new Map(),
  found: new Map(),
  refused: new Map(),
  row: [],
  changed: new Map(),
  full: false,
  reacted: [],
  paused: null,
};

/** Most names kept by path; past it `full`. */
const KEPT = 10_000;
/** Most refusals of one row kept; older ones are forgotten. */
const ROW = 1_000;

function at<K>(map: ReadonlyMap<K, Happened>, keys: readonly K[], call: number): ReadonlyMap<K, Happened> {
  if (keys.length === 0) return map;
  const next = new Map(map);
  for (const key of keys) next.set(key, { calls: (next.get(key)?.calls ?? 0) + (next.get(key)?.last === call ? 0 : 1), last: call });
  return next;
}

/** One more call was judged. */
export function afterCall(history: SessionHistory): SessionHistory {
  return { ...history, spent: { ...history.spent, calls: history.spent.calls + 1 } };
}

/** The last call started; `marks` are the steps it is. */
export function afterStart(history: SessionHistory, marks: readonly string[]): SessionHistory {
  const full = history.did.size > KEPT;
  const kept = full ? marks.filter((mark) => !mark.includes("=") || history.did.has(mark)) : marks;
  return { ...history, did: at(history.did, kept, history.spent.calls), row: [], full: history.full || kept.length < marks.length };
}

/** The last call was refused. */
export function afterRefusal(history: SessionHistory, refusal: Refusal): SessionHistory {
  return { ...history, refused: at(history.refused, refusal.rules, history.spent.calls), row: [...history.row, refusal].slice(-ROW) };
}

/** A reaction happened. */
export function afterReaction(history: SessionHistory, reacted: Reacted): SessionHistory {
  return { ...history, reacted: [...history.reacted, reacted], paused: reacted.kind === "pause" ? reacted : history.paused };
}

/** A person said that a paused session goes on. */
export function afterPause(history: SessionHistory): SessionHistory {
  return { ...history, paused: null };
}

/** Something was found out about the last call. */
export function afterFindings(history: SessionHistory, rules: readonly string[]): SessionHistory {
  return rules.length === 0 ? history : { ...history, found: at(history.found, rules, history.spent.calls) };
}

/** Names were seen to change; absolute, in the workspace. */
export function afterChanges(history: SessionHistory, paths: readonly string[]): SessionHistory {
  if (paths.length === 0) return history;
  const changed = new Map(history.changed);
  let filesChanged = history.spent.filesChanged;
  let { full } = history;
  for (const path of paths) {
    if (!changed.has(path)) {
      filesChanged += 1;
      if (changed.size >= KEPT) {
        full = true;
        continue;
      }
    }
    changed.set(path, history.spent.calls);
  }
  return { ...history, changed, full, spent: { ...history.spent, filesChanged } };
}

/** Amounts were used; files changed are counted by `afterChanges`. */
export function afterSpending(history: SessionHistory, spent: Partial<Omit<Spent, "calls" | "filesChanged">>): SessionHistory {
  const { seconds = 0, bytesWritten = 0, deletions = 0 } = spent;
  return { ...history, spent: { ...history.spent, seconds: history.spent.seconds + seconds, bytesWritten: history.spent.bytesWritten + bytesWritten, deletions: history.spent.deletions + deletions } };
}
