// One line at the bottom of a terminal that says what runs now. Nothing of it stays, and a pipe gets none of it.

import { columnsOf, cut } from "./layout.js";

export interface Progress {
  /** Shows a text, printable already, in place of the one before. */
  show(text: string): void;
  /** Takes it away, so that a line or a question can be printed. */
  clear(): void;
}

/** A status line for a stream; silent where that is no terminal or steers one that cannot erase. */
export function createProgress(stream: NodeJS.WriteStream, isOn: boolean, paint: (text: string) => string): Progress {
  if (!isOn) return { show: () => undefined, clear: () => undefined };
  const state = { shown: false };
  const clear = (): void => {
    if (state.shown && !stream.destroyed) stream.write("\r\u001b[2K");
    state.shown = false;
  };
  return {
    show: (text) => {
      clear();
      if (stream.destroyed) return;
      stream.write(paint(cut(text, columnsOf(stream) - 1)));
      state.shown = true;
    },
    clear,
  };
}
