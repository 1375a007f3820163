// Takes secrets out of text before it is recorded, shown or sent. A keyed digest stays, so that repeats are seen to be the same.

import { LIMITS, type JsonObject, type JsonValue } from "../shared/index.js";
import { findSecrets } from "../content/find-secrets.js";
import { SECRET_NAME } from "../content/secret-rules.js";
import { isPlausibleSecret } from "../content/secret-value.js";

/** Keyed digest in hexadecimal; the key never leaves the store. */
export type KeyedDigest = (text: string) => string;

const DIGEST_CHARS = 8;
const LONE_SURROGATES = /\p{Surrogate}/gu;
const TOO_DEEP = "[redacted:too-deep]";

function placeholder(kind: string, secret: string, digest: KeyedDigest): string {
  return `[redacted:${kind}:${digest(secret).slice(0, DIGEST_CHARS)}]`;
}

/**
 * Replaces every secret by `[redacted:kind:xxxxxxxx]`. Works on whole texts: a secret cut by a chunk's edge is not seen, so
 * join chunks first. Redacting twice changes nothing more. Time grows with the length of the text only.
 */
export function redactText(text: string, digest: KeyedDigest): string {
  let out = "";
  let at = 0;
  for (const span of findSecrets(text)) {
    out += text.slice(at, span.start) + placeholder(span.kind, span.secret, digest);
    at = span.end;
  }
  return at === 0 ? text : out + text.slice(at);
}

/**
 * Redacts every text and key of a JSON value, and the values of members that are secrets by their name. Lone surrogates
 * become U+FFFD, so that the result has a canonical form; what is nested deeper than `LIMITS.recordDepth` is replaced.
 */
export function redactJson(value: JsonObject, digest: KeyedDigest): JsonObject;
export function redactJson(value: JsonValue, digest: KeyedDigest): JsonValue;
export function redactJson(value: JsonValue, digest: KeyedDigest): JsonValue {
  return redactAt(value, digest, 0);
}

function redactAt(value: JsonValue, digest: KeyedDigest, depth: number): JsonValue {
  if (typeof value === "string") return redactText(value.replace(LONE_SURROGATES, "\ufffd"), digest);
  if (value === null || typeof value !== "object") return value;
  if (depth >= LIMITS.recordDepth) return TOO_DEEP;
  if (isArray(value)) return value.map((item) => redactAt(item, digest, depth + 1));
  const members: [string, JsonValue][] = [];
  for (const [key, member] of Object.entries(value)) {
    const name = redactText(key.replace(LONE_SURROGATES, "\ufffd"), digest);
    members.push([name, redactMember(key, member, digest, depth + 1)]);
  }
  return Object.fromEntries(members);
}

function redactMember(key: string, member: JsonValue, digest: KeyedDigest, depth: number): JsonValue {
  if (typeof member === "string" && SECRET_NAME.test(key) && !/\s/.test(member) && member.length >= 6 && isPlausibleSecret(member, "quoted")) {
    const [only] = findSecrets(member);
    return placeholder(only?.kind ?? "assigned-secret", only?.secret ?? member, digest);
  }
  return redactAt(member, digest, depth);
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
