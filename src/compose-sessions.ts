// Many sessions: found by what is in them, and removed when they are old. The index tells where to look, the record what is there.

import { pruneBases } from "./adapters/files/base-store.js";
import { openSessionIndex, type IndexedSession, type Refreshed } from "./adapters/store/session-index.js";
import { pruneFolders, readReceipt, removeSession, writeReceipt } from "./adapters/store/prune.js";
import { currentLease, isLeaseAlive } from "./adapters/system/lease.js";
import { createOpenSessions } from "./adapters/system/open-sessions.js";
import { createSigner } from "./adapters/system/signer.js";
import { openStore, type Stored } from "./compose-store.js";
import { matchSession, netChanges, sessionFacts, sessionState, type CallText, type SessionQuery } from "./core/session/index.js";
import type { Receipt } from "./core/bundle/receipt.js";
import { GuardError, isSessionId, type SessionId } from "./core/shared/index.js";

export interface FoundSession extends IndexedSession {
  /** Calls that the question names, from the record. */
  readonly matched: readonly CallText[];
}

export interface SearchAnswer {
  readonly found: readonly FoundSession[];
  /** Sessions that the index names and that were not looked at any more. */
  readonly more: number;
  readonly index: Refreshed;
  /** Sessions whose record cannot be trusted: nothing of them is found. */
  readonly invalid: readonly { readonly id: SessionId; readonly fault: string }[];
  /** Named by the index and not borne out by the record. */
  readonly refuted: readonly SessionId[];
}

