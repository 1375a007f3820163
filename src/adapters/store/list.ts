// Lists sessions without reading them: the first record of each says when and where.

import { closeSync, constants, fstatSync, readdirSync, readSync } from "node:fs";
import { isSessionId, LIMITS, type SessionId } from "../../core/shared/index.js";
import type { SessionListing } from "../../ports/ledger.js";
import type { Telemetry } from "../../ports/system.js";
import { openOwnFile, systemCode } from "./files.js";
import { sessionPaths } from "./paths.js";
import { decodeUtf8 } from "./read.js";

const FIRST_READ_BYTES = 16 * 1024;
const TURN = 256;

/** The first line of a file, read in growing pieces up to the longest record. */
function firstLine(fd: number, size: number): string | null {
  for (let bytes = FIRST_READ_BYTES; ; bytes *= 8) {
    const buffer = Buffer.alloc(Math.min(bytes, size));
    const count = readSync(fd, buffer, 0, buffer.length, 0);
    const end = buffer.subarray(0, count).indexOf(0x0a);
    if (end >= 0) return decodeUtf8(buffer.subarray(0, end));
    if (bytes >= size || bytes > LIMITS.recordBytes) return null;
  }
}

function textAt(value: unknown, ...path: readonly string[]): string {
  let here: unknown = value;
  for (const key of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, key)) return "";
    here = (here as Record<string, unknown>)[key];
  }
  return typeof here === "string" ? here : "";
}

function describe(stateDir: string, id: SessionId): SessionListing {
  const fd = openOwnFile(sessionPaths(stateDir, id).ledger, constants.O_RDONLY);
  try {
    const bytes = fstatSync(fd).size;
    const line = firstLine(fd, bytes);
    let record: unknown = null;
    try {
      record = line === null ? null : JSON.parse(line);
    } catch {
      record = null; // listed without its particulars; `log verify` names what is wrong
    }
    const replayOf = textAt(record, "data", "replayOf");
    return { id, openedAt: textAt(record, "time"), workspace: textAt(record, "data", "workspace", "path"), bytes, ...(replayOf === "" ? {} : { replayOf }) };
  } finally {
    closeSync(fd);
  }
}

/**
 * Every session that has a ledger, oldest first. Not verified: a session that cannot be understood is listed with empty
 * texts rather than left out.
 */
export async function listSessions(stateDir: string, telemetry: Telemetry): Promise<readonly SessionListing[]> {
  const listings: SessionListing[] = [];
  let done = 0;
  for (const name of sessionNames(stateDir)) {
    if (!isSessionId(name)) continue;
    if (++done % TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    try {
      listings.push(describe(stateDir, name));
    } catch (error) {
      if (systemCode(error) === "ENOENT") continue; // a folder whose ledger was never made, or is gone
      telemetry.warn("session cannot be listed", { session: name, cause: error instanceof Error ? error.message : "unknown" });
      listings.push({ id: name, openedAt: "", workspace: "", bytes: 0 });
    }
  }
  return listings.sort((a, b) => compare(a.openedAt, b.openedAt) || compare(a.id, b.id));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sessionNames(stateDir: string): readonly string[] {
  try {
    return readdirSync(`${stateDir}/sessions`);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
