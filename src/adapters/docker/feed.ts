// Input that comes while a program runs, and the terminal it may come on.

import { STREAM_WINDOW_BYTES } from "../../core/channel/index.js";
import type { InputFeed } from "./channel.js";

/** The program of the runtime that gives another one a terminal. */
const TERMINAL = "/.ringfence/bin/rf-tty";

/** The words that run others on a terminal of this size; the same words for none. */
export function onTerminal(argv: readonly string[], terminal: { readonly rows: number; readonly columns: number } | null): readonly string[] {
  return terminal === null ? argv : [TERMINAL, String(terminal.rows), String(terminal.columns), ...argv];
}

export function createFeed(): InputFeed {
  return { pieces: [], ended: false, wake: () => undefined };
}

/** False, and nothing is taken, when more waits than a window. */
export function writeTo(feed: InputFeed, bytes: Uint8Array): boolean {
  const waiting = feed.pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (feed.ended || waiting + bytes.length > STREAM_WINDOW_BYTES) return false;
  if (bytes.length > 0) feed.pieces.push(bytes);
  feed.wake();
  return true;
}

/** What is typed on a terminal, as `rf-tty` reads it: a NUL begins a word to itself, and one that is meant is said by such a word. */
export function asTyped(bytes: Uint8Array): Uint8Array {
  return bytes.includes(0) ? Uint8Array.from([...bytes].flatMap((byte) => (byte === 0 ? [0, 0, 0, 0, 0] : [byte]))) : bytes;
}

/** The word to `rf-tty` that gives its terminal another size. */
export function asSize(rows: number, columns: number): Uint8Array {
  return Uint8Array.of(0, rows >> 8, rows & 0xff, columns >> 8, columns & 0xff);
}
