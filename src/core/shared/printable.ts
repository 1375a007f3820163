// Agent-controlled text, made safe to print: no control, escape, bidi or invisible character survives.

const MAX_DEFAULT = 200;

/** Tells whether a code point must not reach a terminal or a one-line message as it is. */
function isHostile(code: number): boolean {
  return (
    code < 0x20 ||
    (code >= 0x7f && code <= 0x9f) ||
    code === 0xad ||
    code === 0x061c ||
    code === 0x180e ||
    (code >= 0x200b && code <= 0x200f) ||
    code === 0x2028 ||
    code === 0x2029 ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    code === 0xfeff ||
    (code >= 0xd800 && code <= 0xdfff) ||
    (code >= 0xfff0 && code <= 0xfffb) ||
    (code >= 0xe0000 && code <= 0xe0fff)
  );
}

function escapeCode(code: number): string {
  if (code === 0x0a) return "\\n";
  if (code === 0x0d) return "\\r";
  if (code === 0x09) return "\\t";
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

/**
 * One printable line. Hostile characters are escaped visibly; longer texts end in `…`.
 * @param limit longest result in characters, before the ellipsis
 */
export function printable(text: string, limit: number = MAX_DEFAULT): string {
  return sanitise(text, limit, false);
}

/** Like `printable`, but keeps line feeds and tabs: for output shown to a person. */
export function printableBlock(text: string, limit: number = Number.MAX_SAFE_INTEGER): string {
  return sanitise(text, limit, true);
}

function sanitise(text: string, limit: number, keepLines: boolean): string {
  let out = "";
  for (const char of text) {
    if (out.length >= limit) return `${out}…`;
    const code = char.codePointAt(0) ?? 0;
    out += isHostile(code) && !(keepLines && (code === 0x0a || code === 0x09)) ? escapeCode(code) : char;
  }
  return out;
}
