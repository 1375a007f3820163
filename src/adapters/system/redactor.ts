// Redaction with the store's key: the same secret gets the same mark, and the mark tells nothing about it.

import { redactJson, redactText } from "../../core/ledger/index.js";
import type { JsonValue } from "../../core/shared/index.js";

const CLEAN_TEXTS = 2048;
const CLEAN_CHARS = 512;

/** A redactor over texts and JSON values. @param keyedDigest HMAC in hexadecimal, under a key that stays in the state folder */
export function createRedactor(keyedDigest: (text: string) => string) {
  // Short texts that were seen to hold no secret: names of programs, folders and commands come again with each call.
  const clean = new Set<string>();
  const redacted = (text: string): string => {
    const result = redactText(text, keyedDigest);
    if (result !== text || text.length > CLEAN_CHARS) return result;
    if (clean.size >= CLEAN_TEXTS) clean.clear();
    clean.add(text);
    return result;
  };
  return {
    text: (text: string): string => (clean.has(text) ? text : redacted(text)),
    json: (value: JsonValue): JsonValue => redactJson(value, keyedDigest),
  };
}
