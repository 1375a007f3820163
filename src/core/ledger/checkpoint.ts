// Signed heads: a C2SP tlog-checkpoint in a C2SP signed-note, Ed25519. Keys and signing come from outside.

import { err, isSessionId, ok, type Hasher, type Result, type SessionId } from "../shared/index.js";
import { asciiBytes, base64ToBytes, bytesToBase64, concatBytes } from "./bytes.js";
import { digestBytes } from "./merkle.js";

const ORIGIN = "ringfence/";
const ED25519 = new Uint8Array([1]);
const MAX_CHARS = 16_384;
const MAX_SIGNATURES = 64;
const SIZE = /^(0|[1-9][0-9]{0,14})$/;
const SIGNATURE = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/;

/** What a head says: so many records, with this RFC 6962 root. */
export interface Head {
  readonly session: SessionId;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** Signs with an Ed25519 key that never leaves its owner. */
export interface Signer {
  /** 32 bytes, as in RFC 8032. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** Checks an Ed25519 signature of 64 bytes by a public key of 32; false for anything that is not right. */
export type SignatureCheck = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

/** Origin line and key name of a session's heads. */
export function checkpointOrigin(session: SessionId): string {
  return `${ORIGIN}${session}`;
}

/** Key id of a signed note: the first four bytes of SHA-256(name || 0x0A || 0x01 || public key). */
function keyId(hasher: Hasher, name: string, publicKey: Uint8Array): Uint8Array {
  return digestBytes(hasher(concatBytes(asciiBytes(`${name}\n`), ED25519, publicKey))).slice(0, 4);
}

/** The key in the form that outside tools for signed notes take: `name+id+base64(0x01 || key)`. */
export function verifierKey(hasher: Hasher, session: SessionId, publicKey: Uint8Array): string {
  const name = checkpointOrigin(session);
  const id = [...keyId(hasher, name, publicKey)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${name}+${id}+${bytesToBase64(concatBytes(ED25519, publicKey))}`;
}

/** The signed text of a head. */
export function signCheckpoint(head: Head, signer: Signer, hasher: Hasher): string {
  const origin = checkpointOrigin(head.session);
  const text = `${origin}\n${head.size}\n${bytesToBase64(head.root)}\n`;
  const signature = concatBytes(keyId(hasher, origin, signer.publicKey), signer.sign(asciiBytes(text)));
  return `${text}\n— ${origin} ${bytesToBase64(signature)}\n`;
}

/**
 * Reads a checkpoint and checks its signature. Signatures by other names are left aside (a witness may add its own); the
 * session's own must be there and right. Lines after the root are signed, but have no meaning here.
 * @returns the head, or what is wrong, printable
 */
export function openCheckpoint(
  note: string,
  by: { readonly publicKey: Uint8Array; readonly check: SignatureCheck; readonly hasher: Hasher },
): Result<Head, string> {
  if (note.length > MAX_CHARS) return err("checkpoint is too long");
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !note.endsWith("\n")) return err("checkpoint has no signature part");
  const text = note.slice(0, split + 1);
  const [origin = "", size = "", root64 = "", ...more] = text.slice(0, -1).split("\n");
  const session = origin.slice(ORIGIN.length);
  if (!origin.startsWith(ORIGIN) || !isSessionId(session)) return err("checkpoint has no session as its origin");
  if (!SIZE.test(size)) return err("checkpoint has no size");
  const root = base64ToBytes(root64);
  if (root === null || root.length !== 32) return err("checkpoint has no root");
  // Only printable ASCII is ever signed by us.
  if (more.some((line) => line === "" || !/^[\x20-\x7e]+$/.test(line))) return err("checkpoint has a malformed line");
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) return err("checkpoint has too many signatures");
  const id = keyId(by.hasher, origin, by.publicKey);
  let found = false;
  for (const line of lines) {
    const [, name, value = ""] = SIGNATURE.exec(line) ?? [];
    const bytes = base64ToBytes(value);
    if (name === undefined || bytes === null || bytes.length < 5) return err("checkpoint has a malformed signature line");
    if (name !== origin || !id.every((byte, i) => byte === bytes[i])) continue;
    if (!by.check(by.publicKey, asciiBytes(text), bytes.slice(4))) return err("checkpoint has a wrong signature");
    found = true;
  }
  return found ? ok({ session, size: Number(size), root }) : err("checkpoint is not signed by this key");
}
