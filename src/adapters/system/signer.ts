// The keys of one state folder: Ed25519 for signed heads, HMAC for redaction. Made at first use; they never leave it.

import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import type { Signer } from "../../core/ledger/index.js";
import { GuardError } from "../../core/shared/index.js";
import { openKeyFile } from "./key-file.js";
import { publicKeyFromPem } from "./hasher.js";

const SIGNING_KEY = "ledger-ed25519.pem";
const REDACTION_KEY = "redaction-hmac.key";

/**
 * Opens or makes the key that signs heads.
 * @throws GuardError STATE_UNUSABLE when the key file is not private, or holds no Ed25519 key
 */
export function createSigner(stateDir: string): Signer {
  const pem = openKeyFile(stateDir, SIGNING_KEY, () => generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new GuardError("STATE_UNUSABLE", `key file \`keys/${SIGNING_KEY}\` holds no key`, { cause });
  }
  const publicKey = publicKeyFromPem(createPublicKey(key).export({ type: "spki", format: "pem" }).toString());
  if (publicKey === null) throw new GuardError("STATE_UNUSABLE", `key file \`keys/${SIGNING_KEY}\` holds no Ed25519 key`);
  return { publicKey, sign: (message) => new Uint8Array(sign(null, message, key)) };
}

/**
 * Opens or makes the redaction key and gives the keyed digest: HMAC-SHA-256 in hexadecimal. Nobody without the state folder
 * can test a guess against a placeholder.
 */
export function createKeyedDigest(stateDir: string): (text: string) => string {
  const key = Buffer.from(openKeyFile(stateDir, REDACTION_KEY, () => randomBytes(32).toString("hex")).trim(), "hex");
  if (key.length !== 32) throw new GuardError("STATE_UNUSABLE", `key file \`keys/${REDACTION_KEY}\` holds no key`);
  return (text) => createHmac("sha256", key).update(text).digest("hex");
}
