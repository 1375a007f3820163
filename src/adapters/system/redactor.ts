// Redaction with the store's key: the same secret gets the same mark, and the mark tells nothing about it.

import { redactJson, redactText } from "../../core/ledger/index.js";
import type { JsonValue } from "../../core/shared/index.js";

/** A redactor over texts and JSON values. @param keyedDigest HMAC in hexadecimal, under a key that stays in the state folder */
export function createRedactor(keyedDigest: (text: string) => string) {
  return {
    text: (text: string): string => redactText(text, keyedDigest),
    json: (value: JsonValue): JsonValue => redactJson(value, keyedDigest),
  };
}
