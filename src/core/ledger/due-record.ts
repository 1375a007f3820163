// The quick way of a verification: is a line, byte for byte, a record that may stand here? Anything else is for the slow way, which
// says what is wrong. Nothing is decided here that the slow way would decide otherwise (test/property/ledger.test.ts).

import type { AuditEvent } from "../session/event.js";
import type { Digest, Hasher, SessionId } from "../shared/index.js";
import { asciiBytes } from "./bytes.js";
import { DOMAIN, eventOf, openRecord } from "./chain.js";
import { isWholeRecord, parseObject } from "./record-form.js";
import { expectBytes, scanToHash } from "./scan.js";

const DIGEST_CHARS = 71;
const TIME_FORM = asciiBytes("0000-00-00T00:00:00.000Z");
const HASH = asciiBytes(',"hash":"');
const PREV = asciiBytes('","prev":"');
const SEQ = asciiBytes('","seq":');
const SESSION = asciiBytes(',"session":"');
const TIME = asciiBytes('","time":"');
const TYPE = asciiBytes('","type":"');
const END = asciiBytes('","v":1}');
const TYPE_CHARS = 64;
const [ZERO, NINE, LOWER_A, LOWER_Z, DASH, DOT] = [0x30, 0x39, 0x61, 0x7a, 0x2d, 0x2e];

/** What the next record has to be. */
export interface Due {
  readonly seq: number;
  readonly prev: Digest;
  readonly session: SessionId;
}

/** Makes the check. It keeps room for the longest line seen, and nothing else. */
export function createDueCheck(hasher: Hasher): (line: Uint8Array, due: Due) => Digest | null {
  const domain = asciiBytes(DOMAIN.record);
  let room = new Uint8Array(4096);
  room.set(domain);
  return (line, due) => {
    const at = scanToHash(line, 0);
    if (at < 0) return null;
    const hashAt = expectBytes(line, at, HASH);
    if (hashAt < 0) return null;
    const rest = hashAt + DIGEST_CHARS + 1;
    if (!isTail(line, rest - 1, due)) return null;
    const length = domain.length + at + line.length - rest;
    if (length > room.length) {
      room = new Uint8Array(length * 2);
      room.set(domain);
    }
    room.set(line.subarray(0, at), domain.length);
    room.set(line.subarray(rest), domain.length + at);
    const hash = hasher(room.subarray(0, length));
    return expectText(line, hashAt, hash) < 0 ? null : hash;
  };
}

/**
 * The event of one line, without its line feed, that must have this number and hash; null for anything else. What it follows is part of
 * what is hashed, and not looked up.
 */
export function openDueRecord(text: string, due: { readonly seq: number; readonly hash: Digest; readonly session: SessionId }, hasher: Hasher): AuditEvent | null {
  const record = openRecord(text, hasher);
  if (record === null || record.hash !== due.hash || record.computed !== due.hash || record.seq !== due.seq || record.session !== due.session) return null;
  const parsed = parseObject(text);
  return parsed !== null && isWholeRecord(text, parsed) ? eventOf(parsed) : null;
}

/** From the quote after the hash to the end of the line. */
function isTail(line: Uint8Array, from: number, { seq, prev, session }: Due): boolean {
  let at = expectBytes(line, from, PREV);
  if (at >= 0) at = expectText(line, at, prev);
  if (at >= 0) at = expectBytes(line, at, SEQ);
  if (at >= 0) at = expectText(line, at, String(seq));
  if (at >= 0) at = expectBytes(line, at, SESSION);
  if (at >= 0) at = expectText(line, at, session);
  if (at >= 0) at = expectBytes(line, at, TIME);
  if (at >= 0) at = expectTime(line, at);
  if (at >= 0) at = expectBytes(line, at, TYPE);
  if (at >= 0) at = expectType(line, at);
  return at >= 0 && expectBytes(line, at, END) === line.length;
}

/** The position after this ASCII text; -1 where another one stands. */
function expectText(line: Uint8Array, from: number, text: string): number {
  for (let i = 0; i < text.length; i += 1) if (line[from + i] !== text.charCodeAt(i)) return -1;
  return from + text.length;
}

function expectTime(line: Uint8Array, from: number): number {
  for (let i = 0; i < TIME_FORM.length; i += 1) {
    const [code, form] = [line[from + i] ?? 0, TIME_FORM[i] ?? 0];
    if (form === ZERO ? code < ZERO || code > NINE : code !== form) return -1;
  }
  return from + TIME_FORM.length;
}

function expectType(line: Uint8Array, from: number): number {
  let at = from;
  for (let code = line[at] ?? 0; (code >= LOWER_A && code <= LOWER_Z) || (at > from && ((code >= ZERO && code <= NINE) || code === DASH || code === DOT)); code = line[at] ?? 0) at += 1;
  return at > from && at - from <= TYPE_CHARS ? at : -1;
}
