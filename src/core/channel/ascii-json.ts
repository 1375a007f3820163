// JSON as plain ASCII bytes: everything above 0x7e is escaped, so that no text codec is needed and a lone surrogate survives.

import type { JsonValue } from "../shared/index.js";

/** Encodes a value; every byte is below 0x7f. */
export function encodeAsciiJson(value: JsonValue): Uint8Array {
  const text = JSON.stringify(value).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Decodes a value; undefined when the bytes are not ASCII or not JSON. */
export function decodeAsciiJson(bytes: Uint8Array): JsonValue | undefined {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 4096) {
    const piece = bytes.subarray(at, at + 4096);
    if (piece.some((byte) => byte >= 0x7f)) return undefined;
    parts.push(String.fromCharCode(...piece));
  }
  try {
    return JSON.parse(parts.join("")) as JsonValue;
  } catch {
    // not JSON: the caller reports the frame
    return undefined;
  }
}
