// Bytes of a file to text, strictly. A file that is not UTF-8 text is refused, so that an edit never damages one.

import { err, LIMITS, ok, type Issue, type Result } from "../../shared/index.js";

const CHUNK = 8_192;
const MIN_BY_LENGTH: readonly number[] = [0, 0, 0x80, 0x800, 0x10000];

/**
 * Decodes strict UTF-8: no overlong form, no surrogate, nothing cut. A byte-order mark stays part of the text. A file
 * with a NUL byte counts as binary.
 * @returns the text, or an issue `EDIT_BINARY` or `EDIT_TOO_LARGE`
 */
export function decodeText(bytes: Uint8Array): Result<string, Issue> {
  if (bytes.length > LIMITS.editBytes) return err({ code: "EDIT_TOO_LARGE", message: `the file is larger than ${LIMITS.editBytes} bytes` });
  const parts: string[] = [];
  let units: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    if (first === 0) return err(binary(`a NUL byte at offset ${at}`));
    if (first < 0x80) {
      units.push(first);
      at += 1;
    } else {
      const length = sequenceLength(first);
      const code = length === 0 ? null : readSequence(bytes, at, length);
      if (code === null) return err(binary(`bytes that are not UTF-8 at offset ${at}`));
      if (code < 0x10000) units.push(code);
      else units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
      at += length;
    }
    if (units.length >= CHUNK) {
      parts.push(String.fromCharCode(...units));
      units = [];
    }
  }
  parts.push(String.fromCharCode(...units));
  return ok(parts.join(""));
}

/** Bytes that a well-formed text takes in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    // A pair of surrogates is two units and four bytes; any other unit from 0x800 takes three.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

function binary(detail: string): Issue {
  return { code: "EDIT_BINARY", message: `the file is not UTF-8 text: ${detail}`, hint: "edit it with a command instead" };
}

function sequenceLength(first: number): number {
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

function readSequence(bytes: Uint8Array, at: number, length: number): number | null {
  let code = (bytes[at] ?? 0) & (0x7f >> length);
  for (let next = 1; next < length; next += 1) {
    const byte = bytes[at + next];
    if (byte === undefined || (byte & 0xc0) !== 0x80) return null;
    code = (code << 6) | (byte & 0x3f);
  }
  if (code < (MIN_BY_LENGTH[length] ?? 0) || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return null;
  return code;
}
