// Names in a patch, quoted as git quotes them, so that a hostile name can neither break a header nor hide in one.

import { encodeName } from "./names.js";

const SHORT = new Map<number, string>([
  [0x07, "\\a"],
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0b, "\\v"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
]);

/**
 * `prefix` and path as one name of a patch header, as bytes in text (one character a byte). In quotes with octal escapes
 * when it holds a control character, a quote, a backslash or anything outside ASCII.
 */
export function quotePath(prefix: string, path: string): string {
  let out = prefix;
  let quoted = false;
  for (const byte of encodeName(path)) {
    const short = SHORT.get(byte);
    if (short !== undefined) out += short;
    else if (byte < 0x20 || byte > 0x7e) out += `\\${byte.toString(8).padStart(3, "0")}`;
    else {
      out += String.fromCharCode(byte);
      continue;
    }
    quoted = true;
  }
  return quoted ? `"${out}"` : out;
}

/** The name in a `---` or `+++` line: a plain name with a space needs a tab after it, or readers cut it there. */
export function fileLineName(prefix: string, path: string): string {
  const name = quotePath(prefix, path);
  return name.includes(" ") && !name.startsWith('"') ? `${name}\t` : name;
}
