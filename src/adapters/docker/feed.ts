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
