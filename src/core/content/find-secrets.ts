// Where secrets stand in a text. The same for what is redacted and for what rules ask about.

import { base64ToBytes } from "../shared/bytes.js";
import { SECRET_RULES } from "./secret-rules.js";

/** One secret in a text, in UTF-16 units. */
export interface SecretSpan {
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  /** What the digest is taken of; for an encoded secret the decoded one. */
  readonly secret: string;
}

/** Every secret in a text, in order, none overlapping another. */
export function findSecrets(text: string): readonly SecretSpan[] {
  return withoutOverlaps(withoutPlaceholders(text, [...plainSecrets(text), ...encodedSecrets(text)]));
}

const PLACEHOLDERS = /\[redacted:[a-z0-9-]{1,60}(?::[0-9a-f]{8})?\]/g;

/** Leaves out what begins inside a placeholder: its kind and digest read like a name and its value. */
function withoutPlaceholders(text: string, spans: readonly SecretSpan[]): readonly SecretSpan[] {
  if (spans.length === 0 || !text.includes("[redacted:")) return spans;
  const inside = new Set<number>();
  for (const match of text.matchAll(PLACEHOLDERS)) {
    for (let i = 0; i < match[0].length; i++) inside.add(match.index + i);
  }
  return spans.filter((span) => !inside.has(span.start));
}

function plainSecrets(text: string): readonly SecretSpan[] {
  const spans: SecretSpan[] = privateKeys(text);
  const lower = text.toLowerCase();
  for (const rule of SECRET_RULES) {
    if (!rule.hints.some((hint) => lower.includes(hint))) continue;
    for (const match of text.matchAll(rule.pattern)) {
      const secret = match.groups?.["s"] ?? match[0];
      if (rule.accept !== undefined && !rule.accept(secret)) continue;
      // The named group ends the match, up to a closing `@` or the like.
      const start = match.index + match[0].lastIndexOf(secret);
      spans.push({ kind: rule.kind, start, end: start + secret.length, secret });
    }
  }
  return spans;
}

const KEY_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const KEY_END = "-----END ";
const KEY_CHARS = 65_536;
/** What follows a beginning without an end: lines of base 64, also with escaped line feeds. */
const KEY_BODY = /(?:[A-Za-z0-9+/=\s]|\\[nr]){0,65536}/y;

/** Private keys in PEM, whole; the end is looked for once, so that many beginnings stay cheap. */
function privateKeys(text: string): SecretSpan[] {
  const spans: SecretSpan[] = [];
  let nextEnd = 0;
  for (const match of text.matchAll(KEY_BEGIN)) {
    const body = match.index + match[0].length;
    if (nextEnd >= 0 && nextEnd < body) nextEnd = text.indexOf(KEY_END, body);
    const close = nextEnd < 0 || nextEnd - body > KEY_CHARS ? -1 : text.indexOf("-----", nextEnd + KEY_END.length);
    let end = close < 0 || close - nextEnd > 80 ? -1 : close + 5;
    if (end < 0) {
      KEY_BODY.lastIndex = body;
      end = body + (KEY_BODY.exec(text)?.[0].length ?? 0);
    }
    if (end - body < 40) continue;
    spans.push({ kind: "private-key", start: match.index, end, secret: text.slice(match.index, end) });
  }
  return spans;
}

const ENCODED = /[A-Za-z0-9+/]{32,65536}={0,2}/g;
/** Lines of one width, as `base64`, `openssl` and mail wrap them; the last may be shorter. A secret can stand across two. */
const WRAPPED = /(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{76}\r?\n(?:[A-Za-z0-9+/]{76}\r?\n){0,1000}|[A-Za-z0-9+/]{64}\r?\n(?:[A-Za-z0-9+/]{64}\r?\n){0,1000})(?:[A-Za-z0-9+/]{1,76}={0,2})?(?![A-Za-z0-9+/=])/g;
const PRINTABLE = /^[\x20-\x7e\s]+$/;

/** Secrets in base 64: a run, on one line or wrapped, that decodes to readable text with a secret in it goes as a whole. */
function encodedSecrets(text: string): readonly SecretSpan[] {
  const spans: SecretSpan[] = [];
  for (const match of [...text.matchAll(WRAPPED), ...text.matchAll(ENCODED)]) {
    const bare = match[0].replace(/\r?\n/g, "").replace(/=+$/, "");
    const body = bare.length % 4 === 1 ? bare.slice(0, -1) : bare;
    const head = decodeAscii(body.slice(0, 64));
    if (head === null || !PRINTABLE.test(head)) continue;
    const decoded = decodeAscii(padded(body)) ?? decodeAscii(body);
    const inner = decoded === null ? undefined : plainSecrets(decoded)[0];
    if (inner === undefined) continue;
    spans.push({ kind: `base64-${inner.kind}`, start: match.index, end: match.index + match[0].trimEnd().length, secret: inner.secret });
  }
  return spans;
}

/** With the padding that its last characters need: without it they would be lost, and with them the end of a secret. */
function padded(body: string): string {
  return body + "=".repeat((4 - (body.length % 4)) % 4);
}

/** Whole groups of four alone; null for what is none. */
function decodeAscii(body: string): string | null {
  const bytes = base64ToBytes(body.slice(0, body.length - (body.length % 4)));
  if (bytes === null) return null;
  let out = "";
  for (const byte of bytes) out += String.fromCharCode(byte);
  return out;
}

/** Keeps, of spans that overlap, the union under the name of the one that starts first, or was found first. */
function withoutOverlaps(spans: readonly SecretSpan[]): readonly SecretSpan[] {
  const out: SecretSpan[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    const last = out.at(-1);
    if (last === undefined || span.start >= last.end) out.push(span);
    else if (span.end > last.end) out[out.length - 1] = { ...last, end: span.end };
  }
  return out;
}
