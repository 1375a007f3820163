// The ledger store in memory: the same records, chain and refusals as the one on disk, without durability. For tests.

import { createLedgerVerifier, createMerkleTree, digestBytes, genesis, sealRecord, type ChainState, type SealedRecord } from "../../core/ledger/index.js";
import type { AuditEvent, EventDraft } from "../../core/session/event.js";
import { GuardError, isSessionId, printable, type Digest, type Hasher, type SessionId } from "../../core/shared/index.js";
import type { Ledger, LedgerStore, SessionListing } from "../../ports/ledger.js";
import type { Clock } from "../../ports/system.js";

export interface MemoryLedgerOptions {
  readonly clock: Clock;
  readonly hasher: Hasher;
  /** Makes an append fail as a full disk would; asked before each one. */
  readonly failWhen?: (drafts: readonly EventDraft[]) => boolean;
}

interface StoredSession {
  /** Lines with their line feeds. */
  text: string;
  locked: boolean;
  readonly blobs: Map<Digest, Uint8Array>;
}

/** The store, and a look at what would lie on disk. */
export interface MemoryLedgerStore extends LedgerStore {
  /** The ledger's text. */
  text(sessionId: SessionId): string;
  /** Puts another text in its place, as somebody who tampers would. */
  replaceText(sessionId: SessionId, text: string): void;
}

/** Makes an empty store. */
export function createMemoryLedgerStore(options: MemoryLedgerOptions): MemoryLedgerStore {
  const sessions = new Map<SessionId, StoredSession>();

  const find = (id: SessionId): StoredSession => {
    const session = sessions.get(id);
    if (session === undefined) throw new GuardError("SESSION_NOT_FOUND", `there is no session ${printable(id)}`);
    return session;
  };

  const verified = (id: SessionId, session: StoredSession): { readonly events: readonly AuditEvent[]; readonly state: ChainState } => {
    const events: AuditEvent[] = [];
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    const verifier = createLedgerVerifier({ hasher: options.hasher, decode: (bytes) => decoder.decode(bytes), session: id, heads: [], onRecord: (event) => events.push(event) });
    verifier.push(Buffer.from(session.text, "utf8"));
    const { report, state } = verifier.finish();
    if (report.ok) return { events, state };
    throw new GuardError("LEDGER_INVALID", `ledger of ${id}: line ${report.line ?? "?"}: ${report.message}`, { context: { session: id, line: report.line, fault: report.fault } });
  };

  const open = (id: SessionId, session: StoredSession, state: ChainState): Ledger => {
    if (session.locked) throw new GuardError("SESSION_BUSY", "another writer works on this session");
    session.locked = true;
    return createMemoryLedger(id, session, state, options);
  };

  return {
    create: async (id) => {
      if (!isSessionId(id)) throw new GuardError("SESSION_NOT_FOUND", `\`${printable(id)}\` is no session id`);
      if (sessions.has(id)) throw new GuardError("SESSION_BUSY", `session ${id} has a ledger already`);
      const session: StoredSession = { text: "", locked: false, blobs: new Map() };
      sessions.set(id, session);
      return open(id, session, { seq: 0, prev: null, tree: createMerkleTree(options.hasher), bytes: 0 });
    },
    reopen: async (id) => {
      const session = find(id);
      return open(id, session, verified(id, session).state);
    },
    read: async (id) => verified(id, find(id)).events,
    readBlob: async (id, digest) => {
      const bytes = find(id).blobs.get(digest);
      if (bytes === undefined) throw new GuardError("LEDGER_INVALID", `blob ${printable(digest)} cannot be read`);
      return new Uint8Array(bytes);
    },
    removeEmpty: async (id) => {
      if (sessions.get(id)?.text === "") sessions.delete(id);
    },
    list: async () => {
      const listings: SessionListing[] = [];
      for (const [id, session] of sessions) {
        const first = session.text === "" ? null : (JSON.parse(session.text.slice(0, session.text.indexOf("\n"))) as AuditEvent);
        const workspace = first?.type === "session.opened" ? first.data.workspace.path : "";
        listings.push({ id, openedAt: first?.time ?? "", workspace, bytes: Buffer.byteLength(session.text) });
      }
      return listings.sort((a, b) => (a.openedAt < b.openedAt ? -1 : a.openedAt > b.openedAt ? 1 : a.id < b.id ? -1 : 1));
    },
    text: (id) => find(id).text,
    replaceText: (id, text) => {
      find(id).text = text;
    },
  };
}

function createMemoryLedger(id: SessionId, session: StoredSession, state: ChainState, options: MemoryLedgerOptions): Ledger {
  let seq = state.seq;
  let prev = state.prev ?? genesis(options.hasher, id);
  let ended: string | null = null;

  const refuse = (why: string, cause?: unknown): GuardError => {
    ended ??= "the ledger is closed after a failure";
    return new GuardError("LEDGER_APPEND_FAILED", why, { cause });
  };

  const seal = (drafts: readonly EventDraft[]): readonly SealedRecord[] => {
    const records: SealedRecord[] = [];
    for (const draft of drafts) {
      const place = { seq: seq + records.length, prev: records.at(-1)?.hash ?? prev, session: id, time: options.clock.now() };
      records.push(sealRecord(draft, place, options.hasher));
    }
    return records;
  };

  return {
    sessionId: id,
    recovered: null,
    append: async (drafts) => {
      if (ended !== null) throw new GuardError("LEDGER_APPEND_FAILED", ended);
      if (options.failWhen?.(drafts) === true) throw refuse("record could not be made durable: no space left");
      let records: readonly SealedRecord[];
      try {
        records = seal(drafts);
      } catch (cause) {
        throw refuse("record could not be sealed", cause);
      }
      for (const record of records) {
        session.text += record.line;
        state.tree.append(digestBytes(record.hash));
        seq += 1;
        prev = record.hash;
      }
      return records.map((record) => record.event);
    },
    putBlob: async (bytes) => {
      if (ended !== null) throw new GuardError("LEDGER_APPEND_FAILED", ended);
      const digest = options.hasher(bytes);
      session.blobs.set(digest, new Uint8Array(bytes));
      return digest;
    },
    close: async () => {
      if (ended !== "the ledger is closed") session.locked = false;
      ended = "the ledger is closed";
    },
  };
}
