// Tells canonical records by their bytes, in one pass, without making a text or a value of them. It proves the common case only:
// what it is not sure of (escapes in keys, keys outside ASCII, odd depth) is for the parser, whose word counts.

import { LIMITS } from "../shared/index.js";

const UNSURE = -1;
/** Below the limit on depth, so that it never takes what the parser would not. */
const DEPTH = LIMITS.recordDepth - 4;
/** Digits of a whole number that is written as it is read, whatever it is; and characters of the longest number there is. */
const DIGITS = 15;
const NUMBER_CHARS = 26;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const EXPONENT = 0x65;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const FIRST_OF_TWO = 0xc2;

const asBytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
const [TRUE, FALSE, NULL] = [asBytes("true"), asBytes("false"), asBytes("null")];
const BEGINNING = asBytes('{"call":');
const DATA = asBytes(',"data":');

/**
 * Where `,"hash":` begins in a record whose `call` and `data` are in canonical form, from the position of the line's first byte; -1
 * where that is not sure. What follows is not looked at. Pure; reads bytes of the line only, as the line feed after it ends every form.
 */
export function scanToHash(bytes: Uint8Array, from: number): number {
  let at = expectBytes(bytes, from, BEGINNING);
  if (at === UNSURE) return UNSURE;
  at = bytes[at] === QUOTE ? scanText(bytes, at) : expectBytes(bytes, at, NULL);
  if (at === UNSURE) return UNSURE;
  at = expectBytes(bytes, at, DATA);
  return at === UNSURE || bytes[at] !== OPEN_OBJECT ? UNSURE : scanObject(bytes, at, 1);
}

/** The position after these very bytes; -1 where they are others. */
export function expectBytes(bytes: Uint8Array, from: number, expected: Uint8Array): number {
  for (let i = 0; i < expected.length; i += 1) if (bytes[from + i] !== expected[i]) return UNSURE;
  return from + expected.length;
}

function scanValue(bytes: Uint8Array, at: number, depth: number): number {
  const first = bytes[at] ?? 0;
  if (first === QUOTE) return scanText(bytes, at);
  if (first === OPEN_OBJECT) return depth >= DEPTH ? UNSURE : scanObject(bytes, at, depth + 1);
  if (first === OPEN_LIST) return depth >= DEPTH ? UNSURE : scanList(bytes, at, depth + 1);
  if (first === 0x74) return expectBytes(bytes, at, TRUE);
  if (first === 0x66) return expectBytes(bytes, at, FALSE);
  if (first === 0x6e) return expectBytes(bytes, at, NULL);
  return scanNumber(bytes, at);
}

function scanObject(bytes: Uint8Array, open: number, depth: number): number {
  let at = open + 1;
  if (bytes[at] === CLOSE_OBJECT) return at + 1;
  let before = UNSURE;
  let beforeEnd = UNSURE;
  for (;;) {
    if (bytes[at] !== QUOTE) return UNSURE;
    const key = at + 1;
    let end = key;
    // Plain ASCII: its order by bytes is that by UTF-16 units.
    for (let code = bytes[end] ?? 0; code !== QUOTE; code = bytes[end] ?? 0) {
      if (code < 0x20 || code > 0x7e || code === BACKSLASH) return UNSURE;
      end += 1;
    }
    if (before !== UNSURE && !isBefore(bytes, before, beforeEnd, key, end)) return UNSURE;
    before = key;
    beforeEnd = end;
    if (bytes[end + 1] !== COLON) return UNSURE;
    at = scanValue(bytes, end + 2, depth);
    if (at === UNSURE) return UNSURE;
    const next = bytes[at];
    at += 1;
    if (next === CLOSE_OBJECT) return at;
    if (next !== COMMA) return UNSURE;
  }
}

