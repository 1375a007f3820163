// Output of a command, made safe for a terminal: colours stay, everything else that steers the terminal is shown, not obeyed.

import { printableBlock } from "../../core/shared/index.js";

const ESC = 0x1b;
/** Longest colour sequence kept together over chunk edges, in characters. */
const MAX_SEQUENCE = 32;

/**
 * A filter for one stream. Keeps line feed, tab, carriage return, backspace and `ESC [ … m`, but for the one that hides text;
 * shows every other control, bidi or invisible character as an escape. Sequences and UTF-8 characters cut by a chunk edge are held for the next.
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
      if (colour !== null && !conceals(colour[0])) {
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

/** Parameters that follow `38`, `48` and `58` by the kind of colour they announce: an index, or red, green and blue. */
const COLOUR_PARAMETERS: ReadonlyMap<string, number> = new Map([
  ["5", 2],
  ["2", 4],
]);

/** Tells whether a colour sequence turns on concealed text (8), which would hide what follows, ours included. */
function conceals(sequence: string): boolean {
  const parameters = sequence.slice(2, -1).split(";");
  for (let at = 0; at < parameters.length; at += 1) {
    const parameter = (parameters[at] ?? "").replace(/^0+(?=\d)/u, "");
    if (/^8(?::|$)/u.test(parameter)) return true;
    if (/^(?:38|48|58)$/u.test(parameter)) at += COLOUR_PARAMETERS.get((parameters[at + 1] ?? "").replace(/^0+(?=\d)/u, "")) ?? 0;
  }
  return false;
}

/** Keeps `\r` and `\b` besides what a block keeps: progress bars need them, and they cannot leave the line. */
function plain(text: string): string {
  if (!/[\r\b]/u.test(text)) return printableBlock(text);
  return text
    .split(/([\r\b])/u)
    .map((part) => (part === "\r" || part === "\b" ? part : printableBlock(part)))
    .join("");
}