export interface SearchRequest {
  readonly query: SessionQuery;
  readonly limit: number;
  readonly rebuild: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

/** Finds sessions. What is given back was read from verified records; the index that led there is made of them alone. */
export async function searchSessions(request: SearchRequest): Promise<SearchAnswer> {
  const stored = await openStore(request.env);
  try {
    const { candidates, index, invalid } = await lookUp(stored, request);
    const found: FoundSession[] = [];
    const refuted: SessionId[] = [];
    let looked = 0;
    for (const candidate of candidates) {
      if (found.length >= request.limit) break;
      looked += 1;
      const facts = sessionFacts(await stored.store.read(candidate.id).catch(() => []));
      const matched = facts === null ? null : matchSession(facts, request.query);
      if (facts === null || matched === null) refuted.push(candidate.id);
      else {
        const { calls, paths: _paths, rules: _rules, threats: _threats, ...rest } = facts;
        found.push({ id: candidate.id, ...rest, calls: calls.length, fault: null, matched });
      }
    }
    return { found, more: candidates.length - looked, index, invalid, refuted };
  } finally {
    await stored.close();
  }
}

interface LookedUp {
  readonly candidates: readonly IndexedSession[];
  readonly index: Refreshed;
  readonly invalid: SearchAnswer["invalid"];
}

/** Asks the index; one that turns out to be damaged is made anew from the records. */
async function lookUp(stored: Stored, { query, rebuild, signal }: SearchRequest): Promise<LookedUp> {
  const once = async (anew: boolean): Promise<LookedUp> => {
    const index = await openSessionIndex({ stateDir: stored.stateDir, read: (id) => stored.store.read(id), rebuild: anew });
    try {
      const refreshed = await index.refresh(signal);
      const all = index.find({});
      return { candidates: index.find(query).filter(({ fault }) => fault === null), index: refreshed, invalid: all.flatMap(({ id, fault }) => (fault === null ? [] : [{ id, fault }])) };
    } finally {
      index.close();
    }
  };
  try {
    return await once(rebuild);
  } catch (error) {
    if (error instanceof GuardError || rebuild) throw error;
    stored.telemetry.warn("the index of sessions is damaged and is made anew", { cause: String(error).slice(0, 200) });
    return once(true);
  }
}

export interface PruneRequest {
  /** Sessions opened before this time (ISO 8601) may go; null: any. */
  readonly before: string | null;
  /** So many of the newest stay whatever their age. */
  readonly keep: number;
  /** Sessions go although changes of theirs were neither taken over nor discarded. */
  readonly withChanges: boolean;
  /** Tell what would go, and remove nothing. */
  readonly dryRun: boolean;
  readonly by: string;
  readonly env: NodeJS.ProcessEnv;
  readonly onPruned?: (session: PrunedSession) => void;
}

export interface PrunedSession {
  readonly id: SessionId;
  readonly openedAt: string;
  readonly bytes: number;
  /** Where the receipt lies, relative to the state folder; null with `dryRun`. */
  readonly receipt: string | null;
}

export interface PruneAnswer {
  readonly pruned: readonly PrunedSession[];
  /** Old enough, and kept all the same. */
  readonly kept: readonly { readonly id: SessionId; readonly why: string }[];
}

/**
 * Removes old sessions: record, outputs, layers. Of each stays its signed head, and a signed receipt that names it. Never removed: one that
 * is open or in use, one whose record does not hold, and, unless asked for, one with changes that nobody has decided about.
 */
export async function pruneSessions(request: PruneRequest): Promise<PruneAnswer> {
  const stored = await openStore(request.env);
  try {
    const { stateDir, store } = stored;
    const open = createOpenSessions({ stateDir, lease: currentLease(), isLeaseAlive });
    if (!request.dryRun) pruneFolders(stateDir);
    const newestFirst = [...(await store.list())].reverse();
    const due = newestFirst.slice(request.keep).filter(({ openedAt }) => request.before === null || openedAt < request.before).reverse();
    const pruned: PrunedSession[] = [];
    const kept: { id: SessionId; why: string }[] = [];
    for (const { id, openedAt, bytes } of due) {
      const { why, receipt } = (await open.isMarked(id)) ? { why: "it is open", receipt: null } : await pruneOne(stored, id, request);
      if (why !== null) {
        kept.push({ id, why });
        continue;
      }
      const one: PrunedSession = { id, openedAt, bytes, receipt };
      pruned.push(one);
      request.onPruned?.(one);
    }
    if (pruned.length > 0 && !request.dryRun) pruneBases(stateDir, (await store.list()).map(({ workspace }) => workspace));
    return { pruned, kept };
  } finally {
    await stored.close();
  }
}

/** Why it stays; else where its receipt lies, null where nothing was to be done. */
async function pruneOne({ stateDir, store, workspaces }: Stored, id: SessionId, { withChanges, dryRun, by, before, keep }: PruneRequest): Promise<{ readonly why: string | null; readonly receipt: string | null }> {
  const stays = (why: string): { readonly why: string; readonly receipt: null } => ({ why, receipt: null });
  // Under its lock, and only a record that holds: what was tampered with is evidence.
  const ledger = await store.reopen(id).catch((error: unknown) => {
    if (error instanceof GuardError) return error.message;
    throw error;
  });
  if (typeof ledger === "string") return stays(ledger);
  try {
    const events = await store.read(id);
    const state = sessionState(events);
    if (state === null) return stays("its record has no beginning");
    const isUndecided = state.opened.imported === undefined && !state.discarded && state.applied.length === 0 && netChanges(events).length > 0;
    if (isUndecided && !withChanges) return stays("its changes were neither applied nor discarded");
    if (dryRun) return { why: null, receipt: null };
  } finally {
    await ledger.close();
  }
  const head = store.checkpoint(id);
  if (head === null) return stays("it has no signed head");
  await workspaces.remove(id);
  const receipt = writeReceipt(stateDir, { session: id, head, by, rule: { before, keep } }, createSigner(stateDir));
  removeSession(stateDir, id);
  return { why: null, receipt };
}

/** What is known of a session that was removed for its age; null where there is no such receipt, or this store's key did not sign it. */
export async function receiptOf(wanted: string, env: NodeJS.ProcessEnv): Promise<Receipt | null> {
  if (!isSessionId(wanted)) return null;
  const stored = await openStore(env);
  try {
    return readReceipt(stored.stateDir, wanted, createSigner(stored.stateDir).publicKey);
  } finally {
    await stored.close();
  }
}
