// An in-toto statement in a DSSE envelope, signed with the key of the record: it binds every file of a bundle, the accepted patch
// among them, to one session. Formats: in-toto Statement v1, DSSE v1.0.2.

import type { SignatureCheck, Signer } from "../ledger/index.js";
import { asciiBytes, base64ToBytes, bytesToBase64, concatBytes } from "../shared/bytes.js";
import { err, ok, type Hasher, type JsonObject, type Result } from "../shared/index.js";

export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
/** What `predicate` holds: docs/bundle.md. */
export const PREDICATE_TYPE = "https://ringfence.dev/attestation/session/v1";
const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const HEX = /^[0-9a-f]{64}$/u;
const MOST_SUBJECTS = 100_000;

export interface Subject {
  readonly name: string;
  /** SHA-256, 64 lower-case hexadecimal digits. */
  readonly sha256: string;
}

export interface Statement {
  readonly subjects: readonly Subject[];
  readonly predicate: JsonObject;
}

/** The envelope as one line of JSON. */
export function sealStatement({ subjects, predicate }: Statement, signer: Signer, hasher: Hasher, type: string = PREDICATE_TYPE): string {
  const statement = { _type: STATEMENT_TYPE, subject: subjects.map(({ name, sha256 }) => ({ name, digest: { sha256 } })), predicateType: type, predicate };
  const payload = asciiBytes(asciiJson(statement));
  return envelopeOf(payload, signer.sign(preAuthentication(payload)), signer.publicKey, hasher);
}

function envelopeOf(payload: Uint8Array, sig: Uint8Array, publicKey: Uint8Array, hasher: Hasher): string {
  const envelope = { payloadType: PAYLOAD_TYPE, payload: bytesToBase64(payload), signatures: [{ keyid: keyIdOf(publicKey, hasher), sig: bytesToBase64(sig) }] };
  return `${JSON.stringify(envelope)}\n`;
}

/**
 * The statement of an envelope that this key signed, in exactly the form in which we write it: also what no signature covers is then
 * as it was. The error is a printable sentence. Never throws.
 */
export function openStatement(text: string, publicKey: Uint8Array, { check, hasher, type = PREDICATE_TYPE }: { readonly check: SignatureCheck; readonly hasher: Hasher; readonly type?: string }): Result<Statement, string> {
  const envelope = parsed(text);
  const [signature] = listOf(envelope?.["signatures"]);
  const payload = bytesOf(envelope?.["payload"]);
  const sig = bytesOf(objectOf(signature)?.["sig"]);
  if (envelope?.["payloadType"] !== PAYLOAD_TYPE || payload === null || sig === null) return err("the statement is no DSSE envelope of an in-toto statement");
  if (!check(publicKey, preAuthentication(payload), sig)) return err("the statement is not signed by this key");
  if (envelopeOf(payload, sig, publicKey, hasher) !== text) return err("the envelope of the statement was changed");
  const statement = parsed(asciiText(payload));
  const subjects = listOf(statement?.["subject"]).map(subjectOf);
  const predicate = objectOf(statement?.["predicate"]);
  if (statement?.["_type"] !== STATEMENT_TYPE || statement["predicateType"] !== type || predicate === null || subjects.length === 0 || subjects.length > MOST_SUBJECTS) return err("the statement is none about a session");
  const whole = subjects.filter((subject) => subject !== null);
  return whole.length === subjects.length ? ok({ subjects: whole, predicate }) : err("a subject of the statement has no name or no SHA-256");
}

/** SHA-256 of the key, in hexadecimal. */
function keyIdOf(publicKey: Uint8Array, hasher: Hasher): string {
  return hasher(publicKey).slice("sha256:".length);
}

/** What is signed: DSSE's pre-authentication encoding. */
function preAuthentication(payload: Uint8Array): Uint8Array {
  return concatBytes(asciiBytes(`DSSEv1 ${String(PAYLOAD_TYPE.length)} ${PAYLOAD_TYPE} ${String(payload.length)} `), payload);
}

function subjectOf(value: unknown): Subject | null {
  const subject = objectOf(value);
  const sha256 = objectOf(subject?.["digest"])?.["sha256"];
  const name = subject?.["name"];
  return typeof name === "string" && typeof sha256 === "string" && HEX.test(sha256) ? { name, sha256 } : null;
}

function parsed(text: string): JsonObject | null {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return null;
  }
}

function objectOf(value: unknown): JsonObject | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function bytesOf(value: unknown): Uint8Array | null {
  return typeof value === "string" ? base64ToBytes(value) : null;
}

/** JSON in ASCII alone: the same bytes everywhere, whatever reads them. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Bytes outside ASCII are none of ours. */
function asciiText(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += 4096) pieces.push(String.fromCharCode(...bytes.subarray(at, at + 4096)));
  const text = pieces.join("");
  return /^[\u0000-\u007e]*$/u.test(text) ? text : "";
}
