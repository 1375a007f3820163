// What a witness says of a head: a C2SP cosignature (tlog-cosignature, Ed25519, type 0x04) beside ours in the same note. It saw this very
// head at a time, and none before that this one does not begin with.

import { err, ok, type Hasher, type Result } from "../shared/index.js";
import { asciiBytes, base64ToBytes, bytesToHex, concatBytes } from "./bytes.js";
import type { SignatureCheck } from "./checkpoint.js";
import { digestBytes } from "./merkle.js";

const COSIGNATURE = 4;
const KEY = /^([^\s+]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{40,60})$/u;
const ID_BYTES = 4;
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;
const MAX_LINES = 64;
/** 10^12 seconds: a time past it is none. */
const MOST_SECONDS = 1e12;

/** A witness as its operator makes it known: `name+id+base64(0x04 || key)`. */
export interface WitnessKey {
  readonly name: string;
  readonly id: Uint8Array;
  /** 32 bytes, Ed25519. */
  readonly publicKey: Uint8Array;
}

/** Reads a witness's key; the error is a printable sentence part. */
export function parseWitnessKey(text: string, hasher: Hasher): Result<WitnessKey, string> {
  const [, name = "", id = "", key = ""] = KEY.exec(text.trim()) ?? [];
  const bytes = base64ToBytes(key);
  if (name === "" || !/^[\x21-\x7e]+$/u.test(name) || bytes === null || bytes.length !== 33 || bytes[0] !== COSIGNATURE) return err("it is no key of a witness (name+id+base64, type 0x04)");
  const own = digestBytes(hasher(concatBytes(asciiBytes(`${name}\n`), bytes))).slice(0, ID_BYTES);
  return bytesToHex(own) === id ? ok({ name, id: own, publicKey: bytes.slice(1) }) : err("the id of the witness's key is not that of its key");
}

/** When the witness saw the head in this note, in seconds since 1970; the error says what is absent or wrong. Never throws. */
export function witnessedAt(note: string, witness: WitnessKey, check: SignatureCheck): Result<number, string> {
  const split = note.lastIndexOf("\n\n");
  const text = note.slice(0, split + 1);
  if (split < 0 || !/^[\n\x20-\x7e]*$/u.test(text)) return err("the head has no signature part");
  for (const line of note.slice(split + 2).split("\n").slice(0, MAX_LINES)) {
    if (!line.startsWith(`\u2014 ${witness.name} `)) continue;
    const bytes = base64ToBytes(line.slice(`\u2014 ${witness.name} `.length));
    if (bytes === null || bytes.length !== ID_BYTES + TIME_BYTES + SIGNATURE_BYTES || !witness.id.every((byte, i) => bytes[i] === byte)) continue;
    const seconds = bytes.slice(ID_BYTES, ID_BYTES + TIME_BYTES).reduce((sum, byte) => sum * 256 + byte, 0);
    if (seconds > MOST_SECONDS) return err(`the time of ${witness.name} is none`);
    const message = asciiBytes(`cosignature/v1\ntime ${seconds}\n${text}`);
    return check(witness.publicKey, message, bytes.slice(ID_BYTES + TIME_BYTES)) ? ok(seconds) : err(`the signature of ${witness.name} is wrong`);
  }
  return err(`${witness.name} has not signed the head`);
}
