// SHA-256 and Ed25519 checks from Node, in the forms that core takes.

import { createPublicKey, hash, verify, type KeyObject } from "node:crypto";
import type { SignatureCheck } from "../../core/ledger/index.js";
import type { Digest } from "../../core/shared/index.js";

/** SHA-256 of bytes, or of a text in UTF-8. */
export function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${hash("sha256", bytes, "hex")}`;
}

/** What comes before the 32 bytes of an Ed25519 public key in its SubjectPublicKeyInfo (RFC 8410). */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** Wraps 32 bytes as a key that Node takes, and as PEM for people. */
export function publicKeyPem(publicKey: Uint8Array): string {
  const der = Buffer.concat([SPKI_PREFIX, publicKey]).toString("base64");
  return `-----BEGIN PUBLIC KEY-----\n${der}\n-----END PUBLIC KEY-----\n`;
}

/** The 32 bytes in the PEM of an Ed25519 public key; null for anything else. */
export function publicKeyFromPem(pem: string): Uint8Array | null {
  try {
    const der = createPublicKey(pem).export({ type: "spki", format: "der" });
    return der.length === 44 && der.subarray(0, 12).equals(SPKI_PREFIX) ? new Uint8Array(der.subarray(12)) : null;
  } catch {
    return null; // not a key
  }
}

/** Keys that were made before, by their bytes: reading many records asks for the same one again and again. */
const KEYS = new Map<string, KeyObject>();
const MOST_KEYS = 16;

function keyOf(publicKey: Uint8Array): KeyObject {
  const bytes = Buffer.from(publicKey).toString("latin1");
  const known = KEYS.get(bytes);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: "der", type: "spki" });
  if (KEYS.size >= MOST_KEYS) KEYS.clear();
  KEYS.set(bytes, key);
  return key;
}

/** Checks an Ed25519 signature; false for malformed keys and signatures too. */
export const checkEd25519: SignatureCheck = (publicKey, message, signature) => {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    return verify(null, message, keyOf(publicKey), signature);
  } catch {
    return false; // bytes that are no point of the curve
  }
};
