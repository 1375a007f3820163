// Output of a command, made safe for a terminal: colours stay, everything else that steers the terminal is shown, not obeyed.

import { printableBlock } from "../../core/shared/index.js";

const ESC = 0x1b;
/** Longest colour sequence kept together over chunk edges, in characters. */
const MAX_SEQUENCE = 32;

/**
 * A filter for one stream. Keeps line feed, tab, carriage return, backspace and `ESC [ … m`; shows every other control,
 * bidi or invisible character as an escape. Sequences and UTF-8 characters cut by a chunk edge are held for the next.
 */
export function sanitiseTerminal(): (chunk: Uint8Array) => string {
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
  let held = "";
  return (chunk) => {
    const text = held + decoder.decode(chunk, { stream: true });
    held = "";
    let out = "";
    let at = 0;
    while (at < text.length) {
      const escape = text.indexOf(String.fromCharCode(ESC), at);
      if (escape === -1) return out + plain(text.slice(at));
      out += plain(text.slice(at, escape));
      const rest = text.slice(escape, escape + MAX_SEQUENCE);
      const colour = /^\u001b\[[0-9;:]*m/u.exec(rest);
      if (colour !== null) {
        out += colour[0];
        at = escape + colour[0].length;
      } else if (rest.length < MAX_SEQUENCE && /^\u001b(?:\[[0-9;:]*)?$/u.test(rest)) {
        held = rest;
        return out;
      } else {
        out += "\\x1b";
        at = escape + 1;
      }
    }
    return out;
  };
}

/** Keeps `\r` and `\b` besides what a block keeps: progress bars need them, and they cannot leave the line. */
function plain(text: string): string {
  if (!/[\r\b]/u.test(text)) return printableBlock(text);
  return text
    .split(/([\r\b])/u)
    .map((part) => (part === "\r" || part === "\b" ? part : printableBlock(part)))
    .join("");
}