function isBefore(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  for (let i = 0; ; i += 1) {
    if (a + i === aEnd) return b + i !== bEnd;
    if (b + i === bEnd) return false;
    const difference = (bytes[a + i] ?? 0) - (bytes[b + i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
}

function scanList(bytes: Uint8Array, open: number, depth: number): number {
  let at = open + 1;
  if (bytes[at] === CLOSE_LIST) return at + 1;
  for (;;) {
    at = scanValue(bytes, at, depth);
    if (at === UNSURE) return UNSURE;
    const next = bytes[at];
    at += 1;
    if (next === CLOSE_LIST) return at;
    if (next !== COMMA) return UNSURE;
  }
}

/** A number as ECMAScript writes it, which RFC 8785 takes over. */
function scanNumber(bytes: Uint8Array, from: number): number {
  const start = bytes[from] === MINUS ? from + 1 : from;
  let at = start;
  for (let code = bytes[at] ?? 0; code >= ZERO && code <= NINE; code = bytes[at] ?? 0) at += 1;
  const digits = at - start;
  if (digits === 0) return UNSURE;
  const next = bytes[at] ?? 0;
  if (next !== POINT && next !== EXPONENT && digits <= DIGITS) return bytes[start] !== ZERO || (digits === 1 && start === from) ? at : UNSURE;
  let text = "";
  for (at = from; at - from < NUMBER_CHARS; at += 1) {
    const code = bytes[at] ?? 0;
    const isPart = (code >= ZERO && code <= NINE) || code === POINT || code === EXPONENT || code === MINUS || code === PLUS;
    if (!isPart) return String(Number(text)) === text ? at : UNSURE;
    text += String.fromCharCode(code);
  }
  return UNSURE;
}

/** A text from its quote on: minimal escapes, UTF-8. */
function scanText(bytes: Uint8Array, quote: number): number {
  let at = quote + 1;
  for (;;) {
    const code = bytes[at] ?? 0;
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at = scanEscape(bytes, at + 1);
    else if (code >= 0x20 && code < 0x80) at += 1;
    else at = code < FIRST_OF_TWO ? UNSURE : scanMany(bytes, at, code);
    if (at === UNSURE) return UNSURE;
  }
}

/** The position after an escape, from after its backslash. */
function scanEscape(bytes: Uint8Array, at: number): number {
  switch (bytes[at]) {
    case QUOTE:
    case BACKSLASH:
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 1;
    case 0x75: {
      // u: only control characters without a short form, in lower case
      if (bytes[at + 1] !== ZERO || bytes[at + 2] !== ZERO) return UNSURE;
      const high = bytes[at + 3] ?? 0;
      const low = bytes[at + 4] ?? 0;
      const isHex = (low >= ZERO && low <= NINE) || (low >= 0x61 && low <= 0x66);
      const isShort = high === ZERO && (low === 0x38 || low === NINE || low === 0x61 || low === 0x63 || low === 0x64);
      return (high === ZERO || high === ZERO + 1) && isHex && !isShort ? at + 5 : UNSURE;
    }
    default:
      return UNSURE;
  }
}

/** The position after a character of two to four bytes, as RFC 3629 allows them. */
function scanMany(bytes: Uint8Array, at: number, first: number): number {
  const second = bytes[at + 1] ?? 0;
  if (first < 0xe0) return isNext(second) ? at + 2 : UNSURE;
  if (!isNext(bytes[at + 2] ?? 0)) return UNSURE;
  if (first < 0xf0) {
    const least = first === 0xe0 ? 0xa0 : 0x80;
    const most = first === 0xed ? 0x9f : 0xbf;
    return second >= least && second <= most ? at + 3 : UNSURE;
  }
  if (first > 0xf4 || !isNext(bytes[at + 3] ?? 0)) return UNSURE;
  const least = first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xf4 ? 0x8f : 0xbf;
  return second >= least && second <= most ? at + 4 : UNSURE;
}

function isNext(code: number): boolean {
  return code >= 0x80 && code <= 0xbf;
}
