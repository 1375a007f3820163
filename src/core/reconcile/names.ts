// File names as text. A name on Linux is bytes; these two functions give every name exactly one text and back, so that
// no two files share a path in a change list, a policy match or a patch. Never drops or replaces a byte.

const BACKSLASH = 0x5c;

/**
 * Text of a name or path: UTF-8 as it is, every byte outside UTF-8 as `\xNN` with lower-case digits. A backslash that
 * would read as such an escape is itself written `\x5c`, so that `encodeName` always gives the same bytes back.
 */
export function decodeName(bytes: Uint8Array): string {
  let out = "";
  for (let index = 0; index < bytes.length; ) {
    const byte = bytes[index] ?? 0;
    if (byte < 0x80) {
      out += byte === BACKSLASH && looksEscaped(bytes, index) ? "\\x5c" : String.fromCharCode(byte);
      index += 1;
      continue;
    }
    const length = sequenceLength(bytes, index);
    if (length === 0) {
      out += `\\x${byte.toString(16)}`;
      index += 1;
      continue;
    }
    out += String.fromCodePoint(codePointAt(bytes, index, length));
    index += length;
  }
  return out;
}

/** Bytes of a path made by `decodeName`. A lone surrogate, which no name has, becomes the replacement character. */
export function encodeName(path: string): Uint8Array {
  const out: number[] = [];
  for (let index = 0; index < path.length; ) {
    const escaped = escapeAt(path, index);
    if (escaped !== null) {
      out.push(escaped);
      index += 4;
      continue;
    }
    const code = path.codePointAt(index) ?? 0;
    pushUtf8(out, code >= 0xd800 && code <= 0xdfff ? 0xfffd : code);
    index += code > 0xffff ? 2 : 1;
  }
  return Uint8Array.from(out);
}

/**
 * Tells whether a path can name something below the workspace root: relative, `/`-separated, without empty, `.` or `..`
 * parts and without NUL, also after its escapes are decoded.
 */
export function isWorkspacePath(path: string): boolean {
  const bytes = encodeName(path);
  if (bytes.length === 0 || bytes.includes(0)) return false;
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** The folder a path lies in; the empty string for the root. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** Order by code units, never by locale. */
export function comparePaths(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function looksEscaped(bytes: Uint8Array, index: number): boolean {
  return bytes[index + 1] === 0x78 && isHex(bytes[index + 2]) && isHex(bytes[index + 3]);
}

function isHex(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66) || (byte >= 0x41 && byte <= 0x46));
}

function escapeAt(path: string, index: number): number | null {
  if (path.charCodeAt(index) !== BACKSLASH || path.charCodeAt(index + 1) !== 0x78) return null;
  if (!isHex(path.charCodeAt(index + 2)) || !isHex(path.charCodeAt(index + 3))) return null;
  return Number.parseInt(path.slice(index + 2, index + 4), 16);
}

/** Length of the well-formed UTF-8 sequence at a place, or 0: no overlong forms, no surrogates, nothing past U+10FFFF. */
function sequenceLength(bytes: Uint8Array, index: number): number {
  const lead = bytes[index] ?? 0;
  const second = bytes[index + 1] ?? 0;
  const follows = (offset: number): boolean => ((bytes[index + offset] ?? 0) & 0xc0) === 0x80;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    if (!follows(1) || !follows(2) || (lead === 0xe0 && second < 0xa0) || (lead === 0xed && second > 0x9f)) return 0;
    return 3;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    if (!follows(1) || !follows(2) || !follows(3) || (lead === 0xf0 && second < 0x90) || (lead === 0xf4 && second > 0x8f)) return 0;
    return 4;
  }
  return 0;
}

function codePointAt(bytes: Uint8Array, index: number, length: number): number {
  let code = (bytes[index] ?? 0) & (length === 2 ? 0x1f : length === 3 ? 0x0f : 0x07);
  for (let offset = 1; offset < length; offset += 1) code = (code << 6) | ((bytes[index + offset] ?? 0) & 0x3f);
  return code;
}

function pushUtf8(out: number[], code: number): void {
  if (code < 0x80) out.push(code);
  else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
  else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  else out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
}
