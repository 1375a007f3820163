// An index over the records, in an embedded SQLite: made of them, brought up to date by them, and thrown away where it is broken. It only
// tells where to look: what is found is read from its record before it is believed.

import { closeSync, existsSync, lstatSync, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "node-sqlite3-wasm";
import { foldText, sessionFacts, type AuditEvent, type SessionFacts, type SessionQuery } from "../../core/session/index.js";
import { GuardError, isSessionId, printable, type SessionId } from "../../core/shared/index.js";
import { ensurePrivateDir } from "../system/state-dir.js";
import { sessionPaths } from "./paths.js";
import { takeLock } from "./session-lock.js";

/** Another layout, or other facts of the same record: the index is made anew. */
const VERSION = 1;
const BATCH = 100;
const TURN = 256;

/** One session as the index has it. */
export interface IndexedSession extends Omit<SessionFacts, "calls" | "paths" | "rules" | "threats"> {
  readonly id: SessionId;
  readonly calls: number;
  /** Why its record cannot be trusted; null where it can. */
  readonly fault: string | null;
}

export interface Refreshed {
  readonly sessions: number;
  /** Read because they are new or another than when they were indexed. */
  readonly read: number;
  readonly removed: number;
}

export interface SessionIndex {
  /** Brings the index up to what lies on disk. */
  refresh(signal?: AbortSignal): Promise<Refreshed>;
  /** Sessions that may fit, newest first. */
  find(query: SessionQuery): readonly IndexedSession[];
  close(): void;
}

export interface SessionIndexOptions {
  readonly stateDir: string;
  /** The verified events of a session; rejects with GuardError where they do not hold. */
  readonly read: (id: SessionId) => Promise<readonly AuditEvent[]>;
  /** Throw away what there is and make it anew. */
  readonly rebuild?: boolean;
}

/**
 * Opens the index. One process at a time.
 * @throws GuardError SESSION_BUSY while another process has it
 */
export async function openSessionIndex({ stateDir, read, rebuild = false }: SessionIndexOptions): Promise<SessionIndex> {
  const folder = join(stateDir, "index");
  ensurePrivateDir(folder);
  const lock = takeLock(join(folder, "lock"));
  try {
    const file = join(folder, "sessions.db");
    // The lock is ours: a mark of the library's own was left by a process that was killed.
    rmSync(`${file}.lock`, { recursive: true, force: true });
    if (rebuild) removeDatabase(file);
    const { default: sqlite } = await import("node-sqlite3-wasm");
    const database = openDatabase(file, (path) => new sqlite.Database(path));
    return {
      refresh: (signal) => refresh(database, stateDir, read, signal),
      find: (query) => find(database, query),
      close: () => {
        database.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A file that is no database of ours, or is damaged, is made anew: nothing is lost with it. */
function openDatabase(file: string, open: (path: string) => Database): Database {
  for (const attempt of [1, 2]) {
    // Made by us, so that nobody else reads it.
    if (!existsSync(file)) closeSync(openSync(file, "wx", 0o600));
    let database: Database | null = null;
    try {
      database = open(file);
      database.exec("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA trusted_schema=OFF");
      const version = Number(Object.values(database.get("PRAGMA user_version") ?? {})[0] ?? 0);
      if (version !== VERSION) {
        if (version !== 0) throw new Error("another version");
        database.exec(SCHEMA);
      }
      database.get("SELECT count(*) FROM sessions WHERE id < ?", ["a"]);
      return database;
    } catch (cause) {
      database?.close();
      removeDatabase(file);
      if (attempt === 2) throw new GuardError("STATE_UNUSABLE", `the index of sessions cannot be made: ${printable(String(cause), 200)}`, { cause });
    }
  }
  throw new GuardError("INTERNAL_BUG", "the index was neither opened nor refused");
}

const SCHEMA = `
CREATE TABLE sessions (id TEXT PRIMARY KEY, stamp TEXT NOT NULL, opened TEXT NOT NULL, status TEXT NOT NULL, workspace TEXT NOT NULL, agent TEXT NOT NULL, score REAL, facts TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX by_opened ON sessions(opened);
CREATE TABLE texts (session TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL);
CREATE INDEX by_session ON texts(session);
CREATE INDEX by_kind ON texts(kind, value);
PRAGMA user_version=${String(VERSION)};
`;

function removeDatabase(file: string): void {
  for (const end of ["", "-journal", ".lock"]) rmSync(`${file}${end}`, { recursive: true, force: true });
}

async function refresh(database: Database, stateDir: string, read: SessionIndexOptions["read"], signal: AbortSignal | undefined): Promise<Refreshed> {
  const known = new Map((database.all("SELECT id, stamp FROM sessions") as { id: string; stamp: string }[]).map(({ id, stamp }) => [id, stamp]));
  const due: { readonly id: SessionId; readonly stamp: string }[] = [];
  let sessions = 0;
  for (const name of sessionNames(stateDir)) {
    if (!isSessionId(name)) continue;
    const stamp = stampOf(stateDir, name);
    if (stamp === null) continue;
    sessions += 1;
    if (known.get(name) !== stamp) due.push({ id: name, stamp });
    known.delete(name);
    if (sessions % TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (let at = 0; at < due.length; at += BATCH) {
    const rows: { readonly id: SessionId; readonly stamp: string; readonly facts: SessionFacts | null; readonly fault: string | null }[] = [];
    for (const { id, stamp } of due.slice(at, at + BATCH)) {
      if (signal?.aborted === true) throw new GuardError("CANCELLED", "bringing the index up to date was cancelled");
      rows.push({ id, stamp, ...(await factsOf(id, read)) });
    }
    inOne(database, () => {
      for (const row of rows) put(database, row);
    });
  }
  inOne(database, () => {
    for (const id of known.keys()) forget(database, id);
  });
  return { sessions, read: due.length, removed: known.size };
}

async function factsOf(id: SessionId, read: SessionIndexOptions["read"]): Promise<{ readonly facts: SessionFacts | null; readonly fault: string | null }> {
  try {
    return { facts: sessionFacts(await read(id)), fault: null };
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    return { facts: null, fault: error.message };
  }
}

function put(database: Database, { id, stamp, facts, fault }: { readonly id: SessionId; readonly stamp: string; readonly facts: SessionFacts | null; readonly fault: string | null }): void {
  forget(database, id);
  const { calls = [], paths = [], rules = [], threats = [], ...rest } = facts ?? { openedAt: "", workspace: "", status: "invalid", source: "", agent: null, policy: "", score: null, peak: null, refused: 0, changes: 0 };
  const row: IndexedSession = { id, ...rest, calls: calls.length, fault };
  database.run("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [id, stamp, rest.openedAt, rest.status, foldText(rest.workspace), foldText(rest.agent ?? ""), rest.score === null ? null : Number(rest.score), JSON.stringify(row)]);
  const texts: readonly (readonly [string, readonly string[]])[] = [["command", [...new Set(calls.map(({ command }) => command))]], ["path", paths], ["rule", rules], ["threat", threats]];
  for (const [kind, values] of texts) for (const value of values) database.run("INSERT INTO texts VALUES (?, ?, ?)", [id, kind, foldText(value)]);
}

function forget(database: Database, id: string): void {
  database.run("DELETE FROM texts WHERE session = ?", [id]);
  database.run("DELETE FROM sessions WHERE id = ?", [id]);
}

function inOne(database: Database, work: () => void): void {
  database.exec("BEGIN");
  try {
    work();
    database.exec("COMMIT");
  } catch (error) {
    if (database.inTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** Every part of a question narrows what may fit; values are bound, never put into the text. */
function find(database: Database, query: SessionQuery): readonly IndexedSession[] {
  const where: string[] = [];
  const values: (string | number)[] = [];
  const ask = (condition: string, ...bound: readonly (string | number)[]): void => {
    where.push(condition);
    values.push(...bound);
  };
  if (query.minScore !== undefined) ask("score >= ?", query.minScore);
  if (query.maxScore !== undefined) ask("score <= ?", query.maxScore);
  if (query.since !== undefined) ask("opened >= ?", query.since);
  if (query.before !== undefined) ask("opened < ?", query.before);
  if (query.status !== undefined) ask("status = ?", query.status);
  if (query.workspace !== undefined) ask("instr(workspace, ?) > 0", foldText(query.workspace));
  for (const kind of ["command", "path", "rule", "threat"] as const) {
    const wanted = query[kind];
    if (wanted !== undefined) ask("id IN (SELECT session FROM texts WHERE kind = ? AND instr(value, ?) > 0)", kind, foldText(wanted));
  }
  for (const word of query.words ?? []) {
    const folded = foldText(word);
    ask("(instr(workspace, ?) > 0 OR instr(agent, ?) > 0 OR id IN (SELECT session FROM texts WHERE instr(value, ?) > 0))", folded, folded, folded);
  }
  const rows = database.all(`SELECT facts FROM sessions${where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`} ORDER BY opened DESC, id DESC`, values) as { facts: string }[];
  return rows.map(({ facts }) => JSON.parse(facts) as IndexedSession);
}

function sessionNames(stateDir: string): readonly string[] {
  try {
    return readdirSync(join(stateDir, "sessions"));
  } catch {
    return []; // there are none yet
  }
}

/** Differs once the record is another. A change that keeps all of it is found when the session is read. */
function stampOf(stateDir: string, id: SessionId): string | null {
  const stats = lstatSync(sessionPaths(stateDir, id).ledger, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? null : [stats.size, stats.mtimeNs, stats.ctimeNs, stats.ino].join(" ");
}
